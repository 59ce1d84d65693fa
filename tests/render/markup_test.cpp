// Raw XML of authors and layers: what is refused, where the rest goes.
#include "support/render_case.hpp"

#include "render/markup.hpp"

namespace {

using namespace ov::test;

ov::VmSpec with_snippets(std::vector<std::string> snippets, std::string passthrough = {}) {
    ov::VmSpec spec = spec_of("source: {kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\"}\n");
    spec.libvirt.snippets = std::move(snippets);
    spec.libvirt.xml_passthrough = std::move(passthrough);
    return spec;
}

ov::VmRuntime named() {
    ov::VmRuntime runtime;
    runtime.name = "ov-lab";
    return runtime;
}

}  // namespace

TEST_CASE("snippets that cannot be merged are findings with their index") {
    struct Row {
        const char *snippet, *says;
    };
    const Row rows[] = {
        {" \n", "empty"},
        {"<cpu", "malformed"},
        {"<cpu></vcpu>", "malformed"},
        {"text", "outside"},
        {"<!-- only -->", "no element"},
        {"<a:b/>", "namespace prefix a"},
        {"<flux/>", "flux"},
        {"<devices><flux/></devices>", "flux"},
        {"<name>x</name>", "<name>"},
        {"<memory unit='MiB'>4</memory>", "model"},
        {"<cpu mode='x' mode='y'/>", "twice"},
        {"<cpu mode='&nbsp;'/>", "&amp;"},
        {"<title>\x01</title>", "text of <title>"},
        {"<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>", "prefix qemu"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.snippet);
        const auto findings = ov::check_markup(with_snippets({row.snippet}), named());
        REQUIRE(findings.size() == 1);
        CHECK(findings[0].path == "vm.atlas.libvirt.snippets[0]");
        CHECK(findings[0].message.find(row.says) != std::string::npos);
        CHECK_THROWS_AS(ov::render_domain(with_snippets({row.snippet}), facts_of(), named()), ov::SpecError);
    }
}

TEST_CASE("a second element of what may occur once is refused and names the first, the same text again is dropped") {
    const auto findings =
        ov::check_markup(with_snippets({"<cpu mode='maximum'/>", "<pm/>", "<cpu mode='host-model'/>"}), named());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].path == "vm.atlas.libvirt.snippets[2]");
    CHECK(findings[0].message.find("libvirt.snippets[0]") != std::string::npos);
    CHECK(ov::check_markup(with_snippets({"<cpu mode='maximum'/>", " <cpu mode='maximum'/>\n"}), named()).empty());
}

TEST_CASE("a layer's snippet is named by its layer and comes before the entity's own") {
    ov::VmRuntime runtime = named();
    runtime.layer_snippets = {{"gpu", 0, "<rng model='virtio'><backend model='builtin'/></rng>"}, {"gpu", 1, "<bad"}};
    const auto findings = ov::check_markup(with_snippets({}), runtime);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].message.starts_with("layer gpu, libvirt[1]: malformed"));
}

TEST_CASE("raw XML goes to its place") {
    struct Row {
        const char *rule, *snippet, *xpath, *expected;
    };
    const Row rows[] = {
        {"several roots in one text", "<pm/><input type='tablet' bus='virtio'/>", "/domain/pm|/domain/devices/input",
         "<pm/><input type='tablet' bus='virtio'/>"},
        {"genid after the name", "<genid>x</genid>", "/domain/name/following-sibling::*[1]", "<genid>x</genid>"},
        {"devices below <devices>", "<devices><lease><lockspace>a</lockspace></lease></devices>", "/domain/devices/lease",
         "<lease><lockspace>a</lockspace></lease>"},
        {"sysinfo is appended", "<sysinfo type='fwcfg'/>", "/domain/sysinfo", "<sysinfo type='fwcfg'/>"},
        {"a namespaced element keeps its namespace", "<metadata><l:o xmlns:l='urn:l'>m</l:o></metadata>", "/domain/metadata",
         "<metadata><l:o xmlns:l='urn:l'>m</l:o></metadata>"},
        {"qemu:commandline without a declaration of its own", "<qemu:commandline><qemu:arg value='-msg'/></qemu:commandline>",
         "/domain/*[name()='qemu:commandline']", "<qemu:commandline><qemu:arg value='-msg'/></qemu:commandline>"},
        {"a channel whose target exists is skipped", "<channel type='pty'><target type='virtio' name='org.lab.0'/></channel>",
         "//channel", "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.lab.0'/></channel>"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        ov::VmSpec spec = with_snippets({row.snippet});
        spec.libvirt.devices.channels.push_back({"unix", "org.lab.0", {}, {}});
        const std::string xml = ov::render_domain(spec, facts_of(), named());
        CAPTURE(xml);
        CHECK(part(xml, row.xpath) == canonical(row.expected));
    }
}
