// `source`, `network`, `ssh`, `snapshot` (`vm-spec.md` 3, 4, 5, 7).
#include "spec/vm_fields.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, vm::Checksum& checksum) {
    v.text("type", checksum.type);
    v.text("value", checksum.value);
}

void describe(FieldVisitor& v, vm::Source& source) {
    v.text("kind", source.kind);
    v.text("url", source.url);
    v.block("checksum", source.checksum);
    v.text("cache", source.cache);
    v.text("base_user", source.base_user);
    v.text("image", source.image);
    v.text("transport", source.transport);
    v.text("rootfs", source.rootfs);
    v.text("root_size", source.root_size);
    v.text("kernel_args", source.kernel_args);
    v.text("from_vm", source.from_vm);
    v.text("from_snapshot", source.from_snapshot);
    v.boolean("cloud_init_clean", source.cloud_init_clean);
    v.text("libvirt_name", source.libvirt_name);
    v.text("disk_path", source.disk_path);
    v.text("disk_format", source.disk_format);
    v.text("adopted_at", source.adopted_at);
    v.text("last_synced_at", source.last_synced_at);
    v.text("builder", source.builder);
    v.text("builder_image", source.builder_image);
    v.text("distro", source.distro);
    v.text_list("package", source.package);
    v.text("bootstrap_arch", source.bootstrap_arch);
    v.text("bootstrap_variant", source.bootstrap_variant);
}

void describe(FieldVisitor& v, vm::Network& network) {
    v.text("mode", network.mode);
    v.text("model", network.model);
    v.text("bridge", network.bridge);
    v.text("mac", network.mac);
    v.text_list("port_forwards", network.port_forwards);
}

void describe(FieldVisitor& v, vm::KeyInjection& injection) {
    v.text("smbios", injection.smbios);
    v.text("cloud_init", injection.cloud_init);
}

void describe(FieldVisitor& v, vm::Ssh& ssh) {
    v.text("user", ssh.user);
    v.integer("port", ssh.port);
    v.boolean("port_auto", ssh.port_auto);
    v.text("key_source", ssh.key_source);
    v.block("key_injection", ssh.key_injection);
}

void describe(FieldVisitor& v, vm::Snapshot& snapshot) {
    v.text("name", snapshot.name);
    v.text("mode", snapshot.mode);
    v.text("description", snapshot.description);
    v.flag("quiesce", snapshot.quiesce);
    v.text("from", snapshot.from);
}

}  // namespace ov::spec
