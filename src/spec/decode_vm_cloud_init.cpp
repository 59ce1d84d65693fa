// `cloud_init` (`cloud-init.md` 2).
#include "spec/vm_fields.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, vm::CloudInitUser& user) {
    v.text("name", user.name);
    v.flag("sudo", user.sudo);
    v.text_list("groups", user.groups);
    v.text("shell", user.shell);
    v.boolean("lock_passwd", user.lock_passwd);
}

void describe(FieldVisitor& v, vm::CloudInitFile& file) {
    v.text("path", file.path);
    v.text("content", file.content);
    v.text("owner", file.owner);
    v.text("perms", file.perms);
    v.text("encoding", file.encoding);
}

void describe(FieldVisitor& v, vm::CloudInitNetwork& network) {
    v.integer("version", network.version);
    v.any("ethernets", network.ethernets);
}

void describe(FieldVisitor& v, vm::Mirrors& mirrors) {
    v.text_list("apt", mirrors.apt);
    v.text_list("dnf", mirrors.dnf);
    v.text_list("pacman", mirrors.pacman);
}

void describe(FieldVisitor& v, vm::OvInstall& install) {
    v.text("strategy", install.strategy);
    v.text("url", install.url);
    v.text("checksum", install.checksum);
}

void describe(FieldVisitor& v, vm::CloudInit& init) {
    v.text("hostname", init.hostname);
    v.text("timezone", init.timezone);
    v.text("locale", init.locale);
    v.list("users", init.users);
    v.text_list("package", init.package);
    v.text_list("runcmd", init.runcmd);
    v.text_list("bootcmd", init.bootcmd);
    v.list("write_files", init.write_files);
    v.block("network", init.network);
    v.block("mirrors", init.mirrors);
    v.block("ov_install", init.ov_install);
    v.text("extra", init.extra);
}

}  // namespace ov::spec
