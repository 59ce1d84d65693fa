// Rules of tasks beyond what the compiler refuses anyway.
#include <algorithm>

#include "plan/compile_parts.hpp"
#include "plan/home_token.hpp"
#include "plan/validation_parts.hpp"

namespace ov::plan {

namespace {

bool all_of(std::string_view text, std::string_view characters) {
    return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_number(std::string_view text) {
    return !text.empty() && all_of(text, "0123456789");
}

bool is_user(std::string_view text) {
    if (text.empty() || text == "root" || text == "${USER}" || text == "${UID}:${GID}" || is_number(text)) return true;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) return is_number(text.substr(0, colon)) && is_number(text.substr(colon + 1));
    const bool starts = (text.front() >= 'a' && text.front() <= 'z') || text.front() == '_';
    return starts && all_of(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

/// `0[0-7]{3,4}`: a mode without its zero is decimal to some readers of YAML.
bool is_mode(std::string_view text) {
    return (text.size() == 4 || text.size() == 5) && text.front() == '0' && all_of(text, "01234567");
}

/// `cap_net_raw+ep,cap_sys_admin=i`; names before the first flags share them: `cap_net_raw,cap_net_admin=eip`.
bool is_capabilities(std::string_view text) {
    bool has_flags = false;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view one = text.substr(0, comma);
        const std::size_t sign = std::min(one.find_first_of("=+"), one.size());
        has_flags = sign + 1 < one.size();
        const bool name = one.starts_with("cap_") && all_of(one.substr(0, sign), "abcdefghijklmnopqrstuvwxyz_");
        if (!name || (sign < one.size() && (!has_flags || !all_of(one.substr(sign + 1), "eip")))) return false;
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return has_flags;
}

void validate_task(const Layer& layer, const Task& task, const std::string& path, Findings& findings) {
    if (task.verbs.size() != 1) return;  // the compiler says so
    const TaskVerb verb = task.verbs.front().first;
    const std::string& value = task.verbs.front().second;
    const auto error = [&](std::string_view field, const std::string& message) {
        findings.error(task.where, path + "." + std::string(field), message);
    };
    if (!is_user(task.user))
        error("user", fmt::format("user '{}': expected root, ${{USER}}, a number, uid:gid or a user name", task.user));
    if (!task.mode.empty() && !is_mode(task.mode))
        error("mode", fmt::format("mode '{}': expected 0 and three or four octal digits", task.mode));
    if (verb == TaskVerb::write && task.content.empty()) error("content", "content is empty: there is nothing to write");
    if (verb == TaskVerb::download && value.find("://") == std::string::npos)
        error("download", fmt::format("'{}' is no URL", value));
    if (verb == TaskVerb::setcap && task.has_caps && !is_capabilities(task.caps))
        error("caps", fmt::format("caps '{}': expected a list such as cap_net_raw+ep,cap_net_admin=eip", task.caps));
    if (!task.cache.empty() && verb != TaskVerb::cmd) error("cache", "cache is for cmd tasks only");
    // Only shell scripts see the environment of their task.
    for (const std::string* field : {&value, &task.to, &task.target}) {
        if (verb == TaskVerb::cmd || verb != TaskVerb::download) break;
        const std::string name = first_variable(*field);
        static constexpr std::string_view known[] = {"USER", "UID", "GID", "HOME", "ARCH", "BUILD_ARCH"};
        if (name.empty() || layer.vars.contains(name) || task.env.contains(name)) continue;
        if (std::find(std::begin(known), std::end(known), name) == std::end(known))
            error("download", fmt::format("${{{}}} is neither in var nor one of USER UID GID HOME ARCH BUILD_ARCH", name));
    }
}

}  // namespace

void validate_tasks(const Layer& layer, Findings& findings) {
    for (std::size_t i = 0; i < layer.tasks.size(); ++i)
        validate_task(layer, layer.tasks[i], fmt::format("layer.task[{}]", i), findings);
}

void validate_variables(const Layer& layer, Findings& findings) {
    static constexpr std::string_view reserved[] = {"USER", "UID", "GID", "HOME", "ARCH", "BUILD_ARCH", "PATH"};
    for (const auto& [key, value] : layer.vars) {
        const SourcePosition where = layer.place_of("var");
        const bool shape =
            is_environment_name(key) && std::none_of(key.begin(), key.end(), [](char c) { return c >= 'a' && c <= 'z'; });
        if (!shape) findings.error(where, "layer.var", fmt::format("\"{}\": expected capital letters, digits and _", key));
        if (std::find(std::begin(reserved), std::end(reserved), key) != std::end(reserved))
            findings.error(where, "layer.var", fmt::format("\"{}\" is reserved", key));
        if (layer.env.contains(key)) findings.error(where, "layer.var", fmt::format("\"{}\" stands in var and in env", key));
    }
    for (const auto& [key, value] : layer.env) {
        if (key == "PATH") findings.error(layer.place_of("env"), "layer.env", "PATH is changed with path_append, not with env");
        if (!is_environment_name(key))
            findings.error(layer.place_of("env"), "layer.env", fmt::format("\"{}\" is no name of a variable", key));
    }
}

bool is_environment_name(std::string_view name) noexcept {
    if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

}  // namespace ov::plan
