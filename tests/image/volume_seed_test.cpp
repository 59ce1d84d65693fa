// Which volumes begin with data of the image, and the script that fills them with a podman of directories.
#include "image/volume_seed.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/shell_quote.hpp"
#include "ov/error.hpp"
#include "support/temp_tree.hpp"

namespace {

namespace fs = std::filesystem;
using Labels = std::map<std::string, std::string>;

Labels labels(const std::string& data, const std::string& volumes = R"([{"name":"work","path":"/work"}])") {
    return {{"org.overthinkos.volumes", volumes}, {"org.overthinkos.data", data}, {"org.overthinkos.uid", "1000"}};
}

std::string problem_of(const std::string& data) {
    try {
        ov::volume_seeds(labels(data), "ov-x");
        return {};
    } catch (const ov::Error& error) {
        return error.what();
    }
}

// The image is a directory, volumes are directories beside it.
constexpr const char* fake_podman = R"sh(#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
"volume exists") test -d "$here/volumes/$3" ;;
"volume create") mkdir -p "$here/volumes/$3" ;;
"volume inspect") echo "$here/volumes/$5" ;;
"image mount") echo "$here/image" ;;
"image unmount") echo "$3" >>"$here/unmounted" ;;
"unshare sh") shift; exec "$@" ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
)sh";

struct Guest {
    ov::test::TempTree tree;
    ov::VolumeSeed seed{"ov-x-work", std::to_string(::getuid()) + ":" + std::to_string(::getgid()), {{"/data/work/a/b", "a/b"}}};

    Guest() {
        tree.write("podman", fake_podman);
        fs::permissions(tree.path("podman"), fs::perms::owner_all);
        tree.write("image/data/work/a/b/page", "from the image\n");
        tree.write("image/data/work/a/b/.hidden", "too\n");
    }
    int fill(bool rootless = false) const {
        std::string line = "PATH=" + ov::shell_quote(tree.path()) + ":$PATH";
        for (const std::string& word : ov::seed_words(seed, "abc", rootless)) line += " " + ov::shell_quote(word);
        line += " >" + ov::shell_quote(tree.path("out")) + " 2>" + ov::shell_quote(tree.path("err"));
        return std::system(line.c_str());
    }
    std::string volume(const std::string& file) const { return tree.read("volumes/ov-x-work/" + file); }
};

}  // namespace

TEST_CASE("volumes of the image that it has data for are filled, under the deployment's name") {
    const auto seeds = ov::volume_seeds(
        labels(R"([{"volume":"work","staging":"/data/work/a","layer":"l","dest":"a"},{"volume":"work","staging":"/data/work"},
                   {"volume":"other","staging":"/data/other"}])"),
        "ov-pad");
    REQUIRE(seeds.size() == 1);
    CHECK(seeds[0].volume == "ov-pad-work");
    CHECK(seeds[0].owner == "1000:0");
    CHECK(seeds[0].parts == std::vector<std::pair<std::string, std::string>>{{"/data/work/a", "a"}, {"/data/work", ""}});
    CHECK(ov::volume_seeds({}, "ov-pad").empty());
}

TEST_CASE("a data label that is not whole or leaves its volume is malformed") {
    CHECK(problem_of("{}").find("org.overthinkos.data") != std::string::npos);
    CHECK(problem_of(R"([{"volume":"work"}])").find("org.overthinkos.data") != std::string::npos);
    CHECK(problem_of(R"([{"volume":"work","staging":"/data/../etc"}])").find("'..'") != std::string::npos);
    CHECK(problem_of(R"([{"volume":"work","staging":"/data","dest":"../x"}])").find("'..'") != std::string::npos);
}

TEST_CASE("an empty volume gets the data with hidden files, and the image is let go") {
    const Guest guest;
    for (const bool rootless : {false, true}) {
        fs::remove_all(guest.tree.path("volumes"));
        REQUIRE_MESSAGE(guest.fill(rootless) == 0, guest.tree.read("err"));
        CHECK(guest.tree.read("out") == "seeded\n");
        CHECK(guest.volume("a/b/page") == "from the image\n");
        CHECK(guest.volume("a/b/.hidden") == "too\n");
        CHECK(!fs::exists(guest.tree.path("volumes/ov-x-work/.ov-seeding")));
    }
    CHECK(guest.tree.read("unmounted") == "abc\nabc\n");
}

TEST_CASE("what is in a volume is kept; one whose filling was cut short is filled again") {
    const Guest guest;
    guest.tree.write("volumes/ov-x-work/mine", "kept\n");
    REQUIRE(guest.fill() == 0);
    CHECK(guest.tree.read("out").empty());
    CHECK(!fs::exists(guest.tree.path("volumes/ov-x-work/a")));
    fs::create_directories(guest.tree.path("volumes/ov-x-work/.ov-seeding"));
    REQUIRE(guest.fill() == 0);
    CHECK(guest.tree.read("out") == "seeded\n");
    CHECK(guest.volume("mine") == "kept\n");
    CHECK(guest.volume("a/b/page") == "from the image\n");
}

TEST_CASE("a link that leads out of the image is refused, and the filling counts as not done") {
    Guest guest;
    guest.tree.write("secret/page", "the user's\n");
    fs::create_directory_symlink(guest.tree.path("secret"), guest.tree.path("image/data/work/link"));
    guest.seed.parts = {{"/data/work/link", ""}};
    CHECK(guest.fill() != 0);
    CHECK(guest.tree.read("err").find("/data/work/link leads out of the image") != std::string::npos);
    CHECK(guest.volume("page").empty());
    CHECK(fs::exists(guest.tree.path("volumes/ov-x-work/.ov-seeding")));
}

TEST_CASE("a link that one part brings leads no later part out of the volume: neither a file nor the directory it goes to") {
    Guest guest;
    guest.tree.write("home/.bashrc", "the user's\n");
    guest.tree.write("image/one/keep", "");
    guest.tree.write("image/two/f", "from the image\n");
    fs::create_symlink(guest.tree.path("home/.bashrc"), guest.tree.path("image/one/f"));
    guest.seed.parts = {{"/one", ""}, {"/two", ""}};
    REQUIRE_MESSAGE(guest.fill() == 0, guest.tree.read("err"));
    CHECK(guest.tree.read("home/.bashrc") == "the user's\n");
    CHECK(guest.volume("f") == "from the image\n");
    CHECK(fs::is_regular_file(fs::symlink_status(guest.tree.path("volumes/ov-x-work/f"))));

    for (const char* dest : {"d", "d/deep", "/d/"}) {
        CAPTURE(dest);
        fs::remove_all(guest.tree.path("volumes"));
        fs::remove_all(guest.tree.path("image/one"));
        guest.tree.write("image/one/keep", "");
        fs::create_directory_symlink(guest.tree.path("home"), guest.tree.path("image/one/d"));
        guest.seed.parts = {{"/one", ""}, {"/two", dest}};
        CHECK(guest.fill() != 0);
        CHECK(guest.tree.read("err").find("leads out of volume ov-x-work") != std::string::npos);
        CHECK_FALSE(fs::exists(guest.tree.path("home/f")));
        CHECK_FALSE(fs::exists(guest.tree.path("home/deep")));
    }

    // The directory is inside a part.
    fs::remove_all(guest.tree.path("volumes"));
    guest.tree.write("image/two/d/f", "");
    guest.seed.parts = {{"/one", ""}, {"/two", ""}};
    CHECK(guest.fill() != 0);
    CHECK_FALSE(fs::exists(guest.tree.path("home/f")));
}
