// Rules of layer-format.md 2.1 to 2.3 and decisions 28 and 64: one row a rule.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "ov/load.hpp"
#include "support/corpus.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

const std::string version = "version: 2026.144.1443\n";

struct Loaded {
    std::string findings;  ///< errors, or warnings when it loaded
    bool ok = false;
    ov::Project project;
};

Loaded load(const TempTree& tree) {
    Loaded loaded;
    std::vector<ov::Diagnostic> findings;
    try {
        loaded.project = ov::load_project({tree.path(), tree.path("host.yml")});
        loaded.ok = true;
        findings = loaded.project.warnings;
    } catch (const ov::SpecError& e) {
        findings = e.findings();
    }
    for (const ov::Diagnostic& finding : findings) loaded.findings += finding.str() + "\n";
    return loaded;
}

}  // namespace

TEST_CASE("layer-format 2.1 project file: what is wrong and what must be named") {
    struct Row {
        const char *rule, *root, *finding;
    };
    const Row rows[] = {
        {"a document that is no mapping names file and index", "version: 2026.144.1443\n---\n- a\n",
         "overthink.yml:3:1: document 2: expected a mapping, got a list"},
        {"both shapes", "version: 2026.144.1443\nvm: {name: x, spec: {}}\n", "ambiguous document"},
        {"two entities", "layer: {name: x}\nvm: {name: y, spec: {}}\n",
         "ambiguous document: it is an entity and a collection at once (keys layer, vm)"},
        {"no recognised key", "version: 2026.144.1443\n---\nfoo: 1\nbar: 2\n", "no key of a project file here: foo, bar"},
        {"an entity without a name", "version: 2026.144.1443\n---\nlayer: {name: }\n", "a layer document needs a name"},
        {"a vm document without spec", "version: 2026.144.1443\n---\nvm: {name: x}\n",
         "the body of a vm document stands below spec:"},
        {"include is retired", "version: 2026.144.1443\ninclude: [a]\n",
         "overthink.yml:2:1: include: \"include\" is a key of an older schema; use import"},
        {"imports is retired (decision 28)", "version: 2026.144.1443\nimports: [a]\n",
         "\"imports\" is a key of an older schema; use import"},
        {"benchmark is retired", "version: 2026.144.1443\nbenchmark: {}\n", "\"benchmark\" is a key of an older schema"},
        {"deployment is retired", "version: 2026.144.1443\ndeployment: {}\n",
         "\"deployment\" is a key of an older schema; use deploy"},
        {"plural keys are retired", "version: 2026.144.1443\nimages: {}\n", "\"images\" is a key of an older schema; use image"},
        {"unknown keys are warnings", "version: 2026.144.1443\ndeplyo: {}\n",
         "overthink.yml:2:1: warning: deplyo: unknown key, ignored; did you mean \"deploy\"?"},
        {"version missing", "deploy: {}\n", "the project has no schema version; this program reads version: 2026.144.1443"},
        {"version that cannot be read", "version: latest\n", "version \"latest\" is no schema version (YEAR.DAY.HHMM)"},
        {"version too old, no migration verb (decision 28)", "version: 2025.300.1200\n",
         "the project has the old schema 2025.300.1200; this program reads 2026.144.1443"},
        {"version too new", "version: 2027.1.1\n", "newer than 2026.144.1443 of this program; update the program"},
        {"numeric comparison", "version: 2026.144.999\n", "the project has the old schema"},
        {"day out of range", "version: 2026.367.1\n", "is no schema version"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", row.root}}));
        CAPTURE(loaded.findings);
        CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("layer-format 2.1 project file: shapes that are fine") {
    const Loaded loaded = load(TempTree({{"overthink.yml", version + R"(---
---
layer: {name: {env: {A: collection entry called name}}}
---
layer: {name: single, version: 1.1.1, env: {A: b}}
---
vm: {name: box, spec: {source: {kind: bootc, image: x}, cloud_init: {}}}
---
deploy: {name: d, target: vm, vm: box}
)"}}));
    CHECK(loaded.findings == "");
    CHECK(loaded.project.layers.contains("name"));
    CHECK(loaded.project.layers.at("single").env.at("A") == "b");
    CHECK(loaded.project.vms.at("box").has_cloud_init);
    CHECK(loaded.project.deploys.at("d").vm == "box");
}

TEST_CASE("layer-format 2.2 import") {
    struct Row {
        const char *rule, *root, *other, *finding;
    };
    const Row rows[] = {
        {"a cycle names its chain", "import: [a.yml]", "import: [overthink.yml]", "import cycle: "},
        {"a file may be reached twice (W26)", "import: [a.yml, b.yml]", "deploy: {}", ""},
        {"a missing file is named", "import: [gone.yml]", "deploy: {}", "import cannot be read: "},
        {"an item that is neither", "import: [[a]]", "deploy: {}",
         "import[0]: expected a path or a single {alias: ref}, got list"},
        {"two aliases in one item", "import: [{a: x, b: y}]", "deploy: {}",
         "import[0]: expected a path or a single {alias: ref}"},
        {"alias pattern", "import: [{A_b: a.yml}]", "deploy: {}", "alias \"A_b\": expected lower-case letters"},
        {"the same alias twice", "import: [{x: a.yml}, {x: b.yml}]", "deploy: {}", "alias \"x\" is bound to "},
        {"a namespace that is not there", "import: [{x: nowhere}]", "deploy: {}", "import cannot be read: "},
        {"a remote namespace is read when asked for, not now", "import: [{x: '@github.com/a/b:v1'}]", "deploy: {}", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + row.root + "\n"},
                                             {"a.yml", std::string(row.other) + "\n"},
                                             {"b.yml", "import: [a.yml]\n"}}));
        CAPTURE(loaded.findings);
        if (*row.finding == '\0')
            CHECK(loaded.findings.empty());
        else
            CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("layer-format 2.2 the importing file wins, an old version in an imported file does not matter") {
    const Loaded loaded =
        load(TempTree({{"overthink.yml", version + "import: [sub/a.yml]\nlayer: {x: {version: 1.1.1, env: {A: root}}}\n"},
                       {"sub/a.yml",
                        "version: 2020.1.1\nlayer: {x: {version: 1.1.1, env: {A: sub}}, y: {version: 1.1.1, env: {A: "
                        "sub}}}\ndiscover: {layer: [more]}\n"},
                       {"sub/more/z/layer.yml", "layer: {version: 1.1.1}"}}));
    CHECK(loaded.findings == "");
    CHECK(loaded.project.layers.at("x").env.at("A") == "root");
    CHECK(loaded.project.layers.at("y").env.at("A") == "sub");
    CHECK(loaded.project.layers.contains("z"));  // discovery roots are relative to the file that names them
}

TEST_CASE("layer-format 2.2 imports deeper than eight are refused") {
    TempTree tree({{"overthink.yml", version + "import: [i1.yml]\n"}});
    for (int i = 1; i <= 10; ++i) tree.write("i" + std::to_string(i) + ".yml", "import: [i" + std::to_string(i + 1) + ".yml]\n");
    tree.write("i11.yml", "deploy: {}\n");
    CHECK(load(tree).findings.find("imports are nested deeper than 8") != std::string::npos);
}

TEST_CASE("layer-format 2.3 layers of a project: sources and precedence") {
    TempTree tree({{"overthink.yml", version + R"(
layer: {explicit: {from: elsewhere/dir}, web: {version: 9.9.9}}
discover: {layer: [layers, {path: vendor, recursive: false}]}
)"},
                   {"elsewhere/dir/layer.yml", "layer: {version: 1.1.1}"},
                   {"layers/web/layer.yml", "layer: {version: 1.1.1}"},
                   {"layers/deep/er/found/layer.yml", "layer: {version: 1.1.1}"},
                   {"layers/deep/twice/layer.yml", "layer: {version: 1.1.1}"},
                   {"vendor/direct/layer.yml", "layer: {version: 1.1.1}"},
                   {"vendor/twice/layer.yml", "layer: {version: 2.2.2}"},
                   {"vendor/sub/hidden/layer.yml", "layer: {version: 1.1.1}"},
                   {"target/linked/layer.yml", "layer: {version: 1.1.1}"}});
    std::filesystem::create_directory_symlink(tree.path("target"), tree.path("layers/link"));
    const Loaded loaded = load(tree);
    const ov::LayerMap& layers = loaded.project.layers;
    CHECK(layers.at("explicit").dir == tree.path("elsewhere/dir"));
    CHECK(layers.at("web").version == "9.9.9");
    CHECK(layers.at("web").dir == tree.path());
    CHECK(layers.contains("found"));
    CHECK(layers.contains("direct"));
    CHECK_FALSE(layers.contains("hidden"));
    CHECK_FALSE(layers.contains("linked"));
    CHECK(layers.at("twice").version == "1.1.1");
    CHECK(loaded.findings.find("vendor/twice/layer.yml:1:1: warning: ignored: layer \"twice\" is already in " +
                               tree.path("layers/deep/twice")) != std::string::npos);
}

TEST_CASE("layer-format 2.3 a missing discovery root is named") {
    CHECK(load(TempTree({{"overthink.yml", version + "discover: {layer: [nowhere]}\n"}}))
              .findings.find("nowhere: no such directory") != std::string::npos);
    CHECK(load(TempTree({{"overthink.yml", version + "discover: {layer: [{recursive: true}]}\n"}}))
              .findings.find("a discovery entry needs a path") != std::string::npos);
}

TEST_CASE("decision 64: external machines") {
    struct Row {
        const char *rule, *body, *finding;
    };
    const Row rows[] = {
        {"all keys",
         "{source: {kind: external, distro: debian:13}, ssh: {host: h, port: 2200, user: u, identity: k, known_hosts: ~/kh}, "
         "tag: [a], eval: [], deploy_eval: []}",
         ""},
        {"host is needed", "{source: {kind: external}, ssh: {user: u}}", "an external machine needs ssh.host"},
        {"ssh is needed", "{source: {kind: external}}", "an external machine needs ssh.host"},
        {"no hypervisor keys", "{source: {kind: external}, ssh: {host: h}, ram: 2G}",
         "vm.m.ram: an external machine has no such key"},
        {"no other source keys", "{source: {kind: external, url: x}, ssh: {host: h}}",
         "vm.m.source.url: the source of an external machine has no such key"},
        {"no other ssh keys", "{source: {kind: external}, ssh: {host: h, hots: x}}",
         "ssh of an external machine has no such key; did you mean \"host\"?"},
        {"port range", "{source: {kind: external}, ssh: {host: h, port: 70000}}",
         "vm.m.ssh.port: expected a port number from 1 to 65535"},
        {"unknown kind", "{source: {kind: cloud}}",
         "vm.m.source.kind: expected one of cloud_image|bootc|bootstrap|clone|imported|external, got 'cloud'"},
        {"kind is needed", "{source: {url: x}}", "the key kind is missing"},
        {"source is needed", "{ram: 2G}", "the key source is missing"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + "vm: {m: " + row.body + "}\n"}}));
        CAPTURE(loaded.findings);
        if (*row.finding == '\0')
            CHECK(loaded.findings.empty());
        else
            CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("decision 27: names of entities") {
    const std::string external = ": {source: {kind: external}, ssh: {host: h}}}\n";
    for (const char* name : {"a", "A-1_b", "0"})
        CHECK(load(TempTree({{"overthink.yml", version + "vm: {" + name + external}})).findings == "");
    for (const char* name : {"-a", "a.b", "a b", "'ä'"})
        CHECK(load(TempTree({{"overthink.yml", version + "vm: {" + name + external}}))
                  .findings.find("is no name for a VM: 1 to 64 of A-Z") != std::string::npos);
}

TEST_CASE("decision 27: two machines do not share a domain, names of instances follow the rule") {
    const std::string vms =
        "vm: {web: {source: {kind: bootc, image: i}}, web-1: {source: {kind: bootc, image: i}}, ext-1: {source: {kind: "
        "external}, "
        "ssh: {host: h}}}\n";
    struct Row {
        const char *rule, *deploys, *finding;
    };
    const Row rows[] = {
        {"an instance and an entity", "{'web/1': {target: vm, vm: web}}",
         "deploy.web/1: vm:web-1 and vm:web/1 would both be the domain ov-web-1"},
        {"by state only", "{'vm:web/1': {target: vm, vm: web, vm_state: {ssh_port: 1}}}", "vm:web-1 and vm:web/1"},
        {"an external machine has no domain", "{'ext/1': {target: vm, vm: ext}}", ""},
        {"several deploys of one machine", "{a: {target: vm, vm: web}, b: {target: vm, vm: web}}", ""},
        {"another instance", "{'web/2': {target: vm, vm: web}}", ""},
        {"name of an instance", "{'web/ä': {target: vm, vm: web}}", "deploy.web/ä: \"ä\" is no name for a VM: 1 to 64 of"},
        {"name of an entity", "{a: {target: vm, vm: -x}}", "\"-x\" is no name for a VM"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + vms + "deploy: " + row.deploys + "\n"}}));
        CAPTURE(loaded.findings);
        if (*row.finding == '\0')
            CHECK(loaded.findings.empty());
        else
            CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("cli-and-config 4.4 eval beds are deploys with rules of their own") {
    struct Row {
        const char *rule, *text, *finding;
    };
    const Row rows[] = {
        {"a bed", "eval: {b: {target: vm, vm: e, disposable: true, rounds: 3}}\nvm: {e: {source: {kind: bootc, image: i}}}", ""},
        {"its entity must be defined", "eval: {b: {target: vm, vm: gone, disposable: true}}",
         "the eval bed \"b\" names the VM \"gone\", which is not defined"},
        {"clash with a deploy", "deploy: {b: {target: vm, vm: e}}\neval: {b: {target: vm, vm: e, disposable: true}}",
         "\"b\" is both a deploy and an eval bed"},
        {"disposable is needed", "eval: {b: {target: vm, vm: e}}", "an eval bed needs disposable: true"},
        {"no k8s", "eval: {b: {target: k8s, disposable: true}}", "unsupported target k8s"},
        {"a vm bed needs its entity", "eval: {b: {target: vm, disposable: true}}", "an eval bed with target vm needs vm:"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + row.text + "\n"}}));
        CAPTURE(loaded.findings);
        if (*row.finding == '\0')
            CHECK(loaded.findings.empty());
        else
            CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("cli-and-config 5.2 deploy nodes") {
    struct Row {
        const char *rule, *node, *finding;
    };
    const Row rows[] = {
        {"a pod without image", "{target: pod}", "deploy.d: a pod deploy needs image:"},
        {"an empty target without vm", "{env: [A=b]}", "a pod deploy needs image: (or this deploy needs target:)"},
        {"legacy container", "{target: container, image: i}", ""},
        {"legacy kubernetes", "{target: kubernetes}", ""},
        {"host is retired", "{target: host}", "\"host\" is a target of an older schema; use local"},
        {"unknown target", "{target: moon}", "deploy.d.target: expected one of local|vm|pod|k8s|android, got 'moon'"},
        {"env lines", "{target: local, env: [AB]}", "deploy.d.env[0]: expected KEY=VALUE, got 'AB'"},
        {"negative cpus", "{target: local, cpus: -1}", "deploy.d.cpus: expected a number of CPUs"},
        {"from_snapshot off a VM", "{target: local, from_snapshot: s}", "from_snapshot is for target vm only"},
        {"empty exclusive token", "{target: local, requires_exclusive: ['']}", "an exclusive token needs a name"},
        {"nested nodes are checked too", "{target: vm, vm: e, nested: {p: {target: pod}}}",
         "deploy.d.p: a pod deploy needs image:"},
        {"nested keys are checked too", "{target: vm, vm: e, nested: {'a b': {target: local}}}",
         "a deploy key must not contain white space"},
        {"unknown keys are warnings", "{target: local, add_layers: [x]}",
         "warning: deploy.d.add_layers: unknown key, ignored; did you mean \"add_layer\"?"},
        {"install_opts", "{target: local, install_opts: {with_service: maybe}}",
         "deploy.d.install_opts.with_service: expected true or false, got 'maybe'"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + "deploy: {d: " + row.node + "}\n"}}));
        CAPTURE(loaded.findings);
        if (*row.finding == '\0')
            CHECK(loaded.findings.empty());
        else
            CHECK(loaded.findings.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("cli-and-config 5.5 merge: a set field replaces the project's as a whole, an unset one does not") {
    struct Row {
        const char *rule, *project, *overlay;
        bool (*holds)(const ov::DeployNode&);
    };
    const Row rows[] = {
        {"lists are replaced", "{target: vm, vm: e, add_layer: [a, b]}", "{add_layer: [c]}",
         [](const ov::DeployNode& n) { return n.add_layers == std::vector<std::string>{"c"}; }},
        {"empty lists are not set", "{target: vm, vm: e, add_layer: [a]}", "{add_layer: []}",
         [](const ov::DeployNode& n) { return n.add_layers.size() == 1; }},
        {"mappings are replaced, not merged", "{target: vm, vm: e, install_opts: {verify: true}}",
         "{install_opts: {with_service: true}}",
         [](const ov::DeployNode& n) { return !n.install.verify && n.install.with_services == true; }},
        {"disposable false counts", "{target: vm, vm: e, disposable: true}", "{disposable: false}",
         [](const ov::DeployNode& n) { return n.disposable == false; }},
        {"disposable absent does not", "{target: vm, vm: e, disposable: true}", "{ram: 1G}",
         [](const ov::DeployNode& n) { return n.disposable == true && n.ram == "1G"; }},
        {"no nested keeps the children", "{target: vm, vm: e, nested: {p: {target: local}}}", "{ram: 1G}",
         [](const ov::DeployNode& n) { return n.nested.contains("p"); }},
        {"nested replaces them all", "{target: vm, vm: e, nested: {p: {target: local}}}", "{nested: {q: {target: local}}}",
         [](const ov::DeployNode& n) { return n.nested.size() == 1 && n.nested.contains("q"); }},
        {"an overlay may only add a field (W15)", "{target: pod, image: i}", "{env: [A=b]}",
         [](const ov::DeployNode& n) { return n.image == "i" && n.env.size() == 1; }},
        {"zero is not set", "{target: vm, vm: e, cpus: 4}", "{cpus: 0}", [](const ov::DeployNode& n) { return n.cpus == 4; }},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Loaded loaded = load(TempTree({{"overthink.yml", version + "deploy: {d: " + row.project + "}\n"},
                                             {"host.yml", "deploy: {d: " + std::string(row.overlay) + "}\n"}}));
        CAPTURE(loaded.findings);
        REQUIRE(loaded.ok);
        CHECK(row.holds(loaded.project.deploys.at("d")));
    }
}

TEST_CASE("the corpus project: each import that is missing is named, with them it loads") {
    const auto root = ov::test::corpus();
    if (!root) return;
    TempTree tree({{"x", ""}});
    std::filesystem::copy(*root + "/project", tree.path(), std::filesystem::copy_options::recursive);
    std::filesystem::copy(*root + "/layers", tree.path("layers"), std::filesystem::copy_options::recursive);
    const std::string findings = load(tree).findings;
    CHECK(findings.find("overthink.yml:7:7: import cannot be read: " + tree.path("eval.yml")) != std::string::npos);
    CHECK(findings.find("import cannot be read: " + tree.path("android.yml")) != std::string::npos);
    CHECK(std::count(findings.begin(), findings.end(), '\n') == 2);
    for (const char* file : {"eval.yml", "android.yml"}) tree.write(file, "deploy: {}\n");
    const Loaded loaded = load(tree);
    CHECK(loaded.ok);
    CHECK(loaded.project.layers.size() == 153);
    CHECK(loaded.project.vms.contains("vm"));
    CHECK(loaded.project.defaults.builder.at("npm") == "fedora-builder");
}

TEST_CASE("layer-format 9 builder images: defaults, then the first root image that lists the first matching tag") {
    const Loaded loaded = load(TempTree({{"overthink.yml", version + R"(
defaults: {builder: {npm: def, pixi: def}}
image:
  b-root: {base: quay.io/x, distro: [fedora], builder: {npm: b}}
  a-child: {base: b-root, distro: [fedora], builder: {npm: child}}
  c-root: {base: quay.io/y, distro: ["fedora:43"], builder: {npm: c}}
  d-root: {base: quay.io/z, distro: [arch]}
)"}}));
    REQUIRE(loaded.ok);
    CHECK(ov::builder_images(loaded.project, {"fedora:43", "fedora"}) ==
          std::map<std::string, std::string>{{"npm", "c"}, {"pixi", "def"}});
    CHECK(ov::builder_images(loaded.project, {"fedora:42", "fedora"}).at("npm") == "b");
    CHECK(ov::builder_images(loaded.project, {"arch"}).at("npm") == "def");
}
