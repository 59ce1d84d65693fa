#include "lifecycle/exclusive.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/yaml_writer.hpp"
#include "ov/error.hpp"

namespace ov {

std::vector<std::string> common_tokens(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::vector<std::string> both;
    for (const std::string& token : a)
        if (std::find(b.begin(), b.end(), token) != b.end()) both.push_back(token);
    return both;
}

Exclusive exclusive_of(const DeployNode& node) {
    Exclusive exclusive;
    const auto wrong = [&](const std::string& what) {
        throw Error(Errc::spec_invalid, fmt::format("deploy {}: {}", node.key, what));
    };
    const auto tokens = [&](const YamlPtr& list, const char* key) {
        std::vector<std::string> names;
        if (!list->is_sequence()) wrong(fmt::format("{}: expected a list of names", key));
        for (const YamlPtr& item : list->items) {
            if (item->text.empty()) wrong(fmt::format("{}: an exclusive token needs a name", key));
            names.push_back(item->text);
        }
        return names;
    };
    if (const YamlPtr list = yaml_entry(node.body, "requires_exclusive"))
        exclusive.requires_ = tokens(list, "requires_exclusive");
    const YamlPtr value = yaml_entry(node.body, "preemptible");
    if (!value) return exclusive;
    if (value->is_scalar()) wrong(fmt::format("preemptible: expected a list of tokens or a mapping, got '{}'", value->text));
    YamlPtr holds = value;
    if (value->is_map()) {
        for (const YamlEntry& entry : value->entries)
            if (entry.key != "holds" && entry.key != "stop" && entry.key != "restore")
                wrong(fmt::format("preemptible: unknown key {}; it has holds, stop, restore", entry.key));
        const std::string stop = yaml_entry_text(value, "stop"), restore = yaml_entry_text(value, "restore");
        if (!stop.empty() && stop != "shutdown") wrong(fmt::format("preemptible.stop: expected shutdown, got '{}'", stop));
        if (!restore.empty() && restore != "always" && restore != "on-success")
            wrong(fmt::format("preemptible.restore: expected always or on-success, got '{}'", restore));
        if (!restore.empty()) exclusive.restore = restore;
        holds = yaml_entry(value, "holds");
    }
    if (holds && !holds->is_null()) exclusive.holds = tokens(holds, "preemptible.holds");
    if (exclusive.holds.empty()) wrong("preemptible.holds: must list at least one token");
    const std::vector<std::string> both = common_tokens(exclusive.holds, exclusive.requires_);
    if (!both.empty()) wrong(fmt::format("{} is both held and required", both.front()));
    return exclusive;
}

}  // namespace ov
