// What the renderers decide by themselves and the user should know.
#include <fmt/format.h>

#include <algorithm>

#include "ov/render.hpp"
#include "render/couplings.hpp"
#include "render/xml.hpp"

namespace ov {

namespace {

bool leaves_out_idmap(const render::Context& context) {
    const auto& shares = context.devices().filesystems;
    return std::any_of(shares.begin(), shares.end(), vm::takes_idmap) && context.facts.libvirt &&
           context.facts.libvirt->version < Version{10, 0, 0};
}

}  // namespace

std::vector<Diagnostic> render_notes(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime) {
    const render::Context context(spec, facts, runtime);
    std::vector<Diagnostic> notes;
    const auto note = [&](std::string_view path, std::string text) {
        notes.push_back(spec.finding(path, std::move(text), Severity::note));
    };
    if (render::forwards_by_commandline(context))
        note("network", fmt::format("libvirt {} of this host refuses passt, so the port forwards go by QEMU's own command line "
                                    "(qemu:commandline); the card does not show in libvirt's interface list",
                                    facts.libvirt->version.str()));
    if (context.accelerator == Accelerator::tcg) note("", "no usable KVM: the machine is emulated (TCG), which is slow");
    if (leaves_out_idmap(context))
        note("libvirt.devices.filesystems",
             fmt::format("libvirt {} has no id map (10.0 has); users of the guest other than root may not see their own files",
                         facts.libvirt->version.str()));
    return notes;
}

std::vector<std::string> socket_paths(const std::string& domain_xml) {
    pugi::xml_document document;
    document.load_buffer(domain_xml.data(), domain_xml.size());
    std::vector<std::string> paths;
    const auto add = [&](const char* path) {
        if (*path != '\0') paths.emplace_back(path);
    };
    const pugi::xml_node devices = document.child("domain").child("devices");
    for (const pugi::xml_node channel : devices.children("channel"))
        if (std::string_view(channel.attribute("type").value()) == "unix") add(channel.child("source").attribute("path").value());
    for (const pugi::xml_node graphics : devices.children("graphics"))
        for (const pugi::xml_node listen : graphics.children("listen"))
            if (std::string_view(listen.attribute("type").value()) == "socket") add(listen.attribute("socket").value());
    return paths;
}

}  // namespace ov
