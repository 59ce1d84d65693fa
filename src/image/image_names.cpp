#include "image/image_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr const char* name_label = "org.overthinkos.image";
constexpr const char* version_label = "org.overthinkos.version";

std::pair<std::string_view, std::string_view> split_tag(std::string_view ref) {
    const std::size_t slash = ref.rfind('/');
    const std::size_t colon = ref.find(':', slash == std::string_view::npos ? 0 : slash);
    if (colon == std::string_view::npos) return {ref, {}};
    return {ref.substr(0, colon), ref.substr(colon + 1)};
}

/// Three dotted integers; anything else has no version.
using Version = std::vector<long>;
Version version_of(std::string_view text) {
    Version version;
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        long value = 0;
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (part.empty() || failure != std::errc() || end != part.data() + part.size()) return {};
        version.push_back(value);
        if (dot == std::string_view::npos) break;
        text.remove_prefix(dot + 1);
    }
    return version.size() == 3 ? version : Version{};
}

struct Candidate {
    std::string ref;
    Version label, tag;
    bool named = false;
    bool newer(const Candidate& other) const {
        return std::make_tuple(other.label, other.tag, !named, ref) < std::make_tuple(label, tag, !other.named, other.ref);
    }
};

std::vector<Candidate> candidates_of(std::string_view name, const std::vector<LocalImage>& images, bool by_label) {
    std::vector<Candidate> found;
    for (const LocalImage& image : images) {
        const auto label = image.labels.find(name_label);
        const bool labelled = label != image.labels.end() && label->second == name;
        const auto version = image.labels.find(version_label);
        for (const std::string& ref : image.refs) {
            const bool named = last_segment(ref) == name;
            if (by_label ? !labelled : !named) continue;
            found.push_back({ref, version == image.labels.end() ? Version{} : version_of(version->second),
                             version_of(split_tag(ref).second), named});
        }
    }
    return found;
}

}  // namespace

std::string last_segment(std::string_view ref) {
    const std::string_view path = split_tag(ref).first;
    const std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::string choose_ref(std::string_view given, const std::vector<std::string>& names) {
    const auto [wanted, tag] = split_tag(given);
    for (const std::string& name : names) {
        const auto [repository, own_tag] = split_tag(name);
        const bool same = repository == wanted || repository.ends_with("/" + std::string(wanted));
        if (same && own_tag == (tag.empty() ? "latest" : tag)) return name;
    }
    return names.front();
}

std::string choose_image(std::string_view name, const std::vector<LocalImage>& images) {
    std::vector<Candidate> found = candidates_of(name, images, true);
    if (found.empty()) found = candidates_of(name, images, false);
    if (found.empty())
        throw Error(
            Errc::not_found,
            fmt::format("no image {} in this host's podman storage; build it with `ov image build {}`, or pull it", name, name));
    std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.newer(b); });
    std::set<std::string> repositories;
    for (const Candidate& candidate : found) repositories.insert(std::string(split_tag(candidate.ref).first));
    if (found.front().label.empty() && found.front().tag.empty() && repositories.size() > 1) {
        std::string all;
        for (const Candidate& candidate : found) all += (all.empty() ? "" : ", ") + candidate.ref;
        throw Error(Errc::usage, fmt::format("image {} could be any of: {}; name one of them in full", name, all));
    }
    return found.front().ref;
}

}  // namespace ov
