#include "deploy/check_system.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/check_text.hpp"

namespace ov {

using namespace check_text;

CheckVerdict judge_user(const Check& check, const CommandResult& result) {
    if (result.status != 0) return failed("user not found");
    std::string_view rest = result.out;
    const std::vector<std::string> fields = split(take_line(rest), ':');
    if (fields.size() < 7) return failed("unexpected answer: " + preview(result.out));
    static constexpr std::pair<const char*, std::size_t> parts[] = {{"uid", 2}, {"gid", 3}, {"home", 5}, {"shell", 6}};
    for (const auto& [key, index] : parts)
        if (check.has(key) && fields[index] != check.text(key))
            return failed(fmt::format("{}={}, want {}", key, fields[index], check.text(key)));
    const std::vector<std::string> groups = words(rest);
    for (const std::string& group : check.list("groups"))
        if (std::ranges::find(groups, group) == groups.end()) return failed(fmt::format("not in group {}", group));
    return passed(fmt::format("uid={} gid={}", fields[2], fields[3]));
}

CheckVerdict judge_group(const Check& check, const CommandResult& result) {
    if (result.status != 0) return failed("group not found");
    const std::vector<std::string> fields = split(trimmed(result.out), ':');
    if (fields.size() < 3) return failed("unexpected answer: " + preview(result.out));
    if (check.has("gid") && fields[2] != check.text("gid"))
        return failed(fmt::format("gid={}, want {}", fields[2], check.text("gid")));
    return passed(fmt::format("gid={}", fields[2]));
}

CheckVerdict judge_interface(const Check& check, const CommandResult& result) {
    if (result.status != 0) return failed("interface not found");
    std::string mtu;
    std::vector<std::string> addresses;
    for (const std::string& line : split(result.out, '\n')) {
        const std::vector<std::string> parts = words(line);
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            if (parts[i] == "mtu" && mtu.empty()) mtu = parts[i + 1];
            if (parts[i] == "inet" || parts[i] == "inet6") addresses.push_back(parts[i + 1]);
        }
    }
    if (check.has("mtu") && mtu != check.text("mtu")) return failed(fmt::format("mtu={}, want {}", mtu, check.text("mtu")));
    for (const std::string& wanted : check.list("addrs")) {
        const bool whole = wanted.find('/') != std::string::npos;
        const bool there = std::ranges::any_of(addresses, [&](const std::string& address) {
            return (whole ? address : address.substr(0, address.find('/'))) == wanted;
        });
        if (!there) return failed("missing address " + wanted);
    }
    return passed("ok");
}

CheckVerdict judge_kernel_parameter(const Check& check, const CommandResult& result) {
    if (result.status != 0) return failed(fmt::format("kernel param not readable (exit {})", result.status));
    const std::string value(trimmed(result.out));
    if (const auto wrong = mismatch(check.matching("value"), value)) return failed(fmt::format("value={}: {}", value, *wrong));
    return passed("value=" + value);
}

CheckVerdict judge_mount(const Check& check, const CommandResult& result) {
    const std::string_view lines = trimmed(result.out);
    if (result.status != 0 || lines.empty()) return failed("mount not found");
    const std::size_t last = lines.rfind('\n');
    const std::vector<std::string> fields = words(last == std::string_view::npos ? lines : lines.substr(last + 1));
    if (fields.size() < 3) return failed("unexpected answer: " + preview(result.out));
    static constexpr std::pair<const char*, const char*> parts[] = {{"mount_source", "source"}, {"filesystem", "filesystem"}};
    for (std::size_t i = 0; i < 2; ++i)
        if (check.has(parts[i].first) && fields[i] != check.text(parts[i].first))
            return failed(fmt::format("{}={}, want {}", parts[i].second, fields[i], check.text(parts[i].first)));
    if (const auto wrong = mismatch(check.matching("opt"), fields[2]))
        return failed(fmt::format("opts \"{}\": {}", fields[2], *wrong));
    return passed(fmt::format("source={} fstype={}", fields[0], fields[1]));
}

}  // namespace ov
