// Which local image a short name means.
#include "image/image_names.hpp"

#include <doctest/doctest.h>

#include "ov/error.hpp"

using ov::LocalImage;

namespace {

LocalImage image(std::vector<std::string> refs, std::string name = {}, std::string version = {}) {
    LocalImage result{std::move(refs), {}};
    if (!name.empty()) result.labels["org.overthinkos.image"] = name;
    if (!version.empty()) result.labels["org.overthinkos.version"] = version;
    return result;
}

}  // namespace

TEST_CASE("1.1 a short name") {
    const struct {
        const char* rule;
        std::vector<LocalImage> images;
        const char* expected;  ///< a reference, or words of the error
    } rows[] = {
        {"the label decides",
         {image({"localhost/notes:1"}), image({"ghcr.io/acme/x:1"}, "notes", "2026.1.1")},
         "ghcr.io/acme/x:1"},
        {"without a label the last segment of the reference",
         {image({"localhost/other:1"}), image({"ghcr.io/acme/notes:1"})},
         "ghcr.io/acme/notes:1"},
        {"newest label first, components as numbers",
         {image({"a/notes:x"}, "notes", "2026.98.2300"), image({"a/notes:y"}, "notes", "2026.100.900")},
         "a/notes:y"},
        {"then the tag as a version", {image({"a/notes:2026.98.2300", "a/notes:2026.100.900"}, "notes")}, "a/notes:2026.100.900"},
        {"a tag that is no version sorts last", {image({"a/notes:latest", "a/notes:1.2.3"}, "notes")}, "a/notes:1.2.3"},
        {"then a reference whose last segment is the name", {image({"a/zz:1.2.3", "b/notes:1.2.3"}, "notes")}, "b/notes:1.2.3"},
        {"then the alphabet", {image({"a/notes:b", "a/notes:a"})}, "a/notes:a"},
        {"no version and several repositories",
         {image({"a/notes:x"}), image({"b/notes:x"})},
         "could be any of: a/notes:x, b/notes:x"},
        {"a registry with a port is no tag (W16)", {image({"host:5000/acme/notes"})}, "host:5000/acme/notes"},
        {"nothing", {image({"a/other:1"})}, "`ov image build notes`"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.rule);
        std::string result;
        try {
            result = ov::choose_image("notes", row.images);
            CHECK(result == row.expected);
        } catch (const ov::Error& error) {
            result = error.what();
            CAPTURE(result);
            CHECK(result.find(row.expected) != std::string::npos);
        }
    }
}

TEST_CASE("3 the name of a deployment from its reference") {
    const char* const rows[][2] = {{"localhost/ov-notes:latest", "ov-notes"},
                                   {"docker.io/library/redis:7", "redis"},
                                   {"host:5000/a/b:v1", "b"},
                                   {"redis", "redis"}};
    for (const auto& [ref, name] : rows) CHECK(ov::last_segment(ref) == name);
}

TEST_CASE("the name that an image keeps in the machine") {
    CHECK(ov::choose_ref("notes", {"localhost/notes:1", "localhost/notes:latest"}) == "localhost/notes:latest");
    CHECK(ov::choose_ref("notes:1", {"localhost/notes:latest", "localhost/notes:1"}) == "localhost/notes:1");
    CHECK(ov::choose_ref("8a2f", {"localhost/notes:1"}) == "localhost/notes:1");
}
