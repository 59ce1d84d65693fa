#include "state/settings_file.hpp"

#include <fmt/format.h>

#include "ov/diagnostic.hpp"
#include "ov/error.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {

std::string setting_of(const std::string& file, const std::string& section, const std::string& key) {
    const auto text = read_file(file);
    if (!text) return {};
    std::vector<Diagnostic> findings;
    const std::vector<YamlPtr> documents = spec::parse_yaml(*text, file, findings);
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (!findings.empty()) throw SpecError(std::move(findings));
    if (documents.empty()) return {};
    const YamlNode* value = documents.front()->find(section + "." + key);
    if (const YamlNode* map = documents.front()->find(section); value == nullptr && map != nullptr) value = map->find(key);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_scalar())
        throw Error(Errc::spec_invalid,
                    fmt::format("{}:{}: {}.{}: expected a text, got a {}", file, value->line, section, key, kind_name(*value)));
    return value->text;
}

}  // namespace ov::state
