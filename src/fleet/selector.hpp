// Which machines a fleet verb means: exact keys, globs over the whole key, `vm:<entity>`, `tag=<t>` (decisions 58).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ov {

/// One deployable node as selectors see it.
struct Candidate {
    std::string key;       ///< "web", "web/1", "vm:lab"
    std::string entity;    ///< its VM entity
    std::string instance;  ///< empty without one
    std::vector<std::string> tags;
};

/// Keys that any of `selectors` names, ordered by key. With `limit` given, only those that `limit` names too.
/// Throws Error{not_found} that names the selector without a match, Error{usage} if there is none and `all` is off.
std::vector<std::string> select(const std::vector<Candidate>& universe, const std::vector<std::string>& selectors, bool all,
                                const std::vector<std::string>& limit = {});

bool matches(const Candidate& candidate, std::string_view selector);

/// `*` any text (also across `/`), `?` one character; everything else is itself.
bool glob_matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace ov
