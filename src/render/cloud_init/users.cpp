#include <algorithm>

#include "model/yaml_writer.hpp"
#include "ov/vm_defaults.hpp"
#include "render/cloud_init/parts.hpp"

namespace ov::render::cloud_init {

namespace {

constexpr const char* all_rights = "ALL=(ALL) NOPASSWD:ALL";

bool gives_key(const VmSpec& spec, const VmRuntime& runtime) {
    return vm::cloud_init_channel(spec) && !runtime.public_key.empty();
}

void add_key(Entries& entry, const VmSpec& spec, const VmRuntime& runtime) {
    if (gives_key(spec, runtime)) entry.emplace_back("ssh_authorized_keys", yaml_list({runtime.public_key}));
}

Entries declared(const vm::CloudInitUser& user) {
    Entries entry{{"name", yaml_text(user.name)}};
    if (user.sudo) entry.emplace_back("sudo", yaml_text(all_rights));
    if (!user.groups.empty()) entry.emplace_back("groups", yaml_list(user.groups));
    if (!user.shell.empty()) entry.emplace_back("shell", yaml_text(user.shell));
    if (user.lock_passwd) entry.emplace_back("lock_passwd", yaml_boolean(*user.lock_passwd));
    return entry;
}

/// An account of the image keeps what the image gave it; any other is made, as an administrator.
Entries appended(const std::string& login, const VmSpec& spec) {
    Entries entry{{"name", yaml_text(login)}};
    if (login == spec.source.base_user || login == "root") return entry;
    entry.emplace_back("sudo", yaml_text(all_rights));
    entry.emplace_back("groups", yaml_list({std::string(distro_words(spec.source.distro).admin_group)}));
    entry.emplace_back("shell", yaml_text("/bin/bash"));
    return entry;
}

}  // namespace

bool opens_root(const VmSpec& spec, const VmRuntime& runtime) {
    return vm::login_user(spec) == "root" && gives_key(spec, runtime);
}

YamlPtr users_of(const VmSpec& spec, const VmRuntime& runtime) {
    auto list = std::make_shared<YamlNode>();
    list->kind = YamlNode::Kind::sequence;
    list->items.push_back(yaml_text("default"));  // the distribution's own account survives
    const std::string login = vm::login_user(spec);
    bool matched = login.empty();
    for (const vm::CloudInitUser& user : settings_of(spec).users) {
        Entries entry = declared(user);
        if (!login.empty() && user.name == login) {
            add_key(entry, spec, runtime);
            matched = true;
        }
        list->items.push_back(yaml_map(std::move(entry)));
    }
    if (!matched) {
        Entries entry = appended(login, spec);
        add_key(entry, spec, runtime);
        list->items.push_back(yaml_map(std::move(entry)));
    }
    return list;
}

}  // namespace ov::render::cloud_init
