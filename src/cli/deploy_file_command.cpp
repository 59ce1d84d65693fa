#include "cli/deploy_file_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>

#include "cli/ask.hpp"
#include "lifecycle/deploy_target.hpp"
#include "ov/diagnostic.hpp"
#include "ov/load.hpp"
#include "state/deploy_config.hpp"
#include "state/state_file.hpp"

namespace ov::cli {
namespace {

using state::DeployDocument;

struct FileCommand {
    std::string key, instance, output;
    std::vector<std::string> words;
    bool all = false, replace = false, assume_yes = false;

    std::string full_key() const { return instance.empty() ? key : key + "/" + instance; }
};

std::optional<DeployDocument> own_document(AppContext& app) {
    const std::string path = operator_paths().deploy_file();
    if (const auto text = state::read_file(path)) return DeployDocument::parse(*text, path);
    app.err << "No deploy.yml configured\n";
    return std::nullopt;
}

void show(const FileCommand& command, AppContext& app) {
    auto document = own_document(app);
    if (!document) return;
    const std::string key = command.full_key();
    if (!key.empty() && !document->has(key)) {
        app.err << fmt::format("{}: no entry {}\n", operator_paths().deploy_file(), key);
        return;
    }
    if (!key.empty()) document->keep_only({key});
    app.out << document->str();
}

/// A file is replaced as a whole; what is no file (a device, a pipe) is written to.
void write_to(const std::string& path, const std::string& text) {
    std::error_code unknown;
    if (const auto kind = std::filesystem::status(path, unknown).type();
        kind == std::filesystem::file_type::regular || kind == std::filesystem::file_type::not_found)
        return state::write_file(path, text);
    std::ofstream file(path);
    if (!(file << text << std::flush))
        throw Error(Errc::io, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

void write_out(const FileCommand& command, AppContext& app) {
    if (command.words.empty() != command.all) throw Error(Errc::usage, "deploy export: name the entries, or give --all");
    auto document = own_document(app);
    if (!document) {
        document = DeployDocument::parse("deploy: {}\n", operator_paths().deploy_file());
        if (!command.all)
            throw Error(Errc::not_found, fmt::format("{}: no entry {}", operator_paths().deploy_file(), command.words.front()));
    }
    if (!command.all) document->keep_only(command.words);
    if (command.output.empty() || command.output == "-")
        app.out << document->str();
    else
        write_to(command.output, document->str());
}

/// State of machines can be had again only by making them anew; what somebody wrote is lost as well, which a script is trusted to
/// mean.
void guard_state(const DeployDocument& document, const std::string& what, bool assume_yes) {
    const auto keys = document.keys();
    const bool machines =
        std::ranges::any_of(keys, [&](const std::string& key) { return document.node(key).vm_state.has_value(); });
    if (assume_yes || (!machines && !at_terminal())) return;
    const std::string danger =
        machines ? fmt::format("{} forgets the state of machines that exist", what)
                 : fmt::format("{} drops {} entr{} of this host's deploy.yml", what, keys.size(), keys.size() == 1 ? "y" : "ies");
    if (!at_terminal()) throw Error(Errc::gate_closed, danger + "; give --yes to do it");
    if (!person_agrees(danger + ". Go on?")) throw Error(Errc::cancelled, "nothing was done");
}

void take_in(const FileCommand& command, AppContext& app) {
    std::vector<DeployDocument> files;
    for (const std::string& path : command.words) {
        const auto text = state::read_file(path);
        if (!text) throw Error(Errc::not_found, path + ": no such file");
        files.push_back(DeployDocument::parse(*text, path));
        std::vector<Diagnostic> warnings;
        load_deploy_file(path, warnings);
        for (const Diagnostic& warning : warnings) app.err << warning.str() << '\n';
    }
    const std::string path = operator_paths().deploy_file();
    // Asked before the lock is taken: nobody waits for a person.
    if (command.replace)
        if (const auto text = state::read_file(path))
            guard_state(DeployDocument::parse(*text, path), "--replace", command.assume_yes);
    const bool changed = state::update_deploy_file(path, [&](DeployDocument& document) {
        if (command.replace) document.clear();
        for (const DeployDocument& file : files) document.lay_over(file, command.key);
    });
    app.err << (changed ? "Wrote " + path + "\n" : "Nothing to change in " + path + "\n");
}

void reset(const FileCommand& command, AppContext& app) {
    auto document = own_document(app);
    if (!document) return;
    const std::string path = operator_paths().deploy_file(), key = command.full_key();
    if (!key.empty() && !document->has(key)) throw Error(Errc::not_found, fmt::format("{}: no entry {}", path, key));
    if (key.empty()) guard_state(*document, "deploy reset", command.assume_yes);
    state::update_deploy_file(path, [&](DeployDocument& now) {
        if (key.empty())
            now.clear();
        else
            now.remove_entry(key);
    });
    app.err << (key.empty() ? fmt::format("Removed {}\n", path) : fmt::format("Removed {} from {}\n", key, path));
}

}  // namespace

void add_deploy_file_commands(CLI::App& deploy, AppContext& context) {
    struct Verb {
        const char *name, *help, *examples;
        void (*work)(const FileCommand&, AppContext&);
    };
    const Verb verbs[] = {
        {"show", "Print this host's deploy.yml, or one entry of it", "Examples:\n  ov deploy show\n  ov deploy show vm:lab -i 2",
         show},
        {"export", "Print entries of this host's deploy.yml as a file of their own",
         "Examples:\n  ov deploy export --all -o backup.yml\n  ov deploy export web vm:lab > two.yml", write_out},
        {"import", "Merge files into this host's deploy.yml: a field that is set replaces the one there",
         "Examples:\n  ov deploy import two.yml\n  ov deploy import backup.yml --replace --yes\n  ov deploy import backup.yml "
         "--image web",
         take_in},
        {"reset", "Drop one entry of this host's deploy.yml, or the whole file",
         "Nothing on any machine is changed by it.\nExamples:\n  ov deploy reset web\n  ov deploy reset --yes", reset},
    };
    for (const Verb& verb : verbs) {
        auto command = std::make_shared<FileCommand>();
        CLI::App* sub = deploy.add_subcommand(verb.name, verb.help);
        if (verb.work == show || verb.work == reset) {
            sub->add_option("key", command->key, "Entry (default: all)");
            sub->add_option("-i,--instance", command->instance, "Instance")->needs("key");
        } else if (verb.work == write_out) {
            sub->add_option("key", command->words, "Entries");
            sub->add_flag("--all", command->all, "All entries");
            sub->add_option("-o,--output", command->output, "File (default: standard output)");
        } else {
            sub->add_option("file", command->words, "Files, merged from left to right")->required();
            sub->add_flag("--replace", command->replace, "Start from an empty file");
            sub->add_option("--image", command->key, "Nothing but this entry")->type_name("KEY");
        }
        if (verb.work == reset || verb.work == take_in) sub->add_flag("-y,--yes", command->assume_yes, "No questions");
        sub->footer(verb.examples);
        sub->callback(
            [command, work = verb.work, &context] { context.action = [command, work, &context] { work(*command, context); }; });
    }
    CLI::App* path = deploy.add_subcommand("path", "Print where this host's deploy.yml is");
    path->footer("Example:\n  ov deploy path");
    path->callback([&context] { context.action = [&context] { context.out << operator_paths().deploy_file() << '\n'; }; });
}

}  // namespace ov::cli
