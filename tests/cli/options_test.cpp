#include <doctest/doctest.h>

#include "cli/dotenv.hpp"
#include "cli/fleet_run.hpp"

TEST_CASE("durations are written in seconds, minutes and hours") {
    CHECK(ov::cli::parse_duration("90", "--timeout").count() == 90);
    CHECK(ov::cli::parse_duration("90s", "--timeout").count() == 90);
    CHECK(ov::cli::parse_duration("1h30m", "--timeout").count() == 5400);
    for (const char* wrong : {"", "0", "-5", "5d", "m", "1.5h", "5 m"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(ov::cli::parse_duration(wrong, "--timeout"), ov::Error);
    }
}

TEST_CASE(".env: trimmed lines, comments, one pair of quotes (cli-and-config.md 2.1)") {
    const auto pairs = ov::cli::parse_dotenv("# a\n\n A=1 \nB='two words'\nC=\"x\nno equals\nD=\nE=a=b\r\n");
    const std::vector<std::pair<std::string, std::string>> expected = {
        {"A", "1"}, {"B", "two words"}, {"C", "\"x"}, {"D", ""}, {"E", "a=b"}};
    CHECK(pairs == expected);
}
