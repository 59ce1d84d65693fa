// layer-format.md 6 and 7.
#include <doctest/doctest.h>

#include "ov/plan_output.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

using ov::test::steps_of;

namespace {

std::vector<ov::ShellSnippetStep> snippets(const std::string& shell) {
    return steps_of<ov::ShellSnippetStep>(
        ov::compile(ov::test::layer_of("layer: {shell: " + shell + "}"), ov::test::target("arch")));
}

}  // namespace

TEST_CASE("layer-format 7 a generic snippet goes to four shells, with the shell's name") {
    const auto steps = snippets("{init: 'eval \"$(tool init ${SHELL_NAME})\"', path_append: [~/.tool/bin], priority: 5}");
    REQUIRE(steps.size() == 4);
    CHECK(steps[0].snippet == "eval \"$(tool init bash)\"\nexport PATH=\"$PATH:{{.Home}}/.tool/bin\"\n");
    CHECK(steps[1].snippet == "eval \"$(tool init zsh)\"\nexport PATH=\"$PATH:{{.Home}}/.tool/bin\"\n");
    CHECK(steps[2].snippet == "eval \"$(tool init fish)\"\nfish_add_path -gP '{{.Home}}/.tool/bin'\n");
    CHECK(steps[3].snippet == "eval \"$(tool init sh)\"\nexport PATH=\"$PATH:{{.Home}}/.tool/bin\"\n");
    const char* places[] = {"{{.Home}}/.bashrc", "{{.Home}}/.zshrc", "{{.Home}}/.config/fish/conf.d/ov-web.fish",
                            "{{.Home}}/.profile"};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(steps[i].destination == places[i]);
        CHECK(steps[i].use_dropin == (i == 2));
        CHECK(steps[i].priority == 5);
        CHECK(steps[i].marker == "web");
    }
}

TEST_CASE("layer-format 7 an override block inherits nothing") {
    const auto steps = snippets(
        "{init: generic, path_append: [/g], zsh: {init: 'own ${SHELL_NAME}'}, fish: {path: ~/x}, sh: {path_append: [/s]}}");
    REQUIRE(steps.size() == 3);
    CHECK(steps[0].shell == "bash");
    CHECK(steps[1].snippet == "own ${SHELL_NAME}");
    CHECK(steps[1].path_append.empty());
    CHECK(steps[2].shell == "sh");
    CHECK(steps[2].snippet == "export PATH=\"$PATH:/s\"\n");
}

TEST_CASE("layer-format 7 a path makes a whole file, in the scope of its place") {
    const auto user = snippets("{bash: {init: x, path: ~/.config/x.sh}}");
    CHECK(user.at(0).destination == "{{.Home}}/.config/x.sh");
    CHECK(user.at(0).use_dropin);
    CHECK(ov::Step{user.at(0)}.scope() == ov::Scope::user_profile);
    CHECK(ov::reverse_ops(ov::Step{user.at(0)}).at(0).kind == "rm-file-user");
    const auto system = snippets("{bash: {init: x, path: /etc/profile.d/x.sh}}");
    CHECK(ov::Step{system.at(0)}.scope() == ov::Scope::system);
    CHECK(ov::reverse_ops(ov::Step{system.at(0)}).at(0).kind == "rm-file-system");
}

TEST_CASE("install-plan 3.8 the reverse of a block names shell and marker") {
    const ov::ReverseOp op = ov::reverse_ops(ov::Step{snippets("{bash: {init: x}}").at(0)}).at(0);
    CHECK(op == ov::ReverseOp{"remove-managed-block",
                              {},
                              {"{{.Home}}/.bashrc"},
                              ov::Scope::user_profile,
                              {{"layer", "web"}, {"marker", "web"}, {"shell", "bash"}}});
}

TEST_CASE("layer-format 6 env and path_append become one hook with tokenised values") {
    const auto plan =
        ov::compile(ov::test::layer_of("layer: {env: {B: '${HOME}/b', A: $HOMEDIR}, path_append: [~/bin, /opt/bin]}"),
                    ov::test::target("arch"));
    const auto hook = steps_of<ov::ShellHookStep>(plan).at(0);
    CHECK(hook.env_vars == std::map<std::string, std::string>{{"A", "$HOMEDIR"}, {"B", "{{.Home}}/b"}});
    CHECK(hook.path_add == std::vector<std::string>{"{{.Home}}/bin", "/opt/bin"});
    CHECK(plan.steps[0].scope() == ov::Scope::user_profile);
    const ov::ReverseOp undo = ov::reverse_ops(plan.steps[0]).at(0);
    CHECK(undo.kind == "remove-envd-file");
    CHECK(undo.targets == std::vector<std::string>{"{{.Home}}/.config/overthink/env.d/web.env"});
}
