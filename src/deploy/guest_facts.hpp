// One script that asks a machine everything a deploy needs to know, with one fork, and the reader of its answer.
#pragma once

#include <string>
#include <string_view>

#include "deploy/guest_ledger.hpp"
#include "ov/deploy.hpp"

namespace ov {

/// Facts first, then the ledger.
std::string probe_script();

struct Probe {
    GuestFacts facts;
    GuestLedger ledger;
};

/// Throws Error{internal} when the answer is incomplete, Error{ledger_corrupt} as `parse_ledger_dump`.
Probe parse_probe(std::string_view answer);

}  // namespace ov
