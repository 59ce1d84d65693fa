// vm-spec.md 11.2, W16: the copy of the firmware's variables.
#include "backend/nvram.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "ov/error.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

TEST_CASE("W16 the template is copied once, for its owner alone") {
    const TempTree tree({{"VARS.fd", std::string(100000, 'v')}});
    const ov::NvramRequest request{tree.path("state/ov-m/nvram.fd"), tree.path("VARS.fd"), ""};
    CHECK(ov::ensure_nvram(request));
    CHECK(tree.read("state/ov-m/nvram.fd") == tree.read("VARS.fd"));
    struct stat status {};
    REQUIRE(stat(request.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK_FALSE(std::filesystem::exists(request.path + ".new"));
    tree.write("state/ov-m/nvram.fd", std::string(100000, 'g'));
    CHECK_FALSE(ov::ensure_nvram(request));
    CHECK(tree.read("state/ov-m/nvram.fd") == std::string(100000, 'g'));
}

TEST_CASE("W16 variables of another firmware are refused, by template and by size") {
    const TempTree tree({{"VARS.fd", "1234"}, {"VARS.ms.fd", "5678"}, {"nvram.fd", "abcd"}, {"small.fd", "ab"}});
    CHECK_THROWS_WITH_AS(ov::ensure_nvram({tree.path("nvram.fd"), tree.path("VARS.ms.fd"), tree.path("VARS.fd")}),
                         doctest::Contains("the firmware now is that of"), ov::Error);
    CHECK_THROWS_WITH_AS(ov::ensure_nvram({tree.path("small.fd"), tree.path("VARS.fd"), ""}), doctest::Contains("has 2 bytes"),
                         ov::Error);
    CHECK_FALSE(ov::ensure_nvram({tree.path("nvram.fd"), tree.path("VARS.fd"), tree.path("VARS.fd")}));
    CHECK(tree.read("small.fd") == "ab");
}

TEST_CASE("W16 what a crash left is overwritten; a missing template leaves nothing") {
    const TempTree tree({{"VARS.fd", "1234"}, {"nvram.fd.new", "half"}});
    CHECK(ov::ensure_nvram({tree.path("nvram.fd"), tree.path("VARS.fd"), ""}));
    CHECK(tree.read("nvram.fd") == "1234");
    CHECK_THROWS_WITH_AS(ov::ensure_nvram({tree.path("other.fd"), tree.path("none.fd"), ""}), doctest::Contains("none.fd"),
                         ov::Error);
    CHECK_FALSE(std::filesystem::exists(tree.path("other.fd")));
    CHECK_FALSE(std::filesystem::exists(tree.path("other.fd.new")));
}
