#include "lifecycle/hypervisors.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "backend/libvirt_machines.hpp"
#include "backend/qemu_machines.hpp"
#include "ov/vm_defaults.hpp"
#include "state/settings.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// QEMU's command lines where the design wants them: command.json of each state directory (decisions 31).
class StateCommands : public CommandStore {
public:
    explicit StateCommands(std::string root) : root_(std::move(root)) {}
    std::optional<std::vector<std::string>> load(const std::string& name) const override {
        return state::load_command(files(name));
    }
    void save(const std::string& name, const std::vector<std::string>& argv) override {
        state::make_state_directory(files(name));
        state::save_command(files(name), argv);
    }
    void remove(const std::string& name) override { state::remove_command(files(name)); }
    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        std::error_code none;
        for (fs::directory_iterator entry(root_, none), end; !none && entry != end; entry.increment(none))
            if (fs::exists(entry->path() / "command.json")) all.push_back(entry->path().filename().string());
        return all;
    }

private:
    state::VmFiles files(const std::string& name) const { return {root_ + "/" + name}; }
    std::string root_;
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::string probed_sockets(const std::string& uri) {
    std::string text;
    for (const std::string& path : libvirt_sockets(uri))
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", path, exists(path) ? "found" : "not found");
    return text.empty() ? uri : text;
}

}  // namespace

Hypervisors::Hypervisors(VmContext& context)
    : make_libvirt([&context](const std::string& uri) { return make_libvirt_machines(context.runtime, uri); }),
      context_(context) {}

MachineBackend& Hypervisors::qemu() {
    if (!qemu_)
        qemu_ = std::make_unique<QemuMachines>(context_.runtime, std::make_shared<StateCommands>(context_.vm_state_root()),
                                               context_.vm_state_root());
    return *qemu_;
}

MachineBackend& Hypervisors::libvirt(const std::string& uri) {
    std::unique_ptr<MachineBackend>& backend = libvirt_[uri];
    if (!backend) backend = make_libvirt(uri);
    return *backend;
}

asio::awaitable<LocatedVm> Hypervisors::locate(VmIdentity machine, Deadline deadline) {
    VmState known = co_await load_vm_state(context_, machine, deadline);
    LocatedVm found = co_await locate(std::move(machine), std::move(known), deadline);
    co_return found;
}

asio::awaitable<LocatedVm> Hypervisors::locate(VmIdentity machine, VmState known, Deadline deadline) {
    LocatedVm found;
    found.name = domain_of(context_, machine);
    const state::VmFiles files = context_.files(machine);
    auto load = [files] { return state::load_vm_record(files).value_or(state::VmRecord{}); };
    const state::VmRecord record = co_await context_.runtime.pool.run(deadline, load);
    std::string uri = record.libvirt_uri;
    if (uri.empty()) {
        const auto entity = context_.project->vms.find(machine.entity);
        const bool has_spec = entity != context_.project->vms.end() && entity->second.spec != nullptr;
        uri = has_spec ? libvirt_uri_of(*entity->second.spec) : default_libvirt_uri();
    }
    if (known.backend != "libvirt") {
        const MachineState now = co_await qemu().state(found.name, deadline);
        found.state = now;
        if (now != MachineState::undefined) found.backend = &qemu();
    }
    if (found.backend != nullptr || known.backend == "qemu") co_return found;
    if (known.backend != "libvirt" && (!libvirt_is_built_in() || !libvirt_may_answer(uri))) co_return found;
    MachineBackend& backend = libvirt(uri);
    try {
        const MachineState now = co_await backend.state(found.name, deadline);
        found.state = now;
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
        if (known.backend == "libvirt")
            throw Error(error.code(), fmt::format("{} was created with libvirt ({}), which does not answer: {}", found.name, uri,
                                                  error.what()));
        context_.say(fmt::format("libvirt was not asked: {}", error.what()));
    }
    if (found.state == MachineState::undefined) co_return found;
    found.backend = &backend;
    found.libvirt_uri = uri;
    co_return found;
}

asio::awaitable<void> Hypervisors::close(Deadline deadline) {
    for (auto& [uri, backend] : libvirt_) co_await backend->close(deadline);
}

std::string domain_of(const VmContext& context, const VmIdentity& machine) {
    const auto entity = context.project->vms.find(machine.entity);
    if (entity != context.project->vms.end() && entity->second.spec)
        return vm::domain_name(*entity->second.spec, machine.instance);
    return machine.domain();
}

std::string default_libvirt_uri() {
    const std::string given = environment("OV_LIBVIRT_URI");
    if (!given.empty()) return given;
    return ::geteuid() == 0 ? "qemu:///system" : "qemu:///session";
}

std::string libvirt_uri_of(const VmSpec& spec) {
    return spec.libvirt.uri.empty() ? default_libvirt_uri() : spec.libvirt.uri;
}

std::vector<std::string> libvirt_sockets(const std::string& uri) {
    if (!uri.starts_with("qemu:///")) return {};
    std::string directory = "/run/libvirt";
    if (uri.starts_with("qemu:///session")) {
        directory = environment("XDG_RUNTIME_DIR");
        if (directory.empty()) directory = fmt::format("/run/user/{}", ::getuid());
        directory += "/libvirt";
    }
    return {directory + "/virtqemud-sock", directory + "/libvirt-sock"};
}

bool libvirt_may_answer(const std::string& uri) {
    const std::vector<std::string> sockets = libvirt_sockets(uri);
    if (sockets.empty()) return true;
    for (const std::string& path : sockets)
        if (exists(path)) return true;
    // A session's daemon is started by the first connection.
    return uri.starts_with("qemu:///session") && (exists("/usr/sbin/virtqemud") || exists("/usr/sbin/libvirtd"));
}

std::string backend_setting(const OperatorPaths& paths) {
    return state::Settings::load(paths.settings_file()).get("vm.backend");
}

Backend choose_backend(const BackendQuestion& question) {
    std::string word = "auto";
    for (const std::string& given : {question.flag, question.recorded, question.entity, question.setting})
        if (!given.empty()) {
            word = given;
            break;
        }
    const bool libvirt = libvirt_is_built_in() && question.facts.libvirt.has_value();
    const bool qemu = question.facts.qemu.has_value();
    const std::string program = vm::is_arm64(question.facts.arch) ? "qemu-system-aarch64" : "qemu-system-x86_64";
    std::string why;
    for (const std::string& note : question.notes) why += "; " + note;
    if (word == "libvirt") {
        if (libvirt) return Backend::libvirt;
        if (!libvirt_is_built_in()) throw Error(Errc::unsupported, "this ov was built without libvirt; use --backend qemu");
        throw Error(Errc::unsupported,
                    fmt::format("no libvirt session daemon or system daemon answers at {}: {}{}; use --backend qemu, or "
                                "for good: ov settings set vm.backend qemu",
                                question.uri, probed_sockets(question.uri), why));
    }
    if (word == "qemu") {
        if (qemu) return Backend::qemu;
        throw Error(Errc::unsupported, fmt::format("no {} in PATH: the backend qemu needs it{}", program, why));
    }
    if (libvirt) return Backend::libvirt;
    if (qemu) return Backend::qemu;
    throw Error(Errc::unsupported, fmt::format("no VM backend available: libvirt at {}: {}; no {} in PATH{}", question.uri,
                                               probed_sockets(question.uri), program, why));
}

}  // namespace ov
