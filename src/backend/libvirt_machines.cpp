#include "backend/libvirt_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/this_coro.hpp>
#include <filesystem>
#include <pugixml.hpp>
#include <sstream>

#include "backend/libvirt_handle.hpp"
#include "backend/libvirt_watch.hpp"
#include "ov/render.hpp"

namespace ov {

namespace {

using namespace std::chrono_literals;

/// A guest that boots has not opened its power button yet; it is pressed again.
constexpr auto press_again = 10s;

/// A definition replaces an older one only under its UUID.
std::string with_uuid(const std::string& xml, const char* uuid) {
    pugi::xml_document document;
    if (!document.load_string(xml.c_str(), pugi::parse_full)) return xml;
    pugi::xml_node domain = document.child("domain");
    if (domain.child("uuid")) return xml;
    domain.insert_child_after("uuid", domain.child("name")).text() = uuid;
    std::ostringstream out;
    document.save(out, "  ", pugi::format_default | pugi::format_no_declaration);
    return out.str();
}

void define_domain(virConnectPtr connection, const MachineDefinition& definition) {
    std::string xml = definition.xml;
    if (const LibvirtDomain old = find_domain(connection, definition.name)) {
        if (is_active(domain_state(old.get())))
            throw Error(Errc::busy, fmt::format("{} is {}: stop it first", definition.name, to_string(domain_state(old.get()))));
        char uuid[VIR_UUID_STRING_BUFLEN] = {};
        if (virDomainGetUUIDString(old.get(), uuid) == 0) xml = with_uuid(xml, uuid);
    }
    const virDomainPtr made = virDomainDefineXML(connection, xml.c_str());
    if (made == nullptr) throw libvirt_error("libvirt refused the definition of " + definition.name);
    const LibvirtDomain domain(made, [](virDomainPtr handle) { virDomainFree(handle); });
    int before = 0;
    virDomainGetAutostart(made, &before);
    if ((before != 0) != definition.autostart && virDomainSetAutostart(made, definition.autostart ? 1 : 0) < 0)
        throw libvirt_error(definition.name + ": autostart");
}

/// libvirt does not make the directories of the sockets that it binds.
void make_socket_directories(virConnectPtr connection, virDomainPtr domain) {
    char* host = virConnectGetURI(connection);
    const std::string uri = host != nullptr ? host : "";
    free(host);
    if (uri.find("+ssh") != std::string::npos) return;
    char* text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    if (text == nullptr) throw libvirt_error("reading the definition back");
    const std::vector<std::string> paths = socket_paths(text);
    free(text);
    for (const std::string& path : paths) {
        const std::string directory = std::filesystem::path(path).parent_path().string();
        std::error_code failure;
        if (directory.empty() || !std::filesystem::create_directories(directory, failure)) continue;
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failure);
    }
}

void start_domain(virConnectPtr connection, const std::string& name) {
    const LibvirtDomain domain = need_domain(connection, name);
    const MachineState now = domain_state(domain.get());
    int done = 0;
    switch (now) {
        case MachineState::paused:
            done = virDomainResume(domain.get());
            break;
        case MachineState::suspended:
            done = virDomainPMWakeup(domain.get(), 0);
            break;
        case MachineState::shut_off:
            make_socket_directories(connection, domain.get());
            done = virDomainCreate(domain.get());
            break;
        case MachineState::crashed:
            throw Error(Errc::busy, fmt::format("{} has crashed and was kept; power it off first (--force)", name));
        default:
            return;
    }
    if (done == 0) return;
    const Error refusal = libvirt_error("starting " + name);
    // Somebody else may have been quicker.
    if (domain_state(domain.get()) != MachineState::running) throw refusal;
}

void undefine_domain(virConnectPtr connection, const std::string& name, UndefineOptions options) {
    const LibvirtDomain domain = find_domain(connection, name);
    if (!domain) return;
    // An active domain would live on as a transient one.
    const MachineState now = domain_state(domain.get());
    if (is_active(now)) throw Error(Errc::busy, fmt::format("{} is {}: stop it first", name, to_string(now)));
    const unsigned metadata = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    unsigned full = metadata | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
    full |= options.keep_nvram ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : VIR_DOMAIN_UNDEFINE_NVRAM;
    const unsigned tpm = options.keep_nvram ? VIR_DOMAIN_UNDEFINE_KEEP_TPM : VIR_DOMAIN_UNDEFINE_TPM;
    // Drivers differ in the flags that they know; the fullest set that this one takes.
    for (const unsigned flags : {full | tpm, full, metadata, 0U})
        if (virDomainUndefineFlags(domain.get(), flags) == 0) return;
    throw libvirt_error("undefining " + name);
}

std::vector<MachineRow> list_domains(virConnectPtr connection) {
    virDomainPtr* domains = nullptr;
    const int count = virConnectListAllDomains(connection, &domains, 0);
    if (count < 0) throw libvirt_error("listing domains");
    std::vector<MachineRow> rows;
    for (int i = 0; i < count; ++i) {
        const LibvirtDomain domain(domains[i], [](virDomainPtr handle) { virDomainFree(handle); });
        const char* name = virDomainGetName(domain.get());
        int state = 0;
        if (name == nullptr || !std::string_view(name).starts_with("ov-")) continue;
        const bool known = virDomainGetState(domain.get(), &state, nullptr, 0) == 0;
        rows.push_back({name, known ? machine_state(state) : MachineState::unknown});
    }
    free(domains);
    std::sort(rows.begin(), rows.end(), [](const MachineRow& a, const MachineRow& b) { return a.name < b.name; });
    return rows;
}

std::vector<std::string> disks_of(virConnectPtr connection, const std::string& name) {
    std::vector<std::string> files;
    const LibvirtDomain domain = find_domain(connection, name);
    if (!domain) return files;
    char* text = virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE);
    if (text == nullptr) throw libvirt_error("reading the definition of " + name);
    pugi::xml_document document;
    const bool parsed = static_cast<bool>(document.load_string(text));
    free(text);
    if (!parsed) return files;
    for (const pugi::xml_node disk : document.child("domain").child("devices").children("disk"))
        if (const char* file = disk.child("source").attribute("file").value(); *file != 0) files.emplace_back(file);
    return files;
}

using LibvirtSnapshot = std::shared_ptr<virDomainSnapshot>;

LibvirtSnapshot need_snapshot(virDomainPtr domain, const std::string& name) {
    const virDomainSnapshotPtr found = virDomainSnapshotLookupByName(domain, name.c_str(), 0);
    if (found == nullptr) throw libvirt_error("snapshot " + name);
    return {found, [](virDomainSnapshotPtr handle) { virDomainSnapshotFree(handle); }};
}

void save_snapshot(virConnectPtr connection, const std::string& name, const std::string& snapshot,
                   const std::string& description) {
    const LibvirtDomain domain = need_domain(connection, name);
    pugi::xml_document document;
    pugi::xml_node root = document.append_child("domainsnapshot");
    root.append_child("name").text() = snapshot.c_str();
    if (!description.empty()) root.append_child("description").text() = description.c_str();
    std::ostringstream xml;
    document.save(xml, "", pugi::format_raw | pugi::format_no_declaration);
    const virDomainSnapshotPtr made = virDomainSnapshotCreateXML(domain.get(), xml.str().c_str(), 0);
    if (made == nullptr) throw libvirt_error(name + ": snapshot " + snapshot);
    virDomainSnapshotFree(made);
}

/// False when the domain is off already.
bool press_button(virDomainPtr domain) {
    const MachineState now = domain_state(domain);
    if (now == MachineState::shut_off) return false;
    if (now == MachineState::paused) virDomainResume(domain);  // a paused guest cannot see its power button
    if (now == MachineState::suspended) virDomainPMWakeup(domain, 0);
    if (now == MachineState::shutting_down || virDomainShutdown(domain) == 0) return true;
    const Error refusal = libvirt_error("asking the guest to shut down");
    // It may have gone between the two calls: a domain on its way off refuses too.
    const MachineState after = domain_state(domain);
    if (after == MachineState::shut_off) return false;
    if (after == MachineState::shutting_down) return true;
    throw refusal;
}

void cut_power(virDomainPtr domain) {
    if (virDomainDestroy(domain) == 0) return;
    const Error refusal = libvirt_error("powering off");
    if (domain_state(domain) != MachineState::shut_off) throw refusal;
}

class LibvirtMachines : public MachineBackend {
public:
    LibvirtMachines(Runtime& runtime, std::string uri) : runtime_(runtime), uri_(std::move(uri)) {}

    Backend kind() const noexcept override { return Backend::libvirt; }

    asio::awaitable<MachineState> state(std::string name, Deadline deadline) override {
        auto ask = [name](virConnectPtr connection) {
            const LibvirtDomain domain = find_domain(connection, name);
            return domain ? domain_state(domain.get()) : MachineState::undefined;
        };
        const MachineState state = co_await call(std::move(ask), deadline);
        co_return state;
    }

    asio::awaitable<void> define(MachineDefinition definition, Deadline deadline) override {
        auto work = [definition = std::move(definition)](virConnectPtr connection) { define_domain(connection, definition); };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<void> start(std::string name, Deadline deadline) override {
        auto work = [name](virConnectPtr connection) { start_domain(connection, name); };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<StopResult> stop(std::string name, StopOptions options, Deadline deadline) override {
        const auto executor = co_await asio::this_coro::executor;
        const LibvirtConnection connection = co_await connected(deadline);
        auto look = [connection, name] { return find_domain(connection.get(), name); };
        const LibvirtDomain domain = co_await pool(std::move(look), deadline);
        if (!domain) co_return StopResult::was_off;
        auto ask_state = [domain] { return domain_state(domain.get()); };
        const MachineState now = co_await pool(std::move(ask_state), deadline);
        if (!is_active(now)) co_return StopResult::was_off;
        std::string refusal;
        if (options.way != StopOptions::Way::force && now != MachineState::crashed) {
            // Registered before the button is pressed, so that no end is missed.
            auto begin = [executor, connection, domain] { return std::make_shared<LibvirtWatch>(executor, connection, domain); };
            std::shared_ptr<LibvirtWatch> watch = co_await pool(std::move(begin), deadline);
            const Deadline patience = deadline.child(options.timeout);
            bool off = false;
            std::exception_ptr failure;
            try {
                off = co_await ask_guest(*watch, domain, patience);
            } catch (const Error& error) {
                if (error.code() == Errc::cancelled || error.code() == Errc::transport_lost) failure = std::current_exception();
                refusal = error.what();
            }
            auto end = [watch = std::move(watch)]() mutable { watch.reset(); };
            const Deadline short_time = Deadline::unlimited().child(2s);
            co_await pool(std::move(end), short_time);
            if (failure) std::rethrow_exception(failure);
            if (off) co_return StopResult::guest_shut_down;
        }
        if (options.way == StopOptions::Way::graceful) {
            deadline.check();
            if (refusal.empty())
                refusal = fmt::format("it did not shut down within {} s",
                                      std::chrono::duration_cast<std::chrono::seconds>(options.timeout).count());
            throw Error(Errc::timed_out, fmt::format("{}: {}; --force powers it off", name, refusal));
        }
        auto cut = [domain] { cut_power(domain.get()); };
        co_await pool(std::move(cut), deadline);
        co_return StopResult::powered_off;
    }

    asio::awaitable<void> undefine(std::string name, UndefineOptions options, Deadline deadline) override {
        auto work = [name, options](virConnectPtr connection) { undefine_domain(connection, name, options); };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<std::vector<MachineRow>> list(Deadline deadline) override {
        auto work = [](virConnectPtr connection) { return list_domains(connection); };
        auto rows = co_await call(std::move(work), deadline);
        co_return rows;
    }

    asio::awaitable<std::vector<std::string>> disks(std::string name, Deadline deadline) override {
        auto work = [name](virConnectPtr connection) { return disks_of(connection, name); };
        auto files = co_await call(std::move(work), deadline);
        co_return files;
    }

    asio::awaitable<void> save_internal(std::string name, std::string snapshot, std::string description,
                                        Deadline deadline) override {
        auto work = [name, snapshot, description](virConnectPtr connection) {
            save_snapshot(connection, name, snapshot, description);
        };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<void> load_internal(std::string name, std::string snapshot, Deadline deadline) override {
        auto work = [name, snapshot](virConnectPtr connection) {
            const LibvirtDomain domain = need_domain(connection, name);
            const LibvirtSnapshot found = need_snapshot(domain.get(), snapshot);
            if (virDomainRevertToSnapshot(found.get(), 0) < 0) throw libvirt_error(name + ": going back to " + snapshot);
        };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<void> drop_internal(std::string name, std::string snapshot, Deadline deadline) override {
        auto work = [name, snapshot](virConnectPtr connection) {
            const LibvirtDomain domain = need_domain(connection, name);
            const LibvirtSnapshot found = need_snapshot(domain.get(), snapshot);
            if (virDomainSnapshotDelete(found.get(), 0) < 0) throw libvirt_error(name + ": deleting " + snapshot);
        };
        co_await call(std::move(work), deadline);
    }

    asio::awaitable<void> close(Deadline deadline) override {
        if (!connection_) co_return;
        auto drop = [connection = std::exchange(connection_, nullptr)]() mutable { connection.reset(); };
        co_await pool(std::move(drop), deadline);
    }

private:
    template <class Function>
    asio::awaitable<std::invoke_result_t<Function>> pool(Function function, Deadline deadline) {
        return runtime_.pool.run(deadline, std::move(function));
    }

    asio::awaitable<LibvirtConnection> connected(Deadline deadline) {
        auto open = [uri = uri_, old = connection_]() -> LibvirtConnection {
            if (old && virConnectIsAlive(old.get()) == 1) return old;
            return open_libvirt(uri);
        };
        connection_ = co_await pool(std::move(open), deadline);
        co_return connection_;
    }

    /// `function(virConnectPtr)` on a pool thread.
    template <class Function>
    asio::awaitable<std::invoke_result_t<Function, virConnectPtr>> call(Function function, Deadline deadline) {
        const LibvirtConnection connection = co_await connected(deadline);
        auto work = [connection, function = std::move(function)] { return function(connection.get()); };
        if constexpr (std::is_void_v<std::invoke_result_t<Function, virConnectPtr>>) {
            co_await pool(std::move(work), deadline);
        } else {
            auto result = co_await pool(std::move(work), deadline);
            co_return result;
        }
    }

    /// Whether the guest went off by itself in time.
    asio::awaitable<bool> ask_guest(LibvirtWatch& watch, LibvirtDomain domain, Deadline deadline) {
        for (;;) {
            auto press = [domain] { return press_button(domain.get()); };
            const bool pressed = co_await pool(std::move(press), deadline);
            if (!pressed) co_return true;
            bool stopped = false;
            try {
                const Deadline slice = deadline.child(press_again);
                co_await watch.wait_stopped(slice);
                stopped = true;
            } catch (const Error& error) {
                if (error.code() == Errc::cancelled) throw;
            }
            if (stopped) co_return true;
            if (deadline.expired()) co_return false;
        }
    }

    Runtime& runtime_;
    std::string uri_;
    LibvirtConnection connection_;
};

}  // namespace

bool libvirt_is_built_in() noexcept {
    return true;
}

std::unique_ptr<MachineBackend> make_libvirt_machines(Runtime& runtime, std::string uri) {
    return std::make_unique<LibvirtMachines>(runtime, std::move(uri));
}

}  // namespace ov
