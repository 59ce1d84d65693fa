// Which children of a deploy are pods, and what they are given.
#include "lifecycle/pods.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "ov/error.hpp"
#include "ov/load.hpp"
#include "support/deploy_rig.hpp"
#include "support/temp_tree.hpp"

namespace {

ov::DeployNode node_of(const std::string& nested) {
    const ov::test::TempTree tree;
    tree.write("overthink.yml",
               "version: 2026.144.1443\nvm:\n  lab: {source: {kind: external}, ssh: {host: 10.0.0.1}}\n"
               "deploy:\n  lab:\n    target: vm\n    vm: lab\n    nested:\n" +
                   nested);
    return ov::load_project({tree.path(), std::nullopt}).deploys.at("lab");
}

}  // namespace

TEST_CASE("children with an image whose target is a pod are brought up, sorted by key (image-transfer.md 2)") {
    const auto children =
        ov::pod_children(node_of("      web: {target: pod, image: site, env: [A=1], port: [\"9092:8080\", \"0.0.0.0:80:80\"]}\n"
                                 "      box: {target: container, image: box}\n"
                                 "      bare: {image: notes}\n"
                                 "      tv: {target: android, image: tv}\n"));
    REQUIRE(children.size() == 3);
    CHECK(children[0].key == "bare");
    CHECK(children[1].key == "box");
    CHECK(children[2].key == "web");
    CHECK(children[2].image == "site");
    CHECK(children[2].env == std::vector<std::string>{"A=1"});
    CHECK(children[2].ports == std::vector<std::string>{"9092:8080", "0.0.0.0:80:80"});
}

TEST_CASE("a key that can name no container is an error that names it") {
    std::string problem;
    try {
        ov::pod_children(node_of("      Web_: {target: pod, image: site}\n"));
    } catch (const ov::Error& error) {
        problem = error.what();
    }
    CHECK(problem.find("nested pod Web_:") == 0);
}

namespace {

// Pods are files with their owner in them; `stuck` cannot be removed.
constexpr const char* fake_program = R"sh(#!/bin/bash
pods=$HOME/pods
case "$1 $2" in
"deploy list") for pod in "$pods"/*; do [[ ! -e $pod || ( $3 == --owner && $4 && $(<"$pod") != "$4" ) ]] || echo "${pod##*/}"; done ;;
"deploy del") [[ $3 != grumbling ]] || echo "ov-grumbling: the image's pre_remove hook: exit status 3: no" >&2; [[ $3 != stuck ]] || { echo "stop ov-stuck: it does not end" >&2; exit 1; }; rm "$pods/$3"; echo "$3" >>"$HOME/removed" ;;
version*) echo 2026.1.1 ;;
*) exit 9 ;;
esac
)sh";

/// A machine where deploy `lab` has these pods, and another deploy one: so the last pod is never taken.
struct PodRig : ov::test::DeployRig {
    explicit PodRig(std::initializer_list<const char*> pods) {
        write_file(".cache/ov/ov-guest", fake_program);
        std::filesystem::permissions(home() / ".cache/ov/ov-guest", std::filesystem::perms::all);
        for (const char* pod : pods) write_file(std::string("pods/") + pod, "lab\n");
        write_file("pods/foreign", "other\n");
    }
    void write_file(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((home() / name).parent_path());
        std::ofstream(home() / name) << text;
    }
    std::string removed() const {
        std::ifstream file(home() / "removed");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string take_down(const ov::PodRemoval& removal, std::vector<std::string>& names) {
        return with_machine(
            [&](ov::Machine& machine, ov::Deadline deadline, ov::EmitEvent emit, DeployRig&) -> asio::awaitable<void> {
                ov::Runtime runtime(1);
                names = co_await ov::take_down_pods(*machine.executor, runtime, removal, deadline, emit);
            });
    }
    bool has_program() const { return std::filesystem::exists(home() / ".cache/ov/ov-guest"); }
    /// A deploy of `lab` that has no children any more.
    std::string bring_up_nothing() {
        return with_machine(
            [&](ov::Machine& machine, ov::Deadline deadline, ov::EmitEvent emit, DeployRig&) -> asio::awaitable<void> {
                ov::Runtime runtime(1);
                ov::ImageShelf shelf(ov::ImageWorkshop{runtime, nullptr, nullptr, {}});
                ov::PodRun run{"lab", {}, {}, true};
                co_await ov::bring_up_pods(*machine.executor, shelf, runtime, run, deadline, emit);
            });
    }
};

}  // namespace

TEST_CASE("pods of a deploy are taken down in reverse order, those of another stay; a dry run only names them") {
    PodRig rig({"a", "b", "c"});
    std::vector<std::string> names;
    CHECK(rig.take_down({"lab", {}, true}, names) == "");
    CHECK(names == std::vector<std::string>{"c", "b", "a"});
    CHECK(rig.removed().empty());
    CHECK(rig.take_down({"lab", {}}, names) == "");
    CHECK(rig.removed() == "c\nb\na\n");
    CHECK(rig.has_program());
}

TEST_CASE("with the last pod goes what pods share, unless others are about to come; without an owner all pods go") {
    std::vector<std::string> names;
    PodRig about({"a"});
    std::filesystem::remove(about.home() / "pods/foreign");
    CHECK(about.take_down({"lab", {}, false, false}, names) == "");
    CHECK(about.has_program());
    PodRig whole({"a", "b"});
    CHECK(whole.take_down({}, names) == "");
    CHECK(whole.removed() == "foreign\nb\na\n");
    CHECK_FALSE(whole.has_program());
}

TEST_CASE("one child alone is taken down; one that is not there is nothing to do") {
    PodRig rig({"a", "b"});
    std::vector<std::string> names;
    CHECK(rig.take_down({"lab", "b"}, names) == "");
    CHECK(rig.take_down({"lab", "gone"}, names) == "");
    CHECK(names.empty());
    CHECK(rig.removed() == "b\n");
}

TEST_CASE("a pod whose child left the deploy is taken down by the next add; one that cannot be is named, the others go") {
    PodRig rig({"old", "stuck", "web"});
    const std::string problem = rig.bring_up_nothing();
    CHECK(problem == "pod stuck: stop ov-stuck: it does not end");
    CHECK(rig.removed() == "old\nweb\n");
}

TEST_CASE("the program is brought again where a cache was emptied, and the pods that its files name go") {
    PodRig rig({"a", "b"});
    std::filesystem::rename(rig.home() / ".cache/ov/ov-guest", rig.home() / "kept");
    ::setenv("OV_GUEST_BINARY", (rig.home() / "kept").c_str(), 1);
    for (const char* pod : {"a", "b"})
        rig.write_file(std::string(".config/ov/pods/ov-") + pod + ".owner", std::string("lab\n") + pod + "\n");
    rig.write_file(".config/ov/pods/ov-foreign.owner", "other\nforeign\n");
    std::vector<std::string> names;
    CHECK(rig.take_down({"lab", {}, true}, names) == "");
    CHECK(names == std::vector<std::string>{"b", "a"});
    CHECK(std::filesystem::is_empty(rig.home() / ".cache/ov"));
    CHECK(rig.take_down({"lab", {}}, names) == "");
    CHECK(rig.removed() == "b\na\n");
    ::unsetenv("OV_GUEST_BINARY");
}

TEST_CASE("what a removed pod's program complains of is a warning") {
    PodRig rig({"grumbling"});
    std::vector<std::string> names;
    CHECK(rig.take_down({"lab", {}}, names) == "");
    CHECK(rig.removed() == "grumbling\n");
    CHECK(std::ranges::count(rig.notes, "pod grumbling: ov-grumbling: the image's pre_remove hook: exit status 3: no") == 1);
}
