#include <doctest/doctest.h>

#include "support/guest_shell.hpp"

using namespace ov;
using ov::test::GuestShell;
using ov::test::slurp;
using ov::test::spill;

namespace {

const std::string begin = "# overthink:begin (managed by ov; do not edit inside this block)\n";
const std::string end = "# overthink:end\n";
const std::string block = begin + "body\n" + end;

GuestShell::Result put_block(GuestShell& guest, const std::filesystem::path& file, const char* where,
                             const std::string& body = "body", const std::string& marker = {}) {
    return guest.run("set -e\nov_block " + shell_quote(file.string()) + " " + shell_quote(marker) + " " + where + " " +
                         shell_quote(body) + "\n",
                     {GuestPart::blocks});
}

}  // namespace

TEST_CASE("the managed block is inserted, kept, replaced and stripped to the exact bytes") {
    struct Row {
        const char* name;
        const char* where;
        std::string before, after;
    };
    const Row rows[] = {
        {"appended after one blank line", "end", "alias ll='ls -l'\n", "alias ll='ls -l'\n\n" + block},
        {"a missing final newline is added", "end", "alias ll='ls -l'", "alias ll='ls -l'\n\n" + block},
        {"an empty file holds only the block", "end", "", block},
        {"blank lines at the end are kept", "end", "a\n\n\n", "a\n\n\n\n" + block},
        {"a file of one newline", "end", "\n", "\n\n" + block},
        {"CRLF is kept", "end", "a\r\nb\r\n", "a\r\nb\r\n\n" + block},
        {"at the top, above an early return", "top", "[ -z \"$PS1\" ] && return\nx\n",
         block + "\n[ -z \"$PS1\" ] && return\nx\n"},
        {"at the top, without a final newline", "top", "x", block + "\nx"},
        {"at the top of leading blank lines", "top", "\n\nx\n", block + "\n\n\nx\n"},
        {"bytes that are no UTF-8", "end", "\xff\xfe\n", "\xff\xfe\n\n" + block},
        {"a line over 64 KiB", "end", std::string(70000, 'x') + "\n", std::string(70000, 'x') + "\n\n" + block},
        {"a fence inside a longer line is text", "end", "echo '" + begin, "echo '" + begin + "\n" + block},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        GuestShell guest;
        const auto file = guest.home() / ".bashrc";
        spill(file, row.before);
        ::chmod(file.c_str(), 0600);
        const auto manifest = guest.manifest();
        auto result = put_block(guest, file, row.where);
        REQUIRE_MESSAGE(result.status == 0, result.out);
        CHECK(slurp(file) == row.after);
        REQUIRE(put_block(guest, file, row.where).status == 0);
        CHECK(slurp(file) == row.after);
        CHECK(guest.ops().size() == 1);
        REQUIRE(put_block(guest, file, row.where, "other\nbody").status == 0);
        CHECK(slurp(file).find("other\nbody\n# overthink:end\n") != std::string::npos);
        std::filesystem::remove(guest.root() / "ledger/journal.jsonl");
        spill(file, row.before);
        REQUIRE(put_block(guest, file, row.where).status == 0);
        result = guest.undo();
        CHECK_MESSAGE(result.status == 0, result.out);
        CHECK(slurp(file) == row.before);
        CHECK(guest.manifest() == manifest);
    }
}

TEST_CASE("a file that the block created disappears with it, with its directories") {
    GuestShell guest;
    const auto before = guest.manifest();
    REQUIRE(put_block(guest, guest.home() / ".config/fish/conf.d/overthink.fish", "end").status == 0);
    CHECK(guest.undo().status == 0);
    CHECK(guest.manifest() == before);
}

TEST_CASE("what people write around the block stays when it goes") {
    GuestShell guest;
    const auto file = guest.home() / ".profile";
    spill(file, "one\n");
    REQUIRE(put_block(guest, file, "end").status == 0);
    spill(file, slurp(file) + "two\n");
    CHECK(guest.undo().status == 0);
    CHECK(slurp(file) == "one\ntwo\n");
}

TEST_CASE("blocks with different markers do not touch each other, whichever goes first") {
    for (const bool first_goes_first : {true, false}) {
        GuestShell guest;
        const auto file = guest.home() / ".bashrc";
        spill(file, "mine\n");
        REQUIRE(put_block(guest, file, "top").status == 0);
        REQUIRE(put_block(guest, file, "end", "a", "alpha").status == 0);
        REQUIRE(put_block(guest, file, "end", "b", "alpha-2").status == 0);
        auto ops = guest.ops();
        REQUIRE(ops.size() == 3);
        if (!first_goes_first) std::swap(ops.front(), ops.back());
        for (const ReverseOp& op : ops) {
            const UndoScript undo = render_undo(op, "");
            CHECK(guest.run(undo.text, undo.library).status == 0);
        }
        CHECK(slurp(file) == "mine\n");
    }
}

TEST_CASE("layer-format 18 W23 a file with unbalanced fences is refused and left alone") {
    const std::string rows[] = {begin + "x\n",
                                "x\n" + end,
                                end + begin,
                                begin + begin + end,
                                block + block,
                                begin + end + end,
                                std::string("nul\0byte\n", 9)};
    for (const std::string& text : rows) {
        CAPTURE(text);
        GuestShell guest;
        const auto file = guest.home() / ".bashrc";
        spill(file, text);
        const auto result = put_block(guest, file, "end");
        CHECK(result.status != 0);
        CHECK(result.out.find(".bashrc") != std::string::npos);
        CHECK(slurp(file) == text);
        CHECK(guest.ops().empty());
    }
}

TEST_CASE("a start file that is a symbolic link is edited where it points") {
    GuestShell guest;
    spill(guest.home() / "dotfiles/bashrc", "x\n");
    std::filesystem::create_symlink("dotfiles/bashrc", guest.home() / ".bashrc");
    const auto before = guest.manifest();
    REQUIRE(put_block(guest, guest.home() / ".bashrc", "end").status == 0);
    CHECK(std::filesystem::is_symlink(guest.home() / ".bashrc"));
    CHECK(slurp(guest.home() / "dotfiles/bashrc") == "x\n\n" + block);
    CHECK(guest.undo().status == 0);
    CHECK(guest.manifest() == before);
}
