// Package steps that an earlier run did not bring to their record.
#pragma once

#include "deploy/guest_ledger.hpp"
#include "deploy/guest_session.hpp"

namespace ov {

/// A run that was killed between an installation and its record: what it added is found out now, before anything is added.
asio::awaitable<void> repair_packages(GuestSession& session, GuestLedger& ledger, Deadline deadline);

}  // namespace ov
