#include "cli/usage_error.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/near_name.hpp"

namespace ov::cli {

namespace {

/// The verb that was reached, and how it is called.
struct Reached {
    const CLI::App* verb;
    std::string path;
};

Reached reached_verb(const CLI::App& app) {
    Reached at{&app, app.get_name()};
    while (!at.verb->get_subcommands().empty()) {
        at.verb = at.verb->get_subcommands().back();
        at.path += " " + at.verb->get_name();
    }
    return at;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
    return names;
}

std::vector<std::string> flags_of(const CLI::App& verb) {
    std::vector<std::string> names;
    for (const CLI::App* app = &verb; app != nullptr; app = app->get_parent())
        for (const CLI::Option* option : app->get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string explanation(const CLI::App& app, const Reached& at, const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app.remaining(true);
    const std::vector<std::string> verbs = verbs_of(*at.verb);
    if (unknown.empty()) {
        // CLI11's own words: an option without its value, a value that is none.
        if (verbs.empty() || dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) return error.what();
        return fmt::format("`{}` needs a verb: {}", at.path, joined(verbs));
    }
    const std::string& word = unknown.front();
    if (word.starts_with("-")) {
        const std::string flag = word.substr(0, word.find('='));
        return fmt::format("{} is no flag of `{}`{}", flag, at.path, did_you_mean(flag, flags_of(*at.verb)));
    }
    if (verbs.empty()) return fmt::format("`{}` takes no further argument: {}", at.path, joined(unknown));
    const std::string near = did_you_mean(word, verbs);
    return fmt::format("`{} {}` is no verb{}", at.path, word, near.empty() ? "; there are " + joined(verbs) : near);
}

}  // namespace

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
    const Reached at = reached_verb(app);
    return fmt::format("{}\nSee `{} --help`.", explanation(app, at, error), at.path);
}

}  // namespace ov::cli
