#include "base/text.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "base/shell_words.hpp"

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

TEST_CASE("Base64 back to its bytes; what is none gives nothing") {
    for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) CHECK(ov::from_base64(ov::base64(text)) == text);
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    CHECK(ov::from_base64(ov::base64(all)) == all);
    for (const char* wrong : {"A", "AAA", "A===", "AA=A", "AA\nA", "!AAA"}) {
        CAPTURE(wrong);
        CHECK(ov::from_base64(wrong).empty());
    }
}

TEST_CASE("a command line as its words: quotes of both kinds, backslashes, empty words") {
    using Words = std::vector<std::string>;
    const std::pair<const char*, std::optional<Words>> rows[] = {{"", Words{}},
                                                                 {" a  b\tc ", Words{"a", "b", "c"}},
                                                                 {"sh -c 'echo \"x y\"'", Words{"sh", "-c", "echo \"x y\""}},
                                                                 {"a'b'\"c\"", Words{"abc"}},
                                                                 {"'' \"\"", Words{"", ""}},
                                                                 {"a\\ b \\'", Words{"a b", "'"}},
                                                                 {"\"a\\n\\\"\\$\"", Words{"a\\n\"$"}},
                                                                 {"'a\\'", Words{"a\\"}},
                                                                 {"'open", std::nullopt}};
    for (const auto& [line, words] : rows) {
        CAPTURE(line);
        CHECK(ov::shell_words(line) == words);
    }
}
