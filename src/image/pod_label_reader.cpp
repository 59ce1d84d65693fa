#include "image/pod_label_reader.hpp"

#include <fmt/format.h>

#include <charconv>

#include "ov/error.hpp"

namespace ov {

namespace {

using nlohmann::json;

}  // namespace

std::string PodLabelReader::text(const std::string& key) const {
    const auto found = labels_.find(label_prefix + key);
    return found == labels_.end() ? std::string() : found->second;
}

std::vector<std::string> PodLabelReader::words(const std::string& key) const {
    std::vector<std::string> all;
    for (const json& item : list(key)) {
        if (!item.is_string()) malformed(key, "every item must be a string");
        all.push_back(item.get<std::string>());
    }
    return all;
}

std::optional<int> PodLabelReader::number(const std::string& key) const {
    const std::string value = text(key);
    if (value.empty()) return std::nullopt;
    int number = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failure != std::errc() || end != value.data() + value.size() || number < 0) malformed(key, "not a number");
    return number;
}

void PodLabelReader::malformed(const std::string& key, const std::string& why) {
    throw Error(Errc::spec_invalid, fmt::format("label {}{} of the image is malformed: {}", label_prefix, key, why));
}

void PodLabelReader::check_rest() const {
    for (const char* key : {"env_layers", "services", "secret_requires", "secret_accepts", "env_accepts", "env_provides",
                            "mcp_provides", "mcp_requires", "mcp_accepts", "data", "port_protos", "port_relay", "routes",
                            "aliases", "path_append", "layer_versions", "skills", "eval", "description"})
        if (const std::string value = text(key); !value.empty() && json::parse(value, nullptr, false).is_discarded())
            malformed(key, "no JSON");
}

json PodLabelReader::parsed(const std::string& key, json::value_t kind) const {
    const std::string value = text(key);
    if (value.empty()) return kind == json::value_t::array ? json::array() : json::object();
    json result = json::parse(value, nullptr, false);
    if (result.is_null()) return kind == json::value_t::array ? json::array() : json::object();
    if (result.type() != kind) malformed(key, kind == json::value_t::array ? "expected a JSON list" : "expected a JSON object");
    return result;
}

std::string label_member(const json& object, const char* key, const std::string& label) {
    if (!object.is_object()) PodLabelReader::malformed(label, "every item must be an object");
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return {};
    if (found->is_number()) return found->dump();
    if (!found->is_string()) PodLabelReader::malformed(label, fmt::format("{} must be a string", key));
    return found->get<std::string>();
}

std::vector<std::string> label_members(const json& object, const char* key, const std::string& label) {
    std::vector<std::string> all;
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return all;
    if (!found->is_array()) PodLabelReader::malformed(label, fmt::format("{} must be a list", key));
    for (const json& item : *found) {
        if (!item.is_string()) PodLabelReader::malformed(label, fmt::format("{} must be a list of strings", key));
        all.push_back(item.get<std::string>());
    }
    return all;
}

}  // namespace ov
