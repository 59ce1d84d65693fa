#include "fleet/selector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/near_name.hpp"
#include "ov/error.hpp"

namespace ov {

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p, ++t;
        } else if (star != std::string_view::npos) {
            // The last star takes one character more; earlier stars never need to be tried again.
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool matches(const Candidate& candidate, std::string_view selector) {
    if (selector == candidate.key) return true;
    if (selector.starts_with("tag=")) {
        const auto tag = selector.substr(4);
        return std::find(candidate.tags.begin(), candidate.tags.end(), tag) != candidate.tags.end();
    }
    if (selector.starts_with("vm:")) {
        const auto named = selector.substr(3);
        const auto full = candidate.instance.empty() ? candidate.entity : candidate.entity + "/" + candidate.instance;
        if (named == candidate.entity || named == full) return true;
    }
    return selector.find_first_of("*?") != std::string_view::npos && glob_matches(selector, candidate.key);
}

namespace {

/// The nearest name, or those that there are.
std::string hint_for(const std::vector<Candidate>& universe, const std::string& selector) {
    constexpr std::size_t shown = 8;
    std::vector<std::string> names;
    for (const Candidate& candidate : universe) names.push_back(candidate.key);
    if (const std::string near = did_you_mean(selector, names); !near.empty()) return near;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += (i == 0 ? "" : ", ") + names[i];
    return names.empty() ? "; there is none" : fmt::format("; there are {}{}", text, names.size() > shown ? ", …" : "");
}

}  // namespace

std::vector<std::string> select(const std::vector<Candidate>& universe, const std::vector<std::string>& selectors, bool all,
                                const std::vector<std::string>& limit) {
    if (selectors.empty() && !all) throw Error(Errc::usage, "no machine selected: give a selector or --all");
    if (all && !selectors.empty())
        throw Error(Errc::usage, fmt::format("--all takes every machine, {} does not: give one of them, or --limit {}",
                                             selectors.front(), selectors.front()));
    for (const auto* list : {&selectors, &limit})
        for (const auto& selector : *list)
            if (std::none_of(universe.begin(), universe.end(), [&](const Candidate& c) { return matches(c, selector); }))
                throw Error(Errc::not_found, fmt::format("no deploy matches '{}'{}", selector, hint_for(universe, selector)));
    std::vector<std::string> keys;
    const auto named_by = [](const Candidate& candidate, const std::vector<std::string>& list) {
        return std::any_of(list.begin(), list.end(), [&](const std::string& selector) { return matches(candidate, selector); });
    };
    for (const auto& candidate : universe)
        if ((all || named_by(candidate, selectors)) && (limit.empty() || named_by(candidate, limit)))
            keys.push_back(candidate.key);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (keys.empty()) throw Error(Errc::not_found, limit.empty() ? "there is no VM deploy" : "--limit leaves no machine");
    return keys;
}

}  // namespace ov
