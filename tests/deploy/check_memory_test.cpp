#include "deploy/check_memory.hpp"

#include <doctest/doctest.h>

using namespace ov;
using namespace std::chrono_literals;

TEST_CASE("capture: the pass message, the first group of a pattern, else what it matches (checks 2.2)") {
    struct Row {
        const char *message, *pattern;
        std::optional<std::string> captured;
    };
    const Row rows[] = {{"value=Linux", nullptr, "value=Linux"},
                        {"backgrounded pid=17", "pid=([0-9]+)", "17"},
                        {"backgrounded pid=17", "[0-9]+", "17"},
                        {"ok", "[0-9]+", std::nullopt},
                        {"ok", "(", std::nullopt}};
    for (const Row& row : rows) {
        CAPTURE(row.message);
        Check check;
        check.texts["capture"] = "name";
        if (row.pattern != nullptr) check.texts["capture_extract"] = row.pattern;
        CHECK(captured_text(check, row.message) == row.captured);
    }
}

TEST_CASE("summarize: the times of the named checks, in milliseconds (checks 13)") {
    std::vector<CheckResult> results(5);
    for (int i = 0; i < 5; ++i) {
        results[i].id = "c" + std::to_string(i);
        results[i].elapsed = (5 - i) * 10ms;
    }
    Check check;
    check.lists["over_id"] = {"c0", "c1", "c2", "c3", "c4"};
    CHECK(summarize(check, results).message == "p50=30 p95=50 p99=50 max=50 mean=30");
    check.matchers["p95"] = {{MatchOperator::lt, {"40"}}};
    const CheckVerdict slow = summarize(check, results);
    CHECK(slow.status == CheckStatus::fail);
    CHECK(slow.message == "p95=50: expected lt 40 (got 50)");
    check.lists["over_id"] = {"c0", "other"};
    CHECK(summarize(check, results).message == "over_id: other has no result");
    check.lists.clear();
    CHECK(summarize(check, results).message == "over_id names no check");
}
