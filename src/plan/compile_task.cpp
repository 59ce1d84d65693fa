// `task` entries -> Task steps. Paths are resolved here, so that machines get literal words (W9).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "plan/compile_parts.hpp"
#include "plan/home_token.hpp"

namespace ov::plan {

std::optional<unsigned> octal_mode(std::string_view text) noexcept {
    if (text.starts_with("0o")) text.remove_prefix(2);
    unsigned mode = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size() || mode > 07777) return std::nullopt;
    return mode;
}

namespace {

constexpr std::string_view machine_variables[] = {"ARCH", "BUILD_ARCH"};

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string architecture_name(const std::string& machine) {
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    if (machine == "armv7l" || machine == "armv7" || machine == "armhf") return "arm";
    return machine;
}

class TaskCompiler {
public:
    TaskCompiler(Compilation& c, const Task& task, int index) : c_(c), task_(task), path_(fmt::format("layer.task[{}]", index)) {
        step_.index = index;
        variables_ = c.layer.vars;
        const CompileContext& context = c.context;
        variables_.insert_or_assign("USER", context.user);
        variables_.insert_or_assign("UID", std::to_string(context.uid));
        variables_.insert_or_assign("GID", std::to_string(context.gid));
        if (context.architecture.empty()) return;
        variables_.insert_or_assign("BUILD_ARCH", context.architecture);
        variables_.insert_or_assign("ARCH", architecture_name(context.architecture));
    }

    std::optional<TaskStep> run() {
        if (!check_verb()) return std::nullopt;
        const auto& [verb, value] = task_.verbs.front();
        step_.verb = verb;
        step_.layer = c_.layer.name;
        step_.layer_dir = c_.layer.dir;
        step_.layer_vars = c_.layer.vars;
        step_.env = task_.env;
        step_.comment = task_.comment;
        step_.cache = task_.cache;
        step_.target_text = task_.target;
        read_user();
        read_mode();
        read_verb(verb, value);
        return std::move(step_);
    }

private:
    void error(std::string_view field, std::string message) {
        c_.error(task_.where, field.empty() ? path_ : path_ + "." + std::string(field), std::move(message));
    }

    bool check_verb() {
        if (task_.verbs.size() == 1) return true;
        std::string names;
        for (const auto& [verb, value] : task_.verbs) names += (names.empty() ? "" : ", ") + std::string(to_string(verb));
        if (task_.verbs.empty())
            error({}, "a task needs one of cmd, mkdir, copy, write, link, download, setcap, build");
        else
            error({}, fmt::format("a task has one verb, this one has {}: {}", task_.verbs.size(), names));
        return false;
    }

    void read_user() {
        step_.user_text = task_.user;
        const std::string uid = std::to_string(c_.context.uid);
        const std::string_view authored = trimmed(task_.user);
        std::string user = authored == "${USER}" ? uid : expand_variables(authored, variables_);
        if (user.empty() || user == "root" || user == "0") user = "0";
        if (user == "0:0") user = "0";
        step_.resolved_user = user;
        step_.run_as_deploy_user = user == uid || user == uid + ":" + std::to_string(c_.context.gid) ||
                                   (!c_.context.user.empty() && user == c_.context.user);
        // Somebody who deploys as root asks for root with either word.
        if (step_.run_as_deploy_user && c_.context.uid == 0) step_.resolved_user = "0";
    }

    void read_mode() {
        step_.mode_text = task_.mode;
        if (task_.mode.empty()) return;
        step_.mode = octal_mode(task_.mode);
        if (!step_.mode) error("mode", fmt::format("expected an octal mode such as \"0644\", got '{}'", task_.mode));
    }

    /// A path field: variables, then home; what stays must be known to the machine only.
    std::string path(std::string_view field, const std::string& text) {
        const std::string resolved = tokenise_home(expand_variables(text, variables_));
        for (std::size_t at = resolved.find("${"); at != std::string::npos; at = resolved.find("${", at + 2)) {
            const std::string name = first_variable(std::string_view(resolved).substr(at));
            if (name.empty() ||
                std::find(std::begin(machine_variables), std::end(machine_variables), name) != std::end(machine_variables))
                continue;
            error(field, fmt::format("${{{}}} is neither in var nor one of USER UID GID HOME ARCH BUILD_ARCH", name));
        }
        if (resolved.find('\n') != std::string::npos) error(field, "a path must be one line");
        return resolved;
    }

    std::string absolute_path(std::string_view field, const std::string& text) {
        std::string resolved = path(field, text);
        if (resolved.empty())
            error(field, "expected a path, got nothing");
        else if (!resolved.starts_with('/') && !resolved.starts_with(home_token))
            error(field, fmt::format("expected an absolute path or one below the home (~/...), got '{}'", text));
        return resolved;
    }

    void read_verb(TaskVerb verb, const std::string& value) {
        step_.path_text = value;
        switch (verb) {
            case TaskVerb::cmd:
                if (trimmed(value).empty()) error("cmd", "expected a command, got nothing");
                step_.cmd = value;
                break;
            case TaskVerb::mkdir:
                step_.path = absolute_path("mkdir", value);
                break;
            case TaskVerb::copy:
                read_copy(value);
                break;
            case TaskVerb::write:
                step_.path = absolute_path("write", value);
                step_.content = task_.content;
                break;
            case TaskVerb::link:
                step_.path = absolute_path("link", value);
                step_.source_text = task_.target.empty() ? task_.to : task_.target;
                step_.source = path("target", step_.source_text);
                if (step_.source.empty()) error("target", "a link needs a target");
                break;
            case TaskVerb::download:
                read_download(value);
                break;
            case TaskVerb::setcap:
                step_.path = absolute_path("setcap", value);
                step_.caps = task_.caps;
                break;
            case TaskVerb::build:
                if (value != "all") error("build", fmt::format("expected all, got '{}'", value));
                break;
        }
    }

    void read_copy(const std::string& value) {
        step_.source_text = value;
        step_.source = path("copy", value);
        step_.path_text = task_.to;
        const bool leaves = step_.source.starts_with('/') || step_.source == ".." || step_.source.starts_with("../") ||
                            step_.source.find("/../") != std::string::npos || step_.source.ends_with("/..");
        if (step_.source.empty() || leaves || step_.source.starts_with(home_token))
            error("copy", fmt::format("expected a file below the layer's directory, got '{}'", value));
        if (task_.to.empty())
            error("to", "a copy needs to:");
        else
            step_.path = absolute_path("to", task_.to);
        if (step_.path.ends_with('/')) step_.path += step_.source.substr(step_.source.rfind('/') + 1);
    }

    void read_download(const std::string& value) {
        step_.source = step_.source_text = value;
        step_.path_text = task_.to;
        if (trimmed(value).empty()) error("download", "expected a URL, got nothing");
        step_.extract = task_.extract.empty() ? extract_of(value) : task_.extract;
        static constexpr std::string_view known[] = {"tar.gz", "tar.xz", "tar.zst", "zip", "sh", "none"};
        if (std::find(std::begin(known), std::end(known), step_.extract) == std::end(known))
            error("extract", fmt::format("expected one of tar.gz|tar.xz|tar.zst|zip|sh|none, got '{}'", step_.extract));
        if (!task_.to.empty())
            step_.path = absolute_path("to", task_.to);
        else if (step_.extract != "sh")
            error("to", "a download needs to:");
        for (const std::string& member : task_.include) step_.include.push_back(expand_variables(member, variables_));
        for (const std::string& target : task_.uninstall) step_.uninstall.push_back(absolute_path("uninstall", target));
        step_.strip_components = static_cast<int>(task_.strip_components.value_or(0));
        read_checksum();
    }

    void read_checksum() {
        if (task_.checksum.empty()) return;
        const std::string_view hex = std::string_view(task_.checksum).substr(std::min<std::size_t>(7, task_.checksum.size()));
        if (!task_.checksum.starts_with("sha256:") || hex.size() != 64 ||
            hex.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
            error("checksum", "expected sha256:<64 hex digits>");
        step_.checksum = task_.checksum;
    }

    static std::string extract_of(std::string_view url) {
        static constexpr std::pair<std::string_view, std::string_view> suffixes[] = {
            {".tar.gz", "tar.gz"},   {".tgz", "tar.gz"}, {".tar.xz", "tar.xz"},
            {".tar.zst", "tar.zst"}, {".zip", "zip"},    {".sh", "sh"}};
        for (const auto& [suffix, format] : suffixes)
            if (url.ends_with(suffix)) return std::string(format);
        return "none";
    }

    Compilation& c_;
    const Task& task_;
    std::string path_;
    std::map<std::string, std::string> variables_;
    TaskStep step_;
};

}  // namespace

void compile_tasks(Compilation& c, std::vector<Step>& steps) {
    int index = 0;
    for (const Task& task : c.layer.tasks)
        if (auto step = TaskCompiler(c, task, index++).run()) steps.push_back({std::move(*step)});
}

}  // namespace ov::plan
