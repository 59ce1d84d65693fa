// `cloud_init` (`cloud-init.md` 2).
#include <algorithm>
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
           text.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

bool in_range(char c, char first, char last) {
    return c >= first && c <= last;
}

/// `[a-z_][a-z0-9_-]*[$]?`, at most 32 characters.
bool is_user_name(std::string_view name) {
    if (name.ends_with('$')) name.remove_suffix(1);
    if (name.empty() || name.size() > 32 || !(in_range(name.front(), 'a', 'z') || name.front() == '_')) return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return in_range(c, 'a', 'z') || in_range(c, '0', '9') || c == '_' || c == '-'; });
}

/// RFC 1123: labels of letters, digits and hyphens, neither first nor last a hyphen.
bool is_host_name(std::string_view name) {
    if (name.size() > 253) return false;
    while (true) {
        const std::size_t dot = std::min(name.find('.'), name.size());
        const std::string_view label = name.substr(0, dot);
        const bool good = !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
                          std::all_of(label.begin(), label.end(), [](char c) {
                              return in_range(c, 'a', 'z') || in_range(c, 'A', 'Z') || in_range(c, '0', '9') || c == '-';
                          });
        if (!good) return false;
        if (dot == name.size()) return true;
        name.remove_prefix(dot + 1);
    }
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return in_range(c, '\0', '\x1f') || c == '\x7f'; });
}

/// Texts that stand in one line of the seed.
void one_line(VmCheck& check, const std::string& path, std::string_view text) {
    if (has_control_characters(text)) check.error(path, "must not contain control characters or line breaks");
}

void check_install(VmCheck& check, const vm::OvInstall& install) {
    check.one_of("cloud_init.ov_install.strategy", install.strategy, {"auto", "scp", "url", "skip"});
    if (install.strategy == "url" && install.url.empty())
        check.error("cloud_init.ov_install", "the key cloud_init.ov_install.url is missing: the strategy url needs it");
    if (!install.checksum.empty() && !is_digest(install.checksum))
        check.error("cloud_init.ov_install.checksum",
                    fmt::format("expected sha256: and 64 hex digits in lower case, got '{}'", install.checksum));
    if (!install.url.empty() && !install.url.starts_with("https://") && !install.url.starts_with("http://") &&
        !install.url.starts_with("file://"))
        check.error("cloud_init.ov_install.url", fmt::format("expected http://, https:// or file://, got '{}'", install.url));
}

}  // namespace

void check_cloud_init(VmCheck& check) {
    if (!check.spec.cloud_init) return;
    const vm::CloudInit& init = *check.spec.cloud_init;
    if (!init.hostname.empty() && !is_host_name(init.hostname))
        check.error("cloud_init.hostname", fmt::format("'{}' is no host name: letters, digits, hyphens and dots", init.hostname));
    one_line(check, "cloud_init.timezone", init.timezone);
    one_line(check, "cloud_init.locale", init.locale);
    for (std::size_t i = 0; i < init.package.size(); ++i) one_line(check, item_path("cloud_init.package", i), init.package[i]);
    std::set<std::string> names;
    for (std::size_t i = 0; i < init.users.size(); ++i) {
        const std::string path = item_path("cloud_init.users", i);
        const std::string& name = init.users[i].name;
        one_line(check, path + ".shell", init.users[i].shell);
        for (std::size_t k = 0; k < init.users[i].groups.size(); ++k)
            one_line(check, item_path(path + ".groups", k), init.users[i].groups[k]);
        if (!check.need(path, "name", name, "the account's name")) continue;
        if (!is_user_name(name))
            check.error(path + ".name",
                        fmt::format("'{}' is no user name: a-z 0-9 _ -, beginning with a letter or _, at most 32", name));
        if (!names.insert(name).second) check.error(path + ".name", fmt::format("there is already a user '{}'", name));
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
        one_line(check, path + ".path", file.path);
        one_line(check, path + ".owner", file.owner);
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
