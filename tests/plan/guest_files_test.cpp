#include <doctest/doctest.h>

#include "plan/step_script.hpp"
#include "support/guest_shell.hpp"

using namespace ov;
using ov::test::GuestShell;
using ov::test::slurp;
using ov::test::spill;

namespace {

/// The scripts run under one account; the step belongs to it.
TaskStep task(TaskVerb verb, const std::filesystem::path& path) {
    TaskStep out;
    out.verb = verb;
    out.path = path.string();
    out.resolved_user = ::geteuid() == 0 ? "0" : "1000";
    out.run_as_deploy_user = ::geteuid() != 0;
    out.layer = "web";
    return out;
}

GuestShell::Result apply(GuestShell& guest, const TaskStep& step) {
    StepContext context;
    context.run_dir = (guest.root() / "run").string();
    for (const Upload& upload : uploads_of({step})) {
        context.digests[upload.source] = sha256_hex(slurp(upload.source));
        std::filesystem::copy_file(upload.source, std::filesystem::path(context.run_dir) / upload.staged,
                                   std::filesystem::copy_options::overwrite_existing);
    }
    const GuestStep script = render_step({step}, context);
    return guest.run(script.text, script.library);
}

unsigned mode_of(const std::filesystem::path& path) {
    return static_cast<unsigned>(std::filesystem::symlink_status(path).permissions());
}

const char* awkward_names[] = {"plain",       "two words", "it's",    "\"quoted\"",  "-rf",
                               "line\nbreak", "$HOME",     "`id`",    "back\\slash", "\u00fcml\u00e4ut",
                               "* ?[x]",      "tab\there", "bell\x07"};

}  // namespace

TEST_CASE(
    "layer-format 5.4 write puts exactly (W10) the bytes, the mode and the missing parents, and its undo restores the machine") {
    const std::string contents[] = {"",
                                    "no newline",
                                    "one\n",
                                    "two\n\n",
                                    "OV_WRITE\nEOF\n",
                                    "\u2014 \u00fc \xff\xfe",
                                    "$HOME `id` \\n %s",
                                    std::string(70000, 'x')};
    for (std::size_t i = 0; i < std::size(awkward_names); ++i) {
        const char* name = awkward_names[i];
        const std::string& content = contents[i % std::size(contents)];
        CAPTURE(name);
        GuestShell guest;
        const auto before = guest.manifest();
        TaskStep step = task(TaskVerb::write, guest.home() / "a" / name / name);
        step.content = content;
        step.mode = 0640;
        const auto result = apply(guest, step);
        REQUIRE_MESSAGE(result.status == 0, result.out);
        CHECK(slurp(step.path) == content);
        CHECK(mode_of(step.path) == 0640);
        CHECK(mode_of(guest.home() / "a") == 0755);
        CHECK(guest.ops().size() == 3);
        const auto undone = guest.undo();
        CHECK_MESSAGE(undone.status == 0, undone.out);
        CHECK(guest.manifest() == before);
    }
}

TEST_CASE("a step that finds its result already there changes and records nothing") {
    GuestShell guest;
    TaskStep write = task(TaskVerb::write, guest.home() / "file");
    write.content = "same\n";
    TaskStep dir = task(TaskVerb::mkdir, guest.home() / "dir");
    TaskStep link = task(TaskVerb::link, guest.home() / "link");
    link.source = "file";
    for (const TaskStep& step : {write, dir, link}) {
        CAPTURE(to_string(step.verb));
        REQUIRE(apply(guest, step).status == 0);
        const auto ops = guest.ops().size();
        const auto state = guest.manifest();
        REQUIRE(apply(guest, step).status == 0);
        CHECK(guest.ops().size() == ops);
        CHECK(guest.manifest() == state);
    }
}

TEST_CASE("a file that was there before comes back with its bytes, mode and kind") {
    struct Row {
        const char* name;
        void (*prepare)(const std::filesystem::path&);
    };
    const Row rows[] = {
        {"other content", [](const std::filesystem::path& path) { spill(path, "mine\n"); }},
        {"other mode only",
         [](const std::filesystem::path& path) {
             spill(path, "ours\n");
             ::chmod(path.c_str(), 0600);
         }},
        {"content with NUL", [](const std::filesystem::path& path) { spill(path, std::string_view("ours\n\0x", 7)); }},
        {"symbolic link", [](const std::filesystem::path& path) { std::filesystem::create_symlink("elsewhere", path); }},
        {"executable",
         [](const std::filesystem::path& path) {
             spill(path, "#!/bin/sh\n");
             ::chmod(path.c_str(), 04755);
         }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        GuestShell guest;
        const auto path = guest.home() / "file with 'name'";
        row.prepare(path);
        const auto before = guest.manifest();
        TaskStep step = task(TaskVerb::write, path);
        step.content = "ours\n";
        REQUIRE(apply(guest, step).status == 0);
        CHECK(slurp(path) == "ours\n");
        CHECK(mode_of(path) == 0644);
        REQUIRE(apply(guest, step).status == 0);
        CHECK(guest.ops().size() == 1);
        const auto undone = guest.undo();
        CHECK_MESSAGE(undone.status == 0, undone.out);
        CHECK(guest.manifest() == before);
    }
}

TEST_CASE("layer-format 5.6 copy places (W11) an uploaded file with any bytes and any mode") {
    for (const unsigned mode : {0644u, 0600u, 0755u, 04755u, 0444u, 0u}) {
        CAPTURE(mode);
        GuestShell guest;
        spill(guest.root() / "layer/data file", std::string_view("\0\1\2\xff\n", 5));
        const auto before = guest.manifest();
        TaskStep step = task(TaskVerb::copy, guest.home() / "deep/er/target");
        step.source = "data file";
        step.layer_dir = (guest.root() / "layer").string();
        step.mode = mode;
        const auto result = apply(guest, step);
        REQUIRE_MESSAGE(result.status == 0, result.out);
        CHECK(mode_of(step.path) == mode);
        ::chmod(step.path.c_str(), 0644);
        CHECK(slurp(step.path) == std::string_view("\0\1\2\xff\n", 5));
        CHECK(guest.undo().status == 0);
        CHECK(guest.manifest() == before);
    }
}

TEST_CASE("mkdir sets the mode that was asked for and leaves an existing directory's mode alone otherwise") {
    GuestShell guest;
    std::filesystem::create_directory(guest.home() / "there");
    ::chmod((guest.home() / "there").c_str(), 01777);
    const auto before = guest.manifest();
    REQUIRE(apply(guest, task(TaskVerb::mkdir, guest.home() / "there")).status == 0);
    CHECK(guest.manifest() == before);
    TaskStep step = task(TaskVerb::mkdir, guest.home() / "there");
    step.mode = 0750;
    REQUIRE(apply(guest, step).status == 0);
    CHECK(mode_of(step.path) == 0750);
    step.path = (guest.home() / "new/one").string();
    REQUIRE(apply(guest, step).status == 0);
    CHECK(mode_of(step.path) == 0750);
    CHECK(guest.undo().status == 0);
    CHECK(guest.manifest() == before);
}

TEST_CASE("link replaces files and links, refuses directories, and is undone") {
    for (const char* name : awkward_names) {
        CAPTURE(name);
        GuestShell guest;
        spill(guest.home() / "old", "text");
        std::filesystem::create_directory(guest.home() / "dir");
        const auto before = guest.manifest();
        for (const std::filesystem::path& path : {guest.home() / "old", guest.home() / "sub" / name}) {
            TaskStep step = task(TaskVerb::link, path);
            step.source = name;
            const auto result = apply(guest, step);
            REQUIRE_MESSAGE(result.status == 0, result.out);
            CHECK(std::filesystem::read_symlink(path) == name);
        }
        TaskStep refused = task(TaskVerb::link, guest.home() / "dir");
        refused.source = "x";
        const auto result = apply(guest, refused);
        CHECK(result.status != 0);
        CHECK(result.out.find("is a directory") != std::string::npos);
        CHECK(guest.undo().status == 0);
        CHECK(guest.manifest() == before);
    }
}

TEST_CASE("a directory that others put files into survives the undo") {
    GuestShell guest;
    REQUIRE(apply(guest, task(TaskVerb::mkdir, guest.home() / "a/b")).status == 0);
    spill(guest.home() / "a/foreign", "x");
    CHECK(guest.undo().status == 0);
    CHECK(!std::filesystem::exists(guest.home() / "a/b"));
    CHECK(std::filesystem::exists(guest.home() / "a/foreign"));
}

TEST_CASE("layer-format 5.3 cmd stops at (W6) the first failing line, knows the architecture, its variables and env.d") {
    GuestShell guest;
    spill(guest.home() / ".config/overthink/env.d/early.env", "export FROM_ENV='set by a layer'\n");
    TaskStep step = task(TaskVerb::cmd, {});
    step.layer_vars = {{"TONE", "it's soft"}};
    step.env = {{"B", "$x"}};
    step.cmd = "echo \"$TONE|$B|${ARCH:+arch}|${FROM_ENV-}\"";
    auto result = apply(guest, step);
    CHECK(result.status == 0);
    CHECK(result.out == std::string("it's soft|$x|arch|") + (::geteuid() == 0 ? "" : "set by a layer") + "\n");
    step.cmd = "false\necho not reached";
    result = apply(guest, step);
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    step.cmd = "cat; echo read nothing";
    CHECK(apply(guest, step).out == "read nothing\n");
}

TEST_CASE("layer-format 5.2 a task of a third user (W8) runs as that user") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: needs root to become another user");
        return;
    }
    GuestShell guest;
    ::chmod(guest.root().c_str(), 0755);
    TaskStep step = task(TaskVerb::cmd, {});
    step.resolved_user = "nobody";
    step.env = {{"WORD", "it's"}};
    step.cmd = "id -un; echo \"$WORD $ARCH\" | cut -c1-4";
    auto result = apply(guest, step);
    CHECK_MESSAGE(result.out == "nobody\nit's\n", result.out);
    step.resolved_user = "no-such-account";
    result = apply(guest, step);
    CHECK(result.status != 0);
    CHECK(result.out.find("no account 'no-such-account'") != std::string::npos);
    TaskStep write = task(TaskVerb::write, guest.home() / "d/f");
    write.resolved_user = "nobody";
    REQUIRE(apply(guest, write).status == 0);
    struct stat info {};
    ::stat(write.path.c_str(), &info);
    CHECK(info.st_uid != 0);
}

TEST_CASE("a journal that cannot be written stops the step before it changes anything") {
    GuestShell guest;
    const auto before = guest.manifest();
    TaskStep step = task(TaskVerb::write, guest.home() / "file");
    const GuestStep script = render_step({step}, {});
    const auto result = guest.run(script.text, script.library, "ov_journal=/proc/none/journal");
    CHECK(result.status != 0);
    CHECK(guest.manifest() == before);
}
