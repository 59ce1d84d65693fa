// Declarative checks: what must hold of a running machine, as values. Probing is done elsewhere; nothing here does I/O.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"

namespace ov {

enum class MatchOperator { equals, not_equals, contains, not_contains, matches, not_matches, lt, le, gt, ge };
std::string_view to_string(MatchOperator op) noexcept;
std::optional<MatchOperator> match_operator(std::string_view word) noexcept;

/// An operator and what it compares with. `contains` and `not_contains` may have several values, all others have one.
struct Matcher {
    MatchOperator op = MatchOperator::equals;
    std::vector<std::string> values;
};

/// What is wrong with the matcher itself (its pattern, its number); empty when nothing is.
std::string matcher_problem(const Matcher& matcher);
/// Why the observed text does not satisfy all of them: the words of the first that does not hold. Nothing when it does.
std::optional<std::string> mismatch(std::span<const Matcher> matchers, std::string_view observed);

/// Go's grammar: "1m30s", "250ms". Nothing when the text is no duration.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);
/// Rounded to milliseconds in Go's style: "2.004s", "1m0.5s", "350ms".
std::string format_go_duration(std::chrono::nanoseconds value);

enum class CheckScope { build, deploy };

/// One check. Values of modifiers are texts as they will be compared; which ones a verb takes is `check_modifiers`.
struct Check {
    std::string verb;     ///< "file", "port", ...; empty: an override that only switches another one off
    std::string subject;  ///< the verb's value
    std::string id, description, origin;
    bool skip = false;
    CheckScope scope = CheckScope::deploy;
    std::map<std::string, std::string, std::less<>> texts;               ///< "mode", "exists", "uid", "eventually", ...
    std::map<std::string, std::vector<std::string>, std::less<>> lists;  ///< "groups", "addrs", "version"
    std::map<std::string, std::vector<Matcher>, std::less<>> matchers;   ///< "stdout", "contains", ...
    std::map<std::string, std::string, std::less<>> package_map;         ///< distro tag -> package name
    SourcePosition where;

    /// The modifier as authored, or `fallback`.
    std::string text(std::string_view key, std::string_view fallback = {}) const;
    bool flag(std::string_view key, bool fallback) const;
    bool has(std::string_view key) const { return texts.contains(key); }
    std::span<const Matcher> matching(std::string_view key) const;
    std::span<const std::string> list(std::string_view key) const;
    /// Runs on the operator's machine.
    bool on_host() const;
};

/// Adds `more` to `list`: a check with an id that is there replaces it in place, one without verb only switches it off
/// (`checks.md` 4). Overrides that meet nothing are dropped.
void merge_checks(std::vector<Check>& list, std::vector<Check> more);

/// Values for `${NAME}` and `${NAME:arg}`.
using CheckVariables = std::map<std::string, std::string, std::less<>>;

/// A copy with every reference replaced, once. Names without a value go to `unknown`, sorted, without repeats.
Check expand_check(const Check& check, const CheckVariables& variables, std::vector<std::string>& unknown);
/// Names referred to in the check; arguments are cut off.
std::vector<std::string> variables_in(const Check& check);
/// Known only while a deploy runs; not for checks of an image.
bool is_runtime_variable(std::string_view name);

enum class CheckStatus { pass, fail, skip };
std::string_view to_string(CheckStatus status) noexcept;

struct CheckResult {
    std::string verb, subject, id, origin, message;
    CheckStatus status = CheckStatus::pass;
    int attempts = 1;
    std::chrono::nanoseconds elapsed{0};
};

/// What the checks of one machine gave.
struct CheckSuite {
    std::string name;  ///< deploy key
    std::vector<CheckResult> results;
    std::string problem;  ///< not empty: why not all of them could be run
};

enum class CheckFormat { text, json, tap, junit };
/// `single`: the form of `eval live`, which names no machine; else that of a fleet.
std::string format_checks(std::span<const CheckSuite> suites, CheckFormat format, bool single);
/// One line without the newline: "✓ file /etc/motd — ok".
std::string check_line(const CheckResult& result);

}  // namespace ov
