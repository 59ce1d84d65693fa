// Secrets, artifacts, apk, snippets for VM definitions, and the keys that only container images use.
#include <array>

#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

/// Shape of a key that has no effect here.
enum class Shape { text, map, list, any };

constexpr std::pair<std::string_view, Shape> ignored[] = {{"capabilities", Shape::map}, {"requires_capability", Shape::list},
                                                          {"port", Shape::list},        {"route", Shape::map},
                                                          {"volume", Shape::list},      {"alias", Shape::list},
                                                          {"extract", Shape::list},     {"data", Shape::list},
                                                          {"security", Shape::map},     {"hooks", Shape::map},
                                                          {"port_relay", Shape::list},  {"engine", Shape::text},
                                                          {"secret", Shape::list},      {"env_provide", Shape::map},
                                                          {"mcp_provide", Shape::list}, {"mcp_require", Shape::list},
                                                          {"mcp_accept", Shape::list},  {"tags", Shape::any},
                                                          {"scenarios", Shape::any}};

/// A number, or `proto:number`.
void check_port(const Cursor& item) {
    if (!item.node().is_scalar()) return item.expected("a port number or proto:number");
    const std::string& text = item.node().text;
    const std::string number = text.substr(text.find(':') == std::string::npos ? 0 : text.find(':') + 1);
    const bool digits = !number.empty() && number.size() <= 5 && number.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoi(number) < 1 || std::stoi(number) > 65535) item.expected("a port number or proto:number");
}

}  // namespace

std::vector<Dependency> decode_dependencies(const Cursor& list) {
    std::vector<Dependency> all;
    for (const Cursor& item : list.items()) {
        Dependency dependency;
        dependency.where = item.where();
        MapReader reader(item);
        dependency.name = reader.text("name");
        dependency.description = reader.text("description");
        dependency.fallback = reader.text("default");
        dependency.key = reader.text("key");
        reader.finish();
        all.push_back(std::move(dependency));
    }
    return all;
}

std::vector<Artifact> decode_artifacts(const Cursor& list) {
    std::vector<Artifact> all;
    for (const Cursor& item : list.items()) {
        Artifact artifact;
        artifact.where = item.where();
        MapReader reader(item);
        artifact.name = reader.text("name");
        artifact.path = reader.text("path");
        artifact.retrieve_to = reader.text("retrieve_to");
        if (artifact.path.empty()) item.error("artifact without path");
        if (artifact.retrieve_to.empty()) item.error("artifact without retrieve_to");
        if (const auto mode = reader.take("mode"); mode && !mode->node().is_null()) {
            const auto bits = parse_mode(mode->text());
            if (!bits) mode->warning("'" + mode->text() + "' is no octal mode; 0644 is used");
            artifact.mode = bits.value_or(0644);
        }
        if (const auto rewrite = reader.take("rewrite"))
            for (const Cursor& rule : rewrite->items()) {
                MapReader pair(rule);
                std::string find = pair.text("find");
                artifact.rewrite.emplace_back(std::move(find), pair.text("replace"));
                pair.finish();
            }
        artifact.optional = reader.boolean("optional");
        if (const auto wait = reader.take("wait_second")) artifact.wait_seconds = static_cast<int>(wait->integer().value_or(0));
        reader.finish();
        all.push_back(std::move(artifact));
    }
    return all;
}

std::vector<ApkPackage> decode_apk(const Cursor& list) {
    std::vector<ApkPackage> all;
    for (const Cursor& item : list.items()) {
        MapReader reader(item);
        ApkPackage apk;
        apk.package = reader.text("package");
        apk.apk = reader.text("apk");
        apk.source = reader.text("source");
        apk.arch = reader.text("arch");
        apk.app_version = reader.text("app_version");
        reader.finish();
        all.push_back(std::move(apk));
    }
    return all;
}

std::vector<std::string> decode_libvirt_snippets(const Cursor& value) {
    if (!value.node().is_map()) return value.text_list();
    MapReader reader(value);
    std::vector<std::string> snippets = reader.text_list("snippets");
    reader.finish();
    return snippets;
}

void decode_ignored_keys(MapReader& body, Layer& layer) {
    for (const auto& [key, shape] : ignored) {
        const auto value = body.take(key);
        if (!value) continue;
        layer.ignored_keys.emplace_back(key);
        switch (shape) {
            case Shape::text:
                value->text();
                break;
            case Shape::map:
                value->entries();
                break;
            case Shape::list: {
                const auto items = value->items();
                if (key == "port")
                    for (const Cursor& item : items) check_port(item);
                break;
            }
            case Shape::any:
                break;
        }
    }
    if (!layer.libvirt_snippets.empty()) layer.ignored_keys.emplace_back("libvirt");
}

}  // namespace ov::spec
