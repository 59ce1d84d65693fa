// Who holds which exclusive resources of this host: DATA/ov/preemption/leases.yml (`cli-and-config.md` 11, `vm-lifecycle.md` 17).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ov/yaml.hpp"

namespace ov::state {

/// A machine that was stopped for a claimant.
struct Preempted {
    std::string address;  ///< its deploy key
    std::vector<std::string> holds;
    std::string restore = "always";  ///< or on-success
    bool operator==(const Preempted&) const = default;
};

struct Lease {
    std::string claimant;  ///< deploy key
    std::string entity,
        instance;  ///< the machine that claims; no entity: what claims is none, and another program keeps the lease
    std::vector<std::string> tokens;
    std::vector<Preempted> preempted;
    std::string created;        ///< RFC 3339, UTC
    long long pid = 0;          ///< who acquires it: until the claimant runs, it lives as long as this process
    YamlPtr as_read = nullptr;  ///< no part of the comparison; what it says beyond these fields stays when the lease is edited
    bool operator==(const Lease& other) const;
};

/// Empty when there is no file. Throws Error{spec_invalid} naming one that cannot be read. Blocks.
std::vector<Lease> load_leases(const std::string& file);

/// Under the file's lock: reads, edits, writes; without leases the file goes. What the file says beyond them stays, and leases
/// that `edit` leaves alone stay as they were. Throws Error{busy} when another holds the lock too long, Error{cancelled} when
/// `cancelled` says so while it waits, and what `edit` throws. Blocks.
void update_leases(const std::string& file, const std::function<void(std::vector<Lease>&)>& edit,
                   const std::function<bool()>& cancelled = {});

}  // namespace ov::state
