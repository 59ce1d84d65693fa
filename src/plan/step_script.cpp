#include "plan/step_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "ov/error.hpp"
#include "plan/builder_script.hpp"
#include "plan/repo_script.hpp"
#include "plan/script_text.hpp"
#include "plan/task_script.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view strict = "set -e\n";

std::string_view scope_word(Scope scope) {
    return scope == Scope::system ? "system" : "user";
}
RunAs run_as(Scope scope) {
    return scope == Scope::system ? RunAs::root : RunAs::user;
}

GuestStep script(RunAs as, GuestPart part, std::string body) {
    GuestStep out;
    out.as = as;
    out.library = {part};
    out.text = std::string(strict) + body;
    return out;
}

/// One call that the runner makes itself.
GuestStep call(RunAs as, std::string text) {
    GuestStep out;
    out.as = as;
    out.library = {GuestPart::files};
    out.text = std::move(text);
    out.in_runner = true;
    return out;
}

GuestStep skipped(RunAs as, std::string note) {
    GuestStep out;
    out.action = GuestAction::skip;
    out.as = as;
    out.note = std::move(note);
    return out;
}

GuestStep render(const SystemPackagesStep& step, const StepContext&) {
    return render_packages(step);
}

GuestStep render(const BuilderStep& step, const StepContext& context) {
    GuestStep out =
        script(step.builder == "aur" ? RunAs::root : RunAs::user, GuestPart::build, builder_guest_text(step, context));
    out.action = GuestAction::build;
    out.limit = 30min;
    out.note = fmt::format("the {} builder runs on the operator's machine", step.builder);
    return out;
}

GuestStep render(const TaskStep& step, const StepContext& context) {
    return render_task(step, context);
}

GuestStep render(const FileStep& step, const StepContext& context) {
    if (step.source.empty()) throw Error(Errc::spec_invalid, fmt::format("file {}: no source", step.dest));
    const std::vector<Upload> uploads = uploads_of({step});
    const auto digest = context.digests.find(step.source);
    GuestStep out = call(is_system_path(step.dest) ? RunAs::root : RunAs::user,
                         script_call("ov_copy", {octal_mode(step.mode), absolute_path(step.dest),
                                                 digest == context.digests.end() ? "" : digest->second,
                                                 context.run_dir + "/" + uploads.front().staged, step.owner}));
    out.uploads = uploads;
    return out;
}

GuestStep render(const ServicePackagedStep& step, const StepContext&) {
    const std::string_view scope = scope_word(step.target_scope);
    std::string body;
    if (!step.overrides_text.empty() && !step.overrides_path.empty())
        body += script_call("ov_unit", {scope, absolute_path(step.overrides_path), sha256_hex(step.overrides_text),
                                        step.overrides_text, "remove-dropin"});
    body += script_call(step.enable ? "ov_enable" : "ov_restart", {scope, step.unit});
    return script(run_as(step.target_scope), GuestPart::services, body);
}

GuestStep render(const ServiceCustomStep& step, const StepContext&) {
    if (step.unit_text.empty() || step.unit_path.empty())
        throw Error(Errc::spec_invalid, fmt::format("service {}: no unit text or path", step.name));
    const std::string_view scope = scope_word(step.target_scope);
    return script(run_as(step.target_scope), GuestPart::services,
                  script_call("ov_unit", {scope, absolute_path(step.unit_path), sha256_hex(step.unit_text), step.unit_text}) +
                      script_call(step.enable ? "ov_enable" : "ov_restart", {scope, step.name}));
}

/// `deploy-engine.md` 12.1. The dash is U+2014.
std::string env_body(const ShellHookStep& step) {
    std::string text = fmt::format("# overthink env for layer {} \u2014 managed by ov; do not edit\n", step.layer);
    for (const auto& [key, value] : step.env_vars) text += fmt::format("export {}={}\n", key, shell_quote_lazy(value));
    if (step.path_add.empty()) return text;
    std::string path;
    for (const std::string& entry : step.path_add) path += entry + ":";
    std::string quoted = shell_quote_expanding(path);
    quoted.pop_back();
    return text + "export PATH=" + quoted + "$PATH\"\n";
}

GuestStep render(const ShellHookStep& step, const StepContext&) {
    // The home is not part of the step; the journal needs the path that the guest sees.
    const std::string text = env_body(step);
    return call(RunAs::user, fmt::format("ov_write 0644 \"$HOME\"/.config/overthink/env.d/{}.env {} {} '' remove-envd-file\n",
                                         script_word(step.layer), sha256_hex(text), script_word(text)));
}

GuestStep render(const ShellSnippetStep& step, const StepContext&) {
    const std::string path = absolute_path(step.destination);
    std::string body =
        fmt::format("command -v {0} >/dev/null || {{ echo 'ov: {0} is not installed: snippet skipped'; exit 0; }}\n", step.shell);
    std::string snippet = step.snippet;
    if (step.use_dropin) {
        if (!snippet.ends_with('\n')) snippet += '\n';
        body += script_call("ov_write", {"0644", path, sha256_hex(snippet), snippet});
    } else {
        while (snippet.ends_with('\n')) snippet.pop_back();
        body += script_call("ov_block", {path, step.marker, "end", snippet, step.shell});
    }
    return script(is_system_path(path) ? RunAs::root : RunAs::user, step.use_dropin ? GuestPart::files : GuestPart::blocks, body);
}

GuestStep render(const RepoChangeStep& step, const StepContext&) {
    return script(RunAs::root, GuestPart::repos,
                  script_call("ov_repo_file", {absolute_path(step.file), sha256_hex(step.content), step.content}));
}

GuestStep render(const ApkInstallStep&, const StepContext&) {
    return skipped(RunAs::root, "apk packages are for Android devices");
}

GuestStep render(const RebootStep&, const StepContext&) {
    GuestStep out;
    out.action = GuestAction::reboot;
    out.as = RunAs::root;
    out.text = "(sleep 1; systemctl reboot || reboot) </dev/null >/dev/null 2>&1 &\n";
    return out;
}

}  // namespace

std::vector<Upload> uploads_of(const Step& step) {
    if (const auto* task = std::get_if<TaskStep>(&step.body)) return task_uploads(*task);
    if (const auto* file = std::get_if<FileStep>(&step.body))
        return {{file->source, "file-" + sha256_hex(file->source + '\n' + file->dest).substr(0, 16), false}};
    return {};
}

GuestStep render_step(const Step& step, const StepContext& context) {
    return std::visit([&](const auto& body) { return render(body, context); }, step.body);
}

}  // namespace ov
