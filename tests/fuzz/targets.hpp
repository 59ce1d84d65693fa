// What the fuzzers run, also run over their stored inputs by the unit tests.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "ov/render.hpp"
#include "ov/validate_layer.hpp"
#include "ov/vm_validate.hpp"
#include "plan/step_script.hpp"
#include "render/text_check.hpp"
#include "spec/decode_layer.hpp"
#include "spec/remote_layers.hpp"
#include "spec/yaml_document.hpp"
#include "support/temp_tree.hpp"

namespace ov::fuzz {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Compiles for every family of systems: equal plans each time, printable, with scripts for every step.
inline void compile_everywhere(const Layer& layer) {
    for (const char* tag : {"fedora:43", "debian:13", "arch"}) {
        CompileContext context;
        context.distro = distro_from_tag(tag);
        context.user = "cloud";
        context.home = "/home/cloud";
        context.architecture = "x86_64";
        try {
            const InstallPlan plan = compile(layer, context);
            require(plan_digest(plan, {}) == plan_digest(compile(layer, context), {}), "two compiles differ");
            const auto replace = nlohmann::json::error_handler_t::replace;
            require(!to_json(plan).dump(-1, ' ', false, replace).empty(), "a plan without JSON");
            for (const Step& step : plan.steps) {
                require(!step.summary().empty(), "a step without summary");
                try {
                    render_step(step, {});
                } catch (const Error&) {
                }
            }
        } catch (const SpecError&) {
        }
    }
}

/// Any bytes as a layer.yml: findings or a layer, never a crash.
inline void layer(std::string_view text) {
    std::vector<Diagnostic> findings;
    const Layer decoded = spec::decode_layer_file(text, "layer.yml", "web", "/layers/web", findings);
    for (const Diagnostic& finding : findings) require(!finding.message.empty(), "a finding without words");
    compile_everywhere(decoded);
    LayerMap layers;
    layers.emplace("web", decoded);
    validate_layers(layers);
}

/// Everything that a loaded project is asked for: no question may crash or throw anything but our own errors.
inline void ask(Project& project, const Checkouts& checkouts) {
    std::vector<std::string> images;
    for (const auto& [name, image] : project.images) images.push_back(name);
    for (const auto& [alias, mounted] : project.namespaces)
        for (const char* name : {"base", "img"}) images.push_back(alias + "." + name);
    std::vector<std::string> requests;
    for (const auto& [key, layer] : project.layers) requests.push_back(key);
    for (const auto& [key, node] : project.deploys)
        requests.insert(requests.end(), node.add_layers.begin(), node.add_layers.end());
    const auto attempt = [](const auto& question) {
        try {
            question();
        } catch (const Error&) {
        }
    };
    for (const std::string& image : images) attempt([&] { resolve_image(project, image, checkouts); });
    for (const std::string& ref : requests) attempt([&] { resolve_layer_ref(project, ref, project.directory); });
    attempt([&] { spec::resolve_remote_layers(project, requests, checkouts); });
    for (const std::string& ref : requests)
        attempt([&] { order_layers(std::vector<std::string>{find_layer(project, ref).key}, project.layers); });
    for (const char* tag : {"fedora:43", "debian:13"}) builder_images(project, distro_from_tag(tag).tags);
}

/// Any bytes as project files, separated by 0x1e, in the order of `names`.
inline void project(std::string_view text) {
    static const test::TempTree tree;
    static const char* const names[] = {"overthink.yml",      "a.yml",          "layers/x/layer.yml", "deploy.yml",
                                        "images/i/image.yml", "repo/build.yml", "repo/overthink.yml", "repo/layers/y/layer.yml"};
    static std::map<std::string, std::string> written;
    for (const char* name : names) {
        const std::size_t end = std::min(text.find('\x1e'), text.size());
        const std::string content(text.substr(0, end));
        if (const auto [known, is_new] = written.try_emplace(name, content); is_new || known->second != content) {
            known->second = content;
            tree.write(name, content);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const Checkout checkout{tree.path("repo"), "v1", "0123456789abcdef0123456789abcdef01234567"};
    const Checkouts checkouts{{{"github.com/a/b", "v1"}, checkout}, {{"github.com/a/b", ""}, checkout}};
    try {
        Project loaded = load_project({tree.path(), tree.path("deploy.yml"), &checkouts});
        ask(loaded, checkouts);
    } catch (const Error&) {
    }
}

/// The host of a VM: all three, since they render forwards, id maps and processors differently.
inline HostFacts host(bool kvm, bool passt, Version version) {
    HostFacts facts;
    facts.cpu_vendor = "GenuineIntel";
    facts.kvm = kvm;
    facts.libvirt = LibvirtFacts{};
    facts.libvirt->version = version;
    facts.libvirt->passt = passt;
    facts.qemu = QemuFacts{{7, 2, 0}, {}};
    facts.uid = facts.gid = 1001;
    facts.subuid = facts.subgid = SubIdRange{100000, 65536};
    facts.swtpm = facts.virtiofsd = facts.passt = "/usr/bin/x";
    facts.firmware = {{"/code.fd", "/vars.fd", "raw", false, false}, {"/code.ms.fd", "/vars.ms.fd", "raw", true, true}};
    return facts;
}

inline void render_on(const VmSpec& spec, const HostFacts& facts) {
    const VmRuntime runtime = default_runtime(spec, facts, {"/project", "/state", {}});
    std::vector<Diagnostic> findings = validate(spec, facts);
    for (const Diagnostic& finding : check_markup(spec, runtime)) findings.push_back(finding);
    bool valid = true;
    for (const Diagnostic& finding : findings) {
        require(!finding.message.empty(), "a finding without words");
        valid = valid && finding.severity != Severity::error;
    }
    try {
        const std::string xml = render_domain(spec, facts, runtime);
        require(xml == render_domain(spec, facts, runtime), "two renders differ");
        pugi::xml_document document;
        require(document.load_buffer(xml.data(), xml.size()), "XML that is not well-formed");
        require(render::broken_part(document).empty(), "XML with a character or a name that XML cannot carry");
    } catch (const SpecError&) {
        require(!valid, "a valid spec that cannot be rendered");
    }
    for (const std::string& word : render_argv(spec, facts, runtime)) require(!word.empty(), "an empty argument");
    const CloudInitFiles seed = render_cloud_init(spec, runtime);
    std::vector<Diagnostic> wrong;
    if (valid) require(spec::parse_yaml(seed.user_data, "user-data", wrong).size() == 1, "a seed that is not one document");
}

/// Any bytes as the body of a VM entity: findings, or definitions that are well-formed.
inline void vm(std::string_view text) {
    std::vector<Diagnostic> findings;
    const VmSpec spec = parse_vm_spec(text, "web", "vm.yml", findings);
    for (const Diagnostic& finding : findings) require(!finding.message.empty(), "a finding without words");
    static const HostFacts hosts[] = {host(true, true, {11, 3, 0}), host(false, false, {9, 0, 0})};
    for (const HostFacts& facts : hosts) render_on(spec, facts);
}

}  // namespace ov::fuzz
