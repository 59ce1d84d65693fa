#include "spec/remote_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "model/layer_ref.hpp"
#include "ov/load.hpp"

namespace ov::spec {

namespace {

/// One layer at one version of its repository, as some reference asks for it.
struct Wanted {
    std::string key;
    RepositoryAt at;
    auto operator<=>(const Wanted&) const = default;
};

/// Dotted numbers after an optional "v", compared as numbers.
std::vector<long long> tag_numbers(std::string_view tag) {
    if (tag.starts_with('v')) tag.remove_prefix(1);
    std::vector<long long> numbers;
    while (!tag.empty()) {
        const std::size_t dot = std::min(tag.find('.'), tag.size());
        long long number = 0;
        std::from_chars(tag.data(), tag.data() + dot, number);
        numbers.push_back(number);
        tag.remove_prefix(std::min(dot + 1, tag.size()));
    }
    return numbers;
}

class Resolver {
public:
    Resolver(Project& project, const Checkouts& checkouts) : project_(project), checkouts_(checkouts) {}

    std::vector<RepositoryAt> run(const std::vector<std::string>& requests) {
        for (const std::string& request : requests) follow_text(request);
        while (!todo_.empty()) {
            const Wanted wanted = todo_.back();
            todo_.pop_back();
            load(wanted);
        }
        choose();
        return {lacking_.begin(), lacking_.end()};
    }

private:
    void follow_text(const std::string& text) {
        if (is_remote_ref(text)) {
            const RemoteRef ref = parse_remote_ref(text);
            return want({ref.bare(), {ref.repository, ref.version}});
        }
        const auto local = project_.layers.find(text);
        // A plain name that nothing answers to is told when the layers are put in order.
        if (local != project_.layers.end() && local->second.origin.empty()) follow_local(local->second);
    }

    void follow_local(const Layer& layer) {
        if (!local_seen_.insert(layer.key).second) return;
        for (const auto* refs : {&layer.layers, &layer.require})
            for (const LayerRef& ref : *refs) follow_text(ref.text);
    }

    void want(const Wanted& wanted) {
        if (seen_.insert(wanted).second) todo_.push_back(wanted);
    }

    void load(const Wanted& wanted) {
        const auto found = checkouts_.find(wanted.at);
        if (found == checkouts_.end()) {
            lacking_.insert(wanted.at);
            return;
        }
        const Checkout& checkout = found->second;
        const std::string path = wanted.key.substr(std::min(wanted.at.repository.size() + 1, wanted.key.size()));
        const std::string directory = path.empty() ? checkout.directory : checkout.directory + "/" + path;
        const std::string shown = fmt::format("@{}:{}", wanted.key, checkout.version);
        if (!std::filesystem::exists(directory + "/layer.yml"))
            throw LayerNotFound(shown, "", fmt::format("layer \"{}\" not found: {} has no layer.yml", shown, directory));
        Layer layer = load_layer(directory, warnings_);
        if (layer.version.empty())
            throw Error(Errc::spec_invalid, fmt::format("layer \"{}\" of {} at {} has no version; a remote layer needs one",
                                                        shown, wanted.at.repository, checkout.version));
        layer.key = wanted.key;
        layer.origin = fmt::format("{}@{}#{}", wanted.at.repository, checkout.version, checkout.commit);
        const std::string parent = wanted.key.substr(0, wanted.key.rfind('/'));
        for (auto* refs : {&layer.layers, &layer.require})
            for (LayerRef& ref : *refs) {
                if (is_remote_ref(ref.text)) {
                    const RemoteRef remote = parse_remote_ref(ref.text);
                    want({remote.bare(), {remote.repository, remote.version}});
                } else {
                    ref.key = parent + "/" + ref.text;
                    ref.version = wanted.at.version;
                    want({ref.key, wanted.at});
                }
            }
        candidates_[wanted.key].push_back({checkout.version, std::move(layer)});
    }

    /// The same layer at several tags: its newest version wins, then the highest tag.
    void choose() {
        for (auto& [key, candidates] : candidates_) {
            std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
                const auto a_version = tag_numbers(a.layer.version), b_version = tag_numbers(b.layer.version);
                return a_version != b_version ? a_version > b_version : tag_numbers(a.tag) > tag_numbers(b.tag);
            });
            const Candidate& winner = candidates.front();
            const auto loser = std::find_if(candidates.begin(), candidates.end(),
                                            [&](const Candidate& c) { return c.layer.version != winner.layer.version; });
            if (loser != candidates.end())
                warnings_.push_back(
                    {winner.layer.where,
                     {},
                     fmt::format("layer {} is asked for at several tags: {} (version {}) is used, not {} (version {})", key,
                                 winner.tag, winner.layer.version, loser->tag, loser->layer.version),
                     Severity::warning});
            project_.layers.insert_or_assign(key, winner.layer);
        }
        if (!lacking_.empty()) return;
        project_.warnings.insert(project_.warnings.end(), warnings_.begin(), warnings_.end());
    }

    struct Candidate {
        std::string tag;
        Layer layer;
    };

    Project& project_;
    const Checkouts& checkouts_;
    std::set<std::string> local_seen_;
    std::set<Wanted> seen_;
    std::vector<Wanted> todo_;
    std::set<RepositoryAt> lacking_;
    std::map<std::string, std::vector<Candidate>> candidates_;
    std::vector<Diagnostic> warnings_;
};

}  // namespace

std::vector<RepositoryAt> resolve_remote_layers(Project& project, const std::vector<std::string>& requests,
                                                const Checkouts& checkouts) {
    return Resolver(project, checkouts).run(requests);
}

}  // namespace ov::spec
