// `cloud_init` (`cloud-init.md` 2).
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

bool is_mode(std::string_view text) {
    return (text.size() == 3 || text.size() == 4) && text.find_first_not_of("01234567") == std::string_view::npos;
}

bool is_digest(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    return text.starts_with(prefix) && text.size() == prefix.size() + 64 &&
           text.find_first_not_of("0123456789abcdefABCDEF", prefix.size()) == std::string_view::npos;
}

void check_install(VmCheck& check, const vm::OvInstall& install) {
    check.one_of("cloud_init.ov_install.strategy", install.strategy, {"auto", "scp", "url", "skip"});
    if (install.strategy == "url" && install.url.empty())
        check.error("cloud_init.ov_install", "the key cloud_init.ov_install.url is missing: the strategy url needs it");
    if (!install.checksum.empty() && !is_digest(install.checksum))
        check.error("cloud_init.ov_install.checksum",
                    fmt::format("expected sha256: and 64 hex digits, got '{}'", install.checksum));
}

}  // namespace

void check_cloud_init(VmCheck& check) {
    if (!check.spec.cloud_init) return;
    const vm::CloudInit& init = *check.spec.cloud_init;
    std::set<std::string> names;
    for (std::size_t i = 0; i < init.users.size(); ++i) {
        const std::string path = item_path("cloud_init.users", i);
        const std::string& name = init.users[i].name;
        if (check.need(path, "name", name, "the account's name") && !names.insert(name).second)
            check.error(path + ".name", fmt::format("there is already a user '{}'", name));
    }
    std::set<std::string> files;
    for (std::size_t i = 0; i < init.write_files.size(); ++i) {
        const vm::CloudInitFile& file = init.write_files[i];
        const std::string path = item_path("cloud_init.write_files", i);
        if (check.need(path, "path", file.path, "the file's absolute path in the guest")) {
            check.absolute_path(path + ".path", file.path);
            if (!files.insert(file.path).second)
                check.warning(path + ".path", fmt::format("'{}' is written twice; the last one wins", file.path));
        }
        check.one_of(path + ".encoding", file.encoding, {"b64", "gz", "gz+b64"});
        if (!file.perms.empty() && !is_mode(file.perms))
            check.error(path + ".perms", fmt::format("expected an octal mode like \"0644\", got '{}'", file.perms));
    }
    if (init.network.version && *init.network.version > 2)
        check.error("cloud_init.network.version", fmt::format("expected 1 or 2, got {}", *init.network.version));
    if (init.network.ethernets && !init.network.ethernets->is_map())
        check.error("cloud_init.network.ethernets",
                    fmt::format("expected a mapping, got a {}", kind_name(*init.network.ethernets)));
    check_install(check, init.ov_install);
}

}  // namespace ov
