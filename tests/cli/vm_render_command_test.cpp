#include <doctest/doctest.h>

#include <sstream>

#include "cli/vm_command.hpp"
#include "ov/error.hpp"
#include "support/render_case.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

struct Run {
    std::string out, err;
};

Run ov_vm(const TempTree& tree, std::vector<std::string> words) {
    std::ostringstream out, err;
    ov::cli::AppContext context{tree.path(), out, err, 0, {}};
    CLI::App app("ov");
    ov::cli::add_vm_commands(app, context);
    std::reverse(words.begin(), words.end());
    words.push_back("vm");
    app.parse(words);
    context.action();
    return {out.str(), err.str()};
}

std::string golden(const char* name) {
    return ov::test::read_text(ov::test::data_directory() / "golden" / "render" / name);
}

std::string indented(const std::string& text) {
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
    return out;
}

/// The entity of the worked examples in a project of its own.
TempTree atlas() {
    TempTree tree({{"overthink.yml", "version: 2026.144.1443\nvm:\n  atlas:\n" + indented(golden("atlas.yml"))},
                   {"runtime.yml", golden("atlas.runtime.yml")}});
    tree.write("facts.yml", ov::test::read_text(ov::test::data_directory() / "data" / "facts" / "libvirt-11.3.yml"));
    return tree;
}

std::vector<std::string> with_files(const TempTree& tree, std::vector<std::string> words) {
    for (const char* name : {"runtime", "facts"}) {
        words.push_back("--" + std::string(name));
        words.push_back(tree.path(std::string(name) + ".yml"));
    }
    return words;
}

}  // namespace

TEST_CASE("vm render prints the domain XML of one VM") {
    const TempTree tree = atlas();
    const Run run = ov_vm(tree, with_files(tree, {"render", "atlas"}));
    CHECK(ov::test::canonical(run.out) == ov::test::canonical(golden("atlas.xml")));
}

TEST_CASE("vm render --format qemu prints one argument a line") {
    const TempTree tree = atlas();
    CHECK(ov_vm(tree, with_files(tree, {"render", "atlas", "--format", "qemu"})).out == golden("atlas.argv"));
}

TEST_CASE("vm render --format cloud-init prints the files of the seed as one YAML mapping") {
    const TempTree tree = atlas();
    const Run run = ov_vm(tree, with_files(tree, {"render", "vm:atlas", "--format", "cloud-init"}));
    CHECK(run.out.find("user-data: ") == 0);
    CHECK(run.out.find("#cloud-config") != std::string::npos);
    CHECK(run.out.find("meta-data: ") != std::string::npos);
    CHECK(run.out.find("network-config") == std::string::npos);
}

TEST_CASE("vm render without --runtime uses the names of vm create and says so") {
    const TempTree tree = atlas();
    const Run run = ov_vm(tree, {"render", "atlas", "--facts", tree.path("facts.yml")});
    CHECK(run.out.find("/output/qcow2/atlas/disk.qcow2") != std::string::npos);
    CHECK(run.err.find("ov: note: no --runtime") != std::string::npos);
}

TEST_CASE("vm render names the nearest VM when there is none of that name") {
    const TempTree tree = atlas();
    CHECK_THROWS_WITH_AS(ov_vm(tree, with_files(tree, {"render", "atlsa"})), doctest::Contains("atlas"), ov::Error);
}
