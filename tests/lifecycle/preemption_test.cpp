// Machines that make way for one that needs what they hold.
#include "lifecycle/preemption.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "lifecycle/exclusive.hpp"
#include "model/yaml_writer.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"
#include "support/vm_rig.hpp"

using namespace ov;
using ov::test::has_programs;
using ov::test::says;
using ov::test::VmRig;

namespace {

const char* const source =
    "{kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\", base_user: me, checksum: {type: sha256, value: "
    "\"0000000000000000000000000000000000000000000000000000000000000000\"}}";

const char* const machines[] = {"desk", "calm", "other", "train", "rival", "fresh", "both", "boss"};

std::string project() {
    std::string text = "version: 2026.144.1443\nvm:\n";
    for (const char* name : machines)
        text += std::string("  ") + name + ": {source: " + source +
                ", ram: 32M, cpu: 1, ssh: {port_auto: true, key_source: generate}}\n";
    return text +
           "deploy:\n  desk: {target: vm, vm: desk, preemptible: [gpu]}\n"
           "  calm: {target: vm, vm: calm, preemptible: {holds: [gpu, fpga], restore: on-success}}\n"
           "  other: {target: vm, vm: other, preemptible: [fpga]}\n"
           "  training: {target: vm, vm: train, requires_exclusive: [gpu]}\n"
           "  rival: {target: vm, vm: rival, requires_exclusive: [gpu]}\n"
           "  fresh: {target: vm, vm: fresh, requires_exclusive: [tpu]}\n"
           "  both: {target: vm, vm: both, preemptible: [npu], requires_exclusive: [license]}\n"
           "  boss: {target: vm, vm: boss, requires_exclusive: [npu]}\n";
}

/// A hypervisor with guests that do not obey.
class Deaf final : public MachineBackend {
public:
    Deaf(std::unique_ptr<MachineBackend> real, const std::set<std::string>& deaf, const std::function<void()>& asked)
        : real_(std::move(real)), deaf_(deaf), asked_(asked) {}
    Backend kind() const noexcept override { return real_->kind(); }
    asio::awaitable<MachineState> state(std::string name, Deadline deadline) override { return real_->state(name, deadline); }
    asio::awaitable<void> define(MachineDefinition definition, Deadline deadline) override {
        return real_->define(definition, deadline);
    }
    asio::awaitable<void> start(std::string name, Deadline deadline) override { return real_->start(name, deadline); }
    asio::awaitable<StopResult> stop(std::string name, StopOptions options, Deadline deadline) override {
        if (deaf_.contains(name)) {
            asked_();
            throw Error(Errc::timed_out, name + " does not go down");
        }
        return real_->stop(name, options, deadline);
    }
    asio::awaitable<void> undefine(std::string name, UndefineOptions options, Deadline deadline) override {
        return real_->undefine(name, options, deadline);
    }
    asio::awaitable<std::vector<MachineRow>> list(Deadline deadline) override { return real_->list(deadline); }
    asio::awaitable<std::vector<std::string>> disks(std::string name, Deadline deadline) override {
        return real_->disks(name, deadline);
    }
    asio::awaitable<void> save_internal(std::string name, std::string snapshot, std::string text, Deadline deadline) override {
        return real_->save_internal(name, snapshot, text, deadline);
    }
    asio::awaitable<void> load_internal(std::string name, std::string snapshot, Deadline deadline) override {
        return real_->load_internal(name, snapshot, deadline);
    }
    asio::awaitable<void> drop_internal(std::string name, std::string snapshot, Deadline deadline) override {
        return real_->drop_internal(name, snapshot, deadline);
    }
    asio::awaitable<void> close(Deadline deadline) override { return real_->close(deadline); }

private:
    std::unique_ptr<MachineBackend> real_;
    const std::set<std::string>& deaf_;
    const std::function<void()>& asked_;
};

/// On libvirt's test driver, whose guests obey at once.
class Rig : public VmRig {
public:
    Rig() : VmRig(project(), ov::test::libvirt_host()), keeper_(ov::test::keep_test_driver(runtime)) {
        for (const char* name : machines) disk(name);
        hypervisors->make_libvirt = [this](const std::string&) {
            return std::make_unique<Deaf>(make_libvirt_machines(runtime, "test:///default"), deaf, asked);
        };
    }
    std::string restore(const std::string& claimant) {
        return run([&]() -> asio::awaitable<void> { co_await restore_preempted(*context, *hypervisors, claimant, limit()); });
    }
    std::string up(const char* name) { return create(ov::test::on_test_driver(), VmIdentity{name, {}}); }
    std::string off(const char* name) {
        return run([&]() -> asio::awaitable<void> {
            const StopOptions force{StopOptions::Way::force, std::chrono::seconds(5)};
            const VmIdentity machine{name, {}};
            co_await stop_vm(*context, *hypervisors, machine, force, limit());
        });
    }
    std::string gone(const char* name) {
        return run([&]() -> asio::awaitable<void> {
            DestroyOptions options;
            options.force = true;
            const VmIdentity machine{name, {}};
            co_await destroy_vm(*context, *hypervisors, machine, options, limit());
        });
    }
    /// Which of them run: "desk other".
    std::string running() {
        std::string names;
        const std::string error = run([&]() -> asio::awaitable<void> {
            for (const char* name : machines) {
                const VmIdentity machine{name, {}};
                const LocatedVm found = co_await hypervisors->locate(machine, limit());
                if (found.backend != nullptr && is_active(found.state)) names += (names.empty() ? "" : " ") + std::string(name);
            }
        });
        return error + names;
    }
    std::string book() const { return tree.path("home/.local/share/ov/preemption/leases.yml"); }
    std::vector<state::Lease> leases() const { return state::load_leases(book()); }

    std::set<std::string> deaf;           ///< domains
    std::function<void()> asked = [] {};  ///< called when one of them is to go down

private:
    std::unique_ptr<MachineBackend> keeper_;
};

}  // namespace

TEST_CASE("preemption: a lease is written and read, and goes with the last one") {
    const test::TempTree tree;
    const std::string file = tree.path("preemption/leases.yml");
    const state::Lease lease{"training", "train", "2", {"gpu", "a: b"}, {{"desk", {"gpu"}, "on-success"}}, "2026-01-01T00:00:00Z",
                             7};
    CHECK(state::load_leases(file).empty());
    state::update_leases(file, [&](std::vector<state::Lease>& leases) { leases.push_back(lease); });
    REQUIRE(state::load_leases(file).size() == 1);
    CHECK(state::load_leases(file).front() == lease);
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) == std::filesystem::perms(0600));
    state::update_leases(file, [](std::vector<state::Lease>& leases) { leases.clear(); });
    CHECK_FALSE(std::filesystem::exists(file));
    tree.write("preemption/leases.yml", "leases: [");
    CHECK_THROWS_AS(state::load_leases(file), Error);
}

TEST_CASE("preemption: what a deploy may say (cli-and-config 11), each error naming it") {
    struct Row {
        const char *rule, *fields, *error;
    };
    const Row rows[] = {
        {"a list is what it holds", "preemptible: [gpu]", ""},
        {"a mapping", "preemptible: {holds: [gpu], stop: shutdown, restore: on-success}", ""},
        {"claims", "requires_exclusive: [gpu]", ""},
        {"empty holds", "preemptible: []", "deploy web: preemptible.holds: must list at least one token"},
        {"no holds", "preemptible: {restore: always}", "must list at least one token"},
        {"another stop", "preemptible: {holds: [gpu], stop: kill}", "preemptible.stop: expected shutdown, got 'kill'"},
        {"another restore", "preemptible: {holds: [gpu], restore: never}", "restore: expected always or on-success, got 'never'"},
        {"a scalar", "preemptible: gpu", "preemptible: expected a list of tokens or a mapping, got 'gpu'"},
        {"an empty token", "preemptible: ['']", "preemptible.holds: an exclusive token needs a name"},
        {"an unknown key", "preemptible: {holds: [gpu], wait: 3}", "unknown key wait"},
        {"held and required", "{preemptible: [gpu], requires_exclusive: [gpu]}", "gpu is both held and required"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const std::string fields = row.fields[0] == '{' ? row.fields : "{" + std::string(row.fields) + "}";
        std::vector<Diagnostic> findings;
        DeployNode node;
        node.key = "web";
        node.body = spec::parse_yaml(fields, "deploy.yml", findings).at(0);
        std::string error;
        try {
            exclusive_of(node);
        } catch (const Error& wrong) {
            error = wrong.what();
        }
        CHECK_MESSAGE((*row.error == '\0' ? error.empty() : says(error, row.error)), error);
    }
}

TEST_CASE("preemption: create and start of a claimant shut holders down, stop and destroy bring them back") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    for (const char* name : {"desk", "calm", "other"}) REQUIRE(rig.up(name) == "created");
    CHECK(rig.up("train") == "created");
    CHECK(rig.running() == "other train");
    CHECK(says(rig.notes, "desk is shut down: training needs gpu"));
    REQUIRE(rig.leases().size() == 1);
    state::Lease lease = rig.leases().front();
    CHECK(lease.claimant == "training");
    CHECK(lease.tokens == std::vector<std::string>{"gpu"});
    const std::vector<state::Preempted> both{{"calm", {"gpu"}, "on-success"}, {"desk", {"gpu"}, "always"}};
    CHECK(lease.preempted == both);
    CHECK(rig.up("train") == "nothing");
    CHECK(rig.leases().size() == 1);
    CHECK(says(rig.up("rival"), "busy: gpu is held by training since 20"));
    CHECK(says(rig.up("rival"), "give it back with: ov preempt restore training"));
    CHECK(rig.running() == "other train");
    const auto too_early = [&]() -> asio::awaitable<void> {
        const VmIdentity train{"train", {}};
        co_await release_exclusive(*rig.context, *rig.hypervisors, train, true, Rig::limit());
    };
    CHECK(rig.run(too_early) == "");
    CHECK(rig.running() == "other train");
    CHECK(rig.leases().size() == 1);
    CHECK(rig.off("train") == "");
    CHECK(rig.running() == "desk calm other");
    CHECK(rig.leases().empty());
    CHECK(rig.up("train") == "started");
    CHECK(rig.running() == "other train");
    CHECK(rig.gone("train") == "");
    CHECK(rig.running() == "desk calm other");
    CHECK(rig.leases().empty());
}

TEST_CASE("preemption: a claimant that fails gives back; a stranded lease does not wake on-success holders; restore by hand") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    for (const char* name : {"desk", "calm"}) REQUIRE(rig.up(name) == "created");
    std::filesystem::remove(rig.tree.path("project/output/qcow2/train/disk.qcow2"));
    CHECK(says(rig.up("train"), "ov vm build train"));
    CHECK(rig.running() == "desk");  // calm comes back only from a success
    CHECK(rig.leases().empty());
    CHECK(rig.off("desk") == "");

    const auto enter = [&](long long pid) {
        const state::Lease lease{"training",
                                 "train",
                                 {},
                                 {"gpu"},
                                 {{"calm", {"gpu"}, "on-success"}, {"desk", {"gpu"}, "always"}},
                                 "2026-01-01T00:00:00Z",
                                 pid};
        state::update_leases(rig.book(), [&](std::vector<state::Lease>& leases) { leases.push_back(lease); });
    };
    enter(0);  // its maker is gone and it does not run
    CHECK(rig.up("fresh") == "created");
    CHECK(says(rig.notes, "the lease of training on gpu is stranded: released"));
    CHECK(rig.running() == "desk fresh");
    REQUIRE(rig.leases().size() == 1);
    CHECK(rig.leases().front().claimant == "fresh");
    CHECK(rig.gone("desk") == "");

    enter(::getpid());
    bool all = true;
    const std::string claimant = "training", unknown = "nobody";
    const auto by_hand = [&]() -> asio::awaitable<void> {
        all = co_await restore_preempted(*rig.context, *rig.hypervisors, claimant, Rig::limit());
    };
    CHECK(rig.run(by_hand) == "");
    CHECK_FALSE(all);
    CHECK(says(rig.notes, "desk made way and does not start again: VM \"desk\" is not defined"));
    CHECK(rig.running() == "calm fresh");
    REQUIRE(rig.leases().size() == 2);
    CHECK(rig.leases().back().preempted == std::vector<state::Preempted>{{"desk", {"gpu"}, "always"}});
    const auto nobody = [&]() -> asio::awaitable<void> {
        co_await restore_preempted(*rig.context, *rig.hypervisors, unknown, Rig::limit());
    };
    CHECK(says(rig.run(nobody), "not_found: nobody has no lease; see: ov preempt status"));
}

TEST_CASE("preemption: with OV_PREEMPT_LEASE the caller does it") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    ::setenv("OV_PREEMPT_LEASE", "1", 1);
    CHECK(rig.up("train") == "created");
    ::unsetenv("OV_PREEMPT_LEASE");
    CHECK(rig.leases().empty());
}

TEST_CASE("preemption: a holder that claims itself comes back once, also where the lease it made way for has no maker any more") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    REQUIRE(rig.up("both") == "created");
    REQUIRE(rig.up("boss") == "created");
    CHECK(rig.running() == "boss");
    state::update_leases(rig.book(), [](std::vector<state::Lease>& leases) { leases.at(0).pid = 0; });
    CHECK(rig.off("boss") == "");
    CHECK(rig.running() == "both");
    REQUIRE(rig.leases().size() == 1);
    CHECK(rig.leases().front().claimant == "both");
}

TEST_CASE("preemption: a holder that was told to shut down and has not yet is not forgotten") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    for (const char* name : {"desk", "calm"}) REQUIRE(rig.up(name) == "created");
    rig.deaf = {"ov-desk"};
    CHECK(says(rig.up("train"), "timed_out: ov-desk does not go down"));
    CHECK(rig.running() == "desk calm");
    CHECK(says(rig.notes, "desk was to shut down and still runs; if it goes off, start it with: ov preempt restore training"));
    REQUIRE(rig.leases().size() == 1);
    CHECK(rig.leases().front().preempted == std::vector<state::Preempted>{{"desk", {"gpu"}, "always"}});
    rig.deaf.clear();
    CHECK(rig.off("desk") == "");
    CHECK(rig.restore("training") == "");
    CHECK(rig.running() == "desk calm");
    CHECK(rig.leases().empty());

    // What goes wrong in the undo does not hide why it was needed.
    rig.deaf = {"ov-desk"};
    rig.asked = [&] { rig.tree.write("home/.local/share/ov/preemption/leases.yml", "leases: ["); };
    CHECK(says(rig.up("train"), "timed_out: ov-desk does not go down"));
    CHECK(says(rig.notes, "giving back failed: "));
}

TEST_CASE("preemption: a claim that is given up while it waits for the book is not made") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    std::optional<state::FileLock> lock = state::FileLock::acquire(rig.book() + ".lock");
    std::thread other([&lock] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2500));
        lock.reset();
    });
    const std::string error = rig.run([&]() -> asio::awaitable<void> {
        const Deadline shortly = Deadline::unlimited().child(std::chrono::milliseconds(1500));
        const VmIdentity train{"train", {}};
        const CreateOptions options = ov::test::on_test_driver();
        co_await create_vm(*rig.context, *rig.hypervisors, train, options, shortly);
    });
    other.join();
    CHECK(says(error, "timed_out"));
    CHECK(rig.leases().empty());
    CHECK(rig.up("train") == "created");
}

TEST_CASE("preemption: what another program keeps in the book stays as it is") {
    if (!has_programs({"qemu-img"}) || !libvirt_is_built_in()) return;
    Rig rig;
    const std::string file = "home/.local/share/ov/preemption/leases.yml";
    rig.tree.write(
        file,
        "schema: 3\n"
        "leases:\n"
        "  - {claimant: nightly, claim: {name: nightly, target: pod, base: cuda}, tokens: [fpga], transient: true,\n"
        "     preempted: [{addr: desk, holds: [fpga], restore: always, since: noon}], created: '2026-01-01', host: me}\n"
        "  - {claimant: training, claim: {name: training, target: vm, vm: train, base: big}, tokens: [gpu],\n"
        "     transient: true, preempted: [], created: '2026-01-01', pid: 1, host: me}\n");
    CHECK(rig.up("fresh") == "created");
    CHECK_FALSE(says(rig.notes, "nightly"));
    REQUIRE(rig.leases().size() == 3);
    std::vector<Diagnostic> findings;
    const YamlPtr book = spec::parse_yaml(rig.tree.read(file), "leases.yml", findings).at(0);
    CHECK(yaml_entry_text(book, "schema") == "3");
    const YamlPtr pod = yaml_entry(book, "leases")->items.at(0), vm = yaml_entry(book, "leases")->items.at(1);
    CHECK(yaml_entry_text(yaml_entry(pod, "claim"), "target") == "pod");
    CHECK(yaml_entry_text(yaml_entry(pod, "claim"), "base") == "cuda");
    CHECK(yaml_entry_text(pod, "transient") == "true");
    CHECK(yaml_entry_text(pod, "host") == "me");
    CHECK(yaml_entry(pod, "pid") == nullptr);
    CHECK(yaml_entry_text(yaml_entry(pod, "preempted")->items.at(0), "since") == "noon");
    CHECK(yaml_entry_text(yaml_entry(vm, "claim"), "base") == "big");

    // One that is edited keeps what it said besides.
    state::update_leases(rig.book(), [](std::vector<state::Lease>& leases) {
        leases.at(0).pid = 7;
        leases.at(0).preempted.push_back({"calm", {"fpga"}, "always"});
        leases.erase(leases.begin() + 1, leases.end());
    });
    const YamlPtr edited = yaml_entry(spec::parse_yaml(rig.tree.read(file), "leases.yml", findings).at(0), "leases")->items.at(0);
    CHECK(yaml_entry_text(edited, "pid") == "7");
    CHECK(yaml_entry_text(edited, "transient") == "true");
    CHECK(yaml_entry_text(yaml_entry(edited, "claim"), "target") == "pod");
    CHECK(yaml_entry_text(yaml_entry(edited, "preempted")->items.at(0), "since") == "noon");
    CHECK(yaml_entry_text(yaml_entry(edited, "preempted")->items.at(1), "addr") == "calm");
}
