#include "ov/vm/source_map.hpp"

#include <charconv>
#include <optional>

namespace ov {

namespace {

/// One step of a path: a key, or an index.
struct Step {
    std::string_view key;
    std::optional<std::size_t> index;
};

/// Takes the first step off `path`: `key`, `"quoted.key"` or `[3]`.
Step next_step(std::string_view& path) {
    if (path.starts_with('.')) path.remove_prefix(1);
    Step step;
    if (path.starts_with('[')) {
        const std::size_t end = std::min(path.find(']'), path.size());
        std::size_t index = 0;
        std::from_chars(path.data() + 1, path.data() + end, index);
        step.index = index;
        path.remove_prefix(std::min(end + 1, path.size()));
        return step;
    }
    if (path.starts_with('"')) {
        const std::size_t end = std::min(path.find('"', 1), path.size());
        step.key = path.substr(1, end - 1);
        path.remove_prefix(std::min(end + 1, path.size()));
        return step;
    }
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    step.key = path.substr(0, end);
    path.remove_prefix(end);
    return step;
}

const YamlNode* child(const YamlNode& node, const Step& step) {
    if (!step.index) return node.find(step.key);
    return node.is_sequence() && *step.index < node.items.size() ? node.items[*step.index].get() : nullptr;
}

/// True if `path` is `prefix` or lies below it.
bool lies_below(std::string_view path, std::string_view prefix) {
    if (prefix.empty()) return true;
    if (!path.starts_with(prefix)) return false;
    return path.size() == prefix.size() || path[prefix.size()] == '.' || path[prefix.size()] == '[';
}

}  // namespace

void SourceMap::add(std::string path, std::string file, YamlPtr value) {
    trees_.push_back({std::move(path), std::move(file), std::move(value)});
}

const SourceMap::Tree* SourceMap::tree_of(std::string_view path) const {
    const Tree* best = nullptr;
    for (const Tree& tree : trees_)
        if (tree.value && lies_below(path, tree.path) && (best == nullptr || tree.path.size() >= best->path.size())) best = &tree;
    return best;
}

SourcePosition SourceMap::find(std::string_view path) const {
    const Tree* tree = tree_of(path);
    if (tree == nullptr) return {};
    const YamlNode* node = tree->value.get();
    std::string_view rest = path.substr(tree->path.size());
    while (!rest.empty()) {
        const YamlNode* inner = child(*node, next_step(rest));
        if (inner == nullptr) break;
        node = inner;
    }
    return {tree->file, node->line, node->column};
}

const YamlNode* SourceMap::node(std::string_view path) const {
    const Tree* tree = tree_of(path);
    if (tree == nullptr) return nullptr;
    const YamlNode* node = tree->value.get();
    std::string_view rest = path.substr(tree->path.size());
    while (node != nullptr && !rest.empty()) node = child(*node, next_step(rest));
    return node;
}

}  // namespace ov
