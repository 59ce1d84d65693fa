// Starts QEMU so that it outlives us: SMBIOS strings into files, -daemonize, its error text when it does not come up.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "backend/qemu_process.hpp"

namespace ov {

/// `argv`: the program and its arguments, -daemonize and `-pidfile <pidfile>` among them. Returns the process once QEMU has
/// opened everything and gone into the background. Throws Error{not_found} for a missing program, Error{io} with QEMU's own words
/// when it ended; whatever a failed or cancelled start left running is killed first.
asio::awaitable<QemuProcess> launch_qemu(std::vector<std::string> argv, std::string state_directory, std::string pidfile,
                                         Deadline deadline);

/// Kills a process and waits for its end, at most five seconds. Not cut short by anything.
asio::awaitable<void> kill_qemu(QemuProcess& process);

/// Sockets, pidfile and SMBIOS files that an ended QEMU left behind.
void remove_runtime_files(const std::string& state_directory);

}  // namespace ov
