#include "ov/check.hpp"

#include <algorithm>
#include <set>

namespace ov {
namespace {

constexpr bool is_name_start(char c) {
    return (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_name_part(char c) {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/// Calls `replace(key, name)` for each `${NAME}` and `${NAME:arg}`; what it gives stands there afterwards, nothing: as it was.
template <class Replace>
std::string replaced(std::string_view text, Replace replace) {
    std::string out;
    while (!text.empty()) {
        const std::size_t at = text.find("${");
        if (at == std::string_view::npos) break;
        out += text.substr(0, at);
        text.remove_prefix(at);
        std::size_t end = 2;
        if (end < text.size() && is_name_start(text[end]))
            while (end < text.size() && is_name_part(text[end])) ++end;
        const std::string_view name = text.substr(2, end - 2);
        if (!name.empty() && end < text.size() && text[end] == ':') {
            const std::size_t close = text.find('}', end + 1);
            if (close != std::string_view::npos && close > end + 1) end = close;
        }
        std::optional<std::string> value;
        if (!name.empty() && end < text.size() && text[end] == '}') value = replace(text.substr(2, end - 2), name);
        if (value) {
            out += *value;
            text.remove_prefix(end + 1);
        } else {
            out += "${";
            text.remove_prefix(2);
        }
    }
    return out + std::string(text);
}

/// Every text in which references count.
template <class Visit>
void visit_texts(Check& check, Visit visit) {
    visit(check.subject);
    visit(check.id);
    visit(check.description);
    for (auto& [key, value] : check.texts) visit(value);
    for (auto& [key, values] : check.lists)
        for (std::string& value : values) visit(value);
    for (auto& [key, matchers] : check.matchers)
        for (Matcher& matcher : matchers)
            for (std::string& value : matcher.values) visit(value);
    for (auto& [key, value] : check.package_map) visit(value);
}

}  // namespace

std::string Check::text(std::string_view key, std::string_view fallback) const {
    const auto found = texts.find(key);
    return found == texts.end() ? std::string(fallback) : found->second;
}

bool Check::flag(std::string_view key, bool fallback) const {
    const auto found = texts.find(key);
    return found == texts.end() ? fallback : found->second == "true";
}

std::span<const Matcher> Check::matching(std::string_view key) const {
    const auto found = matchers.find(key);
    return found == matchers.end() ? std::span<const Matcher>() : std::span(found->second);
}

std::span<const std::string> Check::list(std::string_view key) const {
    const auto found = lists.find(key);
    return found == lists.end() ? std::span<const std::string>() : std::span(found->second);
}

bool Check::on_host() const {
    if (verb == "command") return !flag("in_container", true) || flag("from_host", false);
    if (verb == "port") return has("reachable");
    static const std::set<std::string_view> guest = {"file",  "package",   "service",      "process", "user",
                                                     "group", "interface", "kernel-param", "mount"};
    return !guest.contains(verb);
}

void merge_checks(std::vector<Check>& list, std::vector<Check> more) {
    for (Check& check : more) {
        const auto known = check.id.empty() ? list.end() : std::ranges::find(list, check.id, &Check::id);
        if (known == list.end()) {
            if (!check.verb.empty()) list.push_back(std::move(check));
        } else if (check.verb.empty()) {
            known->skip = true;
        } else {
            *known = std::move(check);
        }
    }
}

Check expand_check(const Check& check, const CheckVariables& variables, std::vector<std::string>& unknown) {
    Check out = check;
    std::set<std::string> missing;
    visit_texts(out, [&](std::string& text) {
        text = replaced(text, [&](std::string_view key, std::string_view) -> std::optional<std::string> {
            const auto found = variables.find(key);
            if (found != variables.end()) return found->second;
            missing.emplace(key);
            return std::nullopt;
        });
    });
    unknown.assign(missing.begin(), missing.end());
    return out;
}

std::vector<std::string> variables_in(const Check& check) {
    Check copy = check;
    std::set<std::string> names;
    visit_texts(copy, [&](std::string& text) {
        replaced(text, [&](std::string_view, std::string_view name) -> std::optional<std::string> {
            names.emplace(name);
            return std::nullopt;
        });
    });
    return {names.begin(), names.end()};
}

bool is_runtime_variable(std::string_view name) {
    static const std::set<std::string_view> names = {
        "HOST_PORT",   "VOLUME_PATH", "VOLUME_CONTAINER_PATH", "CONTAINER_IP",    "CONTAINER_NAME", "INSTANCE", "CAPTURED",
        "SCENARIO_ID", "STEP_ID",     "DEPLOY_NAME",           "VM_HOSTDEV_COUNT"};
    return names.contains(name) || name.starts_with("ENV_");
}

}  // namespace ov
