#include "cli/settings_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "fleet/text_table.hpp"
#include "lifecycle/deploy_target.hpp"
#include "state/settings.hpp"

namespace ov::cli {
namespace {

std::string help_of_keys() {
    std::string text = "Settings (environment, allowed, default):\n";
    for (const state::SettingRow& row : state::setting_rows())
        text += fmt::format("  {:14} {:16} {:22} {:10} {}\n", row.key, row.variable, row.allowed, row.fallback, row.help);
    return text + fmt::format("  {:14} {:16} {:22} {:10} {}\n", "hosts.<alias>", "", "[user@]host[:port]", "",
                              "what --host <alias> means");
}

void list(AppContext& app) {
    const auto settings = state::Settings::load(operator_paths().settings_file());
    TextTable table({"KEY", "VALUE", "FROM"});
    for (const std::string& key : settings.keys()) {
        const auto value = settings.value(key);
        table.add({key, value.text, value.from});
    }
    app.out << table.str();
}

}  // namespace

void add_settings_commands(CLI::App& program, AppContext& context) {
    CLI::App* settings = program.add_subcommand("settings", "What this program takes where nothing else says it");
    settings->require_subcommand(1);
    struct Words {
        std::string key, value;
    };
    const auto add = [&](const char* name, const char* help, bool key, bool key_required, bool value, const std::string& examples,
                         auto work) {
        auto words = std::make_shared<Words>();
        CLI::App* verb = settings->add_subcommand(name, help);
        if (key) verb->add_option("key", words->key, "Setting")->required(key_required);
        if (value) verb->add_option("value", words->value, "Its value")->required();
        verb->footer((key ? help_of_keys() : std::string()) + "Examples:\n" + examples);
        verb->callback([words, work, &context] { context.action = [words, work, &context] { work(*words, context); }; });
    };
    add("get", "Print the value of a setting", true, true, false, "  ov settings get vm.backend",
        [](const Words& words, AppContext& app) {
            app.out << state::Settings::load(operator_paths().settings_file()).get(words.key) << '\n';
        });
    add("set", "Keep a value", true, true, true,
        "  ov settings set vm.backend qemu\n  ov settings set hosts.lab ana@lab.example.net:2222",
        [](const Words& words, AppContext&) { state::Settings::set(operator_paths().settings_file(), words.key, words.value); });
    add("list", "Print all settings, their values and where they come from", false, false, false, "  ov settings list",
        [](const Words&, AppContext& app) { list(app); });
    add("reset", "Back to the default: one setting, or all", true, false, false,
        "  ov settings reset vm.backend\n  ov settings reset", [](const Words& words, AppContext&) {
            const std::string path = operator_paths().settings_file();
            if (words.key.empty())
                state::Settings::reset_all(path);
            else
                state::Settings::set(path, words.key, std::nullopt);
        });
    add("path", "Print where the settings are", false, false, false, "  ov settings path",
        [](const Words&, AppContext& app) { app.out << operator_paths().settings_file() << '\n'; });
    settings->footer("Examples:\n  ov settings list\n  ov settings set vm.backend qemu");
}

}  // namespace ov::cli
