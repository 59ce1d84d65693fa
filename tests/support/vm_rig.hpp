// A project with one VM, a home and a loop: machines through their verbs, with real QEMU on an empty disk.
#pragma once

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <memory>

#include "backend/libvirt_machines.hpp"
#include "lifecycle/vm_create.hpp"
#include "lifecycle/vm_power.hpp"
#include "ov/load.hpp"
#include "support/temp_tree.hpp"

namespace ov::test {

inline HostFacts qemu_host() {
    HostFacts facts;
    facts.qemu = QemuFacts{{7, 2, 0}, {}};
    return facts;
}

inline HostFacts libvirt_host() {
    HostFacts facts = qemu_host();
    facts.libvirt = LibvirtFacts{};
    facts.libvirt->version = {9, 0, 0};
    return facts;
}

/// Defines machines with libvirt's test driver.
inline CreateOptions on_test_driver() {
    CreateOptions options;
    options.backend = "libvirt";
    options.connect = "test:///default";
    return options;
}

/// libvirt's test driver forgets its domains with its last connection: this one keeps it.
inline std::unique_ptr<MachineBackend> keep_test_driver(Runtime& runtime) {
    std::unique_ptr<MachineBackend> keeper = make_libvirt_machines(runtime, "test:///default");
    const auto ask = [&]() -> asio::awaitable<void> {
        const Deadline limit = Deadline::unlimited().child(std::chrono::seconds(60));
        co_await keeper->list(limit);
    };
    runtime.io.restart();
    asio::co_spawn(runtime.io, ask(), [](std::exception_ptr error) { REQUIRE(error == nullptr); });
    runtime.io.run();
    return keeper;
}

inline const char* const one_vm = R"(version: 2026.144.1443
vm:
  web:
    source: {kind: cloud_image, url: "https://mirror.invalid/x.qcow2", base_user: me, checksum: {type: sha256, value: "0000000000000000000000000000000000000000000000000000000000000000"}}
    ram: 64M
    cpu: 1
    ssh: {port_auto: true, key_source: generate}
deploy:
  site: {target: vm, vm: web}
)";

inline bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Says which program is missing, for a test that then returns.
inline bool has_programs(std::initializer_list<const char*> programs) {
    for (const char* program : programs) {
        if (std::system(("command -v " + std::string(program) + " > /dev/null").c_str()) == 0) continue;
        MESSAGE("skipped: no " << program);
        return false;
    }
    return true;
}

/// A project, a home and a loop. Machines that a test leaves running are powered off with it.
class VmRig {
public:
    explicit VmRig(std::string project = one_vm, HostFacts facts = qemu_host()) : facts_(std::move(facts)) {
        tree.write("project/overthink.yml", project);
        load();
    }
    ~VmRig() {
        run([&]() -> asio::awaitable<void> {
            const auto rows = co_await hypervisors->qemu().list(limit());
            for (const auto& row : rows) {
                const StopOptions force{StopOptions::Way::force, std::chrono::seconds(5)};
                co_await hypervisors->qemu().stop(row.name, force, limit());
            }
        });
    }
    /// As a new process would see it.
    void load() {
        hypervisors.reset();
        const std::string config = tree.path("home/.config");
        LoadOptions options{tree.path("project"), config + "/ov/deploy.yml"};
        context.reset(new VmContext{runtime, std::make_shared<const Project>(load_project(options)),
                                    OperatorPaths{tree.path("home"), config, {}}, tree.path("project"),
                                    config + "/ov/deploy.yml"});
        context->facts = LazyFacts(facts_);
        context->note = [this](const std::string& text) { notes += text + "\n"; };
        hypervisors = std::make_unique<Hypervisors>(*context);
        hypervisors->make_libvirt = [this](const std::string&) { return make_libvirt_machines(runtime, "test:///default"); };
    }
    void disk(const std::string& directory = "web") {
        std::filesystem::create_directories(tree.path("project/output/qcow2/" + directory));
        const std::string path = tree.path("project/output/qcow2/" + directory + "/disk.qcow2");
        REQUIRE(std::system(("qemu-img create -q -f qcow2 " + path + " 1M").c_str()) == 0);
    }
    /// Empty, or code and text of the error.
    std::string run(std::function<asio::awaitable<void>()> body) {
        std::exception_ptr failure;
        runtime.io.restart();
        asio::co_spawn(runtime.io, body(), [&](std::exception_ptr error) { failure = error; });
        runtime.io.run();
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const Error& error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return {};
    }
    std::string create(CreateOptions options = {}, std::optional<VmIdentity> which = std::nullopt) {
        CreateResult result;
        const VmIdentity machine = which.value_or(web);
        const std::string error = run(
            [&]() -> asio::awaitable<void> { result = co_await create_vm(*context, *hypervisors, machine, options, limit()); });
        if (!error.empty()) return error;
        const char* words[] = {"created", "redefined", "started", "nothing"};
        return words[static_cast<int>(result.done)];
    }
    std::string destroy(bool disk = false, bool keep_deploy = false) {
        DestroyOptions options;
        options.force = true;
        options.disk = disk;
        options.keep_deploy = keep_deploy;
        return run([&]() -> asio::awaitable<void> { co_await destroy_vm(*context, *hypervisors, web, options, limit()); });
    }
    std::string stop() {
        return run([&]() -> asio::awaitable<void> {
            const StopOptions force{StopOptions::Way::force, std::chrono::seconds(5)};
            co_await stop_vm(*context, *hypervisors, web, force, limit());
        });
    }
    std::string state() {
        MachineState now{};
        const std::string error = run([&]() -> asio::awaitable<void> {
            const LocatedVm found = co_await hypervisors->locate(web, limit());
            now = found.state;
        });
        return error.empty() ? std::string(to_string(now)) : error;
    }
    std::string deploy_file() const { return tree.read("home/.config/ov/deploy.yml"); }
    std::string ssh_config() const { return tree.read("home/.config/ov/ssh_config"); }
    std::string state_file(const std::string& name) const { return tree.path("home/.local/share/ov/vm/ov-web/" + name); }
    static Deadline limit() { return Deadline::unlimited().child(std::chrono::seconds(60)); }

    // Named: gcc 12 destroys a braced aggregate in a co_await twice.
    const VmIdentity web{"web", {}};
    const CreateOptions plain{};
    TempTree tree;
    Runtime runtime{1};
    std::unique_ptr<VmContext> context;
    std::unique_ptr<Hypervisors> hypervisors;
    std::string notes;

private:
    HostFacts facts_;
};

}  // namespace ov::test
