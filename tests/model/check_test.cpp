#include "ov/check.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace ov;

TEST_CASE("matchers hold or say why not, as checks.md 3 words it") {
    using enum MatchOperator;
    struct Row {
        const char* rule;
        Matcher matcher;
        const char* observed;
        const char* words;  ///< empty: holds
    };
    const Row rows[] = {
        {"equals ignores line ends", {equals, {"ok"}}, "ok\r\n", ""},
        {"equals does not ignore blanks", {equals, {"ok"}}, " ok", "expected exactly \"ok\""},
        {"not_equals", {not_equals, {"ok"}}, "ok\n", "expected NOT to equal \"ok\""},
        {"contains needs every text", {contains, {"a", "b"}}, "a only", "expected to contain \"b\""},
        {"not_contains allows none", {not_contains, {"x", "a"}}, "a only", "expected NOT to contain \"a\""},
        {"matches looks anywhere", {matches, {"v[0-9]"}}, "ver v2.1", ""},
        {"^ is the start of the whole text", {matches, {"^v2\\."}}, "ver v2.1", "expected to match /^v2\\./"},
        {"$ is not before a final newline", {matches, {"^ok$"}}, "ok\n", "expected to match /^ok$/"},
        {"(?m) makes it so", {matches, {"(?m)^ok$"}}, "ok\n", ""},
        {"not_matches", {not_matches, {"o"}}, "ok", "expected NOT to match /o/"},
        {"bad pattern", {matches, {"("}}, "x", "bad pattern /(/: missing ): ("},
        {"lt compares numbers", {lt, {"5"}}, "7\n", "expected lt 5 (got 7)"},
        {"le holds when equal", {le, {"10"}}, "10.0", ""},
        {"gt", {gt, {"1.5"}}, "1.4", "expected gt 1.5 (got 1.4)"},
        {"ge of no number", {ge, {"1"}}, "many", "expected ge 1, but \"many\" is no number"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK(mismatch({&row.matcher, 1}, row.observed).value_or("") == row.words);
    }
    CHECK_FALSE(mismatch({}, "anything"));
}

TEST_CASE("durations are read and written as Go does") {
    using namespace std::chrono_literals;
    struct Row {
        const char* text;
        std::optional<std::chrono::nanoseconds> value;
    };
    const Row rows[] = {{"1m30s", 90s},        {"1.5h", 90min},      {"250ms", 250ms},    {"0", 0s},
                        {"10", std::nullopt},  {"-1s", -1s},         {"3us", 3us},        {"3µs", 3us},
                        {"1s1", std::nullopt}, {"", std::nullopt},   {"s", std::nullopt}, {"1.2.3s", std::nullopt},
                        {".5s", 500ms},        {"5 s", std::nullopt}};
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(parse_go_duration(row.text) == row.value);
    }
    CHECK(format_go_duration(2004ms) == "2.004s");
    CHECK(format_go_duration(350ms) == "350ms");
    CHECK(format_go_duration(60500ms) == "1m0.5s");
    CHECK(format_go_duration(0s) == "0s");
}

TEST_CASE("references are replaced once, literally; what looks like shell stays") {
    Check check;
    check.verb = "command";
    check.subject = "echo ${NAME} ${HOST_PORT:22} ${lower} ${X} $NAME ${#a} ${NAME";
    check.texts["timeout"] = "${NAME}";
    check.matchers["stdout"] = {{MatchOperator::contains, {"${NAME}"}}};
    check.lists["addrs"] = {"${OTHER:a}"};
    std::vector<std::string> unknown;
    const Check out = expand_check(check, {{"NAME", "${X}'"}, {"HOST_PORT:22", "4022"}}, unknown);
    CHECK(out.subject == "echo ${X}' 4022 ${lower} ${X} $NAME ${#a} ${NAME");
    CHECK(out.texts.at("timeout") == "${X}'");
    CHECK(out.matchers.at("stdout").front().values.front() == "${X}'");
    CHECK(unknown == std::vector<std::string>{"OTHER:a", "X"});
    CHECK(variables_in(check) == std::vector<std::string>{"HOST_PORT", "NAME", "OTHER", "X"});
}

TEST_CASE("an id replaces in place, skip alone switches off, the rest is appended") {
    const auto make = [](std::string id, std::string verb, bool skip = false) {
        Check check;
        check.id = std::move(id);
        check.verb = std::move(verb);
        check.skip = skip;
        return check;
    };
    std::vector<Check> list = {make("a", "file"), make("b", "user"), make("", "port")};
    merge_checks(list, {make("a", "mount"), make("b", "", true), make("c", "", true), make("", "port")});
    REQUIRE(list.size() == 4);
    CHECK(list[0].verb == "mount");
    CHECK(list[1].verb == "user");
    CHECK(list[1].skip);
    CHECK(list[3].verb == "port");
}

TEST_CASE("reports escape what their form cannot hold") {
    CheckResult result;
    result.verb = "command";
    result.subject = "a\nb # <c>";
    result.message = "no \"x\" & \x01";
    result.status = CheckStatus::fail;
    const CheckSuite suite{"m<1>", {result}, {}};
    CHECK(format_checks({&suite, 1}, CheckFormat::text, true) ==
          "✗ command a\\nb # <c> — no \"x\" & \x01\n0 passed · 1 failed · 0 skipped\n");
    CHECK(format_checks({&suite, 1}, CheckFormat::tap, true) ==
          "TAP version 13\n1..1\nnot ok 1 - command a\\nb \\# <c> - no \"x\" & \x01\n");
    const std::string xml = format_checks({&suite, 1}, CheckFormat::junit, true);
    CHECK(xml.find("name=\"m&lt;1&gt;\"") != std::string::npos);
    CHECK(xml.find("message=\"no &quot;x&quot; &amp; \xEF\xBF\xBD\"") != std::string::npos);
    const CheckSuite nothing{"m", {}, {}};
    CHECK(format_checks({&nothing, 1}, CheckFormat::json, true) == "[]\n");
}
