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

Dependency decode_dependency(MapReader& item) {
    Dependency dependency;
    dependency.where = item.cursor().where();
    dependency.name = item.text("name");
    dependency.description = item.text("description");
    dependency.fallback = item.text("default");
    dependency.key = item.text("key");
    return dependency;
}

std::pair<std::string, std::string> decode_rewrite(MapReader& rule) {
    std::string find = rule.text("find");
    return {std::move(find), rule.text("replace")};
}

/// Seconds to wait for the file; anything past a day is a slip of the keyboard.
int decode_wait(const Cursor& value) {
    const long long seconds = value.integer().value_or(0);
    if (seconds >= 0 && seconds <= 86400) return static_cast<int>(seconds);
    value.expected("a number of seconds from 0 to 86400");
    return 0;
}

Artifact decode_artifact(MapReader& item) {
    Artifact artifact;
    artifact.where = item.cursor().where();
    artifact.name = item.text("name");
    artifact.path = item.text("path");
    artifact.retrieve_to = item.text("retrieve_to");
    if (artifact.path.empty()) item.cursor().error("artifact without path");
    if (artifact.retrieve_to.empty()) item.cursor().error("artifact without retrieve_to");
    if (const auto mode = item.take("mode"); mode && !mode->node().is_null()) {
        const auto bits = parse_mode(mode->text());
        if (!bits) mode->warning("'" + mode->text() + "' is no octal mode; 0644 is used");
        artifact.mode = bits.value_or(0644);
    }
    if (const auto rules = item.take("rewrite"))
        artifact.rewrite = decode_each<std::pair<std::string, std::string>>(*rules, decode_rewrite);
    artifact.optional = item.boolean("optional");
    if (const auto wait = item.take("wait_second")) artifact.wait_seconds = decode_wait(*wait);
    return artifact;
}

ApkPackage decode_apk_package(MapReader& item) {
    ApkPackage apk;
    apk.package = item.text("package");
    apk.apk = item.text("apk");
    apk.source = item.text("source");
    apk.arch = item.text("arch");
    apk.app_version = item.text("app_version");
    return apk;
}

}  // namespace

std::vector<Dependency> decode_dependencies(const Cursor& list) {
    return decode_each<Dependency>(list, decode_dependency);
}

std::vector<Artifact> decode_artifacts(const Cursor& list) {
    return decode_each<Artifact>(list, decode_artifact);
}

std::vector<ApkPackage> decode_apk(const Cursor& list) {
    return decode_each<ApkPackage>(list, decode_apk_package);
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
