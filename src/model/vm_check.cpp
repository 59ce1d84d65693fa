#include "model/vm_check.hpp"

#include <algorithm>
#include <charconv>

#include "base/near_name.hpp"

namespace ov {

namespace {

Backend chosen_backend(const VmSpec& spec, const HostFacts& facts, const ValidateOptions& options) {
    return options.backend.value_or(vm::backend_of(spec, facts));
}

std::optional<std::string> template_problem(std::string_view text) {
    for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
        const std::size_t end = text.find("}}", at);
        if (end == std::string_view::npos) return fmt::format("'{}' is not closed with }}}}", text.substr(at));
        std::string_view name = text.substr(at + 2, end - at - 2);
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        if (name != ".VmStateDir" && name != ".VmName")
            return fmt::format("unknown variable '{}'; there are {{{{.VmStateDir}}}} and {{{{.VmName}}}}", name);
        at = end + 2;
    }
    return std::nullopt;
}

}  // namespace

VmCheck::VmCheck(const VmSpec& to_check, const HostFacts& host, const ValidateOptions& how, std::vector<Diagnostic>& findings)
    : spec(to_check),
      facts(host),
      options(how),
      backend(chosen_backend(to_check, host, how)),
      arch(host.arch),
      machine(vm::machine_of(to_check, host.arch)),
      firmware(vm::firmware_of(to_check, host.arch)),
      findings_(findings) {}

bool VmCheck::has_graphics(std::string_view type) const noexcept {
    const auto& all = spec.libvirt.devices.graphics;
    return std::any_of(all.begin(), all.end(), [&](const vm::Graphics& graphics) { return graphics.type == type; });
}

bool VmCheck::one_of(std::string_view path, std::string_view value, Words words) {
    if (value.empty() || std::find(words.begin(), words.end(), value) != words.end()) return true;
    const std::vector<std::string_view> known(words);
    error(path, fmt::format("expected one of {}, got '{}'{}", fmt::join(known, "|"), value,
                            did_you_mean(value, std::span<const std::string_view>(known))));
    return false;
}

bool VmCheck::flag(std::string_view path, std::string_view value) {
    if (value.empty() || vm::parse_flag(value)) return true;
    error(path, fmt::format("expected on|off, yes|no or true|false, got '{}'", value));
    return false;
}

std::optional<std::uint64_t> VmCheck::size(std::string_view path, std::string_view value, vm::SizeUnit bare) {
    if (value.empty()) return std::nullopt;
    const auto bytes = vm::parse_size(value, bare);
    if (!bytes) error(path, fmt::format("expected a size above 0 like 4G, 512M or 10 GiB, got '{}'", value));
    return bytes;
}

std::optional<long long> VmCheck::number(std::string_view path, std::string_view value, long long least, long long most) {
    if (value.empty()) return std::nullopt;
    long long parsed = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, failure] = std::from_chars(value.data(), end, parsed);
    if (failure == std::errc() && stop == end && parsed >= least && parsed <= most) return parsed;
    error(path, fmt::format("expected a number from {} to {}, got '{}'", least, most, value));
    return std::nullopt;
}

void VmCheck::in_range(std::string_view path, const vm::Int& value, long long least, long long most) {
    if (value && (*value < least || *value > most))
        error(path, fmt::format("expected a number from {} to {}, got {}", least, most, *value));
}

void VmCheck::absolute_path(std::string_view path, std::string_view value) {
    if (!value.empty() && value.front() != '/') error(path, fmt::format("expected an absolute path, got '{}'", value));
}

void VmCheck::socket_path(std::string_view path, std::string_view value, std::string_view named_by) {
    constexpr std::size_t longest = 107;  // sun_path without its NUL
    if (value.empty()) return;
    if (value.find("{{") != std::string_view::npos) {
        if (const auto problem = template_problem(value)) error(path, fmt::format("'{}': {}", value, *problem));
        return;
    }
    if (value.starts_with("/home/"))
        error(path, fmt::format("{} '{}' lies in somebody's home and breaks for everybody else; write "
                                "{{{{.VmStateDir}}}}/<name>.sock",
                                named_by, value));
    else if (value.size() > longest)
        error(path, fmt::format("the socket path '{}' is longer than {} bytes", value, longest));
}

bool VmCheck::mac(std::string_view path, std::string_view value) {
    if (value.empty()) return true;
    bool good = value.size() == 17;
    unsigned first = 0;
    bool all_zero = true;
    for (std::size_t i = 0; good && i < 17; ++i) {
        if (i % 3 == 2) {
            good = value[i] == ':';
        } else {
            unsigned digit = 0;
            good = std::from_chars(&value[i], &value[i] + 1, digit, 16).ec == std::errc();
            all_zero = all_zero && digit == 0;
            if (i == 1) first = digit;
        }
    }
    if (!good)
        error(path, fmt::format("expected a MAC address like 52:54:00:12:34:56, got '{}'", value));
    else if (first % 2 == 1)
        error(path, fmt::format("'{}' is a multicast address; an even second digit makes it a machine's", value));
    else if (all_zero)
        error(path, "an address of zeros is nobody's");
    else
        return true;
    return false;
}

bool VmCheck::need(std::string_view block, std::string_view key, std::string_view value, std::string_view what) {
    if (!value.empty()) return true;
    error(block, fmt::format("the key {} is missing: {}", key, what));
    return false;
}

void VmCheck::only(std::string_view path, const vm::TextMap& map, Words allowed, std::string_view where) {
    for (const auto& [key, value] : map)
        if (std::find(allowed.begin(), allowed.end(), key) == allowed.end())
            error(fmt::format("{}.{}", path, key), fmt::format("has no meaning for {}", where));
}

void VmCheck::refuse(std::string_view path, bool is_set, std::string_view why) {
    if (is_set) error(path, std::string(why));
}

std::string item_path(std::string_view list, std::size_t index) {
    return fmt::format("{}[{}]", list, index);
}

std::string join(const std::vector<std::string>& texts, std::string_view between) {
    return fmt::format("{}", fmt::join(texts, between));
}

}  // namespace ov
