// The time as ledger records spell it.
#pragma once

#include <string>

namespace ov {

/// RFC 3339, UTC, seconds: "2026-05-01T10:00:00Z".
std::string utc_now();

}  // namespace ov
