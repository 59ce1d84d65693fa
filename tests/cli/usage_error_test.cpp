// What a wrong command line is told.
#include "cli/usage_error.hpp"

#include <doctest/doctest.h>

#include "cli/app_context.hpp"

namespace {

std::string message_of(std::vector<std::string> words) {
    CLI::App app("test", "ov");
    app.fallthrough();
    app.require_subcommand(1);
    std::string directory;
    app.add_option("-C,--dir", directory, "Project");
    CLI::App* fleet = app.add_subcommand("fleet", "Many");
    fleet->require_subcommand(1);
    bool dry = false;
    std::string name;
    CLI::App* add = fleet->add_subcommand("add", "Apply");
    add->add_flag("--dry-run", dry, "Nothing");
    add->add_option("name", name, "Deploy")->required();
    fleet->add_subcommand("status", "Ask");
    std::reverse(words.begin(), words.end());
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return ov::cli::usage_message(app, error);
    }
    return "taken";
}

}  // namespace

TEST_CASE("a wrong command line is told the word, the nearest one and whose help to read") {
    const struct {
        const char* rule;
        std::vector<std::string> words;
        const char* message;
    } rows[] = {
        {"no verb at all", {}, "`ov` needs a verb: fleet\nSee `ov --help`."},
        {"no verb of a family", {"fleet"}, "`ov fleet` needs a verb: add, status\nSee `ov fleet --help`."},
        {"a near verb", {"fleet", "stauts"}, "`ov fleet stauts` is no verb; did you mean \"status\"?\nSee `ov fleet --help`."},
        {"an unknown verb", {"fly"}, "`ov fly` is no verb; there are fleet\nSee `ov --help`."},
        {"an unknown verb after a global flag", {"-C", "x", "fly"}, "`ov fly` is no verb; there are fleet\nSee `ov --help`."},
        {"a near flag",
         {"fleet", "add", "--dryrun", "web"},
         "--dryrun is no flag of `ov fleet add`; did you mean \"--dry-run\"?\nSee `ov fleet add --help`."},
        {"the value of an unknown flag is not told",
         {"fleet", "add", "web", "--password=secret"},
         "--password is no flag of `ov fleet add`\nSee `ov fleet add --help`."},
        {"one word too many",
         {"fleet", "add", "web", "lab"},
         "`ov fleet add` takes no further argument: lab\nSee `ov fleet add --help`."},
        {"a missing argument", {"fleet", "add"}, "name is required\nSee `ov fleet add --help`."},
        {"a right one", {"fleet", "add", "web"}, "taken"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.rule);
        CHECK(message_of(row.words) == row.message);
    }
}
