// layer-format.md 16: one row a rule.
#include "ov/validate_layer.hpp"

#include <doctest/doctest.h>

#include "support/text_layer.hpp"

namespace {

std::string findings_of(const std::string& body, const std::vector<std::string>& manifests = {}) {
    ov::LayerMap layers;
    ov::Layer layer = ov::test::layer_of("layer: {version: 2026.1.1, " + body + "}");
    layer.manifests = manifests;
    layers.emplace("web", layer);
    layers.emplace("base", ov::test::layer_of("layer: {version: 2026.1.1, env: {A: b}}", "base"));
    layers.emplace("mid", ov::test::layer_of("layer: {version: 2026.1.1, require: [web]}", "mid"));
    const std::string key[] = {"web"};
    std::string text;
    for (const ov::Diagnostic& finding : ov::validate_layers(layers, key)) text += finding.str() + "\n";
    return text;
}

}  // namespace

TEST_CASE("layer-format 16 validation") {
    struct Row {
        const char *rule, *body, *finding;
    };
    const std::string ok = "task: [{cmd: x}]";
    const Row rows[] = {
        {"nothing to install", "description: x", "layer web: there is nothing to install"},
        {"data counts", "data: [{src: a, volume: v, dest: d}]", ""},
        {"unknown require", "task: [{cmd: x}], require: [bsae]", "layer \"bsae\" not found; did you mean \"base\"?"},
        {"unknown layer", "layer: [nobody]", "layer.layer: layer web: layer \"nobody\" not found"},
        {"self inclusion", "layer: [web]", "names itself in layer"},
        {"in layer and require", "layer: [base], require: [base]", "\"base\" stands in layer and in require"},
        {"dependency cycle", "task: [{cmd: x}], require: [mid]", "circular dependency: web -> mid -> web"},
        {"task without verb", "task: [{user: root}]", "layer.task[0]: layer web: a task needs one of"},
        {"task with several verbs", "task: [{cmd: x, mkdir: /y}]", "this one has 2: cmd, mkdir"},
        {"user", "task: [{cmd: x, user: 'Bad User'}]", "user 'Bad User': expected root"},
        {"user as uid:gid", "task: [{cmd: x, user: '1:2'}]", ""},
        {"user as name", "task: [{cmd: x, user: _apt}]", ""},
        {"mode without zero", "task: [{mkdir: /x, mode: '755'}]", "mode '755': expected 0 and three or four octal digits"},
        {"mode with four digits", "task: [{mkdir: /x, mode: '01777'}]", ""},
        {"relative mkdir", "task: [{mkdir: x}]", "expected an absolute path"},
        {"copy without to", "task: [{copy: x}]", "a copy needs to:"},
        {"write without content", "task: [{write: /x}]", "layer.task[0].content: layer web: content is empty"},
        {"link without target", "task: [{link: /x}]", "a link needs a target"},
        {"download of no URL", "task: [{download: x, to: /y}]", "'x' is no URL"},
        {"setcap relative", "task: [{setcap: x}]", "layer.task[0].setcap: layer web: expected an absolute path"},
        {"caps", "task: [{setcap: /x, caps: net_raw}]", "caps 'net_raw': expected a list"},
        {"caps list", "task: [{setcap: /x, caps: 'cap_net_raw,cap_net_admin=eip'}]", ""},
        {"build", "task: [{build: some}]", "expected all, got 'some'"},
        {"cache on another verb", "task: [{mkdir: /x, cache: /c}]", "cache is for cmd tasks only"},
        {"unknown variable in a path", "task: [{mkdir: '/${X}'}]", "${X} is neither in var"},
        {"unknown variable in a URL", "task: [{download: 'http://h/${X}', to: /y}]", "${X} is neither in var"},
        {"known variable in a URL", "var: {X: a}, task: [{download: 'http://h/${X}', to: /y}]", ""},
        {"var in lower case", "task: [{cmd: x}], var: {lower: a}", "\"lower\": expected capital letters"},
        {"var that is reserved", "task: [{cmd: x}], var: {ARCH: a}", "\"ARCH\" is reserved"},
        {"var also in env", "task: [{cmd: x}], var: {A: a}, env: {A: b}", "\"A\" stands in var and in env"},
        {"env sets PATH", "task: [{cmd: x}], env: {PATH: a}", "PATH is changed with path_append"},
        {"use_packaged with a slash", "package: [p], service: [{name: a, use_packaged: a/b}]", "unit \"a/b\" must not contain"},
        {"use_packaged without packages", "task: [{cmd: x}], service: [{name: a, use_packaged: b}]",
         "use_packaged \"b\" in a layer that installs no package"},
        {"shell path", "task: [{cmd: x}], shell: {init: i, path: rel}", "layer.shell.path: layer web: 'rel'"},
        {"shell path_append with ..", "task: [{cmd: x}], shell: {path_append: [~/../x]}", "'~/../x': expected an absolute path"},
        {"blank init", "task: [{cmd: x}], shell: {init: ' '}", "layer.shell.init: layer web: init is blank"},
        {"apk: both", "apk: [{package: a, apk: b}]", "layer.apk[0]: layer web: exactly one of package and apk"},
        {"apk: neither", "apk: [{arch: x86_64}]", "exactly one of package and apk"},
        {"apk source", "apk: [{package: a, source: shop}]", "'shop': expected apk-pure"},
        {"dependency without name", "task: [{cmd: x}], env_require: [{description: d}]", "name \"\" is no name of a variable"},
        {"dependency without description", "task: [{cmd: x}], env_accept: [{name: A}]", "\"A\" needs a description"},
        {"name in two lists",
         "task: [{cmd: x}], env_accept: [{name: A, description: d}], secret_accept: [{name: A, description: d}]",
         "\"A\" stands in env_accept and in secret_accept"},
        {"secret that is provided", "task: [{cmd: x}], env_provide: {A: v}, secret_require: [{name: A, description: d}]",
         "\"A\" is a secret and stands in env_provide"},
        {"secret key", "task: [{cmd: x}], secret_require: [{name: A, description: d, key: x/y}]",
         "key 'x/y': expected ov/SERVICE/NAME"},
        {"copr without packages", "task: [{cmd: x}], distro: {fedora: {copr: [a/b]}}",
         "layer.distro.fedora.copr: layer web: copr without packages"},
        {"module without packages", "task: [{cmd: x}], distro: {fedora: {module: ['a:b']}}", "module without packages"},
        {"repo without name", "distro: {fedora: {package: [a], repo: [{url: u}]}}", "a repo entry needs a name"},
        {"restart word", "task: [{cmd: x}], service: [{name: a, exec: x, restart: maybe}]", "restart 'maybe' has no effect"},
    };
    std::size_t count = 0;
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const std::string findings = findings_of(row.body);
        CAPTURE(findings);
        if (*row.finding == '\0')
            CHECK(findings.empty());
        else
            CHECK(findings.find(row.finding) != std::string::npos);
        ++count;
    }
    CHECK(count >= 45);
}

TEST_CASE("layer-format 16 validation: version and Cargo.toml") {
    ov::LayerMap layers;
    layers.emplace("a", ov::test::layer_of("layer: {task: [{cmd: x}]}", "a"));
    layers.emplace("b", ov::test::layer_of("layer: {version: '1.2', task: [{cmd: x}]}", "b"));
    layers.emplace("c", ov::test::layer_of("layer: {version: 1.2.3, task: [{cmd: x}]}", "c"));
    layers.at("c").manifests = {"Cargo.toml"};
    std::string text;
    for (const ov::Diagnostic& finding : ov::validate_layers(layers)) text += finding.str() + "\n";
    CHECK(text.find("layer a: version is missing") != std::string::npos);
    CHECK(text.find("layer b: version '1.2' is not three dotted numbers") != std::string::npos);
    CHECK(text.find("layer c: Cargo.toml without src/") != std::string::npos);
}

TEST_CASE("layer-format 16 validation: a cycle is told once, whoever leads into it") {
    ov::LayerMap layers;
    for (const char* name : {"x", "y", "z"})
        layers.emplace(name, ov::test::layer_of("layer: {version: 1.1.1, env: {A: b}, require: [a]}", name));
    layers.emplace("a", ov::test::layer_of("layer: {version: 1.1.1, env: {A: b}, require: [b]}", "a"));
    layers.emplace("b", ov::test::layer_of("layer: {version: 1.1.1, env: {A: b}, require: [a]}", "b"));
    const auto findings = ov::validate_layers(layers);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].message.find("a -> b -> a") != std::string::npos);
}
