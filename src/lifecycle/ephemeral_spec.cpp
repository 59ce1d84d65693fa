// `ephemeral:` of a deploy node as its author wrote it.
#include <fmt/format.h>

#include <cstdlib>

#include "lifecycle/ephemeral.hpp"
#include "model/names.hpp"
#include "model/yaml_writer.hpp"
#include "ov/load.hpp"

namespace ov {

std::optional<std::chrono::seconds> parse_ttl(std::string_view text) {
    double total = 0;
    const std::string copy(text);
    const char* at = copy.c_str();
    const char* end = at + copy.size();
    while (at != end) {
        if (*at < '0' || *at > '9') return std::nullopt;
        char* after = nullptr;
        const double value = std::strtod(at, &after);
        if (after == at || after == end) return std::nullopt;
        const char unit = *after;
        at = after + 1;
        if (unit == 'm' && at != end && *at == 's') {
            total += value / 1000;
            ++at;
        } else if (unit == 'h') {
            total += value * 3600;
        } else if (unit == 'm') {
            total += value * 60;
        } else if (unit == 's') {
            total += value;
        } else {
            return std::nullopt;
        }
    }
    if (total < 1 || total > 1e9) return std::nullopt;
    return std::chrono::seconds(static_cast<long long>(total));
}

std::optional<EphemeralSpec> ephemeral_of(const DeployNode& node) {
    const YamlPtr value = yaml_entry(node.body, "ephemeral");
    if (!value) return std::nullopt;
    const auto wrong = [&](const std::string& what) {
        throw Error(Errc::spec_invalid, fmt::format("deploy {}: ephemeral: {}", node.key, what));
    };
    EphemeralSpec spec;
    if (node.disposable == false) wrong("an ephemeral machine is disposable; disposable: false contradicts it");
    if (!value->is_map()) {
        if (value->text == "true" || value->text == "yes" || value->text == "on") return spec;
        wrong(fmt::format("expected true or a mapping, got '{}'; omit the key for a machine that stays", value->text));
    }
    for (const YamlEntry& entry : value->entries)
        if (entry.key != "ttl" && entry.key != "keep_on_failure" && entry.key != "naming_pattern")
            wrong(fmt::format("unknown key {}; it has ttl, keep_on_failure, naming_pattern", entry.key));
    if (const std::string text = yaml_entry_text(value, "ttl"); !text.empty()) {
        const auto ttl = parse_ttl(text);
        if (!ttl) wrong(fmt::format("ttl: expected a duration such as 30m, 2h or 1h30m, got '{}'", text));
        spec.ttl = *ttl;
    }
    if (const std::string text = yaml_entry_text(value, "keep_on_failure"); !text.empty()) {
        if (text != "true" && text != "false") wrong(fmt::format("keep_on_failure: expected true or false, got '{}'", text));
        spec.keep_on_failure = text == "true";
    }
    if (std::string text = yaml_entry_text(value, "naming_pattern"); !text.empty()) {
        instance_name_of(text, split_deploy_key(node.key).base, "000000");
        spec.naming_pattern = std::move(text);
    }
    return spec;
}

std::string instance_name_of(const std::string& pattern, const std::string& source, const std::string& uuid6) {
    std::string name = pattern;
    for (const auto& [variable, value] : {std::pair<std::string, std::string>{"{{.Source}}", source}, {"{{.UUID6}}", uuid6}})
        for (std::size_t at = 0; (at = name.find(variable, at)) != std::string::npos; at += value.size())
            name.replace(at, variable.size(), value);
    for (char& c : name)
        if (c == ':' || c == '/' || c == '.') c = '-';
    if (name.find("{{") != std::string::npos)
        throw Error(Errc::spec_invalid,
                    fmt::format("naming_pattern '{}': it knows {{{{.Source}}}} and {{{{.UUID6}}}} only", pattern));
    if (!is_valid_entity_name(name))
        throw Error(Errc::spec_invalid, fmt::format("naming_pattern '{}' makes '{}': {}", pattern, name, entity_name_rule));
    return name;
}

}  // namespace ov
