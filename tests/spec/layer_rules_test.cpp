// Rules of layer-format.md for what is decoded and kept: packages, apk, secrets, artifacts, ignored keys, checks. One row a
// rule.
#include <doctest/doctest.h>

#include "support/text_layer.hpp"

namespace {

struct Row {
    const char *rule, *body, *result;
};

/// Errors and warnings of a body, or what `show` says about the layer.
template <class Show>
void check(const Row& row, Show show) {
    CAPTURE(std::string(row.rule));
    std::vector<ov::Diagnostic> findings;
    const ov::Layer layer =
        ov::spec::decode_layer_file("layer: {" + std::string(row.body) + "}", "layer.yml", "web", "/layers/web", findings);
    std::string text;
    for (const ov::Diagnostic& finding : findings) text += finding.str() + "\n";
    if (findings.empty()) text = show(layer);
    CAPTURE(text);
    CHECK(text.find(row.result) != std::string::npos);
    if (findings.empty()) CHECK(text == row.result);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

}  // namespace

TEST_CASE("layer-format 4.1 package items and distro blocks") {
    const auto show = [](const ov::Layer& layer) {
        std::string text = joined(layer.packages);
        for (const ov::DistroBlock& block : layer.distros)
            text += " | " + block.tag + ": " + (block.packages ? joined(*block.packages) : "unset");
        return text;
    };
    const Row rows[] = {
        {"a text", "package: [a]", "a"},
        {"a mapping with name and description", "package: [{name: a, description: d}]", "a"},
        {"other kinds are an error", "package: [[a]]", "layer.package[0]: expected a package name or {name, description}"},
        {"empty names are dropped", "package: ['', a, {name: ''}]", "a"},
        {"bare fedora", "distro: {fedora: {package: [a]}}", " | fedora: a"},
        {"bare arch", "distro: {arch: {package: [a]}}", " | arch: a"},
        {"bare debian", "distro: {debian: {package: [a]}}", " | debian: a"},
        {"bare ubuntu", "distro: {ubuntu: {package: [a]}}", " | ubuntu: a"},
        {"versioned, cut at the first hyphen", "distro: {debian-13: {package: [a]}}", " | debian:13: a"},
        {"a version with a dot", "distro: {ubuntu-24.04: {package: [a]}}", " | ubuntu:24.04: a"},
        {"a version with a hyphen", "distro: {opensuse-leap-15: {package: [a]}}", " | opensuse:leap-15: a"},
        {"a null block", "distro: {debian: }", " | debian: unset"},
        {"any other key is ignored, and said so", "distro: {beos: {package: [a]}}", "layer.distro.beos: ignored"},
        {"a known name without version is no bare key", "distro: {rocky: {package: [a]}}", "layer.distro.rocky: ignored"},
        {"unknown block keys are warnings", "distro: {fedora: {packages: [a]}}", "did you mean \"package\"?"},
    };
    for (const Row& row : rows) check(row, show);
}

TEST_CASE("layer-format 10 apk entries") {
    const auto show = [](const ov::Layer& layer) {
        std::string text;
        for (const ov::ApkPackage& apk : layer.apk)
            text += "[" + apk.package + "," + apk.apk + "," + apk.source + "," + apk.arch + "," + apk.app_version + "]";
        return text + (layer.reboot ? " reboot" : "");
    };
    const Row rows[] = {
        {"a package of a store", "apk: [{package: org.x, source: f-droid, app_version: '1'}]", "[org.x,,f-droid,,1]"},
        {"a local file", "apk: [{apk: a.apk, arch: arm64}]", "[,a.apk,,arm64,]"},
        {"a list is needed", "apk: org.x", "layer.apk: expected a list, got 'org.x'"},
        {"unknown keys are warnings", "apk: [{pakage: x}]",
         "layer.apk[0].pakage: unknown key, ignored; did you mean \"package\"?"},
        {"reboot is off by default", "", ""},
        {"reboot: true", "reboot: true", " reboot"},
        {"reboot: off", "reboot: off", ""},
    };
    for (const Row& row : rows) check(row, show);
}

TEST_CASE("layer-format 11 secrets and 3 variables that are asked for") {
    const auto show = [](const ov::Layer& layer) {
        std::string text;
        for (const auto* list : {&layer.secret_require, &layer.secret_accept, &layer.env_require, &layer.env_accept}) {
            for (const ov::Dependency& one : *list)
                text += "[" + one.name + "," + one.description + "," + one.fallback + "," + one.key + "]";
            text += ";";
        }
        return text;
    };
    const Row rows[] = {
        {"secret_require", "secret_require: [{name: A, description: d, key: ov/x/y}]", "[A,d,,ov/x/y];;;;"},
        {"secret_accept with a default", "secret_accept: [{name: A, default: f}]", ";[A,,f,];;;"},
        {"env_require", "env_require: [{name: A, description: d}]", ";;[A,d,,];;"},
        {"env_accept", "env_accept: [{name: A, default: 010}]", ";;;[A,,010,];"},
        {"an entry is a mapping", "secret_require: [A]", "layer.secret_require[0]: expected a mapping, got 'A'"},
        {"null is an empty list", "secret_require: ", ";;;;"},
    };
    for (const Row& row : rows) check(row, show);
}

TEST_CASE("layer-format 12 artifacts") {
    const auto show = [](const ov::Layer& layer) {
        std::string text;
        for (const ov::Artifact& one : layer.artifacts) {
            text +=
                fmt::format("{} {} {} {:o} {} {}", one.name, one.path, one.retrieve_to, one.mode, one.optional, one.wait_seconds);
            for (const auto& [find, replace] : one.rewrite) text += " " + find + ">" + replace;
        }
        return text;
    };
    const Row rows[] = {
        {"defaults", "artifact: [{name: n, path: /p, retrieve_to: r}]", "n /p r 644 false 0"},
        {"path is required", "artifact: [{retrieve_to: r}]", "layer.artifact[0]: artifact without path"},
        {"retrieve_to is required", "artifact: [{path: /p}]", "layer.artifact[0]: artifact without retrieve_to"},
        {"mode is octal", "artifact: [{path: /p, retrieve_to: r, mode: '0600'}]", " /p r 600 false 0"},
        {"0644 also when unparsable", "artifact: [{path: /p, retrieve_to: r, mode: rw}]", "'rw' is no octal mode; 0644 is used"},
        {"rewrite rules in order", "artifact: [{path: /p, retrieve_to: r, rewrite: [{find: a, replace: b}, {find: c}]}]",
         " /p r 644 false 0 a>b c>"},
        {"optional", "artifact: [{path: /p, retrieve_to: r, optional: yes}]", " /p r 644 true 0"},
        {"wait_second", "artifact: [{path: /p, retrieve_to: r, wait_second: 30}]", " /p r 644 false 30"},
        {"wait_second out of range", "artifact: [{path: /p, retrieve_to: r, wait_second: 99999999999}]",
         "layer.artifact[0].wait_second: expected a number of seconds from 0 to 86400"},
    };
    for (const Row& row : rows) check(row, show);
}

TEST_CASE("layer-format 13 ignored keys: types are checked, nothing else happens") {
    const auto show = [](const ov::Layer& layer) { return joined(layer.ignored_keys); };
    const Row rows[] = {
        {"capabilities", "capabilities: {a: b}", "capabilities"},
        {"capabilities of a wrong type", "capabilities: [a]", "layer.capabilities: expected a mapping, got list"},
        {"requires_capability", "requires_capability: [a]", "requires_capability"},
        {"port: int or proto:int", "port: [80, 'udp:53']", "port"},
        {"port: bad text is an error naming it", "port: [x]", "layer.port[0]: expected a port number or proto:number, got 'x'"},
        {"port: out of range", "port: [70000]", "layer.port[0]: expected a port number"},
        {"route", "route: {host: h, port: 1}", "route"},
        {"route of a wrong type", "route: h", "layer.route: expected a mapping, got 'h'"},
        {"volume", "volume: [{name: v, path: /v}]", "volume"},
        {"alias", "alias: [{name: a, command: b}]", "alias"},
        {"extract", "extract: [{source: s, path: /p, dest: /d}]", "extract"},
        {"data", "data: [{src: s, volume: v}]", "data"},
        {"security", "security: {privileged: true}", "security"},
        {"hooks", "hooks: {post_enable: x}", "hooks"},
        {"port_relay", "port_relay: [80]", "port_relay"},
        {"engine", "engine: podman", "engine"},
        {"engine of a wrong type", "engine: [a]", "layer.engine: expected a text, got list"},
        {"secret", "secret: [{name: n, target: t}]", "secret"},
        {"env_provide", "env_provide: {A: b}", "env_provide"},
        {"mcp_provide", "mcp_provide: [{name: n}]", "mcp_provide"},
        {"mcp_require", "mcp_require: [{name: n}]", "mcp_require"},
        {"mcp_accept", "mcp_accept: [{name: n}]", "mcp_accept"},
        {"libvirt as a list", "libvirt: ['<rng/>']", "libvirt"},
        {"libvirt as a mapping (decision 8)", "libvirt: {snippets: ['<rng/>']}", "libvirt"},
        {"description as a mapping, tags and scenarios", "description: {feature: f}, tags: [a], scenarios: {}", "tags scenarios"},
    };
    for (const Row& row : rows) check(row, show);
}

TEST_CASE("layer-format 14 eval: kept as written, unknown verbs too") {
    const auto show = [](const ov::Layer& layer) { return layer.eval ? std::to_string(layer.eval->items.size()) : "none"; };
    const Row rows[] = {
        {"checks", "eval: [{file: /a}, {port: 80, scope: deploy}]", "2"},
        {"a verb that nobody knows", "eval: [{levitate: cat}]", "1"},
        {"an empty list is none", "eval: []", "none"},
        {"a list is needed", "eval: {file: /a}", "layer.eval: expected a list, got mapping"},
    };
    for (const Row& row : rows) check(row, show);
}
