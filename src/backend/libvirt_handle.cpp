#include "backend/libvirt_handle.hpp"

#include <fmt/format.h>

#include <mutex>
#include <string_view>
#include <thread>

namespace ov {

namespace {

/// Pings every 5 s, three may stay without an answer: a hypervisor whose network went away is noticed.
constexpr int keepalive_seconds = 5;
constexpr unsigned keepalive_count = 3;

[[noreturn]] void serve_events() {
    for (;;)
        if (virEventRunDefaultImpl() < 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

Errc code_of(const virError& error) {
    if (error.code == VIR_ERR_NO_DOMAIN || error.code == VIR_ERR_NO_DOMAIN_SNAPSHOT) return Errc::not_found;
    // This process's own connection is open by then: a helper of the daemon does not answer it (virtlogd).
    if (error.message != nullptr && std::string_view(error.message).starts_with("Failed to connect socket")) return Errc::io;
    if (error.domain == VIR_FROM_RPC || error.code == VIR_ERR_RPC || error.code == VIR_ERR_INVALID_CONN ||
        error.code == VIR_ERR_NO_CONNECT)
        return Errc::transport_lost;
    if (error.code == VIR_ERR_XML_ERROR || error.code == VIR_ERR_XML_DETAIL || error.code == VIR_ERR_CONFIG_UNSUPPORTED ||
        error.code == VIR_ERR_NO_SUPPORT || error.code == VIR_ERR_ARGUMENT_UNSUPPORTED ||
        error.code == VIR_ERR_OPERATION_UNSUPPORTED)
        return Errc::unsupported;
    if (error.code == VIR_ERR_OPERATION_TIMEOUT) return Errc::busy;
    return Errc::io;
}

}  // namespace

void use_libvirt() {
    static std::once_flag once;
    std::call_once(once, [] {
        virInitialize();
        virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
        if (virEventRegisterDefaultImpl() < 0) throw libvirt_error("libvirt's event loop");
        std::thread(serve_events).detach();
    });
}

LibvirtConnection open_libvirt(const std::string& uri) {
    use_libvirt();
    const virConnectPtr connection = virConnectOpen(uri.c_str());
    if (connection == nullptr) throw Error(Errc::unreachable, libvirt_error(uri).what());
    // Drivers inside this process (test:///) have nothing to ping; that is no failure.
    virConnectSetKeepAlive(connection, keepalive_seconds, keepalive_count);
    return {connection, [](virConnectPtr handle) { virConnectClose(handle); }};
}

Error libvirt_error(const std::string& what) {
    const virErrorPtr last = virGetLastError();
    if (last == nullptr || last->code == VIR_ERR_OK) return {Errc::io, what + ": libvirt failed without saying why"};
    std::string text = last->message != nullptr ? last->message : "unknown error";
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const Errc code = code_of(*last);
    const char* gone = code == Errc::transport_lost ? ": the libvirt daemon went away: " : ": ";
    return {code, what + gone + text};
}

LibvirtDomain find_domain(virConnectPtr connection, const std::string& name) {
    const virDomainPtr domain = virDomainLookupByName(connection, name.c_str());
    if (domain != nullptr) return {domain, [](virDomainPtr handle) { virDomainFree(handle); }};
    const Error error = libvirt_error(name);
    if (error.code() == Errc::not_found) return nullptr;
    throw error;
}

LibvirtDomain need_domain(virConnectPtr connection, const std::string& name) {
    LibvirtDomain domain = find_domain(connection, name);
    if (!domain) throw Error(Errc::not_found, name + " is not defined");
    return domain;
}

MachineState machine_state(int state) noexcept {
    switch (state) {
        case VIR_DOMAIN_RUNNING:
        case VIR_DOMAIN_BLOCKED:
            return MachineState::running;
        case VIR_DOMAIN_PAUSED:
            return MachineState::paused;
        case VIR_DOMAIN_SHUTDOWN:
            return MachineState::shutting_down;
        case VIR_DOMAIN_SHUTOFF:
            return MachineState::shut_off;
        case VIR_DOMAIN_CRASHED:
            return MachineState::crashed;
        case VIR_DOMAIN_PMSUSPENDED:
            return MachineState::suspended;
        default:
            return MachineState::unknown;
    }
}

MachineState domain_state(virDomainPtr domain) {
    int state = 0;
    if (virDomainGetState(domain, &state, nullptr, 0) < 0) throw libvirt_error("domain state");
    return machine_state(state);
}

}  // namespace ov
