// `ov` in a guest (`cloud-init.md` 12, decisions 49): the guest's own where it is new enough, else a private copy of ov-guest
// under the user's ~/.cache/ov. What the guest has in PATH is never replaced.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"

namespace ov {

/// The static program of this installation: $OV_GUEST_BINARY, <prefix>/libexec/ov/ov-guest, or the build folder's.
/// Error{not_found} naming the places.
std::string guest_program_path();

struct GuestProgramRequest {
    std::string strategy;  ///< auto, scp, url, skip; anything else is auto
    std::string version;   ///< of `program`
    std::string program;   ///< path on this host; empty: guest_program_path()
};

/// The words that start `ov` in the guest, as the login user: "ov", or a path. auto and scp bring a copy when the guest has none
/// that is at least as new; url and skip only look, as root. Throws Error{step_failed} naming the strategy when `ov` is not
/// there, Error{unsupported} for a machine of another architecture.
asio::awaitable<std::string> ensure_guest_program(Executor& machine, GuestProgramRequest request, Deadline deadline,
                                                  EmitEvent events);

/// Whether a program of version `ours` should replace one that calls itself `theirs` (`YYYY.DDD.HHMM`, compared as numbers). One
/// that cannot be read is older than any that can; ours unreadable proves nothing.
bool strictly_newer(std::string_view ours, std::string_view theirs);

/// "x86_64", "aarch64", ... of an ELF file, as `uname -m` says it; empty for anything else. Blocks shortly.
std::string elf_machine(const std::string& path);

}  // namespace ov
