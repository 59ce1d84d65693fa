// Rules of layer-format.md 2.4 to 14: one row a rule.
#include <doctest/doctest.h>

#include "support/text_layer.hpp"

namespace {

/// All findings of one layer file, warnings marked as such.
std::string findings_of(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    ov::spec::decode_layer_file(text, "layer.yml", "web", "/layers/web", findings);
    ov::sort_by_position(findings);
    std::string all;
    for (const ov::Diagnostic& finding : findings) all += finding.str() + "\n";
    return all;
}

struct Row {
    const char *rule, *text, *finding;
};

void check(const Row& row) {
    CAPTURE(row.rule);
    const std::string findings = findings_of(row.text);
    CAPTURE(findings);
    if (*row.finding == '\0')
        CHECK(findings.empty());
    else
        CHECK(findings.find(row.finding) != std::string::npos);
}

}  // namespace

TEST_CASE("layer-format 2.4 layer file: shape") {
    const Row rows[] = {
        {"empty file is an empty layer", "", ""},
        {"comment-only file is an empty layer", "# nothing\n", ""},
        {"null body", "layer:\n", ""},
        {"null documents are skipped", "---\n---\nlayer: {version: 2026.1.1}\n", ""},
        {"second document names document", "layer: {}\n---\nlayer: {}\n", "layer.yml:3:1: a layer file holds one document"},
        {"top level names mapping", "- a\n", "layer.yml:1:1: expected a mapping"},
        {"other keys are named", "layer: {}\nversion: 1\n", "layer.yml:2:1: version: a layer file has the single key layer"},
        {"missing layer key", "version: 1\n", "the key layer is missing"},
        {"plural root key names the new one", "layers: {}\n", "\"layers\" is a key of an older schema; use layer"},
        {"body is no mapping", "layer: [a]\n", "layer.yml:1:8: layer: expected a mapping, got list"},
    };
    for (const Row& row : rows) check(row);
}

TEST_CASE("layer-format 2.4 layer file: retired and misplaced body keys are errors that name the new key") {
    const Row rows[] = {
        {"depends", "layer: {depends: [a]}", "layer.depends: \"depends\" is a key of an older schema; use require"},
        {"rpm", "layer: {rpm: {packages: [a]}}", "\"rpm\" is a key of an older schema; use distro: {fedora:"},
        {"deb", "layer: {deb: [a]}", "\"deb\" is a key of an older schema; use distro: {debian:"},
        {"pac", "layer: {pac: [a]}", "\"pac\" is a key of an older schema; use distro: {arch:"},
        {"aur", "layer: {aur: [a]}", "\"aur\" is a key of an older schema"},
        {"directory", "layer: {directory: x}", "\"directory\" is a key of an older schema"},
        {"info", "layer: {info: x}", "\"info\" is a key of an older schema; use description"},
        {"distro tag", "layer: {fedora: {package: [a]}}", "layer.fedora: \"fedora\" is a distribution"},
        {"versioned distro tag", "layer: {\"debian:13\": {package: [a]}}", "\"debian:13\" is a distribution"},
        {"list of distro tags", "layer: {\"debian:13,ubuntu\": {package: [a]}}", "\"debian:13,ubuntu\" is a distribution"},
    };
    for (const Row& row : rows) check(row);
}

TEST_CASE("layer-format 2.4 layer file: tolerance, with the nearest known key (W25)") {
    const Row rows[] = {
        {"unknown key", "layer: {whatever: {a: b}}", "layer.yml:1:9: warning: layer.whatever: unknown key, ignored"},
        {"misspelt key", "layer: {secret_accepts: []}", "unknown key, ignored; did you mean \"secret_accept\"?"},
        {"misspelt key of a service", "layer: {service: [{name: a, autostart: true}]}",
         "layer.service[0].autostart: unknown key, ignored; did you mean \"auto_start\"?"},
        {"misspelt key of a task", "layer: {task: [{cmd: x, modee: '0644'}]}",
         "layer.task[0].modee: unknown key, ignored; did you mean \"mode\"?"},
        {"stray package section", "layer: {cachyos: {package: [x]}}", "warning: layer.cachyos: taken as a package section"},
        {"name that differs", "layer: {name: other}", "warning: layer.name: ignored: the layer is called \"web\""},
    };
    for (const Row& row : rows) check(row);
}

TEST_CASE("layer-format 2.4 layer file: types") {
    const Row rows[] = {
        {"text expected", "layer: {version: [1]}", "layer.version: expected a text, got list"},
        {"list expected", "layer: {require: base}", "layer.require: expected a list, got 'base'"},
        {"mapping expected", "layer: {var: [a]}", "layer.var: expected a mapping, got list"},
        {"env as list", "layer: {env: [A=b]}", "layer.env: expected a mapping, got list"},
        {"boolean expected", "layer: {reboot: 1}", "layer.reboot: expected true or false, got '1'"},
        {"quoted boolean", "layer: {reboot: 'yes'}", "layer.reboot: expected true or false"},
        {"boolean in any case", "layer: {reboot: YES}", ""},
        {"integer expected", "layer: {task: [{download: u, strip_components: one}]}",
         "strip_components: expected an integer, got 'one'"},
        {"integer with a leading zero", "layer: {shell: {init: x, priority: 010}}", "layer.shell.priority: '010' starts with 0"},
        {"mode stays text", "layer: {task: [{mkdir: /a, mode: 0755}]}", ""},
        {"package item", "layer: {package: [[a]]}", "layer.package[0]: expected a package name or {name, description}"},
        {"package item as mapping", "layer: {package: [{name: a, description: b}]}", ""},
        {"unknown shell key is an error", "layer: {shell: {tcsh: {init: x}}}", "layer.yml:1:17: layer.shell.tcsh: unknown key"},
        {"unknown key of a shell block is an error", "layer: {shell: {bash: {inti: x}}}",
         "layer.shell.bash.inti: unknown key; did you mean \"init\"?"},
        {"scope of a service (W21)", "layer: {service: [{name: a, scope: users}]}",
         "layer.service[0].scope: expected one of system|user, got 'users'"},
        {"port text", "layer: {port: [80, 'tcp:81', x]}", "layer.port[2]: expected a port number or proto:number, got 'x'"},
        {"artifact without path", "layer: {artifact: [{retrieve_to: x}]}", "layer.artifact[0]: artifact without path"},
        {"artifact mode that is none", "layer: {artifact: [{path: /a, retrieve_to: x, mode: rw}]}",
         "warning: layer.artifact[0].mode: 'rw' is no octal mode"},
        {"reference out of the repository", "layer: {require: ['@github.com/a/b/../c']}", "leads out of the repository"},
        {"reference that is too short", "layer: {require: ['@github.com/a']}", "is no layer reference"},
        {"unknown distro key", "layer: {distro: {beos: {package: [a]}}}", "warning: layer.distro.beos: ignored"},
        {"aur outside arch", "layer: {distro: {fedora: {aur: {package: [a]}}}}", "warning: layer.distro.fedora.aur: ignored"},
        {"duplicate key", "layer:\n  env: {}\n  env: {}\n", "layer.yml:3:3: duplicate key \"env\", first at line 2"},
        {"libvirt as mapping (decision 8)", "layer: {libvirt: {snippets: ['<a/>']}}", ""},
    };
    for (const Row& row : rows) check(row);
}

TEST_CASE("all findings of a file come at once, sorted by place") {
    const std::string findings = findings_of("layer:\n  reboot: 7\n  env: [a]\n  task: {}\n");
    const auto first = findings.find(":2:11:"), second = findings.find(":3:8:"), third = findings.find(":4:9:");
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third != std::string::npos);
}

TEST_CASE("layer-format 2.4 scalars: the source text is kept, null is empty") {
    const ov::Layer layer = ov::test::layer_of("layer: {version: 1.10, env: {A: yes, B: 0755, C: ~, D: true, E: 1e3}}");
    CHECK(layer.version == "1.10");
    CHECK(layer.env == std::map<std::string, std::string>{{"A", "yes"}, {"B", "0755"}, {"C", ""}, {"D", "true"}, {"E", "1e3"}});
}

TEST_CASE("layer-format 3 body keys: every key of the table is decoded") {
    const ov::Layer layer = ov::test::layer_of(R"(
layer:
  version: 2026.1.1
  description: {feature: short, narrative: long, tag: [x]}
  require: [a, "@github.com/acme/infra/layers/b:v1", github.com/acme/infra/layers/c@v2]
  layer: [d]
  package: [p, {name: q}, ""]
  path_append: [~/bin]
  secret_require: [{name: S, description: d, key: ov/x/y}]
  secret_accept: [{name: T, default: t}]
  env_require: [{name: E}]
  artifact: [{path: /a, retrieve_to: ~/b, mode: "0600", rewrite: [{find: x, replace: y}], optional: true, wait_second: 3}]
  apk: [{package: org.x, source: f-droid}]
  eval: [{file: /a, exists: true}]
  libvirt: [<rng/>]
  port: [80]
  volume: [{name: v, path: /v}]
)");
    CHECK(layer.description == "short");
    REQUIRE(layer.require.size() == 3);
    CHECK(layer.require[1].key == "github.com/acme/infra/layers/b");
    CHECK(layer.require[2].key == "github.com/acme/infra/layers/c");
    CHECK(layer.layers[0].key == "d");
    CHECK(layer.packages == std::vector<std::string>{"p", "q"});
    CHECK(layer.secret_require[0].key == "ov/x/y");
    CHECK(layer.secret_accept[0].fallback == "t");
    CHECK(layer.env_require[0].name == "E");
    CHECK(layer.artifacts[0].mode == 0600);
    CHECK(layer.artifacts[0].rewrite == std::vector<std::pair<std::string, std::string>>{{"x", "y"}});
    CHECK(layer.artifacts[0].wait_seconds == 3);
    CHECK(layer.apk[0].source == "f-droid");
    CHECK(layer.eval->items.size() == 1);
    CHECK(layer.libvirt_snippets == std::vector<std::string>{"<rng/>"});
    CHECK(layer.ignored_keys == std::vector<std::string>{"port", "volume", "libvirt"});
    CHECK(layer.where.line == 3);
}

TEST_CASE("layer-format 15 content of a composite: any step or metadata counts (W31)") {
    struct Case {
        const char* body;
        bool content;
    };
    const Case rows[] = {{"layer: [a]", false},
                         {"layer: [a], eval: [{file: /x}]", false},
                         {"layer: [a], env: {A: b}", true},
                         {"layer: [a], shell: {init: x}", true},
                         {"layer: [a], reboot: true", true},
                         {"layer: [a], port: [80]", true},
                         {"layer: [a], port: []", false},
                         {"layer: [a], distro: {debian-13: {package: [x]}}", true},
                         {"layer: [a], artifact: [{path: /a, retrieve_to: b}]", true},
                         {"layer: [a], secret_require: [{name: A}]", true}};
    for (const Case& row : rows) {
        CAPTURE(row.body);
        CHECK(ov::test::layer_of("layer: {" + std::string(row.body) + "}").has_content() == row.content);
    }
}
