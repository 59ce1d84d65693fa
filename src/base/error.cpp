#include "ov/error.hpp"

namespace ov {

std::string_view to_string(Errc code) noexcept {
    switch (code) {
        case Errc::usage: return "usage";
        case Errc::spec_invalid: return "spec_invalid";
        case Errc::not_found: return "not_found";
        case Errc::unsupported: return "unsupported";
        case Errc::unreachable: return "unreachable";
        case Errc::auth_failed: return "auth_failed";
        case Errc::host_key: return "host_key";
        case Errc::privilege: return "privilege";
        case Errc::transport_lost: return "transport_lost";
        case Errc::step_failed: return "step_failed";
        case Errc::checks_failed: return "checks_failed";
        case Errc::gate_closed: return "gate_closed";
        case Errc::busy: return "busy";
        case Errc::ledger_corrupt: return "ledger_corrupt";
        case Errc::timed_out: return "timed_out";
        case Errc::cancelled: return "cancelled";
        case Errc::io: return "io";
        case Errc::internal: return "internal";
    }
    return "unknown";
}

std::string_view to_string(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::ok: return "ok";
        case Outcome::failed: return "failed";
        case Outcome::unreachable: return "unreachable";
        case Outcome::timed_out: return "timed_out";
        case Outcome::cancelled: return "cancelled";
        case Outcome::skipped: return "skipped";
    }
    return "unknown";
}

Outcome outcome_of(Errc code) noexcept {
    switch (code) {
        case Errc::unreachable:
        case Errc::auth_failed:
        case Errc::host_key:
        case Errc::transport_lost: return Outcome::unreachable;
        case Errc::timed_out: return Outcome::timed_out;
        case Errc::cancelled: return Outcome::cancelled;
        default: return Outcome::failed;
    }
}

}  // namespace ov
