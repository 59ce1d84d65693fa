#include "base/near_name.hpp"

#include <algorithm>
#include <numeric>

namespace ov {

namespace {

/// Optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

template <class Names>
std::optional<std::string> nearest(std::string_view name, const Names& known) {
    std::optional<std::string> best;
    std::size_t best_distance = 0;
    for (const std::string_view candidate : known) {
        const std::size_t longer = std::max(name.size(), candidate.size());
        const std::size_t limit = std::max<std::size_t>(1, longer / 3);
        const std::size_t shorter = std::min(name.size(), candidate.size());
        if (longer - shorter > limit || candidate == name) continue;
        const std::size_t d = distance(name, candidate);
        if (d > limit || d >= longer || (best && d >= best_distance)) continue;
        best = std::string(candidate);
        best_distance = d;
    }
    return best;
}

template <class Names>
std::string hint(std::string_view name, const Names& known) {
    const auto best = nearest(name, known);
    return best ? "; did you mean \"" + *best + "\"?" : std::string();
}

}  // namespace

std::optional<std::string> near_name(std::string_view name, std::span<const std::string> known) {
    return nearest(name, known);
}
std::optional<std::string> near_name(std::string_view name, std::span<const std::string_view> known) {
    return nearest(name, known);
}
std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
    return hint(name, known);
}
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
    return hint(name, known);
}

}  // namespace ov
