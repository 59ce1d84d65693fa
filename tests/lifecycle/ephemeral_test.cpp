#include "lifecycle/ephemeral.hpp"

#include <doctest/doctest.h>

#include "lifecycle/autostart.hpp"
#include "model/yaml_writer.hpp"

using namespace ov;

namespace {

DeployNode node_with(YamlPtr ephemeral) {
    DeployNode node;
    node.key = "lab/1";
    node.body = yaml_map({{"target", yaml_text("vm")}, {"ephemeral", std::move(ephemeral)}});
    return node;
}

}  // namespace

TEST_CASE("times to live (cli-and-config.md 10)") {
    struct Row {
        const char* text;
        long long seconds;  ///< 0: refused
    };
    const Row rows[] = {{"30s", 30},   {"30m", 1800}, {"1h30m", 5400}, {"1.5h", 5400}, {"2h", 7200}, {"90m", 5400},
                        {"1500ms", 1}, {"", 0},       {"0s", 0},       {"-1h", 0},     {"30", 0},    {"1d", 0},
                        {"h", 0},      {"1h ", 0},    {"1hx", 0},      {" 1h", 0},     {"0.1s", 0}};
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto ttl = parse_ttl(row.text);
        CHECK((ttl ? ttl->count() : 0) == row.seconds);
    }
}

TEST_CASE("the ephemeral key of a deploy") {
    struct Row {
        const char* name;
        YamlPtr value;
        const char* says;  ///< empty: good
    };
    const Row rows[] = {
        {"true", yaml_boolean(true), ""},
        {"yes", yaml_text("yes"), ""},
        {"false: omit it", yaml_boolean(false), "omit the key"},
        {"another word", yaml_text("maybe"), "omit the key"},
        {"ttl", yaml_map({{"ttl", yaml_text("30m")}}), ""},
        {"a bad ttl names key and value", yaml_map({{"ttl", yaml_text("soon")}}),
         "ttl: expected a duration such as 30m, 2h or 1h30m, got 'soon'"},
        {"no time at all", yaml_map({{"ttl", yaml_text("0s")}}), "got '0s'"},
        {"unknown key", yaml_map({{"tll", yaml_text("1h")}}), "unknown key tll"},
        {"unknown variable", yaml_map({{"naming_pattern", yaml_text("{{.Iter}}")}}), "{{.Source}} and {{.UUID6}} only"},
        {"a pattern that makes no name", yaml_map({{"naming_pattern", yaml_text("-{{.UUID6}}")}}), "makes '-000000'"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string said;
        try {
            if (!ephemeral_of(node_with(row.value))) said = "none";
        } catch (const Error& error) {
            said = error.what();
            CHECK(error.code() == Errc::spec_invalid);
        }
        CHECK(said.empty() == (*row.says == '\0'));
        CHECK(said.find(row.says) != std::string::npos);
    }
    DeployNode kept = node_with(yaml_boolean(true));
    kept.disposable = false;
    CHECK_THROWS_AS(ephemeral_of(kept), Error);
    CHECK_FALSE(ephemeral_of(DeployNode{}).has_value());
    CHECK(instance_name_of("{{.Source}}-eph-{{.UUID6}}", "vm:lab", "0a1b2c") == "vm-lab-eph-0a1b2c");
}

TEST_CASE("what the timer runs: the project's directory and our environment, words as arguments (decisions 66, W26)") {
    const TimerCommand user =
        timer_command("vm:web/1", std::chrono::seconds(30), "/usr/bin/ov", "/p q", {"HOME=/h"}, false, 1700000000);
    CHECK(user.unit == "ov-deploy-del-vm-web-1-1700000000");
    CHECK(user.systemd == std::vector<std::string>{"systemd-run", "--user", "--quiet", "--collect",
                                                   "--unit=ov-deploy-del-vm-web-1-1700000000", "--on-active=30s",
                                                   "--working-directory=/p q", "--setenv=HOME=/h", "/usr/bin/ov", "-C", "/p q",
                                                   "deploy", "del", "vm:web/1", "--force"});
    CHECK(timer_command("x", std::chrono::seconds(1), "ov", "/", {}, true, 1).systemd[1] == "--quiet");
    const std::vector<std::string> tail(user.detached.begin() + 5, user.detached.end());
    CHECK(tail == std::vector<std::string>{"ov-ttl", "30", "/usr/bin/ov", "-C", "/p q", "deploy", "del", "vm:web/1", "--force"});
}

TEST_CASE("the unit that starts a session's machine at boot (vm-lifecycle.md 7.1, W13)") {
    const std::string unit = autostart_unit("ov-lab", "/usr/bin/virsh", "qemu:///session");
    CHECK(unit.find("ExecStart=/usr/bin/virsh -c qemu:///session start ov-lab\n") != std::string::npos);
    CHECK(unit.find("SuccessExitStatus=1\n") != std::string::npos);
    CHECK(unit.find("/bin/sh") == std::string::npos);
    CHECK(autostart_unit_name("ov-lab") == "ov-autostart-ov-lab.service");
    for (const char* name : {"", "a b", "a;b", "a\nb", "$x"})
        CHECK_THROWS_AS(autostart_unit(name, "virsh", "qemu:///session"), Error);
}
