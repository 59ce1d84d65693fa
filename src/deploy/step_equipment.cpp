#include "deploy/step_equipment.hpp"

#include <fmt/format.h>

#include <set>

#include "async/task_group.hpp"
#include "base/shell_quote.hpp"

namespace ov {
namespace {

/// How uploads get to the machine: small files into the memory of the runner that needs them, others and whole directories
/// below the run directory, large ones by a transfer of their own.
struct StagedUploads {
    std::vector<Command> commands;  ///< for the runners
    bool run_dir = false;           ///< the run directory must be there first
    struct Large {
        std::string source, path;
    };
    std::vector<Large> large;
};

constexpr const char* small_files = "uploading small files";

Command persistent(RunAs as, std::string script, std::string label) {
    Command command;
    command.as = as;
    command.script = std::move(script);
    command.label = std::move(label);
    command.persistent = true;
    return command;
}

StagedUploads stage_uploads(const std::vector<const PreparedStep*>& steps, UploadCache& uploads, const std::string& run_dir) {
    constexpr std::size_t most_in_shell = 1 << 20, script_limit = 512 * 1024;
    StagedUploads out;
    std::set<std::pair<RunAs, std::string>> seen;
    std::size_t in_shell = 0;
    std::string dirs, files;
    const auto flush = [&] {
        if (!dirs.empty()) out.commands.push_back(persistent(RunAs::user, "mkdir -p --" + dirs + "\n", small_files));
        if (!files.empty()) out.commands.push_back(persistent(RunAs::user, files + ":\n", small_files));
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
        files += fmt::format("printf %b {} >{} &&\n", shell_quote(file.escaped), shell_quote(path));
        if (keep_mode && (file.mode & 0100)) files += "chmod 0755 -- " + shell_quote(path) + " &&\n";
        if (files.size() > script_limit) flush();
    };
    for (const PreparedStep* step : steps)
        for (const Upload& upload : step->script.uploads) {
            const std::string path = run_dir + "/" + upload.staged;
            if (!upload.tree) {
                const UploadCache::File& file = uploads.file(upload.source);
                if (file.size <= UploadCache::inline_limit && in_shell + file.escaped.size() <= most_in_shell) {
                    if (!seen.emplace(step->script.as, path).second) continue;
                    in_shell += file.escaped.size();
                    out.commands.push_back(persistent(step->script.as, file.escaped, small_files));
                    out.commands.back().variable = fmt::format("ov_uploads[{}]", path);
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
    if (staged.run_dir || keeps_files) commands.push_back(persistent(RunAs::user, "ov_make_run\n", "making the run directory"));
    commands.push_back(std::move(first));
    for (Command& command : staged.commands) commands.push_back(std::move(command));
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        for (Command& command : commands) {
            if (command.script.empty() && command.variable.empty()) continue;
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
