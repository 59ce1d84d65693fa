#include "base/text.hpp"

#include <doctest/doctest.h>

TEST_CASE("the last lines: those that are not empty, in order, without the newline at the end") {
    struct Row {
        const char* in;
        std::size_t count;
        const char* out;
    };
    const Row rows[] = {
        {"", 3, ""},
        {"\n\n", 3, ""},
        {"one", 3, "one"},
        {"one\ntwo\n", 3, "one\ntwo"},
        {"one\n\ntwo\n\n", 3, "one\ntwo"},
        {"one\ntwo\nthree\nfour\n", 2, "three\nfour"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.in);
        CHECK(ov::last_lines(row.in, row.count) == row.out);
    }
}
