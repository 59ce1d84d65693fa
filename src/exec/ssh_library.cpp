#include "exec/ssh_library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "ov/error.hpp"

namespace ov {

void initialise_libssh2() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (libssh2_init(0) != 0) throw Error(Errc::internal, "libssh2 cannot be initialised");
    });
}

bool prefer_methods(LIBSSH2_SESSION* session, int kind, const std::vector<std::string>& methods) {
    const char** known = nullptr;
    const int count = libssh2_session_supported_algs(session, kind, &known);
    std::string list;
    for (const std::string& method : methods)
        if (std::any_of(known, known + std::max(count, 0), [&](const char* name) { return method == name; }))
            list += (list.empty() ? "" : ",") + method;
    if (known != nullptr) libssh2_free(session, known);
    return !list.empty() && libssh2_session_method_pref(session, kind, list.c_str()) == 0;
}

std::string ssh_error_text(LIBSSH2_SESSION* session, int code) {
    char* text = nullptr;
    if (session != nullptr) libssh2_session_last_error(session, &text, nullptr, 0);
    if (text != nullptr && *text != '\0') return fmt::format("{} ({})", text, code);
    return fmt::format("libssh2 error {}", code);
}

}  // namespace ov
