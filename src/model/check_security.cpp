// `libvirt.seclabel`, `launch_security`, `resource`, `sysinfo`, `snippets` (`vm-spec.md` 8, 8.6).
#include <algorithm>

#include "base/near_name.hpp"
#include "model/vm_check.hpp"

namespace ov {

namespace {

void check_seclabel(VmCheck& check) {
    const vm::Seclabel& label = check.spec.libvirt.seclabel;
    if (label.empty()) return;
    const std::string path = "libvirt.seclabel";
    check.one_of(path + ".type", label.type, {"dynamic", "static", "none"});
    check.one_of(path + ".model", label.model, {"selinux", "dac", "apparmor"});
    check.flag(path + ".relabel", label.relabel);
    const auto relabel = vm::parse_flag(label.relabel);
    const std::string type = label.type.empty() ? "dynamic" : label.type;
    if (type == "dynamic" && relabel == false)
        check.error(path + ".relabel", "a dynamic label must relabel; use type: static or remove relabel");
    if (type == "none" && relabel == true) check.error(path + ".relabel", "nothing is relabelled with type: none");
    if (type == "static" && label.label.empty()) check.error(path, "the key label is missing: type: static needs it");
    if ((type == "static" || !label.baselabel.empty()) && label.model.empty())
        check.error(path, "the key model is missing: selinux, dac or apparmor");
    check.refuse(path + ".label", type == "dynamic" && !label.label.empty(), "is for type: static; dynamic ones take baselabel");
    check.refuse(path + ".baselabel", type != "dynamic" && !label.baselabel.empty(), "is for type: dynamic only");
    check.refuse(path + ".label", type == "none" && !label.label.empty(), "has no meaning with type: none");
    check.refuse(path + ".imagelabel", !label.imagelabel.empty(), "is an output of running machines, never an input; remove it");
}

void check_launch_security(VmCheck& check) {
    const vm::LaunchSecurity& security = check.spec.libvirt.launch_security;
    if (security == vm::LaunchSecurity{}) return;
    const std::string path = "libvirt.launch_security";
    if (security.type.empty()) {
        check.error(path, "the key type is missing: sev, sev-es, sev-snp or tdx");
        return;
    }
    if (!check.one_of(path + ".type", security.type, {"sev", "sev-es", "sev-snp", "tdx"})) return;
    const bool sev = security.type == "sev" || security.type == "sev-es";
    if (security.policy.empty()) {
        if (security.type != "tdx") check.error(path, fmt::format("the key policy is missing: {} needs it", security.type));
    } else {
        const auto policy = vm::parse_number(security.policy);
        const std::uint64_t most = sev ? 0xffffffffULL : ~0ULL;
        if (!policy || *policy > most)
            check.error(path + ".policy",
                        fmt::format("expected a number, decimal or 0x and hex digits, got '{}'", security.policy));
    }
    check.in_range(path + ".cbitpos", security.cbitpos, 1, 63);
    check.in_range(path + ".reduced_phys_bits", security.reduced_phys_bits, 1, 63);
    const std::string only_sev = fmt::format("has no meaning for {}", security.type);
    check.refuse(path + ".cbitpos", security.type == "tdx" && security.cbitpos.has_value(), only_sev);
    check.refuse(path + ".reduced_phys_bits", security.type == "tdx" && security.reduced_phys_bits.has_value(), only_sev);
    check.refuse(path + ".dh_cert", !sev && !security.dh_cert.empty(), only_sev);
    check.refuse(path + ".session", !sev && !security.session.empty(), only_sev);
    check.flag(path + ".kernel_hashes", security.kernel_hashes);
    check.refuse(path + ".kernel_hashes", security.type == "tdx" && !security.kernel_hashes.empty(), only_sev);
    if (!vm::is_x86(check.arch)) check.error(path + ".type", fmt::format("{} is for x86 machines", security.type));
}

void check_resource(VmCheck& check) {
    const vm::Resource& resource = check.spec.libvirt.resource;
    check.absolute_path("libvirt.resource.partition", resource.partition);
    const std::string_view id = vm::value_of(resource.fibrechannel, "appid");
    if (id.size() > 128) check.error("libvirt.resource.fibrechannel.appid", "expected at most 128 characters");
}

void check_table(VmCheck& check, const std::string& path, const vm::TextMap& table, VmCheck::Words keys) {
    const std::vector<std::string_view> known(keys);
    for (const auto& [key, value] : table)
        if (std::find(known.begin(), known.end(), key) == known.end())
            check.error(fmt::format("{}.{}", path, key),
                        fmt::format("SMBIOS has no such entry here; there are {}{}", fmt::join(known, ", "),
                                    did_you_mean(key, std::span<const std::string_view>(known))));
}

bool is_date(std::string_view text) {
    return text.size() >= 6 && text.size() <= 10 && text.find_first_not_of("0123456789/") == std::string_view::npos &&
           std::count(text.begin(), text.end(), '/') == 2;
}

void check_sysinfo(VmCheck& check) {
    const vm::Sysinfo& sysinfo = check.spec.libvirt.sysinfo;
    const std::string path = "libvirt.sysinfo";
    if (!sysinfo.type.empty() && sysinfo.type != "smbios")
        check.error(path + ".type", fmt::format("expected smbios, got '{}'", sysinfo.type));
    check_table(check, path + ".bios", sysinfo.bios, {"vendor", "version", "date", "release"});
    check_table(check, path + ".system", sysinfo.system,
                {"manufacturer", "product", "version", "serial", "uuid", "sku", "family"});
    check_table(check, path + ".chassis", sysinfo.chassis, {"manufacturer", "version", "serial", "asset", "sku"});
    for (std::size_t i = 0; i < sysinfo.baseboard.size(); ++i)
        check_table(check, item_path(path + ".baseboard", i), sysinfo.baseboard[i],
                    {"manufacturer", "product", "version", "serial", "asset", "location"});
    const std::string_view date = vm::value_of(sysinfo.bios, "date");
    if (!date.empty() && !is_date(date))
        check.error(path + ".bios.date", fmt::format("expected a date like 02/28/2026, got '{}'", date));
    for (std::size_t i = 0; i < sysinfo.processor.size(); ++i)
        check.error(item_path(path + ".processor", i), "no libvirt takes processor tables (a definition drops them); remove it");
    for (std::size_t i = 0; i < sysinfo.oem_strings.size(); ++i) {
        const std::string& text = sysinfo.oem_strings[i];
        if (text.empty()) check.error(item_path(path + ".oem_strings", i), "an empty string tells the guest nothing");
        if (text.find_first_of("\n\t\r") != std::string::npos)
            check.error(item_path(path + ".oem_strings", i), "an SMBIOS string has no line breaks and no tabs");
    }
}

void check_snippets(VmCheck& check) {
    const auto& snippets = check.spec.libvirt.snippets;
    for (std::size_t i = 0; i < snippets.size(); ++i)
        if (snippets[i].find_first_not_of(" \t\r\n") == std::string::npos)
            check.error(item_path("libvirt.snippets", i), "the snippet is empty");
}

}  // namespace

void check_security(VmCheck& check) {
    check_seclabel(check);
    check_launch_security(check);
    check_resource(check);
    check_sysinfo(check);
    check_snippets(check);
}

}  // namespace ov
