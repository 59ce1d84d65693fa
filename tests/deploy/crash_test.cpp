#include <doctest/doctest.h>

#include "support/deploy_rig.hpp"

using namespace ov;
using ov::test::DeployRig;
using ov::test::slurp;
using ov::test::spill;

TEST_CASE("an operator that dies at any moment leaves a machine that a second run completes and a teardown restores") {
    // Counted once, then cut at moments spread over the whole run.
    const auto plans = [](DeployRig& rig) {
        return std::vector<InstallPlan>{
            DeployRig::plan("base", {rig.write("a/b/file", "text\n", true), ShellHookStep{"", {{"A", "b"}}, {"/opt/bin"}, {}}}),
            DeployRig::plan("web", {rig.write("kept.conf", "ours\n"), DeployRig::task(TaskVerb::mkdir, rig.home() / "data", true),
                                    DeployRig::cmd("mkdir \"$HOME/once\" && rmdir \"$HOME/once\"")})};
    };
    const auto prepare = [](DeployRig& rig) {
        spill(rig.home() / ".bashrc", "# mine\n");
        spill(rig.home() / "kept.conf", "original\n");
        return rig.manifest();
    };
    int whole = 0;
    {
        DeployRig rig;
        prepare(rig);
        rig.stop_after = 100000;
        rig.apply(plans(rig));
        whole = rig.loop_steps;
    }
    REQUIRE(whole > 20);
    for (int cut = 1; cut <= 16; ++cut) {
        DeployRig rig;
        const auto before = prepare(rig);
        rig.stop_after = whole * cut / 17;
        const int stopped = rig.stop_after;
        CAPTURE(stopped);
        rig.apply(plans(rig));
        rig.stop_after = 0;
        if (cut % 2 == 0) {
            CHECK(rig.apply(plans(rig)) == "");
            CHECK(slurp(rig.home() / "kept.conf") == "ours\n");
            CHECK(std::filesystem::exists(rig.home() / "data"));
        }
        CHECK(rig.del() == "");
        CHECK(rig.teardown.kept.empty());
        CHECK(rig.changes_since(before) == "");
    }
}

TEST_CASE("a teardown that dies at any moment can be finished by another") {
    int whole = 0;
    for (int cut = 0; cut <= 8; ++cut) {
        DeployRig rig;
        spill(rig.home() / "kept.conf", "original\n");
        const auto before = rig.manifest();
        CHECK(rig.apply({DeployRig::plan("base", {rig.write("a/file", "x", true), ShellHookStep{"", {{"A", "b"}}, {}, {}}}),
                         DeployRig::plan("web", {rig.write("kept.conf", "ours\n")})}) == "");
        rig.stop_after = cut == 0 ? 100000 : whole * cut / 9;
        const int stopped = rig.stop_after;
        CAPTURE(stopped);
        rig.del();
        if (cut == 0) whole = rig.loop_steps;
        rig.stop_after = 0;
        CHECK(rig.del() == "");
        CHECK(rig.teardown.kept.empty());
        CHECK(rig.changes_since(before) == "");
    }
}
