#include <doctest/doctest.h>

#include "spec/decode_check.hpp"
#include "spec/yaml_document.hpp"

using namespace ov;

namespace {

struct Decoded {
    std::vector<Check> checks;
    std::string problems;  ///< messages, one a line
};

Decoded decode(const std::string& yaml, CheckScope scope = CheckScope::deploy) {
    std::vector<Diagnostic> findings;
    const auto documents = spec::parse_yaml(yaml, "deploy.yml", findings);
    Decoded out;
    out.checks = spec::decode_checks(documents.front(), {"deploy.yml", "deploy lab", "deploy-local", scope}, findings);
    for (const Diagnostic& finding : findings) out.problems += finding.message + "\n";
    return out;
}

}  // namespace

TEST_CASE("what is wrong with a check is found when it is read (checks.md 2, 3, 8, 9, 10)") {
    struct Row {
        const char *rule, *yaml, *words;
    };
    const Row rows[] = {
        {"no verb", "- {}", "check 1: no verb"},
        {"an override needs an id", "- {skip: true}", "no verb"},
        {"several verbs are named sorted", "- {port: 80, file: /a}", "multiple verbs: file, port"},
        {"port 0 is unset", "- {port: 0}", "no verb"},
        {"command beside a protocol verb is an argument", "- {libvirt: guest/exec, command: ls}", ""},
        {"unknown key, nearest one named", "- {command: x, exit_statos: 1}", "unknown key exit_statos; did you mean \"exit_status\""},
        {"the check's id stands in the message", "- {id: a, file: x}", "check a: file: expected an absolute path"},
        {"modifier of another verb", "- {port: 80, exit_status: 1}", "the verb port has no modifier exit_status"},
        {"port range", "- {port: 65536}", "1 to 65535"},
        {"port may refer", "- {port: '${HOST_PORT:22}', reachable: true}", ""},
        {"scope words", "- {file: /a, scope: run}", "scope: expected build or deploy"},
        {"bare number as duration", "- {file: /a, timeout: 10}", "timeout: expected a duration"},
        {"zero duration", "- {file: /a, eventually: 0s}", "eventually: expected a duration"},
        {"interval without window", "- {file: /a, retry_interval: 1s}", "retry_interval without eventually"},
        {"contradiction", "- {command: x, in_container: false, from_host: false}", "contradict"},
        {"octal mode", "- {file: /a, mode: '0888'}", "mode: expected an octal mode"},
        {"file type", "- {file: /a, filetype: dir}", "filetype: expected one of"},
        {"digest", "- {file: /a, sha256: abc}", "64 hex digits"},
        {"uid below 0", "- {user: a, uid: -1}", "uid: expected an integer of at least 0"},
        {"addr without port", "- {addr: host}", "addr: expected host:port"},
        {"URL scheme", "- {http: ftp://x}", "http or https"},
        {"reachable and listening", "- {port: 80, reachable: true, listening: true}", "reachable together with listening"},
        {"matching without matchers", "- {matching: x}", "contains is missing"},
        {"duplicate id", "- {id: a, user: x}\n- {id: a, user: y}", "check a: its id is taken"},
        {"operator names", "- {command: x, stdout: {like: y}}", "unknown operator like"},
        {"one operator per entry", "- {command: x, stdout: {lt: 1, gt: 0}}", "one operator per entry, got lt, gt"},
        {"list in a list", "- {command: x, stdout: [[a]]}", "a list inside a list"},
        {"back-references are not RE2", "- {command: x, stdout: {matches: '(a)\\1'}}", "bad pattern"},
        {"numeric operand", "- {command: x, stdout: {lt: many}}", "lt needs a number"},
        {"unknown method", "- {vnc: fly}", "unknown method fly; there are status screenshot"},
        {"required modifier", "- {spice: click, x: 1}", "spice click needs the key y"},
        {"artifact rule without artifact", "- {vnc: status, artifact_min_bytes: 1}", "artifact_min_bytes without artifact"},
        {"artifact dimensions", "- {vnc: screenshot, artifact: a.png, artifact_min_dimensions: 0x5}", "WIDTHxHEIGHT"},
        {"build scope knows no run", "- {command: '${INSTANCE}', scope: build}", "scope build knows no ${INSTANCE}"},
        {"protocol verb in build scope", "- {libvirt: info, scope: build}", "needs a running domain"},
        {"container verbs keep what they have", "- {appium: tap, selector: x, strategy: y}", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const std::string problems = decode(row.yaml).problems;
        CAPTURE(problems);
        if (*row.words == '\0')
            CHECK(problems.empty());
        else
            CHECK(problems.find(row.words) != std::string::npos);
    }
}

TEST_CASE("bare values mean equals in matcher lists and contains in contains-lists; numbers become text") {
    const Decoded out = decode(
        "- {command: x, stdout: [a, 1.50, true, null, {contains: [b, 2]}]}\n- {file: /f, contains: x}\n"
        "- {matching: {a: [1, x]}, contains: y}\n");
    REQUIRE(out.problems.empty());
    const auto stdout_list = out.checks[0].matching("stdout");
    REQUIRE(stdout_list.size() == 5);
    CHECK(stdout_list[0].op == MatchOperator::equals);
    CHECK(stdout_list[1].values.front() == "1.5");
    CHECK(stdout_list[2].values.front() == "true");
    CHECK(stdout_list[3].values.front().empty());
    CHECK(stdout_list[4].values == std::vector<std::string>{"b", "2"});
    CHECK(out.checks[1].matching("contains").front().op == MatchOperator::contains);
    CHECK(out.checks[2].subject == R"({"a":[1,"x"]})");
}
