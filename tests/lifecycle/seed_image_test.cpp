#include "lifecycle/seed_image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "ov/error.hpp"
#include "support/temp_tree.hpp"

using namespace ov;
using ov::test::TempTree;

namespace {

/// Files of an ISO image by name, as a reader other than its writer sees them.
std::map<std::string, std::string> contents(const std::string& image) {
    std::map<std::string, std::string> files;
    archive* reader = archive_read_new();
    archive_read_support_format_iso9660(reader);
    REQUIRE(archive_read_open_memory(reader, image.data(), image.size()) == ARCHIVE_OK);
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG) continue;
        std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        CHECK(archive_read_data(reader, content.data(), content.size()) == static_cast<la_ssize_t>(content.size()));
        files[archive_entry_pathname(entry)] = content;
    }
    archive_read_free(reader);
    return files;
}

}  // namespace

TEST_CASE("the seed holds its files under their own names, for its owner alone (cloud-init.md 11, W14)") {
    const TempTree tree;
    const CloudInitFiles files{"#cloud-config\n{}\n", "instance-id: i\n", "version: 2\n"};
    write_seed_image(files, tree.path("out/seed.iso"));
    const std::map<std::string, std::string> all{
        {"user-data", files.user_data}, {"meta-data", files.meta_data}, {"network-config", files.network_config}};
    CHECK(contents(tree.read("out/seed.iso")) == all);
    struct stat status {};
    REQUIRE(stat(tree.path("out/seed.iso").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator(tree.path("out")), {}) == 1);
}

TEST_CASE("no network-config, no such file; no user-data, nothing is written") {
    const TempTree tree;
    const auto files = contents(seed_image({"#cloud-config\n", "{}\n", ""}));
    CHECK(files.size() == 2);
    CHECK_THROWS_AS(write_seed_image({"", "{}\n", ""}, tree.path("seed.iso")), Error);
    CHECK_FALSE(std::filesystem::exists(tree.path("seed.iso")));
}

TEST_CASE("blkid finds the label that the guest's data source looks for (decisions 72)") {
    if (std::system("command -v blkid >/dev/null 2>&1") != 0) {
        MESSAGE("skipped: blkid is missing");
        return;
    }
    const TempTree tree;
    write_seed_image({"#cloud-config\n", "{}\n", ""}, tree.path("seed.iso"));
    const std::string command = "blkid -p -s LABEL -o value " + tree.path("seed.iso") + " > " + tree.path("label");
    REQUIRE(std::system(command.c_str()) == 0);
    CHECK(tree.read("label") == "cidata\n");
}

TEST_CASE("the digest is that of the user-data") {
    CHECK(user_data_digest({"#cloud-config\n", "a", ""}) == user_data_digest({"#cloud-config\n", "b", "c"}));
    CHECK(user_data_digest({"x", "", ""}) == "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
}
