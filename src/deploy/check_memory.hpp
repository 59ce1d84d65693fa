// What a check takes from those before it: what they captured, how long they took (`checks.md` 2.2, 13). Pure.
#pragma once

#include <span>
#include <string>

#include "deploy/check_probe.hpp"

namespace ov {

/// The pass message, or what `capture_extract` finds in it: its first group, else all that matched. Nothing when it finds
/// nothing.
std::optional<std::string> captured_text(const Check& check, const std::string& message);

/// Times of the checks in `over_id` against the matchers p50, p95, p99, max and mean, in milliseconds.
CheckVerdict summarize(const Check& check, std::span<const CheckResult> results);

}  // namespace ov
