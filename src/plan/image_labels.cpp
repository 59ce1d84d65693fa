#include "plan/image_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ov/error.hpp"
#include "plan/home_token.hpp"
#include "plan/image_data.hpp"

namespace ov {

namespace {

using nlohmann::json;

json to_json(const YamlNode& node) {
    if (node.is_null()) return nullptr;
    if (node.is_map()) {
        json object = json::object();
        for (const YamlEntry& entry : node.entries) object[entry.key] = to_json(*entry.value);
        return object;
    }
    if (node.is_sequence()) {
        json list = json::array();
        for (const YamlPtr& item : node.items) list.push_back(to_json(*item));
        return list;
    }
    if (!node.plain) return node.text;
    if (node.text == "true" || node.text == "false") return node.text == "true";
    const json number = json::parse(node.text, nullptr, false);
    return number.is_number_integer() ? number : json(node.text);
}

const YamlNode* key_of(const Layer& layer, std::string_view key) {
    const YamlNode* value = layer.body ? layer.body->find(key) : nullptr;
    return value == nullptr || value->is_null() ? nullptr : value;
}

class LabelBook {
public:
    LabelBook(const ImageRecipe& recipe, const CompileContext& context) : recipe_(recipe), context_(context) {}

    std::map<std::string, std::string> all() {
        names();
        ports();
        volumes();
        security();
        environment();
        services();
        secrets_and_needs();
        metadata();
        return std::move(labels_);
    }

private:
    void put(const std::string& key, std::string value) {
        if (!value.empty()) labels_["org.overthinkos." + key] = std::move(value);
    }
    void put(const std::string& key, const json& value) {
        if (!value.empty()) put(key, value.dump());
    }

    std::string at_home(std::string_view text) const {
        std::string out = plan::tokenise_home(text);
        for (std::size_t at = out.find(home_token); at != std::string::npos; at = out.find(home_token, at))
            out.replace(at, std::string_view(home_token).size(), recipe_.home);
        return out;
    }

    void names() {
        put("version", recipe_.version);
        put("image", recipe_.name);
        if (recipe_.registry != "localhost") put("registry", recipe_.registry);
        if (recipe_.has_account) {
            put("uid", std::to_string(recipe_.uid));
            put("gid", std::to_string(recipe_.gid));
            put("user", recipe_.user);
            put("home", recipe_.home);
        }
        put("network", recipe_.network);
        put("status", recipe_.status);
        put("info", recipe_.info);
        put("init", recipe_.init);
    }

    /// The image's own mappings, then the ports of layers that it does not map.
    void ports() {
        json list = json::array(), protocols = json::object();
        std::vector<std::string> inside;
        for (const std::string& text : recipe_.ports) {
            list.push_back(text);
            const std::size_t colon = text.rfind(':');
            inside.push_back(text.substr(colon == std::string::npos ? 0 : colon + 1));
        }
        for (const Layer* layer : recipe_.layers) {
            const YamlNode* own = key_of(*layer, "port");
            if (own == nullptr) continue;
            for (const YamlPtr& item : own->items) {
                std::string port = item->text;
                if (const std::size_t colon = port.find(':'); colon != std::string::npos) {
                    const std::string protocol = port.substr(0, colon);
                    port.erase(0, colon + 1);
                    protocols[port] = protocol;
                    if (protocol == "udp") port += "/udp";
                }
                if (std::find(inside.begin(), inside.end(), port) != inside.end()) continue;
                inside.push_back(port);
                list.push_back(port);
            }
        }
        put("ports", list);
        put("port_protos", protocols);
    }

    void volumes() {
        json list = json::array();
        std::vector<std::string> known;
        for (const Layer* layer : recipe_.layers) {
            const YamlNode* own = key_of(*layer, "volume");
            if (own == nullptr) continue;
            for (const YamlPtr& item : own->items) {
                const YamlNode* name = item->find("name");
                const YamlNode* path = item->find("path");
                if (name == nullptr || path == nullptr)
                    throw Error(Errc::spec_invalid, fmt::format("layer {}: volume: name and path are required", layer->key));
                if (std::find(known.begin(), known.end(), name->text) != known.end()) continue;
                known.push_back(name->text);
                list.push_back({{"name", name->text}, {"path", at_home(path->text)}});
            }
        }
        put("volumes", list);
        json seeds = json::array();
        for (const ImageData& data : image_data(recipe_)) {
            if (!data.has_volume) continue;
            seeds.push_back({{"volume", data.volume}, {"staging", data.staging}, {"layer", data.layer}, {"dest", data.dest}});
        }
        put("data", seeds);
    }

    /// Lists add up, single values are the last layer's, the image's own win.
    void security() {
        json merged = json::object();
        for (const Layer* layer : recipe_.layers) merge_security(merged, key_of(*layer, "security"));
        merge_security(merged, recipe_.body ? recipe_.body->find("security") : nullptr);
        put("security", merged);
    }
    static void merge_security(json& merged, const YamlNode* own) {
        if (own == nullptr || !own->is_map()) return;
        for (const YamlEntry& entry : own->entries) {
            const std::string key = entry.key == "mount" ? "mounts" : entry.key;
            const json value = to_json(*entry.value);
            if (!value.is_array()) {
                // Sizes and counts are texts in the label.
                merged[key] = value.is_number() ? json(value.dump()) : value;
                continue;
            }
            json& list = merged[key];
            for (const json& item : value)
                if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
        }
    }

    void environment() {
        json own = json::array(), baked = json::object(), path = json::array();
        for (const std::string& line : recipe_.env) own.push_back(line);
        for (const Layer* layer : recipe_.layers) {
            for (const auto& [key, value] : layer->env) baked[key] = at_home(value);
            for (const std::string& entry : layer->path_append) path.push_back(at_home(entry));
        }
        put("env", own);
        put("env_layers", baked);
        put("path_append", path);
    }

    void services() {
        json all = json::array(), names = json::array();
        for (const Layer* layer : recipe_.layers) {
            const YamlNode* own = key_of(*layer, "service");
            if (own == nullptr) continue;
            for (const YamlPtr& item : own->items) {
                json service = to_json(*item);
                service["layer"] = layer->name;
                if (service.contains("name") && !service.contains("use_packaged")) names.push_back(service["name"]);
                all.push_back(std::move(service));
            }
        }
        put("services", all);
        if (!recipe_.init.empty()) put("services." + recipe_.init, names);
    }

    void secrets_and_needs() {
        collect("secrets", "secret");
        collect("mcp_provides", "mcp_provide");
        collect("mcp_requires", "mcp_require");
        collect("mcp_accepts", "mcp_accept");
        needs("secret_requires", &Layer::secret_require);
        needs("secret_accepts", &Layer::secret_accept);
        needs("env_requires", &Layer::env_require);
        needs("env_accepts", &Layer::env_accept);
    }
    /// A value that a layer's own env gives is no need any more.
    void needs(const std::string& label, std::vector<Dependency> Layer::*field) {
        json list = json::array();
        for (const Layer* layer : recipe_.layers)
            for (const Dependency& one : layer->*field) {
                if (label == "env_requires" && (layer->env.contains(one.name) || !one.fallback.empty())) continue;
                json item{{"name", one.name}};
                if (!one.description.empty()) item["description"] = one.description;
                if (!one.fallback.empty()) item["default"] = one.fallback;
                if (!one.key.empty()) item["key"] = one.key;
                list.push_back(std::move(item));
            }
        put(label, list);
    }
    void collect(const std::string& label, const char* key) {
        json list = json::array();
        for (const Layer* layer : recipe_.layers)
            if (const YamlNode* own = key_of(*layer, key))
                for (const YamlPtr& item : own->items) list.push_back(to_json(*item));
        put(label, list);
    }

    void metadata() {
        json provided = json::object(), versions = json::object(), hooks = json::object(), eval = json::object();
        json relay = json::array(), routes = json::array(), aliases = json::array();
        for (const Layer* layer : recipe_.layers) {
            if (!layer->version.empty()) versions[layer->name] = layer->version;
            if (const YamlNode* own = key_of(*layer, "env_provide"))
                for (const YamlEntry& entry : own->entries) provided[entry.key] = entry.value->text;
            if (const YamlNode* own = key_of(*layer, "hooks"))
                for (const YamlEntry& entry : own->entries)
                    hooks[entry.key] = hooks.value(entry.key, std::string()) + entry.value->text;
            for (const auto& [key, list] : {std::pair{"port_relay", &relay}, {"alias", &aliases}})
                if (const YamlNode* own = key_of(*layer, key))
                    for (const YamlPtr& item : own->items) list->push_back(to_json(*item));
            if (const YamlNode* own = key_of(*layer, "route")) routes.push_back(to_json(*own));
            if (layer->eval)
                for (const YamlPtr& item : layer->eval->items) eval["layer"].push_back(to_json(*item));
        }
        if (const YamlNode* own = recipe_.body ? recipe_.body->find("eval") : nullptr) eval["image"] = to_json(*own);
        if (const YamlNode* own = recipe_.body ? recipe_.body->find("deploy_eval") : nullptr) eval["deploy"] = to_json(*own);
        put("env_provides", provided);
        put("layer_versions", versions);
        put("hooks", hooks);
        put("port_relay", relay);
        put("routes", routes);
        put("aliases", aliases);
        put("eval", eval);
        put("platform.distro", json(context_.distro.tags));
        if (!context_.distro.format.empty()) put("platform.formats", json::array({context_.distro.format}));
    }

    const ImageRecipe& recipe_;
    const CompileContext& context_;
    std::map<std::string, std::string> labels_;
};

}  // namespace

std::map<std::string, std::string> image_labels(const ImageRecipe& recipe, const CompileContext& context) {
    return LabelBook(recipe, context).all();
}

}  // namespace ov
