// libssh2's process-wide initialisation and the wording of its errors.
#pragma once

#include <libssh2.h>

#include <string>

namespace ov {

/// Initialises libssh2 once per process; call before the first session, from any thread.
void initialise_libssh2();

/// "authentication failed (-18)" for a libssh2 error code; appends the session's own text when there is one.
std::string ssh_error_text(LIBSSH2_SESSION* session, int code);

}  // namespace ov
