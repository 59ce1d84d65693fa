// `ov vm import` and machines that it adopts (`source.kind: imported`): libvirt domains that somebody else defined. They are
// never defined, rebuilt or undefined by us.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "backend/libvirt_domains.hpp"
#include "lifecycle/hypervisors.hpp"

namespace ov {

/// A domain and the entity that adopted it.
struct ImportRow {
    DomainFacts domain;
    std::string entity;              ///< empty: none
    std::vector<std::string> drift;  ///< "ram: 2G, the domain has 4G"
};
/// Every domain that this program did not make.
asio::awaitable<std::vector<ImportRow>> importable_domains(VmContext& context, Deadline deadline);
/// The same of one domain. Error{not_found} when libvirt has none of that name.
asio::awaitable<ImportRow> importable_domain(VmContext& context, std::string name, Deadline deadline);

struct ImportOptions {
    std::string target_name;       ///< of the entity; empty: the domain's, without "ov-"
    bool update = false;           ///< an entity that adopted it already follows the domain
    bool replace_libvirt = false;  ///< with update: its `libvirt:` block goes
};
/// Writes the entity into overthink.yml; returns its name. Error{usage} when another entity has that name, or it is adopted
/// already and `update` was not asked for.
asio::awaitable<std::string> import_domain(VmContext& context, ImportRow row, ImportOptions options, Deadline deadline);

/// Whether the machine is an adopted one.
bool is_imported(const VmContext& context, const VmIdentity& machine);

/// The ssh alias and the state of an adopted machine, from its entity alone. Idempotent. The caller holds the machine's lock.
asio::awaitable<VmState> adopt_imported(VmContext& context, VmIdentity machine, LocatedVm found, Deadline deadline);

}  // namespace ov
