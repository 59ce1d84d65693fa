#include <algorithm>
#include <cctype>

#include "model/yaml_writer.hpp"
#include "ov/render.hpp"
#include "ov/vm_defaults.hpp"
#include "render/cloud_init/parts.hpp"

namespace ov {

namespace render::cloud_init {

const vm::CloudInit& settings_of(const VmSpec& spec) {
    static const vm::CloudInit none;
    return spec.cloud_init ? *spec.cloud_init : none;
}

std::string hostname_of(const VmSpec& spec, const VmRuntime& runtime) {
    if (const std::string& name = settings_of(spec).hostname; !name.empty()) return name;
    std::string label;
    for (const char c : runtime.hostname) {
        const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.';
        label += fits ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : '-';
    }
    label.resize(std::min<std::size_t>(label.size(), 63));
    const std::size_t begin = label.find_first_not_of("-.");
    if (begin == std::string::npos) return {};
    return label.substr(begin, label.find_last_not_of("-.") - begin + 1);
}

namespace {

YamlPtr list_of(std::vector<YamlPtr> items) {
    auto list = std::make_shared<YamlNode>();
    list->kind = YamlNode::Kind::sequence;
    list->items = std::move(items);
    return list;
}

YamlPtr file_of(const vm::CloudInitFile& file) {
    Entries entry{{"path", yaml_text(file.path)}, {"content", yaml_text(file.content)}};
    if (!file.owner.empty()) entry.emplace_back("owner", yaml_text(file.owner));
    if (!file.perms.empty()) entry.emplace_back("permissions", yaml_text(file.perms));
    if (!file.encoding.empty()) entry.emplace_back("encoding", yaml_text(file.encoding));
    return yaml_map(std::move(entry));
}

std::vector<YamlPtr> files_of(const vm::CloudInit& settings) {
    std::vector<YamlPtr> files;
    for (const vm::CloudInitFile& file : settings.write_files) files.push_back(file_of(file));
    if (!settings.mirrors.pacman.empty()) {
        vm::CloudInitFile mirrors;
        mirrors.path = "/etc/pacman.d/mirrorlist";
        for (const std::string& url : settings.mirrors.pacman) mirrors.content += "Server = " + url + "\n";
        files.push_back(file_of(mirrors));
    }
    return files;
}

YamlPtr apt_of(const std::vector<std::string>& mirrors) {
    const YamlPtr primary = yaml_map({{"arches", yaml_list({"default"})}, {"uri", yaml_text(mirrors.front())}});
    return yaml_map({{"preserve_sources_list", yaml_boolean(false)}, {"primary", list_of({primary})}});
}

/// cloud-init writes one file a repository; all mirrors serve the same one.
YamlPtr yum_of(const std::vector<std::string>& mirrors) {
    Entries repositories;
    int index = 0;
    for (const std::string& url : mirrors) {
        const std::string name = "ov-mirror-" + std::to_string(++index);
        repositories.emplace_back(name, yaml_map({{"name", yaml_text(name)},
                                                  {"baseurl", yaml_text(url)},
                                                  {"enabled", yaml_boolean(true)},
                                                  {"gpgcheck", yaml_boolean(true)}}));
    }
    return yaml_map(std::move(repositories));
}

void add_text(Entries& entries, const char* key, const std::string& text) {
    if (!text.empty()) entries.emplace_back(key, yaml_text(text));
}

void add_mirrors(Entries& entries, const vm::Mirrors& mirrors) {
    if (!mirrors.apt.empty()) entries.emplace_back("apt", apt_of(mirrors.apt));
    if (!mirrors.dnf.empty()) entries.emplace_back("yum_repos", yum_of(mirrors.dnf));
    if (!mirrors.pacman.empty()) entries.emplace_back("package_update", yaml_boolean(true));
}

/// The keys that make the guest's host key known before the first connect.
void add_host_keys(Entries& entries, const VmSpec& spec, const VmRuntime& runtime) {
    const bool clean = spec.source.kind == "clone" && spec.source.cloud_init_clean.value_or(false);
    if (clean || !runtime.host_key_private.empty()) entries.emplace_back("ssh_deletekeys", yaml_boolean(true));
    if (runtime.host_key_private.empty()) return;
    entries.emplace_back("ssh_keys", yaml_map({{"ed25519_private", yaml_text(runtime.host_key_private)},
                                               {"ed25519_public", yaml_text(runtime.host_key_public)}}));
}

std::string user_data(const VmSpec& spec, const VmRuntime& runtime) {
    const vm::CloudInit& settings = settings_of(spec);
    Entries entries;
    add_mirrors(entries, settings.mirrors);
    if (const auto lines = bootcmd_of(spec); !lines.empty()) entries.emplace_back("bootcmd", yaml_list(lines));
    if (opens_root(spec, runtime)) entries.emplace_back("disable_root", yaml_boolean(false));
    add_text(entries, "hostname", hostname_of(spec, runtime));
    add_text(entries, "locale", settings.locale);
    entries.emplace_back("packages", packages_of(spec));
    entries.emplace_back("runcmd", runcmd_of(spec, runtime));
    add_host_keys(entries, spec, runtime);
    add_text(entries, "timezone", settings.timezone);
    entries.emplace_back("users", users_of(spec, runtime));
    if (auto files = files_of(settings); !files.empty()) entries.emplace_back("write_files", list_of(std::move(files)));
    YamlPtr config = yaml_map(std::move(entries));
    if (settings.extra_config) config = merged(config, settings.extra_config);
    return "#cloud-config\n" + write_yaml(*sorted(config));
}

std::string meta_data(const VmSpec& spec, const VmRuntime& runtime) {
    Entries entries;
    add_text(entries, "instance-id", runtime.instance_id);
    add_text(entries, "local-hostname", hostname_of(spec, runtime));
    return write_yaml(*yaml_map(std::move(entries)));
}

/// Without interfaces there is no such file, and the guest asks DHCP.
std::string network_config(const vm::CloudInitNetwork& network) {
    if (!network.ethernets || !network.ethernets->is_map() || network.ethernets->entries.empty()) return {};
    const long long version = network.version.value_or(0) > 0 ? *network.version : 2;
    return write_yaml(*yaml_map({{"ethernets", sorted(network.ethernets)}, {"version", yaml_integer(version)}}));
}

}  // namespace
}  // namespace render::cloud_init

CloudInitFiles render_cloud_init(const VmSpec& spec, const VmRuntime& runtime) {
    using namespace render::cloud_init;
    return {user_data(spec, runtime), meta_data(spec, runtime), network_config(settings_of(spec).network)};
}

}  // namespace ov
