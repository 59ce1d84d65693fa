// Machines through their verbs: real QEMU on an empty disk, libvirt's test driver, state and ssh files in a home of their own.
#include <doctest/doctest.h>
#include <signal.h>

#include <asio/co_spawn.hpp>
#include <fstream>
#include <sstream>

#include "async/task_group.hpp"
#include "backend/libvirt_machines.hpp"
#include "lifecycle/deploy_life.hpp"
#include "lifecycle/managed_machine.hpp"
#include "lifecycle/vm_create.hpp"
#include "lifecycle/vm_orphans.hpp"
#include "lifecycle/vm_power.hpp"
#include "ov/load.hpp"
#include "support/temp_tree.hpp"
#include "support/vm_rig.hpp"

using namespace std::chrono_literals;
using ov::Deadline;
using ov::MachineState;
using ov::test::has_programs;
using ov::test::says;
using ov::test::VmRig;
using Done = ov::CreateResult::Done;

TEST_CASE("create: makes, repeats without effect, starts what is off, follows a change, refuses one under a running machine") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    CHECK(says(
        rig.create(),
        "not_found: " + rig.tree.path("project/output/qcow2/web/disk.qcow2: no such disk; build it first: ov vm build web")));
    rig.disk();
    CHECK(rig.create() == "created");
    CHECK(rig.state() == "running");
    const std::string recorded = rig.deploy_file();
    for (const char* field : {"instance_id: ", "disk_path: ", "seed_iso: ", "ssh_port: ", "ssh_user: me", "backend: qemu",
                              "smbios: true", "cloud_init: true", "cloud_init_rendered_digest: sha256:"})
        CHECK_MESSAGE(says(recorded, field), field);
    CHECK(says(rig.ssh_config(), "Host ov-web\n"));
    rig.load();
    CHECK(rig.create() == "nothing");
    CHECK(rig.deploy_file() == recorded);
    CHECK(rig.stop() == "");
    CHECK(rig.create() == "started");
    ov::CreateOptions bigger;
    bigger.given.ram = "80M";
    CHECK(says(rig.create(bigger), "busy: ov-web is running with another definition than the project has now"));
    CHECK(rig.stop() == "");
    CHECK(rig.create(bigger) == "redefined");
    CHECK(rig.stop() == "");
    CHECK(rig.create() == "started");  // --ram was remembered
    CHECK(rig.deploy_file() == recorded);
}

TEST_CASE("create that fails takes back what it made, and a second run completes") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    rig.disk();
    rig.tree.write("project/output/qcow2/web/disk.qcow2", "this is no disk");
    const std::string error = rig.create();
    CHECK_MESSAGE(says(error, "Image is not in qcow2 format"), error);
    CHECK(rig.state() == "undefined");
    CHECK(rig.deploy_file() == "");
    CHECK_FALSE(says(rig.ssh_config(), "ov-web"));
    CHECK_FALSE(std::filesystem::exists(rig.state_file("command.json")));
    CHECK_FALSE(std::filesystem::exists(rig.state_file("qemu.pid")));
    rig.disk();
    CHECK(rig.create() == "created");
}

TEST_CASE("what a create that was killed left behind is completed by the next: before the start, and with a stale pidfile") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    rig.disk();
    ov::CreateOptions no_start;
    no_start.start = false;  // all is recorded and defined, nothing runs: as after kill -9 between define and start
    CHECK(rig.create(no_start) == "created");
    CHECK(rig.state() == "shut off");
    rig.tree.write("home/.local/share/ov/vm/ov-web/qemu.pid", std::to_string(::getpid()));
    rig.load();
    CHECK(rig.create() == "started");
    CHECK(rig.state() == "running");
}

TEST_CASE("two creates of one machine at once: one makes it, the other finds it made") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    rig.disk();
    std::vector<Done> done;
    const std::string error = rig.run([&]() -> asio::awaitable<void> {
        auto one = [&]() -> asio::awaitable<void> {
            const ov::CreateResult result =
                co_await ov::create_vm(*rig.context, *rig.hypervisors, rig.web, rig.plain, VmRig::limit());
            done.push_back(result.done);
        };
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(one());
            group.spawn(one());
            co_await group.join();
        };
        co_await ov::with_task_group(VmRig::limit(), body);
    });
    CHECK(error == "");
    CHECK(done == std::vector<Done>{Done::created, Done::nothing});
}

TEST_CASE("destroy: keys, disk and instance.yml stay; with --disk only what the operator wrote stays") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    rig.disk();
    CHECK(rig.destroy() == "");  // absent: success
    CHECK(rig.create() == "created");
    const std::string key = rig.tree.read("home/.local/share/ov/vm/ov-web/id_ed25519");
    std::ofstream(rig.state_file("instance.yml")) << "disposable: true\n";
    CHECK(rig.destroy(false, true) == "");
    CHECK(says(rig.deploy_file(), "backend: qemu"));  // --keep-deploy
    CHECK(rig.create() == "created");
    CHECK(rig.destroy() == "");
    CHECK(rig.state() == "undefined");
    CHECK(rig.deploy_file() == "");
    CHECK(rig.ssh_config() == "");
    CHECK(rig.tree.read("home/.local/share/ov/vm/ov-web/id_ed25519") == key);
    CHECK(std::filesystem::exists(rig.tree.path("project/output/qcow2/web/disk.qcow2")));
    CHECK(rig.destroy(true) == "");
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("project/output/qcow2/web")));
    CHECK_FALSE(std::filesystem::exists(rig.state_file("id_ed25519")));
    CHECK(rig.tree.read("home/.local/share/ov/vm/ov-web/instance.yml") == "disposable: true\n");
}

TEST_CASE("a deploy and the state of its machine: undefined, off, paused, running (decisions 1)") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    VmRig rig;
    std::string emitted;
    const auto ready = [&] {
        emitted.clear();
        rig.load();
        const ov::DeployTarget target = ov::resolve_target(*rig.context->project, "site", true);
        ov::ManagedMachine machine;
        const std::string error = rig.run([&]() -> asio::awaitable<void> {
            ov::EmitEvent emit = [&](const ov::EventBody& body) {
                if (const auto* note = std::get_if<ov::event::Note>(&body)) emitted += note->text;
            };
            machine = co_await ov::start_for_deploy(*rig.context, *rig.hypervisors, target, emit, VmRig::limit());
        });
        if (!error.empty()) return error;
        CHECK(machine.destination.port > 0);
        CHECK(machine.destination.user == "me");
        CHECK(machine.destination.host == "127.0.0.1");
        CHECK(machine.destination.identities == std::vector<std::string>{rig.state_file("id_ed25519")});
        return std::string(to_string(machine.before));
    };
    CHECK(ready() ==
          "not_found: deploy site: VM \"web\" is not defined on this host; run: ov vm build web, then ov vm create web");
    rig.disk();
    CHECK(ready() == "not_found: deploy site: VM \"web\" is not defined on this host; run: ov vm create web");
    CHECK(rig.create() == "created");
    CHECK(ready() == "running");
    CHECK(emitted == "");
    CHECK(rig.stop() == "");
    ::setenv("OV_DEPLOY_NO_AUTOBOOT", "1", 1);
    CHECK(ready() == "busy: deploy site: VM \"web\" is shut off and OV_DEPLOY_NO_AUTOBOOT is set; run: ov vm start web");
    ::unsetenv("OV_DEPLOY_NO_AUTOBOOT");
    CHECK(ready() == "shut off");
    CHECK(emitted == "ov-web is shut off: starting it");
    CHECK(rig.state() == "running");
}

TEST_CASE("a rebuild that nobody asked for is refused unless the deploy is disposable (cli-and-config 8.3)") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    struct Row {
        const char* name;
        const char* node;
        bool attended, rebuilt;
    };
    const Row rows[] = {
        {"unattended, not disposable", "{target: vm, vm: web}", false, false},
        {"unattended, disposable: false", "{target: vm, vm: web, disposable: false}", false, false},
        {"unattended, a lifecycle word implies nothing", "{target: vm, vm: web, lifecycle: disposable}", false, false},
        {"unattended, disposable", "{target: vm, vm: web, disposable: true}", false, true},
        {"asked for, not disposable", "{target: vm, vm: web}", true, true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string project = ov::test::one_vm;
        project.replace(project.find("{target: vm, vm: web}"), 21, row.node);
        VmRig rig(project);
        rig.disk();
        CHECK(rig.create() == "created");
        CHECK(rig.stop() == "");  // without a guest nobody would answer the request to shut down
        rig.load();
        rig.notes.clear();
        const std::string error = rig.run([&]() -> asio::awaitable<void> {
            ov::RebuildOptions options;
            options.attended = row.attended;
            const ov::DeployTarget target = ov::resolve_target(*rig.context->project, "site", true);
            co_await ov::rebuild_vm(*rig.context, *rig.hypervisors, target, options, VmRig::limit());
        });
        CAPTURE(error);
        const bool named = error.find("gate_closed: deploy site: \"site\" is not marked `disposable: true`") == 0 &&
                           error.find("it is not rebuilt unasked") != std::string::npos;
        CHECK((row.rebuilt ? error.empty() : named));
        CHECK((rig.notes.find("rebuilding it anyway per your explicit `ov update`.") != std::string::npos) == row.attended);
        CHECK(rig.state() == (row.rebuilt ? "running" : "shut off"));
    }
}

TEST_CASE("a machine on libvirt: created, listed, found again by the backend that its state names, destroyed") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"}) || !ov::libvirt_is_built_in()) return;
    VmRig rig(ov::test::one_vm, ov::test::libvirt_host());
    rig.disk();
    const auto keeper = ov::test::keep_test_driver(rig.runtime);
    const ov::CreateOptions on_libvirt = ov::test::on_test_driver();
    CHECK(rig.create(on_libvirt) == "created");
    CHECK(says(rig.deploy_file(), "backend: libvirt"));
    rig.load();
    CHECK(rig.state() == "running");
    CHECK(rig.create(on_libvirt) == "nothing");
    ov::CreateOptions on_qemu;
    on_qemu.backend = "qemu";
    CHECK(says(rig.create(on_qemu), "busy: ov-web is defined with the backend libvirt; destroy it first: ov vm destroy web"));
    CHECK(rig.destroy() == "");
    CHECK(rig.state() == "undefined");
}

TEST_CASE("which backend a new machine gets") {
    struct Row {
        const char* rule;
        std::string flag, recorded, entity, setting;
        bool libvirt, qemu;
        const char* result;
    };
    const Row rows[] = {
        {"auto takes libvirt where it answers", "", "", "", "", true, true, "libvirt"},
        {"auto takes QEMU where libvirt does not answer", "", "", "", "", false, true, "qemu"},
        {"neither: names both", "", "", "", "", false, false, "no VM backend available"},
        {"the entity's word", "", "", "qemu", "", true, true, "qemu"},
        {"the setting, where the entity says nothing", "", "", "", "qemu", true, true, "qemu"},
        {"the entity beats the setting", "", "", "libvirt", "qemu", true, true, "libvirt"},
        {"what was recorded beats the entity", "", "libvirt", "qemu", "", true, true, "libvirt"},
        {"the flag beats all", "qemu", "libvirt", "libvirt", "libvirt", true, true, "qemu"},
        {"libvirt that does not answer: every probed path", "libvirt", "", "", "", false, true, "virtqemud-sock not found"},
        {"and the remedy", "libvirt", "", "", "", false, true, "ov settings set vm.backend qemu"},
        {"QEMU that is not installed", "qemu", "", "", "", true, false, "no qemu-system-x86_64 in PATH"},
    };
    for (const Row& row : rows) {
        if (!ov::libvirt_is_built_in()) continue;
        CAPTURE(row.rule);
        ov::BackendQuestion question{row.flag, row.recorded, row.entity, row.setting, "qemu:///session", {}, {}};
        if (row.libvirt) question.facts.libvirt = ov::LibvirtFacts{};
        if (row.qemu) question.facts.qemu = ov::QemuFacts{};
        std::string result;
        try {
            result = ov::choose_backend(question) == ov::Backend::qemu ? "qemu" : "libvirt";
        } catch (const ov::Error& error) {
            result = error.what();
        }
        CHECK_MESSAGE(says(result, row.result), result);
    }
}

TEST_CASE("the console's last lines, without what terminals do with them") {
    const ov::test::TempTree tree({{"log", "one\r\n\x1b[1;31mtwo\x1b[0m\r\n\r\n   \nthree\n"}, {"empty", ""}});
    CHECK(ov::console_tail(tree.path("log")) == "one\ntwo\nthree\n");
    CHECK(ov::console_tail(tree.path("log"), 1) == "three\n");
    CHECK(ov::console_tail(tree.path("empty")) == "");
    CHECK(ov::console_tail(tree.path("none")) == "");
}
