// Install order of layers (`install-plan.md` 8). Iterative throughout: a chain of ten thousand layers must not eat the stack.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "ov/compile.hpp"
#include "ov/load.hpp"

namespace ov {

namespace {

constexpr std::string_view container_init = "supervisord";

/// A composite only stands for its members unless it brings something itself.
bool is_pure_composite(const Layer& layer) {
    return !layer.layers.empty() && !layer.has_content();
}

class Ordering {
public:
    Ordering(const LayerMap& layers, const OrderOptions& options)
        : layers_(layers), provided_(options.provided.begin(), options.provided.end()), dependencies_(options.dependencies) {}

    OrderedLayers run(std::span<const std::string> requests) {
        for (const std::string& request : requests) {
            const Layer& layer = find_layer(layers_, request);
            if (dependencies_)
                close_over(layer);
            else if (needed_set_.insert(&layer).second)
                needed_.push_back(&layer);
        }
        return dependencies_ ? sorted() : needed_;
    }

private:
    struct Visit {
        const Layer* layer;
        std::size_t next = 0;  ///< index into the layer's entries, composition first
    };

    static std::size_t entry_count(const Layer& layer) { return layer.layers.size() + layer.require.size(); }
    static const LayerRef& entry(const Layer& layer, std::size_t i) {
        return i < layer.layers.size() ? layer.layers[i] : layer.require[i - layer.layers.size()];
    }

    const Layer& resolve(const LayerRef& ref, const Layer& from) const {
        const auto found = layers_.find(ref.key);
        if (found != layers_.end()) return found->second;
        std::vector<std::string> names;
        for (const auto& [key, layer] : layers_) names.push_back(key);
        const std::string place = Diagnostic{ref.where, {}, "", Severity::error}.str();
        throw LayerNotFound(ref.text, from.key,
                            fmt::format("{}layer \"{}\" not found, required by layer \"{}\"{}", place, ref.text, from.key,
                                        did_you_mean(ref.key, names)));
    }

    /// Depth first over composition and requirements; throws with the path of a cycle.
    void close_over(const Layer& root) {
        if (done_.contains(&root) || provided_.contains(root.key)) return;
        std::vector<Visit> path{{&root}};
        on_path_.insert(&root);
        while (!path.empty()) {
            Visit& top = path.back();
            const Layer& layer = *top.layer;
            if (top.next == entry_count(layer)) {
                on_path_.erase(&layer);
                done_.insert(&layer);
                if (!is_pure_composite(layer) && needed_set_.insert(&layer).second) needed_.push_back(&layer);
                path.pop_back();
                continue;
            }
            const LayerRef& ref = entry(layer, top.next++);
            if (provided_.contains(ref.key)) continue;
            const Layer& next = resolve(ref, layer);
            if (on_path_.contains(&next)) report_cycle(path, next);
            if (done_.contains(&next)) continue;
            on_path_.insert(&next);
            path.push_back({&next});
        }
    }

    [[noreturn]] static void report_cycle(const std::vector<Visit>& path, const Layer& again) {
        const auto first = std::find_if(path.begin(), path.end(), [&](const Visit& v) { return v.layer == &again; });
        std::string text;
        bool composition_only = true;
        for (auto visit = first; visit != path.end(); ++visit) {
            text += visit->layer->key + " -> ";
            composition_only = composition_only && visit->next <= visit->layer->layers.size();
        }
        const std::string_view what = composition_only ? "circular layer composition" : "circular dependency";
        throw Error(Errc::spec_invalid, fmt::format("{}: {}{}", what, text, again.key));
    }

    /// The needed layers that `layer` waits for: its entries, pure composites replaced by what they stand for.
    std::vector<const Layer*> waits_for(const Layer& layer) const {
        std::vector<const Layer*> result;
        std::unordered_set<const Layer*> seen;
        std::vector<const Layer*> todo;
        const auto push_entries = [&](const Layer& of, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) {
                const auto found = layers_.find(entry(of, i).key);
                if (found != layers_.end() && seen.insert(&found->second).second) todo.push_back(&found->second);
            }
        };
        push_entries(layer, entry_count(layer));
        while (!todo.empty()) {
            const Layer& next = *todo.back();
            todo.pop_back();
            if (needed_set_.contains(&next))
                result.push_back(&next);
            else if (is_pure_composite(next))
                push_entries(next, next.layers.size());
        }
        return result;
    }

    /// Repeatedly the bytewise smallest layer whose dependencies are all placed.
    OrderedLayers sorted() const {
        std::unordered_map<const Layer*, std::size_t> missing;
        std::unordered_map<const Layer*, std::vector<const Layer*>> waiting;
        const auto later = [](const Layer* a, const Layer* b) { return a->key > b->key; };
        std::priority_queue<const Layer*, std::vector<const Layer*>, decltype(later)> ready(later);
        for (const Layer* layer : needed_) {
            const auto dependencies = waits_for(*layer);
            missing[layer] = dependencies.size();
            for (const Layer* dependency : dependencies) waiting[dependency].push_back(layer);
            if (dependencies.empty()) ready.push(layer);
        }
        OrderedLayers order;
        while (!ready.empty()) {
            const Layer* layer = ready.top();
            ready.pop();
            order.push_back(layer);
            for (const Layer* next : waiting[layer])
                if (--missing[next] == 0) ready.push(next);
        }
        if (order.size() == needed_.size()) return order;
        std::string stuck;
        for (const Layer* layer : needed_)
            if (missing[layer] != 0) stuck += (stuck.empty() ? "" : ", ") + layer->key;
        throw Error(Errc::spec_invalid, "circular dependency among " + stuck);
    }

    const LayerMap& layers_;
    std::set<std::string, std::less<>> provided_;
    bool dependencies_;
    OrderedLayers needed_;
    std::unordered_set<const Layer*> needed_set_, done_, on_path_;
};

}  // namespace

OrderedLayers order_layers(std::span<const std::string> requests, const LayerMap& layers, const OrderOptions& options) {
    OrderedLayers order = Ordering(layers, options).run(requests);
    if (options.drop_container_init) std::erase_if(order, [](const Layer* layer) { return layer->name == container_init; });
    return order;
}

}  // namespace ov
