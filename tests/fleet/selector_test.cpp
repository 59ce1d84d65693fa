#include "fleet/selector.hpp"

#include <doctest/doctest.h>

#include "ov/error.hpp"

using namespace ov;

namespace {

const std::vector<Candidate> universe = {
    {"web", "web", "", {"front", "prod"}},
    {"web/1", "web", "1", {}},
    {"web/2", "web", "2", {"prod"}},
    {"vm:db", "db", "", {}},
    {"cache", "redis", "", {}},
};
using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("decision 58: selectors are united, matched against whole keys, and ordered by key") {
    struct Row {
        const char* name;
        Keys selectors;
        bool all;
        Keys limit, expected;
    };
    const Row rows[] = {
        {"exact key", {"web"}, false, {}, {"web"}},
        {"exact key with instance", {"web/1"}, false, {}, {"web/1"}},
        {"a star crosses the slash", {"w*"}, false, {}, {"web", "web/1", "web/2"}},
        {"a glob is over the whole key", {"*/2"}, false, {}, {"web/2"}},
        {"question mark", {"web/?"}, false, {}, {"web/1", "web/2"}},
        {"entity with its instances", {"vm:web"}, false, {}, {"web", "web/1", "web/2"}},
        {"one instance of an entity", {"vm:web/2"}, false, {}, {"web/2"}},
        {"a key that starts with vm:", {"vm:db"}, false, {}, {"vm:db"}},
        {"entity under another key", {"vm:redis"}, false, {}, {"cache"}},
        {"tag", {"tag=prod"}, false, {}, {"web", "web/2"}},
        {"union, each once, ordered", {"web/2", "cache", "tag=prod"}, false, {}, {"cache", "web", "web/2"}},
        {"all", {}, true, {}, {"cache", "vm:db", "web", "web/1", "web/2"}},
        {"limit intersects", {}, true, {"web*"}, {"web", "web/1", "web/2"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(select(universe, row.selectors, row.all, row.limit) == row.expected);
    }
}

TEST_CASE("decision 58: no selector, no match and an empty intersection are errors that say so") {
    CHECK_THROWS_WITH_AS(select(universe, {}, false), "no machine selected: give a selector or --all", Error);
    CHECK_THROWS_WITH_AS(select(universe, {"web", "nope*"}, false),
                         "no deploy matches 'nope*'; there are web, web/1, web/2, vm:db, cache", Error);
    CHECK_THROWS_WITH_AS(select(universe, {"tag=x"}, false),
                         "no deploy matches 'tag=x'; there are web, web/1, web/2, vm:db, cache", Error);
    CHECK_THROWS_WITH_AS(select(universe, {"cache"}, false, {"web"}), "--limit leaves no machine", Error);
    CHECK_THROWS_WITH_AS(select(universe, {"cahce"}, false), "no deploy matches 'cahce'; did you mean \"cache\"?", Error);
    CHECK_THROWS_WITH_AS(select(universe, {"cache"}, true),
                         "--all takes every machine, cache does not: give one of them, or --limit cache", Error);
    CHECK_THROWS_WITH_AS(select({}, {}, true), "there is no VM deploy", Error);
}

TEST_CASE("glob matching needs no backtracking over earlier stars") {
    CHECK(glob_matches("*a*b*c", "xxaxxbxxc"));
    CHECK_FALSE(glob_matches("*a*b*c", "xxaxxbxxcd"));
    CHECK(glob_matches("*", ""));
    CHECK_FALSE(glob_matches("?", ""));
    const std::string text(2000, 'a');
    CHECK_FALSE(glob_matches("*a*a*a*a*a*a*a*a*a*b", text));
}
