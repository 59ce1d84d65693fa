#include <fmt/format.h>

#include <algorithm>

#include "ov/error.hpp"
#include "state/deploy_config.hpp"

namespace ov::state {
namespace {

bool is_set(const YamlEntry& field) {
    const YamlNode& value = *field.value;
    if (value.is_null()) return false;
    if (field.key == "disposable") return true;
    if (value.is_scalar()) return !value.text.empty() && value.text != "false";
    return !value.entries.empty() || !value.items.empty();
}

}  // namespace

void DeployDocument::keep_only(const std::vector<std::string>& keys) {
    for (const std::string& key : keys)
        if (!has(key)) throw Error(Errc::not_found, fmt::format("{}: no deploy {}", file_, key));
    for (const std::string& key : this->keys())
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) remove_entry(key);
}

void DeployDocument::lay_over(const DeployDocument& above, std::string_view only) {
    if (only.empty())
        for (const YamlEntry& member : above.root().entries)
            if (member.key != "deploy") set_member(member.key, member.value);
    if (!only.empty() && !above.has(only)) throw Error(Errc::not_found, fmt::format("{}: no deploy {}", above.file_, only));
    for (const std::string& key : above.keys()) {
        const YamlNode& entry = *above.entry(key);
        if ((!only.empty() && key != only) || !entry.is_map()) continue;
        for (const YamlEntry& field : entry.entries)
            if (is_set(field) || !has(key)) set_field(key, field.key, field.value);
    }
}

}  // namespace ov::state
