// layer.yml -> Layer. Each family of keys has its own decode_*.cpp; this header is what they share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ov/layer.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

/// A whole layer file. On findings that are errors the layer holds what could be read.
Layer decode_layer_file(std::string_view text, const std::string& file, const std::string& name, const std::string& dir,
                        std::vector<Diagnostic>& findings);

/// The value of `layer:`, or the value of an inline entry.
Layer decode_layer_body(const Cursor& body, const std::string& name, const std::string& dir);

void decode_packages(MapReader& body, Layer& layer);
/// `cachyos: {package: [x]}`: an unknown body key that reads like a package section. Warns and returns true if it is one.
bool decode_stray_section(const YamlEntry& entry, const Cursor& value, Layer& layer);
std::vector<Task> decode_tasks(const Cursor& list);
std::vector<Service> decode_services(const Cursor& list);
ShellConfig decode_shell(const Cursor& value);
std::vector<Dependency> decode_dependencies(const Cursor& list);
std::vector<Artifact> decode_artifacts(const Cursor& list);
std::vector<ApkPackage> decode_apk(const Cursor& list);
std::vector<std::string> decode_libvirt_snippets(const Cursor& value);
/// Keys that have no effect on a VM or a host: read so that wrong types are found.
void decode_ignored_keys(MapReader& body, Layer& layer);

/// "0755", "0o755": permission bits; nullopt when it is no octal text.
std::optional<unsigned> parse_mode(std::string_view text) noexcept;

/// Name of the distribution as it may begin a distro key: "fedora", "debian", ...
bool is_known_distro(std::string_view name) noexcept;

}  // namespace ov::spec
