// Domains that somebody else defined, as an entity of ours would describe them (`vm-lifecycle.md` 13, import).
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "async/runtime.hpp"
#include "backend/machine_backend.hpp"

namespace ov {

struct DomainFacts {
    std::string name;
    MachineState state = MachineState::unknown;
    std::string disk_path, disk_format;  ///< of the first file disk that is a disk; empty: none
    std::string ram;                     ///< "2G", "1536M"
    int cpus = 0;
    std::string machine, firmware;  ///< "pc-q35-7.2"; bios, uefi-secure, uefi-insecure
    std::string network, bridge;    ///< user, bridge, nat; empty: none
    int ssh_port = 0;               ///< host port that is forwarded to the guest's 22; 0: none is
    bool operator==(const DomainFacts&) const = default;
};

/// From a domain's XML; the state is left alone. Throws Error{spec_invalid} for a text that is no domain. Pure.
DomainFacts domain_facts(std::string_view xml);

/// Every domain of the hypervisor, by name; with names only those, Error{not_found} for one that is not there.
asio::awaitable<std::vector<DomainFacts>> read_domains(Runtime& runtime, std::string uri, std::vector<std::string> names,
                                                       Deadline deadline);

}  // namespace ov
