#include "render/qemu/netdev.hpp"

#include <fmt/format.h>

#include "render/qemu/comma.hpp"

namespace ov::render::qemu {

namespace {

std::string device_of(const Context& context) {
    return fmt::format("{},netdev=n0,mac={}", doubled(vm::nic_model_argv(context.spec.network.model)),
                       doubled(vm::mac_of(context.spec, context.runtime.name)));
}

std::string host_address(const std::string& address) {
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

UserNic user_nic(const Context& context) {
    std::string netdev = "user,id=n0";
    for (const PortForward& forward : vm::forwards_of(context.spec, context.runtime))
        netdev += fmt::format(",hostfwd={}:{}:{}-:{}", forward.udp ? "udp" : "tcp", doubled(host_address(forward.address)),
                              forward.host, forward.guest);
    return {std::move(netdev), device_of(context)};
}

UserNic default_nic(const Context& context) {
    if (vm::network_mode(context.spec) != "bridge") return user_nic(context);
    return {"bridge,id=n0,br=" + doubled(context.spec.network.bridge), device_of(context)};
}

}  // namespace ov::render::qemu
