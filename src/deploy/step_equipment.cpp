#include "deploy/step_equipment.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "async/task_group.hpp"
#include "base/shell_quote.hpp"

namespace ov {
namespace {

/// How uploads get to the machine: small files into the memory of the runner that needs them, others and whole directories
/// below the run directory, large ones by a transfer of their own.
struct StagedUploads {
    struct Script {
        RunAs as;
        std::string text;  ///< to be evaluated in the runner
    };
    std::vector<Script> scripts;
    bool run_dir = false;  ///< the run directory must be there first
    struct Large {
        std::string source, path;
    };
    std::vector<Large> large;
};

StagedUploads stage_uploads(const std::vector<const PreparedStep*>& steps, UploadCache& uploads, const std::string& run_dir) {
    constexpr std::size_t most_in_shell = 1 << 20, script_limit = 512 * 1024;
    StagedUploads out;
    std::set<std::pair<RunAs, std::string>> seen;
    std::map<RunAs, std::string> variables;
    std::size_t in_shell = 0;
    std::string dirs, files;
    const auto flush = [&] {
        if (!dirs.empty()) out.scripts.push_back({RunAs::user, "mkdir -p --" + dirs + "\n"});
        if (!files.empty()) out.scripts.push_back({RunAs::user, files + ":\n"});
        dirs.clear();
        files.clear();
    };
    const auto to_file = [&](const std::string& source, const std::string& path, bool keep_mode) {
        out.run_dir = true;
        const UploadCache::File& file = uploads.file(source);
        if (file.size > UploadCache::inline_limit) {
            out.large.push_back({source, path});
            return;
        }
        files += fmt::format("printf %b {} >{} &&\n", file.quoted, shell_quote(path));
        if (keep_mode && (file.mode & 0100)) files += "chmod 0755 -- " + shell_quote(path) + " &&\n";
        if (files.size() > script_limit) flush();
    };
    for (const PreparedStep* step : steps)
        for (const Upload& upload : step->script.uploads) {
            const std::string path = run_dir + "/" + upload.staged;
            if (!upload.tree) {
                const std::string& quoted = uploads.file(upload.source).quoted;
                if (!quoted.empty() && in_shell + quoted.size() <= most_in_shell) {
                    if (!seen.emplace(step->script.as, path).second) continue;
                    in_shell += quoted.size();
                    variables[step->script.as] += fmt::format("ov_uploads[{}]={}\n", path, quoted);
                } else if (seen.emplace(RunAs::user, path).second) {
                    to_file(upload.source, path, false);
                }
                continue;
            }
            if (!seen.emplace(RunAs::user, path).second) continue;
            out.run_dir = true;
            std::set<std::string> folders = {path};
            for (const std::string& name : uploads.tree(upload.source))
                if (const std::size_t slash = name.rfind('/'); slash != std::string::npos)
                    folders.insert(path + "/" + name.substr(0, slash));
            for (const std::string& folder : folders) dirs += " " + shell_quote(folder);
            for (const std::string& name : uploads.tree(upload.source))
                to_file(upload.source + "/" + name, path + "/" + name, true);
        }
    flush();
    for (auto& [as, script] : variables) out.scripts.push_back({as, std::move(script)});
    return out;
}

}  // namespace

asio::awaitable<void> run_prepared(Executor& executor, Command command, std::string what, Deadline deadline) {
    const CommandResult result = co_await executor.run(std::move(command), deadline);
    if (!result.ok()) throw Error(Errc::step_failed, fmt::format("{}: {}", what, exit_text(result)));
}

asio::awaitable<bool> equip(GuestSession& session, std::vector<const PreparedStep*> steps, UploadCache& uploads, Command first,
                            Deadline deadline, EmitEvent events) {
    GuestParts user, root;
    for (const PreparedStep* step : steps) (step->script.as == RunAs::root ? root : user) |= step->script.library;
    StagedUploads staged = stage_uploads(steps, uploads, session.place().run_dir);
    std::vector<Command> commands;
    if (!user.empty()) commands.push_back(session.library_for(RunAs::user, user));
    if (!root.empty()) commands.push_back(session.library_for(RunAs::root, root));
    const bool keeps_files = root.has(GuestPart::download) || root.has(GuestPart::packages) || root.has(GuestPart::repos) ||
                             user.has(GuestPart::download);
    const auto in_runner = [&commands](RunAs as, std::string script, std::string label) {
        Command command;
        command.as = as;
        command.script = std::move(script);
        command.label = std::move(label);
        command.persistent = true;
        commands.push_back(std::move(command));
    };
    if (staged.run_dir || keeps_files) in_runner(RunAs::user, "ov_make_run\n", "making the run directory");
    commands.push_back(std::move(first));
    for (StagedUploads::Script& script : staged.scripts) in_runner(script.as, std::move(script.text), "uploading small files");
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        for (Command& command : commands) {
            if (command.script.empty()) continue;
            std::string what = command.label;
            group.spawn(run_prepared(session.executor(), std::move(command), std::move(what), group.deadline()));
        }
        co_return;
    };
    co_await with_task_group(deadline, body);
    for (const StagedUploads::Large& large : staged.large) {
        const UploadCache::File& file = uploads.file(large.source);
        events(event::Transfer{large.source, 0, file.size});
        PutTarget target;
        target.path = large.path;
        target.sha256 = file.sha256;
        co_await session.executor().put(bytes_of_file(large.source), std::move(target), deadline);
        events(event::Transfer{large.source, file.size, file.size});
    }
    co_return staged.run_dir || keeps_files;
}

}  // namespace ov
