#include "exec/ssh_library.hpp"

#include <fmt/format.h>

#include <mutex>

#include "ov/error.hpp"

namespace ov {

void initialise_libssh2() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (libssh2_init(0) != 0) throw Error(Errc::internal, "libssh2 cannot be initialised");
    });
}

std::string ssh_error_text(LIBSSH2_SESSION* session, int code) {
    char* text = nullptr;
    if (session != nullptr) libssh2_session_last_error(session, &text, nullptr, 0);
    if (text != nullptr && *text != '\0') return fmt::format("{} ({})", text, code);
    return fmt::format("libssh2 error {}", code);
}

}  // namespace ov
