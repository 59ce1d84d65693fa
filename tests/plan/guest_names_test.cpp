// Names of files: the coprocess does what the programs do, and its absence changes nothing but the time.
#include <doctest/doctest.h>

#include "support/guest_shell.hpp"

using namespace ov;
using ov::test::GuestShell;
using ov::test::slurp;
using ov::test::spill;

namespace {

constexpr const char* no_perl = "ov_start_namer() { return 1; }\n";
constexpr const char* at_once = "ov_named_once=$BASHPID\n";

bool has_perl() {
    const bool there = std::filesystem::exists("/usr/bin/perl");
    if (!there) MESSAGE("skipped: /usr/bin/perl is missing");
    return there;
}

/// mv, ln and mkdir that say so when they are called.
void watch_programs(GuestShell& guest) {
    for (const char* name : {"mv", "ln", "mkdir"}) {
        const auto path = guest.bin() / name;
        spill(path, "#!/bin/sh\necho " + std::string(name) + " >>" + (guest.root() / "called").string() +
                        "\nPATH=/usr/bin:/bin exec " + name + " \"$@\"\n");
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
}

std::string called(const GuestShell& guest) {
    return slurp(guest.root() / "called");
}

/// `~/` for the home: the coprocess takes absolute paths only.
std::string at_home(std::string script) {
    for (std::size_t at = 0; (at = script.find("~/", at)) != std::string::npos;) script.replace(at, 2, "$HOME/");
    return script;
}

/// What was printed, without the machine's own place.
std::string words_of(const GuestShell& guest, std::string text) {
    const std::string home = guest.home().string();
    for (std::size_t at = 0; (at = text.find(home, at)) != std::string::npos;) text.replace(at, home.size(), "~");
    return text;
}

GuestShell::Result run(GuestShell& guest, const std::string& script) {
    return guest.run("cd \"$HOME\"\n" + at_home(script), {GuestPart::names});
}

}  // namespace

TEST_CASE("names are changed alike by the coprocess and by programs, which do what it cannot and say why") {
    struct Row {
        const char *name, *script;
        int status;
        const char* programs;  ///< called although there is a coprocess
        const char* words;     ///< of the failure
    };
    const Row rows[] = {
        {"rename", "echo new >a; ov_rename ~/a ~/b", 0, "", ""},
        {"rename over a file", "echo new >a; echo old >b; ov_rename ~/a ~/b", 0, "", ""},
        {"rename over a link", "echo new >a; /bin/ln -s nowhere b; ov_rename ~/a ~/b", 0, "", ""},
        {"rename a directory", "/bin/mkdir a; ov_rename ~/a ~/b", 0, "", ""},
        {"awkward names",
         "echo 1 >'two words'; ov_rename ~/'two words' ~/$'line\nbreak' && ov_rename ~/$'line\nbreak' ~/\"it's\\\"\"", 0, "", ""},
        {"not UTF-8", "echo 1 >$'\xff\xfe'; ov_rename ~/$'\xff\xfe' ~/$'\xc3('", 0, "", ""},
        {"from where the shell stands", "echo 1 >a; ov_rename a ~/b", 0, "mv\n", ""},
        {"to where the shell stands", "ov_make_dir 0700 b", 0, "mkdir\n", ""},
        {"nothing to rename", "ov_rename ~/a ~/b", 1, "mv\n", "cannot stat '~/a'"},
        {"a file over a directory", "echo 1 >a; /bin/mkdir b; ov_rename ~/a ~/b", 1, "mv\n", "cannot overwrite directory '~/b'"},
        {"link", "ov_symlink 'to here' ~/a", 0, "", ""},
        {"link over a link", "/bin/ln -s old a; ov_symlink new ~/a", 0, "ln\n", ""},
        {"link over a directory", "/bin/mkdir a; ov_symlink new ~/a", 1, "ln\n", "cannot overwrite directory"},
        {"directory", "umask 077; ov_make_dir 0755 ~/a", 0, "", ""},
        {"private directory", "ov_make_dir 0700 ~/a", 0, "", ""},
        {"sticky directory", "ov_make_dir 1777 ~/a", 0, "", ""},
        {"directory with its parent's group", "/bin/mkdir -m 2755 a; ov_make_dir 0750 ~/a/b", 0, "", ""},
        {"directory that is there", "/bin/mkdir a; ov_make_dir 0700 ~/a", 1, "mkdir\n", "File exists"},
        {"directories", "umask 022; /bin/mkdir a; ov_make_dirs ~/a ~/a/b ~/a/b/c ~/a/b/c/d", 0, "", ""},
        {"no parent", "ov_make_dir 0700 ~/a/b", 1, "mkdir\n", "No such file"},
    };
    if (!has_perl()) return;
    for (const Row& row : rows) {
        CAPTURE(row.name);
        GuestShell with, without;
        watch_programs(with);
        const std::string script = row.script;
        const auto asked = run(with, at_once + script);
        const auto plain = run(without, no_perl + script);
        CHECK(asked.status == row.status);
        CHECK(plain.status == row.status);
        CHECK(words_of(with, asked.out) == words_of(without, plain.out));
        CHECK_MESSAGE(words_of(with, asked.out).find(row.words) != std::string::npos, asked.out);
        CHECK(called(with) == row.programs);
        CHECK(with.manifest() == without.manifest());
    }
}

TEST_CASE("a shell that changes one name starts no coprocess, and one whose coprocess is gone goes on without") {
    if (!has_perl()) return;
    GuestShell guest;
    watch_programs(guest);
    const auto one = run(guest, "ov_make_dir 0755 ~/one; echo \"<${ov_namer_PID-}>\"");
    CHECK(one.out == "<>\n");
    CHECK(called(guest) == "mkdir\n");
    const auto two =
        run(guest, "ov_make_dir 0755 ~/two; ov_make_dir 0755 ~/three; [[ -n $ov_namer_PID ]] && ( ov_rename ~/two ~/four )");
    CHECK_MESSAGE(two.status == 0, two.out);
    // Its subshell has none of its own.
    CHECK(called(guest) == "mkdir\nmkdir\nmv\n");
    const auto gone = run(guest, std::string(at_once) +
                                     "trap : PIPE; ov_make_dir 0755 ~/five && kill -9 $ov_namer_PID && ov_make_dir 0755 ~/six && "
                                     "ov_rename ~/six ~/seven 2>/dev/null && ov_rename ~/seven ~/eight");
    CHECK_MESSAGE(gone.status == 0, gone.out);
    CHECK(std::filesystem::is_directory(guest.home() / "eight"));
    CHECK(called(guest) == "mkdir\nmkdir\nmv\nmkdir\nmv\nmv\n");
}

TEST_CASE("the coprocess ends with its shell, whatever that left behind, and holds neither its lock nor its output") {
    if (!has_perl()) return;
    GuestShell guest;
    const auto left = run(guest, "exec {ov_lock_fd}>lock; flock $ov_lock_fd\n" + std::string(at_once) +
                                     "export OV_STEP=mark; PERL5OPT=-Mno_such_module ov_make_dir 0755 ~/one; echo $ov_namer_PID\n"
                                     "! tr '\\0' '\\n' </proc/$ov_namer_PID/environ | grep OV_STEP\n"
                                     "readlink /proc/$ov_namer_PID/fd/2 /proc/$ov_namer_PID/cwd\n"
                                     "ls -l /proc/$ov_namer_PID/fd | grep -c lock\n"
                                     "( while sleep 0.1; do [[ -e ../stop ]] && break; done ) >/dev/null 2>&1 &\n"
                                     "nohup sleep 3 >/dev/null 2>&1 &\n");
    const std::string pid = left.out.substr(0, left.out.find('\n'));
    CHECK(left.out == pid + "\n/dev/null\n/\n0\n");
    REQUIRE(std::atoi(pid.c_str()) > 1);
    bool ended = false;
    for (int i = 0; i < 100 && !ended; ++i) {
        ended = slurp("/proc/" + pid + "/cmdline").empty();  // nobody may have reaped it yet
        if (!ended) ::usleep(10'000);
    }
    CHECK(ended);
    spill(guest.root() / "stop", "");
    ::usleep(200'000);
}
