// Packages and commands of the first boot.
#include <fmt/format.h>

#include <algorithm>

#include "base/shell_quote.hpp"
#include "model/yaml_writer.hpp"
#include "render/cloud_init/parts.hpp"

namespace ov::render::cloud_init {

DistroWords distro_words(std::string_view distro) {
    const std::string_view id = distro.substr(0, distro.find(':'));
    if (id == "debian" || id == "ubuntu") return {"openssh-server", "ssh", "sudo"};
    for (const std::string_view server : {"fedora", "rhel", "centos", "rocky", "almalinux"})
        if (id == server) return {"openssh-server", "sshd", "wheel"};
    if (id.starts_with("opensuse")) return {"openssh-server", "sshd", "wheel"};
    return {};
}

YamlPtr packages_of(const VmSpec& spec) {
    std::vector<std::string> packages{std::string(distro_words(spec.source.distro).ssh_package), "curl", "tar"};
    for (const std::string& package : settings_of(spec).package)
        if (std::find(packages.begin(), packages.end(), package) == packages.end()) packages.push_back(package);
    return yaml_list(packages);
}

std::string install_line(const std::string& url, const std::string& checksum) {
    const char* protocols = url.starts_with("https:") ? "=https" : "=http,https,file";
    std::string line = fmt::format(
        "t=$(mktemp /usr/local/bin/.ov.XXXXXX) && trap 'rm -f \"$t\" \"$t.new\"' EXIT && "
        "curl --proto '{}' --fail --location --retry 5 --max-time 600 --output \"$t\" {}",
        protocols, shell_quote(url));
    constexpr std::string_view prefix = "sha256:";
    if (checksum.starts_with(prefix))
        line += fmt::format(" && echo {}\"  $t\" | sha256sum --check --status", shell_quote(checksum.substr(prefix.size())));
    line += " && install -m 0755 \"$t\" \"$t.new\" && mv -f \"$t.new\" /usr/local/bin/ov";
    // A subshell: the trap must not outlive this line of cloud-init's one script.
    return "( " + line + " )";
}

YamlPtr runcmd_of(const VmSpec& spec, const VmRuntime& runtime) {
    const vm::CloudInit& settings = settings_of(spec);
    std::vector<std::string> lines{fmt::format("systemctl enable --now {}", distro_words(spec.source.distro).ssh_unit)};
    lines.insert(lines.end(), settings.runcmd.begin(), settings.runcmd.end());
    const std::string& url = runtime.ov_url.empty() ? settings.ov_install.url : runtime.ov_url;
    if (settings.ov_install.strategy == "url" && !url.empty()) lines.push_back(install_line(url, settings.ov_install.checksum));
    return yaml_list(lines);
}

std::vector<std::string> bootcmd_of(const VmSpec& spec) {
    std::vector<std::string> lines = settings_of(spec).bootcmd;
    // Before anything reads the parent's machine id, and once an instance: a clone always has a new instance-id.
    if (spec.source.kind == "clone" && spec.source.cloud_init_clean.value_or(false))
        lines.insert(lines.begin(),
                     "cloud-init-per instance ov-machine-id sh -c "
                     "'rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup'");
    return lines;
}

}  // namespace ov::render::cloud_init
