// libvirt's handles as owners, its errors as ours, and its one-time set-up. Only the libvirt backend includes this.
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <memory>
#include <string>

#include "backend/machine_backend.hpp"
#include "ov/error.hpp"

namespace ov {

using LibvirtConnection = std::shared_ptr<virConnect>;
using LibvirtDomain = std::shared_ptr<virDomain>;

/// Registers events and silences libvirt's own error printing; once per process, whoever comes first.
void use_libvirt();

/// Connects. Error{unreachable} with libvirt's reason. Blocks, perhaps long.
LibvirtConnection open_libvirt(const std::string& uri);

/// The last error of this thread, as ours: "<what>: <libvirt's text>".
Error libvirt_error(const std::string& what);

/// Nothing when there is no such domain; any other failure is thrown.
LibvirtDomain find_domain(virConnectPtr connection, const std::string& name);
/// Error{not_found} when there is none.
LibvirtDomain need_domain(virConnectPtr connection, const std::string& name);

/// libvirt's number as ours.
MachineState machine_state(int state) noexcept;
/// Throws when the daemon does not say.
MachineState domain_state(virDomainPtr domain);

}  // namespace ov
