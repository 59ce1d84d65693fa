// libssh2's process-wide initialisation and the wording of its errors.
#pragma once

#include <libssh2.h>

#include <string>
#include <vector>

namespace ov {

/// Initialises libssh2 once per process; call before the first session, from any thread.
void initialise_libssh2();

/// Sets the order of preference for one kind of algorithm, without those that this libssh2 does not know: 1.10 takes them out
/// of its list itself, but by memcpy over itself. False when it knows none of them.
bool prefer_methods(LIBSSH2_SESSION* session, int kind, const std::vector<std::string>& methods);

/// "authentication failed (-18)" for a libssh2 error code; appends the session's own text when there is one.
std::string ssh_error_text(LIBSSH2_SESSION* session, int code);

}  // namespace ov
