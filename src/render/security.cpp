// Labels, confidential computing and resource groups.
#include <fmt/format.h>

#include "render/parts.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

/// The bit of an SEV policy that asks for encrypted state; libvirt has no type of its own for it.
constexpr std::uint64_t encrypted_state = 0x4;

std::string policy_text(const vm::LaunchSecurity& security) {
    const auto number = vm::parse_number(security.policy);
    if (!number) return {};
    const bool es = security.type == "sev-es";
    if (security.type == "sev" || es) return fmt::format("0x{:04x}", es ? *number | encrypted_state : *number);
    return fmt::format("0x{:08x}", *number);
}

}  // namespace

void add_resource(pugi::xml_node domain, const vm::Resource& resource) {
    const std::string appid = text_of(resource.fibrechannel, "appid");
    if (resource.partition.empty() && appid.empty()) return;
    pugi::xml_node node = add(domain, "resource");
    add_if(node, "partition", resource.partition);
    if (!appid.empty()) set(add(node, "fibrechannel"), "appid", appid);
}

void add_seclabel(pugi::xml_node domain, const vm::Seclabel& seclabel) {
    if (seclabel.empty()) return;
    pugi::xml_node node = add(domain, "seclabel");
    set(node, "type", seclabel.type);
    set(node, "model", seclabel.model);
    set(node, "relabel", std::string(vm::yes_no(seclabel.relabel)));
    add_if(node, "label", seclabel.label);
    add_if(node, "imagelabel", seclabel.imagelabel);
    add_if(node, "baselabel", seclabel.baselabel);
}

void add_launch_security(pugi::xml_node domain, const vm::LaunchSecurity& security) {
    if (security.type.empty()) return;
    pugi::xml_node node = add(domain, "launchSecurity");
    set(node, "type", security.type == "sev-es" ? std::string("sev") : security.type);
    if (security.type != "tdx") set(node, "kernelHashes", std::string(vm::yes_no(security.kernel_hashes)));
    if (security.cbitpos) add(node, "cbitpos", std::to_string(*security.cbitpos));
    if (security.reduced_phys_bits) add(node, "reducedPhysBits", std::to_string(*security.reduced_phys_bits));
    add_if(node, "policy", policy_text(security));
    add_if(node, "dhCert", security.dh_cert);
    add_if(node, "session", security.session);
}

}  // namespace ov::render
