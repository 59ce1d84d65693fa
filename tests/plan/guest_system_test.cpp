#include <doctest/doctest.h>

#include "plan/step_script.hpp"
#include "support/guest_shell.hpp"

using namespace ov;
using ov::test::GuestShell;
using ov::test::slurp;
using ov::test::spill;

namespace {

void fake(GuestShell& guest, const char* name, const std::string& body) {
    spill(guest.bin() / name, "#!/bin/bash\ndb=" + shell_quote((guest.root() / "db").string()) + "\n" + body);
    ::chmod((guest.bin() / name).c_str(), 0755);
}

/// A package manager whose database is a file of names. `apt-get install` brings in a dependency of everything.
void fake_apt(GuestShell& guest) {
    fake(guest, "dpkg-query", R"(
case $* in
    *Package*) sed 's/^/ii |/' "$db" ;;
    *) shift 3; for p; do grep -qx -- "$p" "$db" && echo 'ii ' || exit 1; done ;;
esac
)");
    fake(guest, "dpkg", "exit 0\n");
    fake(guest, "apt-get", R"(
echo "apt-get $*" >>"$db.log"
args=("$@"); words=()
while (($#)); do case $1 in -o) shift ;; -*) ;; *) words+=("$1") ;; esac; shift; done
case ${words[0]} in
    install) for p in "${words[@]:1}" libdep; do [[ $p == broken ]] && exit 100; grep -qx -- "$p" "$db" || echo "$p" >>"$db"; done
             [[ ! -e $db.kill ]] || kill -9 $PPID ;;
    purge) for p in "${words[@]:1}"; do grep -vx -- "$p" "$db" >"$db.new"; mv "$db.new" "$db"; done ;;
esac
)");
}

/// systemd with one file a unit: "enabled active".
void fake_systemctl(GuestShell& guest) {
    fake(guest, "systemctl", R"(
[[ $1 == --user ]] && shift
echo "$*" >>"$db.log"
verb=$1; unit=${!#}; f=$db.d/$unit; mkdir -p "$db.d"
[[ -e $f ]] || echo "disabled inactive" >"$f"
read -r enabled active <"$f"
case $verb in
    show) echo "UnitFileState=$enabled"; echo "ActiveState=$active"; exit ;;
    daemon-reload) rm -f "$f"; exit ;;
    enable) enabled=enabled; [[ $unit == refused* ]] && exit 1 ;;
    start) [[ $unit == unstartable* ]] && exit 1; active=active ;;
    disable) enabled=disabled active=inactive ;;
esac
echo "$enabled $active" >"$f"
)");
}

GuestShell::Result apply(GuestShell& guest, StepBody body) {
    const GuestStep step = render_step({std::move(body)}, {});
    return guest.run(step.text, step.library);
}

SystemPackagesStep packages(std::vector<std::string> names) {
    SystemPackagesStep step;
    step.format = "deb";
    step.packages = std::move(names);
    return step;
}

}  // namespace

TEST_CASE("layer-format 18 W29 only packages that the step newly installed are removed, dependencies included") {
    GuestShell guest;
    spill(guest.root() / "db", "base\nopenssh-server\n");
    fake_apt(guest);
    auto result = apply(guest, packages({"base", "jq"}));
    REQUIRE_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(guest.root() / "db") == "base\nopenssh-server\njq\nlibdep\n");
    REQUIRE(apply(guest, packages({"base", "jq"})).status == 0);
    CHECK(guest.ops().size() == 2);
    CHECK(guest.ops().back().targets == std::vector<std::string>{"jq", "libdep"});
    result = guest.undo();
    CHECK_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(guest.root() / "db") == "base\nopenssh-server\n");
}

TEST_CASE("a failing install records what it did install") {
    GuestShell guest;
    spill(guest.root() / "db", "base\n");
    fake_apt(guest);
    CHECK(apply(guest, packages({"jq", "broken"})).status == 100);
    CHECK(guest.ops().back().targets == std::vector<std::string>{"jq"});
    CHECK(guest.undo().status == 0);
    CHECK(slurp(guest.root() / "db") == "base\n");
}

TEST_CASE("a machine that dies between the install and its record still knows what to remove") {
    GuestShell guest;
    spill(guest.root() / "db", "base\n");
    spill(guest.root() / "db.kill", "");
    fake_apt(guest);
    CHECK(apply(guest, packages({"jq"})).status != 0);
    REQUIRE(guest.ops().size() == 1);
    CHECK(guest.ops().front().targets.empty());
    const auto result = guest.undo();
    CHECK_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(guest.root() / "db") == "base\n");
    CHECK(guest.manifest().empty());
}

TEST_CASE("layer-format 18 W29 what a machine is managed with is never removed, whatever a record says") {
    GuestShell guest;
    spill(guest.root() / "db", "jq\nopenssh-server\nsudo\n");
    fake_apt(guest);
    const UndoScript undo =
        render_undo({"package-remove", "deb", {"sudo", "jq", "openssh-server", "gone"}, Scope::system, {}}, "");
    CHECK(guest.run(undo.text, undo.library).status == 0);
    CHECK(slurp(guest.root() / "db") == "openssh-server\nsudo\n");
}

TEST_CASE("install-plan 15 I2 a packaged unit gets back the state it had before") {
    struct Row {
        const char* before;
        std::size_t ops;
    };
    for (const Row& row :
         {Row{"disabled inactive", 1}, Row{"enabled active", 0}, Row{"enabled inactive", 2}, Row{"disabled active", 2}}) {
        CAPTURE(row.before);
        GuestShell guest;
        fake_systemctl(guest);
        spill(guest.root() / "db.d/cron.service", std::string(row.before) + "\n");
        ServicePackagedStep step;
        step.unit = "cron.service";
        step.enable = true;
        const auto result = apply(guest, step);
        REQUIRE_MESSAGE(result.status == 0, result.out);
        CHECK(slurp(guest.root() / "db.d/cron.service") == "enabled active\n");
        CHECK(guest.ops().size() == row.ops);
        CHECK(guest.undo().status == 0);
        CHECK(slurp(guest.root() / "db.d/cron.service") == std::string(row.before) + "\n");
    }
}

TEST_CASE("install-plan 15 I14 a custom unit is written, enabled and restarted only when its text changed") {
    GuestShell guest;
    fake_systemctl(guest);
    const auto before = guest.manifest();
    ServiceCustomStep step;
    step.name = "ov-web-api";
    step.unit_path = (guest.home() / "units/ov-web-api.service").string();
    step.unit_text = "[Service]\nExecStart=/bin/true\n";
    step.enable = true;
    auto result = apply(guest, step);
    REQUIRE_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(step.unit_path) == step.unit_text);
    std::filesystem::remove(guest.root() / "db.log");
    REQUIRE(apply(guest, step).status == 0);
    CHECK(slurp(guest.root() / "db.log").find("restart") == std::string::npos);
    step.unit_text += "Restart=always\n";
    REQUIRE(apply(guest, step).status == 0);
    CHECK(slurp(guest.root() / "db.log").find("try-restart -- ov-web-api") != std::string::npos);
    result = guest.undo();
    CHECK_MESSAGE(result.status == 0, result.out);
    CHECK(guest.manifest() == before);
}

TEST_CASE("a unit that cannot start is deferred, one that cannot be enabled is a failure") {
    GuestShell guest;
    fake_systemctl(guest);
    ServicePackagedStep step;
    step.enable = true;
    step.unit = "unstartable.service";
    auto result = apply(guest, step);
    CHECK(result.status == 0);
    CHECK(result.out.find("deferred start (will start on boot): unstartable.service") != std::string::npos);
    step.unit = "refused.service";
    CHECK(apply(guest, step).status != 0);
}

TEST_CASE("layer-format 5.5 downloads are checked, placed (W14) and undone: plain files and archives") {
    GuestShell guest;
    spill(guest.root() / "src/tool-1/bin/tool", "#!/bin/sh\n");
    spill(guest.root() / "src/tool-1/share/doc", "text\n");
    REQUIRE(std::system(("cd " + shell_quote((guest.root() / "src").string()) + " && tar czf ../tool.tar.gz tool-1").c_str()) ==
            0);
    spill(guest.home() / "opt/share/mine", "mine\n");
    spill(guest.home() / "opt/share/doc", "my own doc\n");
    const auto before = guest.manifest();
    TaskStep step;
    step.verb = TaskVerb::download;
    step.resolved_user = "0";
    step.source = "file://" + (guest.root() / "tool.tar.gz").string();
    step.path = (guest.home() / "opt").string();
    step.extract = "tar.gz";
    step.strip_components = 1;
    auto result = apply(guest, step);
    REQUIRE_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(guest.home() / "opt/bin/tool") == "#!/bin/sh\n");
    CHECK(slurp(guest.home() / "opt/share/doc") == "text\n");
    step.extract = "none";
    step.path = (guest.home() / "new/plain").string();
    step.checksum = "sha256:" + sha256_hex(slurp(guest.root() / "tool.tar.gz"));
    result = apply(guest, step);
    REQUIRE_MESSAGE(result.status == 0, result.out);
    CHECK(slurp(step.path) == slurp(guest.root() / "tool.tar.gz"));
    const auto state = guest.manifest();
    step.checksum = "sha256:" + std::string(64, '0');
    step.path = (guest.home() / "bad").string();
    result = apply(guest, step);
    CHECK(result.status != 0);
    CHECK(result.out.find("the checksum is not") != std::string::npos);
    CHECK(guest.manifest() == state);
    result = guest.undo();
    CHECK_MESSAGE(result.status == 0, result.out);
    CHECK(guest.manifest() == before);
    CHECK(std::distance(std::filesystem::directory_iterator(guest.root() / "run"), {}) == 1);
}

TEST_CASE("layer-format 4.4 a published .repo file is written with its repository switched off") {
    const char* published =
        "[other]\nenabled=1\ngpgcheck=1\n[tool]\r\nname=Tool\nenabled = 1\ngpgcheck=1\nbaseurl=https://r.example.net/x\n";
    struct Row {
        const char *rule, *name, *gpgcheck, *text;
    };
    const Row rows[] = {
        {"setopt NAME.enabled=0, other sections stay", "tool", "",
         "[other]\nenabled=1\ngpgcheck=1\n[tool]\nenabled=0\nname=Tool\ngpgcheck=1\nbaseurl=https://r.example.net/x\n"},
        {"setopt NAME.gpgcheck=0 when gpgcheck is false", "tool", "0",
         "[other]\nenabled=1\ngpgcheck=1\n[tool]\nenabled=0\ngpgcheck=0\nname=Tool\nbaseurl=https://r.example.net/x\n"},
        {"a file without that repository is refused", "toool", "", nullptr},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        GuestShell guest;
        spill(guest.root() / "tool.repo", published);
        const std::string target = (guest.home() / "tool.repo").string();
        const auto before = guest.manifest();
        const auto result = guest.run("ov_repo_url " + shell_quote(target) + " " +
                                          shell_quote("file://" + (guest.root() / "tool.repo").string()) + " " + row.name + " '" +
                                          row.gpgcheck + "'\n",
                                      {GuestPart::repos});
        CAPTURE(result.out);
        CHECK((result.status == 0) == (row.text != nullptr));
        if (row.text != nullptr)
            CHECK(slurp(target) == row.text);
        else
            CHECK(result.out.find("has no repository named toool") != std::string::npos);
        CHECK(guest.undo().status == 0);
        CHECK(guest.manifest() == before);
    }
}
