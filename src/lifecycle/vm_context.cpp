#include "lifecycle/vm_context.hpp"

#include <fmt/format.h>

#include "backend/host_probe.hpp"
#include "base/near_name.hpp"
#include "model/names.hpp"
#include "ov/load.hpp"
#include "state/deploy_config.hpp"

namespace ov {

struct LazyFacts::Probe {
    explicit Probe(asio::any_io_executor executor) : changed(std::move(executor)) {}
    Event changed;
    bool running = false;
    std::optional<HostFacts> facts;
};

struct LazyFacts::State {
    std::map<std::string, std::shared_ptr<Probe>> probes;
    std::vector<std::string> notes;
    std::optional<HostFacts> known;
};

LazyFacts::LazyFacts() : state_(std::make_shared<State>()) {}

LazyFacts::LazyFacts(HostFacts known) : LazyFacts() {
    state_->known = std::move(known);
}

const std::vector<std::string>& LazyFacts::notes() const noexcept {
    return state_->notes;
}

asio::awaitable<HostFacts> LazyFacts::get(std::string libvirt_uri, Deadline deadline) {
    const std::shared_ptr<State> state = state_;
    if (state->known) co_return *state->known;
    const auto executor = co_await asio::this_coro::executor;
    std::shared_ptr<Probe>& slot = state->probes[libvirt_uri];
    if (!slot) slot = std::make_shared<Probe>(executor);
    const std::shared_ptr<Probe> probe = slot;
    while (probe->running) co_await probe->changed.wait(deadline);
    if (probe->facts) co_return *probe->facts;
    probe->running = true;
    HostProbe how;
    how.connect = libvirt_uri;
    std::exception_ptr failure;
    try {
        HostProbeResult result = co_await probe_host(std::move(how), deadline);
        for (std::string& note : result.notes) state->notes.push_back(std::move(note));
        probe->facts = std::move(result.facts);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    probe->running = false;
    probe->changed.notify();
    if (failure) std::rethrow_exception(failure);
    co_return *probe->facts;
}

std::string VmContext::disk_directory(const VmIdentity& machine) const {
    std::string directory = project_directory + "/output/qcow2/" + machine.entity;
    if (!machine.instance.empty()) directory += "/" + machine.instance;
    return directory;
}

const VmState* VmContext::known_state(const VmIdentity& machine) const {
    return find_vm_state(project->deploys, machine, machine.key());
}

const VmSpec& spec_of(const VmContext& context, const VmIdentity& machine) {
    for (const auto& [what, name] : {std::pair("VM name", machine.entity), std::pair("instance", machine.instance)})
        if ((!name.empty() || what[0] == 'V') && !is_valid_entity_name(name))
            throw Error(Errc::usage, fmt::format("'{}' is no {}: {}", name, what, entity_name_rule));
    const auto found = context.project->vms.find(machine.entity);
    if (found == context.project->vms.end()) {
        std::vector<std::string_view> names;
        std::string defined;
        for (const auto& [name, entity] : context.project->vms) {
            names.push_back(name);
            defined += (defined.empty() ? "" : ", ") + name;
        }
        const std::string near = did_you_mean(machine.entity, names);
        throw Error(
            Errc::not_found,
            fmt::format("no VM {} in this project (defined: {}){} Add it under `vm:` in overthink.yml (or in vm.yml, where that "
                        "is imported), for example:\n"
                        "  vm:\n    {}:\n      source: {{kind: cloud_image, url: \"https://...qcow2\", base_user: debian}}",
                        machine.entity, defined.empty() ? "none" : defined, near.empty() ? "." : near, machine.entity));
    }
    if (!found->second.spec)
        throw Error(Errc::unsupported,
                    fmt::format("{} is an external machine (source.kind: external): it has no hypervisor side", machine.entity));
    return *found->second.spec;
}

asio::awaitable<void> save_vm_state(VmContext& context, VmIdentity machine, VmState state, Deadline deadline) {
    const std::string file = context.deploy_file;
    const auto project = context.project;
    auto save = [file, project, machine, state] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) {
            state::record_vm_state(document, machine.key(), machine, state, project->deploys);
        });
    };
    co_await context.runtime.pool.run(deadline, save);
}

asio::awaitable<void> restore_vm_state(VmContext& context, VmIdentity machine, VmState before, Deadline deadline) {
    const std::string file = context.deploy_file;
    const auto project = context.project;
    auto restore = [file, project, machine, before] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) {
            const YamlPtr old = state::vm_state_yaml(before);
            if (old->entries.empty())
                state::drop_vm_state(document, machine, project->deploys);
            else if (document.has(machine.key()))
                document.set_field(machine.key(), "vm_state", old);
        });
    };
    co_await context.runtime.pool.run(deadline, restore);
}

asio::awaitable<VmState> load_vm_state(VmContext& context, VmIdentity machine, Deadline deadline) {
    const std::string file = context.deploy_file;
    const auto project = context.project;
    auto load = [file, project, machine]() -> VmState {
        std::vector<Diagnostic> warnings;
        DeployMap deploys = load_deploy_file(file, warnings);
        // An entry may leave it to the project's deploy of the same key to say which entity it is about.
        for (auto& [key, node] : deploys)
            if (const auto known = project->deploys.find(key); known != project->deploys.end()) {
                if (node.vm.empty()) node.vm = known->second.vm;
                if (node.target.empty()) node.target = known->second.target;
            }
        const VmState* state = find_vm_state(deploys, machine, machine.key());
        return state != nullptr ? *state : VmState{};
    };
    co_return co_await context.runtime.pool.run(deadline, load);
}

}  // namespace ov
