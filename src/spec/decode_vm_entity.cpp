// What loading keeps of a VM entity: its source, how it is reached, its tags; and all rules of external machines
// (decisions 64). The rest of the schema is decoded from `VmEntity::body` where it is needed.
#include "spec/decode_vm_entity.hpp"

#include <array>
#include <filesystem>

#include "base/near_name.hpp"
#include "model/names.hpp"

namespace ov::spec {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> source_kinds{{{"cloud_image", "cloud_image"},
                                                                                     {"bootc", "bootc"},
                                                                                     {"bootstrap", "bootstrap"},
                                                                                     {"clone", "clone"},
                                                                                     {"imported", "imported"},
                                                                                     {"external", "external"}}};

/// Relative to the YAML file; "~/x" and absolute paths stay.
std::string anchored(const std::string& path, const std::string& file) {
    if (path.empty() || path.starts_with('/') || path.starts_with("~/")) return path;
    return (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
}

void refuse_rest(const MapReader& reader, std::span<const std::string_view> known, std::string_view what) {
    for (const auto& [entry, value] : reader.rest())
        value.report().add(Severity::error, entry.line, entry.column, value.path(),
                           fmt::format("{} has no such key{}", what, did_you_mean(entry.key, known)));
}

void decode_source(const Cursor& source, VmEntity& vm) {
    MapReader reader(source);
    if (const auto kind = reader.take("kind"); kind && !kind->node().is_null())
        vm.source_kind = kind->one_of(source_kinds).value_or("");
    else
        source.error("the key kind is missing: one of cloud_image|bootc|bootstrap|clone|imported|external");
    vm.source_distro = reader.text("distro");
    vm.base_user = vm.external() ? std::string() : reader.text("base_user");
    static constexpr std::string_view known[] = {"kind", "distro"};
    if (vm.external()) refuse_rest(reader, known, "the source of an external machine");
}

void decode_ssh(const Cursor& ssh, VmEntity& vm) {
    MapReader reader(ssh);
    vm.ssh.user = reader.text("user");
    if (const auto port = reader.take("port"); port && !port->node().is_null()) {
        const auto number = port->integer();
        if (number && (*number < 1 || *number > 65535)) port->expected("a port number from 1 to 65535");
        if (number && *number >= 1 && *number <= 65535) vm.ssh.port = static_cast<int>(*number);
    }
    if (!vm.external()) return;
    vm.ssh.host = reader.text("host");
    vm.ssh.identity = anchored(reader.text("identity"), ssh.where().file);
    vm.ssh.known_hosts = anchored(reader.text("known_hosts"), ssh.where().file);
    static constexpr std::string_view known[] = {"host", "port", "user", "identity", "known_hosts"};
    refuse_rest(reader, known, "ssh of an external machine");
}

}  // namespace

VmEntity decode_vm_entity(const std::string& name, const Cursor& cursor) {
    VmEntity vm;
    vm.name = name;
    vm.where = cursor.where();
    vm.body = cursor.share();
    if (!is_valid_entity_name(name)) cursor.error(fmt::format("\"{}\" is no name for a VM: {}", name, entity_name_rule));
    MapReader reader(cursor);
    if (const auto source = reader.take("source"))
        decode_source(*source, vm);
    else
        cursor.error("the key source is missing");
    const auto ssh = reader.take("ssh");
    if (ssh) decode_ssh(*ssh, vm);
    if (const auto tags = reader.take("tag")) vm.tags = tags->node().is_scalar() ? std::vector{tags->text()} : tags->text_list();
    if (const auto eval = reader.take("eval")) vm.eval = eval->share();
    if (const auto eval = reader.take("deploy_eval")) vm.deploy_eval = eval->share();
    if (vm.external()) {
        static constexpr std::string_view known[] = {"source", "ssh", "eval", "deploy_eval", "tag", "description", "version"};
        for (const std::string_view key : {"description", "version"}) reader.ignore(key);
        refuse_rest(reader, known, "an external machine");
        if (vm.ssh.host.empty()) (ssh ? *ssh : cursor).error("an external machine needs ssh.host");
    } else {
        vm.has_cloud_init = reader.has("cloud_init");
    }
    return vm;
}

}  // namespace ov::spec
