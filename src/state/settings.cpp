#include "state/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/near_name.hpp"
#include "model/yaml_writer.hpp"
#include "ov/diagnostic.hpp"
#include "ov/vm/values.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {
namespace {

constexpr std::string_view hosts = "hosts.";

constexpr std::array<SettingRow, 6> rows{{
    {"vm.backend", "OV_VM_BACKEND", "auto", "auto|libvirt|qemu", "hypervisor of machines whose entity names none"},
    {"vm.ram", "OV_VM_RAM", "4G", "size", "memory of machines whose entity names none"},
    {"vm.cpus", "OV_VM_CPUS", "2", "integer", "virtual CPUs of machines whose entity names none"},
    {"vm.disk_size", "OV_VM_DISK_SIZE", "", "size or empty", "virtual size of new disks (empty: that of the image)"},
    {"vm.rootfs", "OV_VM_ROOTFS", "ext4", "ext4|xfs|btrfs", "file system of disks that ov makes itself"},
    {"bind_address", "OV_BIND_ADDRESS", "127.0.0.1", "127.0.0.1|0.0.0.0", "address of a pod's ports that name none"},
}};

const SettingRow* row_of(std::string_view key) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const SettingRow& row) { return row.key == key; });
    return found != rows.end() ? &*found : nullptr;
}

bool is_alias(std::string_view key) {
    return key.starts_with(hosts) && key.size() > hosts.size() && key.find_first_of("@.", hosts.size()) == std::string_view::npos;
}

[[noreturn]] void unknown(std::string_view key) {
    std::vector<std::string> known;
    for (const SettingRow& row : rows) known.emplace_back(row.key);
    throw Error(Errc::not_found, fmt::format("no setting {}{}; there are {} and hosts.<alias>", key, did_you_mean(key, known),
                                             fmt::join(known, ", ")));
}

bool among(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t end = words.find('|');
        if (words.substr(0, end) == word) return true;
        words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
    }
    return false;
}

/// What is wrong with the value; empty when nothing is.
std::string problem(std::string_view key, const std::string& value) {
    if (is_alias(key)) {
        const bool odd = value.empty() || value.front() == '-' || value.find_first_of(" \t\n") != std::string::npos;
        return odd ? "expected [user@]host[:port]" : "";
    }
    const SettingRow* row = row_of(key);
    if (row == nullptr) unknown(key);
    if (row->allowed.starts_with("size")) {
        const bool empty_allowed = row->allowed != "size";
        if (value.empty() ? empty_allowed : vm::parse_size(value, vm::SizeUnit::byte).has_value()) return "";
        return "expected a size such as 4G, 512M or 10 GiB";
    }
    if (row->allowed == "integer") {
        int number = 0;
        const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
        return failure == std::errc() && end == value.data() + value.size() && number >= 1 ? "" : "expected an integer from 1 up";
    }
    return among(row->allowed, value) ? "" : fmt::format("expected one of {}", row->allowed);
}

void check(std::string_view where, std::string_view key, const std::string& value) {
    const std::string wrong = problem(key, value);
    if (!wrong.empty()) throw Error(Errc::usage, fmt::format("{}: {}, got '{}'", where, wrong, value));
}

/// The mapping without (or with another) value at a dotted key; nullptr when nothing is left.
YamlPtr edited(const YamlPtr& node, std::string_view key, const std::optional<std::string>& value) {
    auto map = std::make_shared<YamlNode>();
    map->kind = YamlNode::Kind::map;
    if (node && node->is_map()) map->entries = node->entries;
    const std::size_t dot = key.find('.');
    const std::string head(key.substr(0, dot));
    const YamlNode* old = map->find(head);
    YamlPtr below = value ? yaml_text(*value) : nullptr;
    if (dot != std::string_view::npos)
        below = edited(old != nullptr ? std::make_shared<YamlNode>(*old) : nullptr, key.substr(dot + 1), value);
    std::erase_if(map->entries, [&](const YamlEntry& entry) { return entry.key == head; });
    if (below) map->entries.push_back({head, 0, 0, below});
    return map->entries.empty() ? nullptr : map;
}

YamlPtr read(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return nullptr;
    std::vector<Diagnostic> findings;
    auto documents = spec::parse_yaml(*text, path, findings);
    std::erase_if(documents, [](const YamlPtr& document) { return document->is_null(); });
    if (findings.empty() && (documents.size() > 1 || (documents.size() == 1 && !documents.front()->is_map())))
        findings.push_back({{path, 1, 1}, {}, "expected one mapping of settings", Severity::error});
    if (!findings.empty()) throw SpecError(std::move(findings));
    return documents.empty() ? nullptr : documents.front();
}

}  // namespace

std::span<const SettingRow> setting_rows() {
    return rows;
}

Settings Settings::load(const std::string& path, const std::map<std::string, std::string>& environment) {
    Settings settings;
    settings.path_ = path;
    settings.root_ = read(path);
    settings.environment_ = environment;
    return settings;
}

Settings Settings::load(const std::string& path) {
    std::map<std::string, std::string> environment;
    for (const SettingRow& row : rows)
        if (const char* text = std::getenv(std::string(row.variable).c_str()); text != nullptr && *text != '\0')
            environment[std::string(row.variable)] = text;
    return load(path, environment);
}

std::optional<std::string> Settings::stored(std::string_view key) const {
    const YamlNode* node = root_.get();
    while (node != nullptr && !key.empty()) {
        const std::size_t dot = key.find('.');
        node = node->is_map() ? node->find(std::string(key.substr(0, dot))) : nullptr;
        key.remove_prefix(dot == std::string_view::npos ? key.size() : dot + 1);
    }
    if (node == nullptr || !node->is_scalar()) return std::nullopt;
    return node->text;
}

Settings::Value Settings::value(std::string_view key) const {
    const SettingRow* row = row_of(key);
    if (row == nullptr && !is_alias(key)) unknown(key);
    if (row != nullptr)
        if (const auto found = environment_.find(std::string(row->variable)); found != environment_.end()) {
            check(row->variable, key, found->second);
            return {found->second, std::string(row->variable)};
        }
    if (const auto text = stored(key)) {
        check(fmt::format("{}: {}", path_, key), key, *text);
        return {*text, path_};
    }
    if (row == nullptr) throw Error(Errc::not_found, fmt::format("{} is not set", key));
    return {std::string(row->fallback), "default"};
}

std::optional<std::string> Settings::host(std::string_view alias) const {
    const std::string key = std::string(hosts) + std::string(alias);
    if (!is_alias(key) || !stored(key)) return std::nullopt;
    return get(key);
}

std::string Settings::given(std::string_view key) const {
    Value found = value(key);
    return found.from == "default" ? std::string() : std::move(found.text);
}

std::vector<std::string> Settings::keys() const {
    std::vector<std::string> all;
    for (const SettingRow& row : rows) all.emplace_back(row.key);
    const YamlNode* aliases = root_ ? root_->find("hosts") : nullptr;
    if (aliases != nullptr && aliases->is_map())
        for (const YamlEntry& entry : aliases->entries) all.push_back(std::string(hosts) + entry.key);
    return all;
}

void Settings::set(const std::string& path, std::string_view key, const std::optional<std::string>& value) {
    if (row_of(key) == nullptr && !is_alias(key)) unknown(key);
    if (value) check(key, key, *value);
    const FileLock lock = FileLock::acquire(path + ".lock");
    const YamlPtr old = read(path);
    const YamlPtr now = edited(old, key, value);
    if (!now)
        remove_file(path);
    else if (!old || !equal_values(*old, *now))
        write_file(path, write_yaml(*now));
}

void Settings::reset_all(const std::string& path) {
    const FileLock lock = FileLock::acquire(path + ".lock");
    remove_file(path);
}

}  // namespace ov::state
