#include <doctest/doctest.h>

#include "deploy/guest_ledger.hpp"
#include "deploy/teardown_plan.hpp"
#include "ov/error.hpp"

using namespace ov;

namespace {

LedgerJson op(const char* text) {
    return LedgerJson::parse(text);
}

std::string framed(const std::string& name, const std::string& text) {
    return "ov-file " + name + " " + std::to_string(text.size()) + "\n" + text + "\n";
}

const char* record = "{\"v\":1,\"run\":\"r\",\"seq\":1,\"layer\":\"web\",\"digest\":\"d\",\"step\":0,\"kind\":\"Task\"";

}  // namespace

TEST_CASE("merging reverse operations keeps what knows the machine from before, and does not grow") {
    struct Row {
        const char* name;
        const char *first, *second, *merged;
    };
    const Row rows[] = {
        {"the same file twice: the digest is refreshed", R"({"kind":"rm-file-user","targets":["/a"],"extra":{"digest":"1"}})",
         R"({"kind":"rm-file-user","targets":["/a"],"extra":{"digest":"2"}})",
         R"([{"kind":"rm-file-user","targets":["/a"],"extra":{"digest":"2"}}])"},
        {"our own content is not restored over the original",
         R"({"kind":"rm-file-user","targets":["/a"],"extra":{"digest":"1"}})",
         R"({"kind":"restore-file","targets":["/a"],"extra":{"backup":"/b/1","digest":"2"}})",
         R"([{"kind":"rm-file-user","targets":["/a"],"extra":{"digest":"2"}}])"},
        {"another file is another operation", R"({"kind":"rm-file-user","targets":["/a"]})",
         R"({"kind":"rm-file-user","targets":["/b"]})",
         R"([{"kind":"rm-file-user","targets":["/a"]},{"kind":"rm-file-user","targets":["/b"]}])"},
        {"blocks differ by marker", R"({"kind":"remove-managed-block","targets":["/a"],"extra":{"marker":"x"}})",
         R"({"kind":"remove-managed-block","targets":["/a"],"extra":{"marker":"y"}})",
         R"([{"kind":"remove-managed-block","targets":["/a"],"extra":{"marker":"x"}},{"kind":"remove-managed-block","targets":["/a"],"extra":{"marker":"y"}}])"},
        {"the names complete the pending operation",
         R"({"kind":"package-remove","format":"deb","targets":[],"extra":{"before":"/x/packages.1"}})",
         R"({"kind":"package-remove","format":"deb","targets":["jq"],"extra":{"before":"/x/packages.1","complete":"yes"}})",
         R"([{"kind":"package-remove","format":"deb","targets":["jq"]}])"},
        {"nothing new was installed",
         R"({"kind":"package-remove","format":"deb","targets":[],"extra":{"before":"/x/packages.1"}})",
         R"({"kind":"package-remove","format":"deb","targets":[],"extra":{"before":"/x/packages.1","complete":"yes"}})", "[]"},
        {"packages that are recorded are not recorded again", R"({"kind":"package-remove","format":"deb","targets":["jq"]})",
         R"({"kind":"package-remove","format":"deb","targets":["jq","rg"],"extra":{"before":"/y","complete":"yes"}})",
         R"([{"kind":"package-remove","format":"deb","targets":["jq"]},{"kind":"package-remove","format":"deb","targets":["rg"]}])"},
        {"an operation of an unknown kind is kept", R"({"kind":"novel","targets":["a","b"],"new_key":1})",
         R"({"kind":"novel","targets":["a","b"],"new_key":1})", R"([{"kind":"novel","targets":["a","b"],"new_key":1}])"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        LedgerJson layer = LedgerJson::object();
        OpMerger merger(layer);
        merger.add(op(row.first), {"r1", 1});
        merger.add(op(row.second), {"r2", 1});
        CHECK(layer["reverse_ops"].dump() == LedgerJson::parse(row.merged).dump());
    }
}

TEST_CASE("the state of a unit from before is taken from the first deploy only") {
    const LedgerJson disable = op(R"({"kind":"service-disable","targets":["cron.service"]})");
    const LedgerJson restore =
        op(R"({"kind":"restore-enabled","targets":["cron.service"],"extra":{"active":"no","enabled":"yes"}})");
    LedgerJson layer = LedgerJson::object();
    OpMerger(layer).add(disable, {"r1", 1});
    OpMerger again(layer);
    again.add(disable, {"r2", 1});
    again.add(restore, {"r2", 1});
    CHECK(layer["reverse_ops"].size() == 1);
    LedgerJson fresh = LedgerJson::object();
    OpMerger first(fresh);
    first.add(disable, {"r1", 1});
    first.add(restore, {"r1", 1});
    CHECK(fresh["reverse_ops"].size() == 2);
}

TEST_CASE("a ledger file is written with escapes, two spaces and a newline, and keeps unknown keys") {
    const LedgerJson json = LedgerJson::parse("{\"layer\":\"a<b>&\",\"novel\":{\"x\":[1]},\"text\":\"\\u2028\\u2029\"}");
    CHECK(ledger_text(json) ==
          "{\n  \"layer\": \"a\\u003cb\\u003e\\u0026\",\n  \"novel\": {\n    \"x\": [\n      1\n    ]\n  },\n  \"text\": "
          "\"\\u2028\\u2029\"\n}\n");
    CHECK(LedgerJson::parse(ledger_text(json)) == json);
}

TEST_CASE("the dump of a ledger is read back, whatever is in it; what is no JSON is named") {
    const std::string layer = "{\"layer\":\"web\",\"deployed_by\":null,\"novel\":\"\u00fc\\n\"}";
    const GuestLedger ledger = parse_ledger_dump(framed("layers/web.json", layer) + framed("journal/aa.jsonl", "") +
                                                 framed("deploys/aa.json", "{\"target\":\"vm:x\"}\n"));
    CHECK(ledger.layers.at("web")["novel"] == "\u00fc\n");
    CHECK(ledger.journals.empty());
    CHECK(ledger.deploys_of("vm:x", "any") == std::vector<std::string>{"aa"});
    CHECK(ledger.deploys_of("vm:y", "").empty());
    CHECK(parse_ledger_dump("").layers.empty());
    for (const std::string& bad :
         {std::string("noise"), std::string("ov-file layers/x.json 5\n{}\n"), framed("layers/x.json", "[1]")}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_ledger_dump(bad), Error);
    }
}

TEST_CASE("folding a journal twice gives the same records, and a torn line is left out with a note") {
    GuestLedger ledger;
    ledger.deploys["aa"] = {{"target", "vm:x"}};
    ledger.journals["aa"] =
        parse_journal(std::string(record) + R"(,"state":"intent","summary":"task 1","scope":1})" + "\n" + record +
                      R"(,"state":"undo","op":{"kind":"rm-file-user","targets":["/a"]}})" + "\n{\"v\":1,\"ru\n" + record +
                      R"(,"state":"ok","status":0,"at":"2026-01-01T00:00:00Z"})" + "\n");
    ledger.fold("aa", "2026-01-01T00:00:00Z");
    CHECK(ledger.notes.size() == 1);
    const LedgerJson once = ledger.layers.at("web");
    CHECK(once["reverse_ops"].size() == 1);
    CHECK(once["steps"].size() == 1);
    CHECK(once["steps"][0]["summary"] == "task 1");
    CHECK(once["steps"][0]["scope"] == 1);
    CHECK(string_list(ledger.deploys["aa"], "layer") == std::vector<std::string>{"web"});
    ledger.fold("aa", "2026-01-02T00:00:00Z");
    CHECK(ledger.layers.at("web") == once);
}

TEST_CASE("a commit writes only what differs and removes what is gone") {
    GuestLedger before, after;
    before.layers = {{"same", {{"layer", "same"}}}, {"gone", {{"layer", "gone"}}}};
    after.layers = {{"same", {{"layer", "same"}}}, {"new", {{"layer", "new"}, {"steps", nullptr}}}};
    CHECK(ledger_commit_script(before, after, {}) ==
          "ov_save layers/new.json '{\n  \"layer\": \"new\"\n}\n' &&\nov_forget layers/gone.json\n");
    CHECK(ledger_commit_script(after, after, {}).empty());
}

TEST_CASE("a layer is undone in three passes, each last to first, with a reload before the restores") {
    const LedgerJson layer = {{"reverse_ops",
                               {{{"kind", "rm-file-system"}, {"targets", {"/etc/a"}}},
                                {{"kind", "service-disable"}, {"targets", {"one"}}},
                                {{"kind", "service-remove"}, {"targets", {"/etc/systemd/system/one.service"}}},
                                {{"kind", "service-disable"}, {"targets", {"cron.service"}}},
                                {{"kind", "restore-enabled"}, {"targets", {"cron.service"}}},
                                {{"kind", "novel"}, {"targets", {"x"}}}}}};
    const auto kinds = [&](UndoFlags flags) {
        std::string all;
        for (const UndoStep& step : undo_steps(layer, "/home/u", flags)) all += (step.problem.empty() ? step.kind : "?") + " ";
        return all;
    };
    CHECK(kinds({}) == "service-disable service-disable ? service-remove rm-file-system daemon-reload restore-enabled ");
    CHECK(kinds({true, false}) == "? rm-file-system ");
}

TEST_CASE("names that would leave the ledger's directory are refused") {
    for (const char* name : {"", "..", ".x", "a/b", "a b", "a'b", "\u00fc"}) CHECK(!is_ledger_name(name));
    for (const char* name : {"web", "eval-tier23-layer", "a.b_c-1"}) CHECK(is_ledger_name(name));
}
