// A VM entity as loading keeps it: the whole schema of a machine that `ov` makes, all rules of an external one (decisions 64).
#include "spec/decode_vm_entity.hpp"

#include <array>
#include <filesystem>

#include "base/near_name.hpp"
#include "model/names.hpp"
#include "spec/decode_vm_spec.hpp"

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

/// What is wrong with `source` for every verb, not only for those that make machines.
void decode_kind(const Cursor& source, VmEntity& vm) {
    MapReader reader(source);
    if (const auto kind = reader.take("kind"); kind && !kind->node().is_null())
        vm.source_kind = kind->one_of(source_kinds).value_or("");
    else
        source.error("the key kind is missing: one of cloud_image|bootc|bootstrap|clone|imported|external");
}

void decode_external(const Cursor& cursor, VmEntity& vm) {
    MapReader reader(cursor);
    if (const auto source = reader.take("source")) {
        MapReader keys(*source);
        keys.ignore("kind");
        vm.source_distro = keys.text("distro");
        static constexpr std::string_view known[] = {"kind", "distro"};
        refuse_rest(keys, known, "the source of an external machine");
    }
    const auto ssh = reader.take("ssh");
    if (ssh) {
        MapReader keys(*ssh);
        vm.ssh.user = keys.text("user");
        if (const auto port = keys.take("port"); port && !port->node().is_null()) {
            const auto number = port->integer();
            if (number && (*number < 1 || *number > 65535)) port->expected("a port number from 1 to 65535");
            if (number && *number >= 1 && *number <= 65535) vm.ssh.port = static_cast<int>(*number);
        }
        vm.ssh.host = keys.text("host");
        vm.ssh.identity = anchored(keys.text("identity"), ssh->where().file);
        vm.ssh.known_hosts = anchored(keys.text("known_hosts"), ssh->where().file);
        static constexpr std::string_view known[] = {"host", "port", "user", "identity", "known_hosts"};
        refuse_rest(keys, known, "ssh of an external machine");
    }
    if (const auto tags = reader.take("tag")) vm.tags = tags->node().is_scalar() ? std::vector{tags->text()} : tags->text_list();
    if (const auto eval = reader.take("eval")) vm.eval = eval->share();
    if (const auto eval = reader.take("deploy_eval")) vm.deploy_eval = eval->share();
    static constexpr std::string_view known[] = {"source", "ssh", "eval", "deploy_eval", "tag", "description", "version"};
    for (const std::string_view key : {"description", "version"}) reader.ignore(key);
    refuse_rest(reader, known, "an external machine");
    if (vm.ssh.host.empty()) (ssh ? *ssh : cursor).error("an external machine needs ssh.host");
}

/// The rules of the schema's values are `validate`'s; here only what does not fit the types.
void decode_machine(const std::string& name, const Cursor& cursor, VmEntity& vm) {
    VmSpec spec = decode_vm_spec(name, cursor);
    vm.source_distro = spec.source.distro;
    vm.base_user = spec.source.base_user;
    vm.ssh.user = spec.ssh.user;
    if (const long long port = spec.ssh.port.value_or(0); port >= 1 && port <= 65535) vm.ssh.port = static_cast<int>(port);
    vm.tags = spec.tag;
    vm.eval = spec.eval;
    vm.deploy_eval = spec.deploy_eval;
    vm.has_cloud_init = spec.cloud_init.has_value();
    vm.spec = std::make_shared<const VmSpec>(std::move(spec));
}

}  // namespace

VmEntity decode_vm_entity(const std::string& name, const Cursor& cursor) {
    VmEntity vm;
    vm.name = name;
    vm.where = cursor.where();
    vm.body = cursor.share();
    if (!is_valid_entity_name(name)) cursor.error(fmt::format("\"{}\" is no name for a VM: {}", name, entity_name_rule));
    if (const auto source = MapReader(cursor).take("source"))
        decode_kind(*source, vm);
    else
        cursor.error("the key source is missing");
    if (vm.external())
        decode_external(cursor, vm);
    else
        decode_machine(name, cursor, vm);
    return vm;
}

}  // namespace ov::spec
