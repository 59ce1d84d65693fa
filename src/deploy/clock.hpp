// The time as ledger records and deploy.yml spell it: RFC 3339, UTC, seconds: "2026-05-01T10:00:00Z".
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ov {

std::string utc_text(std::chrono::system_clock::time_point at);
std::string utc_now();
/// Nothing for another form.
std::optional<std::chrono::system_clock::time_point> parse_utc(const std::string& text);

}  // namespace ov
