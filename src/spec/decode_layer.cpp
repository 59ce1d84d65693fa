#include "spec/decode_layer.hpp"

#include <algorithm>
#include <map>

#include "model/layer_ref.hpp"
#include "ov/error.hpp"
#include "spec/retired_keys.hpp"
#include "spec/yaml_document.hpp"

namespace ov::spec {

namespace {

std::vector<LayerRef> decode_refs(MapReader& body, std::string_view key) {
    std::vector<LayerRef> refs;
    const auto list = body.take(key);
    if (!list) return refs;
    for (const Cursor& item : list->items()) {
        LayerRef ref{item.text(), {}, item.where(), {}};
        try {
            ref.key = layer_key(ref.text);
            if (is_remote_ref(ref.text)) ref.version = parse_remote_ref(ref.text).version;
        } catch (const Error& e) {
            item.error(e.what());
            continue;
        }
        if (ref.text.empty())
            item.error("expected the name of a layer, got nothing");
        else
            refs.push_back(std::move(ref));
    }
    return refs;
}

/// Text, or a mapping with `feature` and `narrative`.
std::string decode_description(MapReader& body) {
    const auto value = body.take("description");
    if (!value) return {};
    if (!value->node().is_map()) return value->text();
    const YamlNode* feature = value->node().find("feature");
    return feature != nullptr && feature->is_scalar() ? feature->text : std::string();
}

void decode_unknown_keys(const MapReader& body, Layer& layer) {
    for (const auto& [entry, value] : body.rest()) {
        if (const auto message = retired_body_key(entry.key)) {
            value.report().add(Severity::error, entry.line, entry.column, value.path(), *message);
            continue;
        }
        if (!decode_stray_section(entry, value, layer)) body.warn_unknown(entry);
    }
}

}  // namespace

Layer decode_layer_body(const Cursor& cursor, const std::string& name, const std::string& dir) {
    Layer layer;
    layer.name = layer.key = name;
    layer.dir = dir;
    layer.where = cursor.where();
    if (cursor.node().is_map()) layer.body = cursor.share();
    MapReader body(cursor);

    layer.version = body.text("version");
    if (const auto authored = body.take("name"); authored && authored->text() != name && !authored->text().empty())
        authored->warning("ignored: the layer is called \"" + name + "\" after its directory");
    layer.description = decode_description(body);
    layer.require = decode_refs(body, "require");
    layer.layers = decode_refs(body, "layer");
    decode_packages(body, layer);
    if (const auto tasks = body.take("task")) layer.tasks = decode_tasks(*tasks);
    layer.vars = body.text_map("var");
    layer.env = body.text_map("env");
    layer.path_append = body.text_list("path_append");
    if (const auto shell = body.take("shell"); shell && !shell->node().is_null()) layer.shell = decode_shell(*shell);
    if (const auto services = body.take("service")) layer.services = decode_services(*services);
    if (const auto apk = body.take("apk")) layer.apk = decode_apk(*apk);
    layer.reboot = body.boolean("reboot");
    const auto dependencies = [&](std::string_view key, std::vector<Dependency>& into) {
        if (const auto list = body.take(key)) into = decode_dependencies(*list);
    };
    dependencies("secret_require", layer.secret_require);
    dependencies("secret_accept", layer.secret_accept);
    dependencies("env_require", layer.env_require);
    dependencies("env_accept", layer.env_accept);
    if (const auto artifacts = body.take("artifact")) layer.artifacts = decode_artifacts(*artifacts);
    if (const auto eval = body.take("eval"); eval && !eval->items().empty()) layer.eval = eval->share();
    if (const auto libvirt = body.take("libvirt")) layer.libvirt_snippets = decode_libvirt_snippets(*libvirt);
    decode_ignored_keys(body, layer);
    decode_unknown_keys(body, layer);
    return layer;
}

Layer decode_layer_file(std::string_view text, const std::string& file, const std::string& name, const std::string& dir,
                        std::vector<Diagnostic>& findings) {
    Report report{file, findings};
    Layer empty;
    empty.name = empty.key = name;
    empty.dir = dir;
    empty.where = {file, 1, 1};

    std::vector<YamlPtr> documents = parse_yaml(text, file, findings);
    std::erase_if(documents, [](const YamlPtr& document) { return document->is_null(); });
    if (documents.empty()) return empty;
    if (documents.size() > 1)
        report.add(Severity::error, documents[1]->line, documents[1]->column, {},
                   "a layer file holds one document, this is the second");
    const YamlNode& root = *documents.front();
    if (!root.is_map()) {
        report.add(Severity::error, root.line, root.column, {},
                   "expected a mapping with the key layer, got a " + std::string(kind_name(root)));
        return empty;
    }
    for (const YamlEntry& entry : root.entries) {
        if (entry.key == "layer") continue;
        report.add(Severity::error, entry.line, entry.column, entry.key,
                   root_key_message(entry.key).value_or("a layer file has the single key layer; move this below it"));
    }
    const auto layer =
        std::find_if(root.entries.begin(), root.entries.end(), [](const YamlEntry& e) { return e.key == "layer"; });
    if (layer == root.entries.end()) {
        report.add(Severity::error, root.line, root.column, {}, "the key layer is missing: the body of a layer stands below it");
        return empty;
    }
    return decode_layer_body(Cursor(layer->value, "layer", report), name, dir);
}

}  // namespace ov::spec
