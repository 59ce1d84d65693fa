#include "spec/check_schema.hpp"

#include <algorithm>

namespace ov::spec {
namespace {

using enum VerbKind;
constexpr VerbRow verbs[] = {{"file"},
                             {"package"},
                             {"service"},
                             {"port"},
                             {"process"},
                             {"command"},
                             {"http"},
                             {"dns"},
                             {"user"},
                             {"group"},
                             {"interface"},
                             {"kernel-param"},
                             {"mount"},
                             {"addr"},
                             {"matching"},
                             {"kill"},
                             {"summarize"},
                             {"libvirt", protocol},
                             {"spice", protocol},
                             {"vnc", protocol},
                             {"cdp", container},
                             {"wl", container},
                             {"dbus", container},
                             {"mcp", container},
                             {"record", container},
                             {"k8s", container},
                             {"adb", container},
                             {"appium", container}};

using enum ModifierKind;
constexpr ModifierRow modifiers[] = {
    {"timeout", duration, "*", "", ""},
    {"in_container", boolean, "*", "", ""},
    {"from_host", boolean, "command", "", ""},
    {"exclude_distro", list, "*", "", "exclude_distros"},
    {"eventually", duration, "*", "", ""},
    {"retry_interval", duration, "*", "", ""},
    {"capture", text, "*", "", ""},
    {"capture_extract", pattern, "*", "", ""},
    {"on", text, "*", "", ""},
    {"tag", list, "*", "", ""},
    {"parallel", text, "*", "", ""},
    {"count", natural, "*", "", ""},
    {"index_var", text, "*", "", ""},
    {"background", boolean, "command", "", ""},
    {"exists", boolean, "file", "", ""},
    {"mode", octal, "file", "", ""},
    {"owner", text, "file", "", ""},
    {"group_of", text, "file", "", ""},
    {"filetype", text, "file", "file directory symlink character block fifo socket", ""},
    {"contains", contains, "file matching", "", ""},
    {"sha256", text, "file", "", ""},
    {"installed", boolean, "package", "", ""},
    {"version", list, "package", "", "versions"},
    {"package_map", texts_by_tag, "package", "", ""},
    {"running", boolean, "service process", "", ""},
    {"enabled", boolean, "service", "", ""},
    {"listening", boolean, "port", "", ""},
    {"reachable", boolean, "port addr", "", ""},
    {"ip", text, "port", "", ""},
    {"exit_status", integer, "command libvirt spice vnc", "", ""},
    {"stdout", matchers, "command libvirt spice vnc", "", ""},
    {"stderr", matchers, "command libvirt spice vnc", "", ""},
    {"method", text, "http", "", ""},
    {"request_body", text, "http", "", ""},
    {"status", natural, "http", "", ""},
    {"header", matchers, "http", "", "headers"},
    {"body", matchers, "http", "", ""},
    {"allow_insecure", boolean, "http", "", ""},
    {"no_follow_redirects", boolean, "http", "", ""},
    {"ca_file", text, "http", "", ""},
    {"resolvable", boolean, "dns", "", ""},
    {"addrs", list, "dns interface", "", ""},
    {"server", text, "dns", "", ""},
    {"uid", natural, "user", "", ""},
    {"gid", natural, "user group", "", ""},
    {"home", text, "user", "", ""},
    {"shell", text, "user", "", ""},
    {"groups", list, "user", "", ""},
    {"mtu", natural, "interface", "", ""},
    {"value", matchers, "kernel-param", "", ""},
    {"mount_source", text, "mount", "", ""},
    {"filesystem", text, "mount", "", ""},
    {"opt", matchers, "mount", "", "opts"},
    {"signal", text, "kill", "TERM KILL", ""},
    {"over_id", list, "summarize", "", ""},
    {"p50", matchers, "summarize", "", ""},
    {"p95", matchers, "summarize", "", ""},
    {"p99", matchers, "summarize", "", ""},
    {"max", matchers, "summarize", "", ""},
    {"mean", matchers, "summarize", "", ""},
    {"command", text, "libvirt", "", ""},
    {"artifact", text, "libvirt spice vnc", "", ""},
    {"artifact_min_bytes", natural, "libvirt spice vnc", "", ""},
    {"artifact_min_dimensions", text, "libvirt spice vnc", "", ""},
    {"artifact_not_uniform", boolean, "libvirt spice vnc", "", ""},
    {"artifact_min_cast_events", natural, "libvirt spice vnc", "", ""},
    {"key", text, "libvirt spice vnc", "", ""},
    {"text", text, "libvirt spice vnc", "", ""},
    {"input", text, "libvirt", "", ""},
    {"target", text, "libvirt", "", ""},
    {"x", integer, "spice vnc", "", ""},
    {"y", integer, "spice vnc", "", ""},
};

constexpr MethodRow methods[] = {{"libvirt", "list", ""},
                                 {"libvirt", "info", ""},
                                 {"libvirt", "screenshot", "artifact"},
                                 {"libvirt", "send-key", "key"},
                                 {"libvirt", "passwd", "text"},
                                 {"libvirt", "qmp", "text"},
                                 {"libvirt", "domain-xml", ""},
                                 {"libvirt", "console", ""},
                                 {"libvirt", "events", ""},
                                 {"libvirt", "guest/ping", ""},
                                 {"libvirt", "guest/info", ""},
                                 {"libvirt", "guest/os-info", ""},
                                 {"libvirt", "guest/time", ""},
                                 {"libvirt", "guest/hostname", ""},
                                 {"libvirt", "guest/users", ""},
                                 {"libvirt", "guest/interfaces", ""},
                                 {"libvirt", "guest/disks", ""},
                                 {"libvirt", "guest/fsinfo", ""},
                                 {"libvirt", "guest/vcpus", ""},
                                 {"libvirt", "guest/exec", "command"},
                                 {"libvirt", "guest/fstrim", ""},
                                 {"libvirt", "snapshot/list", ""},
                                 {"libvirt", "snapshot/create", "target"},
                                 {"libvirt", "snapshot/info", "target"},
                                 {"libvirt", "snapshot/revert", "target"},
                                 {"libvirt", "snapshot/delete", "target"},
                                 {"spice", "status", ""},
                                 {"spice", "screenshot", "artifact"},
                                 {"spice", "cursor", "artifact"},
                                 {"spice", "click", "x y"},
                                 {"spice", "mouse", "x y"},
                                 {"spice", "type", "text"},
                                 {"spice", "key", "key"},
                                 {"vnc", "status", ""},
                                 {"vnc", "screenshot", "artifact"},
                                 {"vnc", "click", "x y"},
                                 {"vnc", "mouse", "x y"},
                                 {"vnc", "type", "text"},
                                 {"vnc", "key", "key"},
                                 {"vnc", "rfb", ""},
                                 {"vnc", "passwd", "text"}};

}  // namespace

std::span<const VerbRow> check_verbs() {
    return verbs;
}

const VerbRow* check_verb(std::string_view name) {
    const auto* found = std::ranges::find(verbs, name, &VerbRow::name);
    return found == std::end(verbs) ? nullptr : found;
}

std::span<const ModifierRow> check_modifiers() {
    return modifiers;
}

std::span<const MethodRow> check_methods() {
    return methods;
}

bool among(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t space = words.find(' ');
        if (words.substr(0, space) == word) return true;
        if (space == std::string_view::npos) return false;
        words.remove_prefix(space + 1);
    }
    return false;
}

}  // namespace ov::spec
