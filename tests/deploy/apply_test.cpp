#include <doctest/doctest.h>

#include <algorithm>

#include "deploy/guest_ledger.hpp"
#include "support/deploy_rig.hpp"

using namespace ov;
using ov::test::DeployRig;
using ov::test::slurp;
using ov::test::spill;

namespace {

ShellHookStep hook() {
    return {"", {{"GREETING", "hello there"}}, {"/opt/web/bin"}, {}};
}

}  // namespace

TEST_CASE("a deploy makes its changes, records them, and its teardown restores the machine exactly") {
    DeployRig rig;
    spill(rig.home() / ".bashrc", "# mine\n[ -z \"$PS1\" ] && return\n");
    spill(rig.home() / "kept.conf", "original\n");
    const auto before = rig.manifest();
    const std::vector<InstallPlan> plans = {
        DeployRig::plan("base", {rig.write("a/b/file", "text\n", true), hook()}),
        DeployRig::plan("web", {rig.write("kept.conf", "ours\n"), DeployRig::task(TaskVerb::mkdir, rig.home() / "data"),
                                DeployRig::cmd("echo \"$GREETING\" >\"$HOME/data/by-cmd\"; rm \"$HOME/data/by-cmd\"")})};
    CHECK(rig.apply(plans) == "");
    CHECK(rig.steps_seen.size() == 5);
    CHECK(rig.report.ran == 5);
    CHECK(slurp(rig.home() / "kept.conf") == "ours\n");
    CHECK(slurp(rig.home() / ".bashrc").starts_with("# overthink:begin"));
    CHECK(slurp(rig.home() / ".config/overthink/env.d/base.env").find("GREETING='hello there'") != std::string::npos);

    const auto record = LedgerJson::parse(slurp(rig.ledger() / "layers/web.json"));
    CHECK(record["deployed_by"] == LedgerJson({"00000000000000aa"}));
    CHECK(record["steps"].size() == 3);
    CHECK(record["reverse_ops"].size() == 2);
    CHECK(record["plan_digest"].get<std::string>().size() == 64);
    const auto deploy = LedgerJson::parse(slurp(rig.ledger() / "deploys/00000000000000aa.json"));
    CHECK(deploy["layer"] == LedgerJson({"base", "web"}));
    CHECK(slurp(rig.ledger() / "journal/00000000000000aa.jsonl").empty());

    const auto applied = rig.manifest();
    const std::string records = slurp(rig.ledger() / "layers/web.json");
    CHECK(rig.apply(plans) == "");
    const auto again = LedgerJson::parse(slurp(rig.ledger() / "layers/web.json"));
    CHECK(again["reverse_ops"] == record["reverse_ops"]);
    CHECK(slurp(rig.home() / ".bashrc").find("overthink:begin", 20) == std::string::npos);

    CHECK(rig.del() == "");
    CHECK(rig.teardown.kept.empty());
    CHECK(rig.teardown.undone == std::vector<std::string>{"web", "base"});
    CHECK(rig.changes_since(before) == "");
    CHECK(rig.del() == "");
    CHECK(rig.teardown.deploys.empty());
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a user without any start file or .config has none afterwards") {
    DeployRig rig;
    const auto before = rig.manifest();
    CHECK(rig.apply({DeployRig::plan("base", {hook()})}) == "");
    CHECK(std::filesystem::exists(rig.home() / ".profile"));
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a failing step stops the deploy, names itself, and leaves a ledger that can be resumed and undone") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto plans = [&](const std::string& second) {
        return std::vector<InstallPlan>{
            DeployRig::plan("base", {DeployRig::cmd("echo once >>\"$HOME/count\"")}),
            DeployRig::plan("web", {rig.write("x", "1"), DeployRig::cmd(second), rig.write("y", "2")})};
    };
    const std::string bad = "[ -e \"$HOME/allowed\" ] || { echo no such thing >&2; exit 7; }";
    const std::string problem = rig.apply(plans(bad));
    CHECK(problem.find("layer web, step 2") != std::string::npos);
    CHECK(problem.find("exit status 7") != std::string::npos);
    CHECK(problem.find("no such thing") != std::string::npos);
    CHECK(rig.code == Errc::step_failed);
    CHECK(std::filesystem::exists(rig.home() / "x"));
    CHECK(!std::filesystem::exists(rig.home() / "y"));
    CHECK(std::filesystem::exists(rig.ledger() / "layers/web.json"));

    SUBCASE("resumed: what was done is not done again") {
        spill(rig.home() / "allowed", "");
        CHECK(rig.apply(plans(bad)) == "");
        CHECK(rig.report.skipped == 2);
        const auto again = [](const std::string& note) { return note.find("may have run in part") != std::string::npos; };
        CHECK(std::ranges::none_of(rig.notes, again));  // the failed one ended; those after it never began
        CHECK(slurp(rig.home() / "count") == "once\n");
        CHECK(std::filesystem::exists(rig.home() / "y"));
        CHECK(rig.apply(plans(bad)) == "");
        CHECK(slurp(rig.home() / "count") == "once\nonce\n");
        std::filesystem::remove(rig.home() / "allowed");
    }
    SUBCASE("undone") {}
    std::filesystem::remove(rig.home() / "count");
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a cancelled deploy leaves a true ledger") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto plan = DeployRig::plan("web", {rig.write("x", "1"), DeployRig::cmd("echo begun; sleep 100"), rig.write("y", "2")});
    rig.cancel_at = "begun";
    rig.apply({plan});
    CHECK(rig.code == Errc::cancelled);
    CHECK(rig.steps_seen == std::vector<std::string>{"web/1:ok", "web/2:cancelled"});
    CHECK(!std::filesystem::exists(rig.home() / "y"));
    rig.cancel_at.clear();
    CHECK(rig.del() == "");
    CHECK(rig.teardown.undone == std::vector<std::string>{"web"});
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a step that takes longer than it was given is ended; the next run does it again") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto plan =
        DeployRig::plan("web", {rig.write("x", "1"), DeployRig::cmd("[ -e \"$HOME/go\" ] || sleep 100"), rig.write("y", "2")});
    rig.step_limit = std::chrono::seconds(1);
    CHECK(rig.apply({plan}).find("longer than its limit of 1 s") != std::string::npos);
    CHECK(rig.code == Errc::timed_out);
    CHECK(rig.steps_seen == std::vector<std::string>{"web/1:ok", "web/2:failed"});
    spill(rig.home() / "go", "");
    CHECK(rig.apply({plan}) == "");
    CHECK(rig.steps_seen == std::vector<std::string>{"web/1:skipped", "web/2:ok", "web/3:ok"});
    std::filesystem::remove(rig.home() / "go");
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("what a builder made is on record before it is sent: a step that is cancelled leaves nothing of it behind") {
    DeployRig rig;
    const auto before = rig.manifest();
    BuilderStep npm;
    npm.builder = "npm";
    npm.layer = "web";
    npm.layer_dir = (rig.root() / "layer").string();
    spill(rig.root() / "layer/package.json", "{}");
    npm.image = "localhost/some:1";
    rig.podman = (rig.root() / "podman").string();
    spill(rig.podman,
          "#!/bin/bash\n"
          "case \"$1 $2\" in 'image exists') exit ;; 'image inspect') echo 0123456789ab; exit ;; esac\n"
          "cat >/dev/null\n"
          "while (($#)); do [[ $1 != -v || $2 != *:rw ]] || stage=${2%%:*}; shift; done\n"
          "mkdir -p \"$stage/.npm-global/bin\"; echo made >\"$stage/.npm-global/bin/tool\"\n");
    ::chmod(rig.podman.c_str(), 0755);
    // The record of the step is asked for by a command behind it that never ends.
    const auto plan = DeployRig::plan("web", {npm, DeployRig::cmd("echo begun; sleep 100")});
    rig.cancel_at = "begun";
    const std::string error = rig.apply({plan});
    CAPTURE(error);
    CHECK(rig.code == Errc::cancelled);
    CHECK(slurp(rig.home() / ".npm-global/bin/tool") == "made\n");
    bool recorded = false;
    for (const auto& file : std::filesystem::directory_iterator(rig.ledger() / "journal")) {
        const std::string journal = slurp(file.path());
        const std::size_t op = journal.find("rm-dir-recursive\",\"targets\":[\"" + (rig.home() / ".ov-build-").string());
        recorded = op != std::string::npos && op < journal.find("\"state\":\"ok\"");
    }
    CHECK(recorded);
    rig.cancel_at.clear();
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("two deploys share a layer: the last claim takes it with it") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto shared = DeployRig::plan("jq", {rig.write("jq", "x")});
    CHECK(rig.apply({shared, DeployRig::plan("one", {rig.write("one", "1")})}, "00000000000000aa", "vm:one") == "");
    CHECK(rig.apply({shared, DeployRig::plan("two", {rig.write("two", "2")})}, "00000000000000bb", "vm:two") == "");
    CHECK(rig.del("vm:one") == "");
    CHECK(rig.teardown.undone == std::vector<std::string>{"one"});
    CHECK(std::filesystem::exists(rig.home() / "jq"));
    CHECK(rig.del("vm:two") == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a deploy whose layer list changed supersedes its older record") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto one = DeployRig::plan("one", {rig.write("one", "1")}), two = DeployRig::plan("two", {rig.write("two", "2")});
    CHECK(rig.apply({one}, "00000000000000aa") == "");
    CHECK(rig.apply({two}, "00000000000000bb") == "");
    CHECK(!rig.notes.empty());
    CHECK(!std::filesystem::exists(rig.ledger() / "deploys/00000000000000aa.json"));
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("start files that hold blocks of layers and the shells' own come back to their exact bytes, or go") {
    for (const char* text : {"", "x", "x\n", "x\n\n"}) {
        for (const bool there : {true, false}) {
            DeployRig rig;
            if (there)
                for (const char* name : {".bashrc", ".profile"}) spill(rig.home() / name, text);
            const auto before = rig.manifest();
            const auto snippet = [&](const std::string& layer, const std::string& file) {
                ShellSnippetStep step;
                step.layer = step.marker = layer;
                step.shell = "bash";
                step.snippet = "export OV=" + layer + "\n";
                step.destination = (rig.home() / file).string();
                return step;
            };
            ShellSnippetStep dropin = snippet("a", "conf.d/deep/ov.sh");
            dropin.use_dropin = true;
            ShellSnippetStep shared = snippet("b", "conf.d/deep/ov-b.sh");
            shared.use_dropin = true;
            const auto a = DeployRig::plan("a", {snippet("a", ".bashrc"), snippet("a", ".profile"), dropin});
            const auto b = DeployRig::plan("b", {snippet("b", ".bashrc"), shared});
            CHECK(rig.apply({a}, "00000000000000aa", "vm:a") == "");
            CHECK(rig.apply({b}, "00000000000000bb", "vm:b") == "");
            CHECK(rig.del("vm:a") == "");
            CHECK(rig.del("vm:b") == "");
            CHECK(rig.changes_since(before) == "");
        }
    }
}

TEST_CASE("a run that failed and is superseded by another layer list is undone with it") {
    DeployRig rig;
    const auto before = rig.manifest();
    const auto one = DeployRig::plan("one", {rig.write("one", "1"), DeployRig::cmd("false")}),
               two = DeployRig::plan("two", {rig.write("two", "2")});
    CHECK(rig.apply({one}, "00000000000000aa") != "");
    const auto failed = LedgerJson::parse(slurp(rig.ledger() / "deploys/00000000000000aa.json"));
    CHECK(failed["layer"] == LedgerJson({"one"}));
    CHECK(rig.apply({two}, "00000000000000bb") == "");
    CHECK(rig.del() == "");
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("--skip-unchanged leaves out layers whose recorded digest is the new one") {
    DeployRig rig;
    const auto count = DeployRig::plan("base", {DeployRig::cmd("echo x >>\"$HOME/count\"")});
    CHECK(rig.apply({count}) == "");
    rig.skip_unchanged = true;
    CHECK(rig.apply({count}) == "");
    CHECK(rig.report.skipped == 1);
    CHECK(slurp(rig.home() / "count") == "x\n");
}

TEST_CASE("--skip-unchanged sees that a file of the layer became a program") {
    DeployRig rig;
    const auto layer = rig.root() / "layer";
    std::filesystem::create_directories(layer);
    std::ofstream(layer / "tool") << "#!/bin/sh\n";
    auto cmd = DeployRig::cmd("[ ! -x /ctx/tool ] || echo x >>\"$HOME/count\"");
    cmd.layer_dir = layer.string();
    const auto base = DeployRig::plan("base", {cmd});
    CHECK(rig.apply({base}) == "");
    rig.skip_unchanged = true;
    CHECK(rig.apply({base}) == "");
    CHECK(rig.report.skipped == 1);
    std::filesystem::permissions(layer / "tool", std::filesystem::perms::owner_all);
    CHECK(rig.apply({base}) == "");
    CHECK(rig.report.skipped == 0);
    CHECK(slurp(rig.home() / "count") == "x\n");
}

TEST_CASE("--skip-unchanged does not take a layer for whole that a later run began and did not end") {
    DeployRig rig;
    const auto fails_twice =
        DeployRig::plan("base", {DeployRig::cmd("echo x >>\"$HOME/count\""), DeployRig::cmd("mkdir \"$HOME/once\"")});
    CHECK(rig.apply({fails_twice}) == "");
    CHECK(rig.apply({fails_twice}) != "");
    rig.skip_unchanged = true;
    CHECK(rig.apply({fails_twice}).find("layer base, step 2") != std::string::npos);
    std::filesystem::remove(rig.home() / "once");
    CHECK(rig.apply({fails_twice}) == "");
    CHECK(rig.report.skipped == 1);
    CHECK(slurp(rig.home() / "count") == "x\nx\n");
    CHECK(rig.apply({fails_twice}) == "");
    CHECK(rig.report.skipped == 2);
}

TEST_CASE(
    "without a layer there is nothing to deploy, unless the machine is to be made ready for its pods: then nothing is recorded") {
    DeployRig rig;
    CHECK(rig.apply({}, "").find("there is nothing to deploy") != std::string::npos);
    rig.only_prepare = true;
    CHECK(rig.apply({}, "") == "");
    CHECK(!std::filesystem::exists(rig.ledger() / "deploys"));
}

TEST_CASE("files of the layer are on the machine while its commands run, whatever their bytes") {
    DeployRig rig;
    const auto layer = rig.root() / "layer";
    spill(layer / "bin/tool", "#!/bin/sh\necho tool ran\n");
    ::chmod((layer / "bin/tool").c_str(), 0755);
    spill(layer / "data", std::string_view("a\0b\\n%s'\xff", 9));
    spill(layer / "big", std::string(300000, 'b'));
    TaskStep cmd = DeployRig::cmd("/ctx/bin/tool; cp /ctx/data \"$HOME/data\"");
    cmd.layer_dir = layer.string();
    TaskStep big = DeployRig::task(TaskVerb::copy, rig.home() / "big");
    big.source = "big";
    big.layer_dir = layer.string();
    CHECK(rig.apply({DeployRig::plan("web", {cmd, big})}) == "");
    CHECK(rig.output.find("tool ran") != std::string::npos);
    CHECK(slurp(rig.home() / "data") == std::string_view("a\0b\\n%s'\xff", 9));
    CHECK(slurp(rig.home() / "big") == std::string(300000, 'b'));
}

TEST_CASE("a second deploy waits for the lock and then says who holds it") {
    DeployRig rig;
    std::filesystem::create_directories(rig.ledger());
    spill(rig.ledger() / ".lock.owner", "host=elsewhere pid=1\n");
    // A fake flock keeps the test from waiting for 30 seconds.
    spill(rig.root() / "bin/flock", "#!/bin/sh\nexit 1\n");
    ::chmod((rig.root() / "bin/flock").c_str(), 0755);
    const std::string path = ::getenv("PATH");
    ::setenv("PATH", ((rig.root() / "bin").string() + ":" + path).c_str(), 1);
    const std::string problem = rig.apply({DeployRig::plan("web", {rig.write("x", "1")})});
    ::setenv("PATH", path.c_str(), 1);
    CHECK(rig.code == Errc::busy);
    CHECK(problem.find("host=elsewhere") != std::string::npos);
    CHECK(!std::filesystem::exists(rig.home() / "x"));
}

TEST_CASE("a corrupt record stops everything before the first change") {
    DeployRig rig;
    spill(rig.ledger() / "layers/web.json", "{ torn");
    const std::string problem = rig.apply({DeployRig::plan("web", {rig.write("x", "1")})});
    CHECK(rig.code == Errc::ledger_corrupt);
    CHECK(problem.find("layers/web.json") != std::string::npos);
    CHECK(slurp(rig.ledger() / "layers/web.json") == "{ torn");
    CHECK(!std::filesystem::exists(rig.home() / "x"));
}

TEST_CASE("an operation that fails stays recorded until a later teardown can do it") {
    DeployRig rig;
    const auto before = rig.manifest();
    CHECK(rig.apply({DeployRig::plan("web", {rig.write("dir/x", "1"), rig.write("y", "2")})}) == "");
    std::filesystem::remove(rig.home() / "dir/x");
    std::filesystem::create_directory(rig.home() / "dir/x");
    CHECK(rig.del() == "");
    CHECK(rig.teardown.kept == std::vector<std::string>{"web"});
    CHECK(!std::filesystem::exists(rig.home() / "y"));
    std::filesystem::remove(rig.home() / "dir/x");
    CHECK(rig.del() == "");
    CHECK(rig.teardown.kept.empty());
    CHECK(std::filesystem::exists(rig.home() / "dir") == false);
    CHECK(rig.changes_since(before) == "");
}

TEST_CASE("a ledger written by the reference is torn down") {
    DeployRig rig;
    spill(rig.home() / ".tmux.conf", "x\n");
    spill(rig.home() / ".bashrc",
          "mine\n\n# overthink:begin tmuxcfg (managed by ov; do not edit inside this block)\nbody\n# overthink:end tmuxcfg\n");
    spill(rig.home() / ".config/overthink/env.d/tmuxcfg.env", "export A=b\n");
    spill(
        rig.ledger() / "deploys/9a99bbe83eb8342f.json",
        R"({"deploy_id":"9a99bbe83eb8342f","image":"vm:lab","target":"vm:lab","layer":["tmuxcfg"],"add_layer":null,"deployed_at":"2026-05-01T10:00:00Z"})");
    spill(rig.ledger() / "layers/tmuxcfg.json",
          R"({"layer":"tmuxcfg","deployed_by":["9a99bbe83eb8342f"],"deployed_at":"2026-05-01T10:00:00Z","reverse_ops":[
        {"kind":"rm-file-user","targets":["${HOME}/.tmux.conf"],"scope":1},
        {"kind":"remove-envd-file","targets":["~/.config/overthink/env.d/tmuxcfg.env"],"scope":2},
        {"kind":"remove-managed-block","targets":[")" +
              (rig.home() / ".bashrc").string() +
              R"("],"scope":2,"extra":{"layer":"tmuxcfg","marker":"tmuxcfg","shell":"bash"}}]})");
    CHECK(rig.del("vm:lab", true) == "");
    CHECK(rig.teardown.would_undo.size() == 3);
    CHECK(std::filesystem::exists(rig.home() / ".tmux.conf"));
    CHECK(rig.del("vm:lab") == "");
    CHECK(rig.teardown.kept.empty());
    CHECK(slurp(rig.home() / ".bashrc") == "mine\n");
    CHECK(!std::filesystem::exists(rig.home() / ".tmux.conf"));
    CHECK(!std::filesystem::exists(rig.home() / ".config/overthink"));
}
