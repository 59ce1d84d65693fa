#include "plan/task_script.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

bool is_root(const TaskStep& task) {
    const std::string& user = task.resolved_user;
    return user.empty() || user == "root" || user == "0" || user == "0:0";
}

/// Empty for root and the deploy user, whose runners make files under their own name anyway.
std::string owner_of(const TaskStep& task) {
    return is_root(task) || task.run_as_deploy_user ? "" : task.resolved_user;
}

RunAs runner_of(const TaskStep& task) {
    return task.run_as_deploy_user && !is_root(task) ? RunAs::user : RunAs::root;
}

std::string exports(const TaskStep& task, const StepContext& context) {
    std::string text;
    for (const auto& [key, value] : task.layer_vars) text += fmt::format("export {}={}\n", key, shell_quote_lazy(value));
    std::map<std::string, std::string> env = task.env;
    if (const auto secrets = context.secrets.find(task.layer); secrets != context.secrets.end())
        env.insert(secrets->second.begin(), secrets->second.end());
    for (const auto& [key, value] : env) text += fmt::format("export {}={}\n", key, shell_quote_lazy(value));
    return text;
}

std::string ctx_dir(const TaskStep& task) {
    return "ctx-" + sha256_hex(task.layer_dir).substr(0, 16);
}

/// A character that can be part of a path before `/ctx`, so that `/ctx` is not the path's beginning.
bool continues_path(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_-./}~*?])").find(c) != std::string_view::npos;
}
bool continues_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_-.").find(c) != std::string_view::npos;
}

std::string cmd_script(const TaskStep& task, const StepContext& context) {
    std::string text = exports(task, context) + replace_ctx(task.cmd, context.run_dir + "/" + ctx_dir(task));
    if (!text.ends_with('\n')) text += '\n';
    if (const std::string other = owner_of(task); !other.empty())
        return "set -e\nov_arch\n" + script_call("ov_as", {other, "set -e\n" + text});
    return fmt::format("set -e\n{}ov_arch\n{}", runner_of(task) == RunAs::user ? "ov_env\n" : "", text);
}

std::string digest_of(const TaskStep& task, const StepContext& context) {
    const auto found = context.digests.find(task_uploads(task).front().source);
    return found == context.digests.end() ? "" : found->second;
}

/// The URL keeps `$` active: layers write ${ARCH} and their own variables into it.
std::string download_script(const TaskStep& task, const StepContext& context) {
    const std::string to = task.path.empty() && task.extract == "sh" ? "" : absolute_path(task.path), owner = owner_of(task),
                      url = shell_quote_expanding(task.source);
    std::string text = fmt::format("set -e\nov_arch\n{}", exports(task, context));
    const auto expected = [&] {
        std::string line = "ov_expect";
        for (const std::string& path : task.uninstall) line += " " + script_word(absolute_path(path));
        return task.uninstall.empty() ? std::string() : line + "\n";
    };
    const std::string checksum = task.checksum.empty() ? "''" : script_word(task.checksum);
    if (task.extract.empty() || task.extract == "none")
        return text + fmt::format("ov_download {} {} {} {}{}\n", octal_mode(task.mode.value_or(0755)), script_word(to), url,
                                  checksum, owner.empty() ? "" : " " + script_word(owner));
    if (task.extract == "sh") return text + expected() + fmt::format("ov_run_installer {} {}\n", url, checksum);
    text += fmt::format("ov_unpack {} {} {} {} {} {}", script_word(task.extract), script_word(to), url, checksum,
                        task.strip_components, owner.empty() ? "''" : script_word(owner));
    for (const std::string& member : task.include) text += " " + script_word(member);
    return text + "\n";
}

std::string verb_script(const TaskStep& task, const StepContext& context) {
    const std::string owner = owner_of(task);
    switch (task.verb) {
        case TaskVerb::mkdir:
            return script_call("ov_mkdir", {task.mode ? octal_mode(*task.mode) : "", absolute_path(task.path), owner});
        case TaskVerb::copy:
            return script_call("ov_copy",
                               {octal_mode(task.mode.value_or(0644)), absolute_path(task.path), digest_of(task, context),
                                context.run_dir + "/" + task_uploads(task).front().staged, owner});
        case TaskVerb::write:
            return script_call("ov_write", {octal_mode(task.mode.value_or(0644)), absolute_path(task.path),
                                            sha256_hex(task.content), task.content, owner});
        case TaskVerb::link:
            return script_call("ov_link", {task.source, absolute_path(task.path), owner});
        case TaskVerb::setcap:
            if (task.caps.empty())
                return fmt::format("set -e\n[[ -z $(getcap -- {0}) ]] || setcap -r {0}\n", script_word(absolute_path(task.path)));
            return "set -e\n" + script_call("setcap", {task.caps, absolute_path(task.path)});
        case TaskVerb::cmd:
            return cmd_script(task, context);
        case TaskVerb::download:
            return download_script(task, context);
        case TaskVerb::build:
            break;
    }
    return {};
}

}  // namespace

std::string replace_ctx(std::string_view body, std::string_view directory) {
    constexpr std::string_view name = "/ctx";
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = body.find(name); at != std::string_view::npos; at = body.find(name, at + name.size())) {
        const std::size_t end = at + name.size();
        if ((at > 0 && continues_path(body[at - 1])) || (end < body.size() && continues_name(body[end]))) continue;
        out.append(body, from, at - from).append(directory);
        from = end;
    }
    return out.append(body, from);
}

std::vector<Upload> task_uploads(const TaskStep& task) {
    if (task.verb == TaskVerb::copy) {
        const std::string source = (std::filesystem::path(task.layer_dir) / task.source).lexically_normal().string();
        return {{source, fmt::format("copy-{}-{}", sha256_hex(task.layer_dir).substr(0, 16), task.index), false}};
    }
    if (task.verb == TaskVerb::cmd && replace_ctx(task.cmd, "") != task.cmd) return {{task.layer_dir, ctx_dir(task), true}};
    return {};
}

GuestStep render_task(const TaskStep& task, const StepContext& context) {
    GuestStep out;
    out.as = runner_of(task);
    if (task.verb == TaskVerb::build) {
        out.action = GuestAction::skip;
        out.note = "build is for image builds";
        return out;
    }
    try {
        out.text = verb_script(task, context);
    } catch (const Error& error) {
        throw error.within(fmt::format("layer {}: task {}: {}", task.layer, task.index + 1, to_string(task.verb)));
    }
    out.uploads = task_uploads(task);
    out.library = {GuestPart::files};
    out.in_runner = task.verb == TaskVerb::mkdir || task.verb == TaskVerb::copy || task.verb == TaskVerb::write ||
                    task.verb == TaskVerb::link;
    if (task.verb == TaskVerb::cmd || task.verb == TaskVerb::setcap) out.library = {GuestPart::journal};
    if (task.verb == TaskVerb::download) out.library = {GuestPart::download};
    if (task.verb == TaskVerb::cmd) out.limit = 1800s;
    if (task.verb == TaskVerb::download) out.limit = 900s;
    return out;
}

}  // namespace ov
