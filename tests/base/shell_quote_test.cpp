#include "base/shell_quote.hpp"

#include <doctest/doctest.h>

#include "base/sha256.hpp"

TEST_CASE("each quoting follows its rule in deploy-engine.md section 2") {
    struct Row {
        const char *in, *strict, *lazy, *expanding;
    };
    const Row rows[] = {
        {"", "''", "''", "\"\""},
        {"plain", "'plain'", "plain", "\"plain\""},
        {"~#=,:%@+", "'~#=,:%@+'", "~#=,:%@+", "\"~#=,:%@+\""},
        {"it's", "'it'\\''s'", "'it'\\''s'", "\"it's\""},
        {"$HOME/x", "'$HOME/x'", "'$HOME/x'", "\"$HOME/x\""},
        {"a\\`\"b", "'a\\`\"b'", "'a\\`\"b'", "\"a\\\\\\`\\\"b\""},
        {"two words", "'two words'", "'two words'", "\"two words\""},
        {"line\nbreak", "'line\nbreak'", "'line\nbreak'", "\"line\nbreak\""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.in);
        CHECK(ov::shell_quote(row.in) == row.strict);
        CHECK(ov::shell_quote_lazy(row.in) == row.lazy);
        CHECK(ov::shell_quote_expanding(row.in) == row.expanding);
    }
}

TEST_CASE("SHA-256 gives the digest of the standard's test vector, whole and in pieces") {
    const char* expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    CHECK(ov::sha256_hex("abc") == expected);
    ov::Sha256 hash;
    hash.update("a");
    hash.update("bc");
    CHECK(hash.hex() == expected);
}
