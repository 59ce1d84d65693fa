// Directories of the host shared with the guest. The id map and the shared memory of virtiofs are couplings.
#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

const char* source_key(const std::string& type) {
    if (type == "block") return "dev";
    if (type == "file") return "file";
    return type == "template" ? "name" : "dir";
}

void add_binary(pugi::xml_node filesystem, const vm::TextMap& binary) {
    pugi::xml_node node = add(filesystem, "binary");
    set(node, "path", text_of(binary, "path"));
    set(node, "xattr", on_off_of(binary, "xattr"));
    const auto knob = [&](const char* name, const char* attribute) {
        if (const std::string value = text_of(binary, name); !value.empty()) set(add(node, name), attribute, value);
    };
    knob("cache", "mode");
    knob("sandbox", "mode");
    knob("thread_pool", "size");
    if (is_blank(node)) filesystem.remove_child(node);
}

}  // namespace

void add_filesystems(pugi::xml_node devices, const Context& context) {
    for (const vm::Filesystem& spec : context.devices().filesystems) {
        pugi::xml_node filesystem = add(devices, "filesystem");
        const std::string type = or_else(spec.type, "mount");
        set(filesystem, "type", type);
        set(filesystem, "accessmode", spec.accessmode);
        // What the schema calls 9p is `path` to libvirt.
        if (!spec.driver.empty()) set(add(filesystem, "driver"), "type", spec.driver == "9p" ? std::string("path") : spec.driver);
        add_binary(filesystem, spec.binary);
        if (!spec.source.empty()) set(add(filesystem, "source"), source_key(type), spec.source);
        if (!spec.target.empty()) set(add(filesystem, "target"), "dir", spec.target);
        if (spec.readonly) add(filesystem, "readonly");
    }
}

}  // namespace ov::render
