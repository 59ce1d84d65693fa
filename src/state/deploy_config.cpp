#include "state/deploy_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/yaml_writer.hpp"
#include "ov/diagnostic.hpp"
#include "spec/decode_deploy.hpp"
#include "spec/deploy_fields.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

/// Place of a field on save; unknown ones come last.
std::size_t rank(std::string_view field) {
    const auto found = std::find_if(std::begin(spec::deploy_fields), std::end(spec::deploy_fields),
                                    [&](const spec::DeployField& known) { return known.name == field; });
    return static_cast<std::size_t>(found - std::begin(spec::deploy_fields));
}

std::shared_ptr<YamlNode> empty_map() {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::map;
    return node;
}

void erase_entry(YamlNode& map, std::string_view key) {
    std::erase_if(map.entries, [&](const YamlEntry& entry) { return entry.key == key; });
}

/// Throws on findings that are errors.
void settle(std::vector<Diagnostic> findings) {
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (findings.empty()) return;
    sort_by_position(findings);
    throw SpecError(std::move(findings));
}

}  // namespace

DeployDocument DeployDocument::parse(std::string_view text, const std::string& file) {
    std::vector<Diagnostic> findings;
    spec::Report report{file, findings};
    auto documents = spec::parse_yaml(text, file, findings);
    std::erase_if(documents, [](const YamlPtr& document) { return document->is_null(); });
    DeployDocument document;
    document.file_ = file;
    document.root_ = documents.empty() ? empty_map() : std::make_shared<YamlNode>(*documents.front());
    const spec::Cursor root(document.root_, {}, report);
    if (documents.size() > 1)
        report.add(Severity::error, documents[1]->line, documents[1]->column, {}, "expected one document, this is the second");
    spec::MapReader reader(root);
    if (const auto deploy = reader.take("deploy"))
        spec::decode_deploy_map(*deploy);
    else if (reader.has("images"))
        root.error("images: is a key of an older schema; this program reads deploy:");
    settle(std::move(findings));
    return document;
}

const YamlNode* DeployDocument::deploy() const noexcept {
    const YamlNode* found = root_->find("deploy");
    return found != nullptr && found->is_map() ? found : nullptr;
}

const YamlNode* DeployDocument::entry(std::string_view key) const noexcept {
    const YamlNode* map = deploy();
    return map != nullptr ? map->find(key) : nullptr;
}

bool DeployDocument::has(std::string_view key) const noexcept {
    return entry(key) != nullptr;
}

std::vector<std::string> DeployDocument::keys() const {
    std::vector<std::string> all;
    if (const YamlNode* map = deploy())
        for (const YamlEntry& found : map->entries) all.push_back(found.key);
    return all;
}

DeployNode DeployDocument::node(std::string_view key) const {
    const YamlNode* found = entry(key);
    if (found == nullptr) return {};
    std::vector<Diagnostic> findings;
    spec::Report report{file_, findings};
    return spec::decode_deploy_node(std::string(key), spec::Cursor(std::make_shared<YamlNode>(*found), std::string(key), report));
}

void DeployDocument::replace_entry(std::string_view key, YamlPtr value) {
    auto map = deploy() != nullptr ? std::make_shared<YamlNode>(*deploy()) : empty_map();
    if (value)
        set_yaml_entry(*map, key, std::move(value));
    else
        erase_entry(*map, key);
    if (map->entries.empty())
        erase_entry(*root_, "deploy");
    else
        set_yaml_entry(*root_, "deploy", std::move(map));
}

void DeployDocument::set_field(std::string_view key, std::string_view field, YamlPtr value) {
    const YamlNode* found = entry(key);
    auto changed = found != nullptr && found->is_map() ? std::make_shared<YamlNode>(*found) : empty_map();
    set_yaml_entry(*changed, field, std::move(value));
    replace_entry(key, std::move(changed));
}

void DeployDocument::remove_field(std::string_view key, std::string_view field) {
    const YamlNode* found = entry(key);
    if (found == nullptr || found->find(field) == nullptr) return;
    auto changed = std::make_shared<YamlNode>(*found);
    erase_entry(*changed, field);
    replace_entry(key, std::move(changed));
}

void DeployDocument::set_member(const std::string& key, YamlPtr value) {
    set_yaml_entry(*root_, key, std::move(value));
}

void DeployDocument::clear() {
    root_ = empty_map();
}

void DeployDocument::remove_entry(std::string_view key) {
    if (has(key)) replace_entry(key, nullptr);
}

namespace {

YamlPtr ordered_node(const YamlPtr& node);

YamlPtr ordered_map(const YamlNode& deploys) {
    auto map = std::make_shared<YamlNode>(deploys);
    std::stable_sort(map->entries.begin(), map->entries.end(),
                     [](const YamlEntry& a, const YamlEntry& b) { return a.key < b.key; });
    for (YamlEntry& entry : map->entries) entry.value = ordered_node(entry.value);
    return map;
}

YamlPtr ordered_node(const YamlPtr& node) {
    if (!node->is_map()) return node;
    auto ordered = std::make_shared<YamlNode>(*node);
    std::stable_sort(ordered->entries.begin(), ordered->entries.end(),
                     [](const YamlEntry& a, const YamlEntry& b) { return rank(a.key) < rank(b.key); });
    for (YamlEntry& entry : ordered->entries)
        if (entry.key == "nested" && entry.value->is_map()) entry.value = ordered_map(*entry.value);
    return ordered;
}

}  // namespace

std::string DeployDocument::str() const {
    if (root_->entries.empty()) return {};
    constexpr std::string_view top[] = {"provides", "version"};
    YamlNode ordered = *root_;
    std::stable_sort(ordered.entries.begin(), ordered.entries.end(), [&](const YamlEntry& a, const YamlEntry& b) {
        const auto place = [&](const std::string& key) {
            if (key == "deploy") return 2;
            return std::find(std::begin(top), std::end(top), key) != std::end(top) ? (key == top[0] ? 0 : 1) : 3;
        };
        return place(a.key) < place(b.key);
    });
    for (YamlEntry& entry : ordered.entries)
        if (entry.key == "deploy" && entry.value->is_map()) entry.value = ordered_map(*entry.value);
    return write_yaml(ordered);
}

bool update_deploy_file(const std::string& path, const std::function<void(DeployDocument&)>& edit,
                        const std::function<bool()>& cancelled) {
    const FileLock lock = FileLock::acquire(path + ".lock", std::chrono::seconds(30), cancelled);
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) remove_stale_temporaries(path.substr(0, slash), path.substr(slash + 1));
    const auto before = read_file(path);
    DeployDocument document = DeployDocument::parse(before.value_or(""), path);
    const YamlNode unedited = document.root();
    edit(document);
    if (equal_values(unedited, document.root())) return false;
    const std::string text = document.str();
    if (text.empty()) {
        remove_file(path);
        return true;
    }
    DeployDocument::parse(text, path);
    write_file(path, text);
    return true;
}

}  // namespace ov::state
