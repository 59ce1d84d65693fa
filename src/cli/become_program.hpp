// The verbs that end in another program: ssh, virsh, a shell, ov-guest.
#pragma once

#include <string>
#include <vector>

namespace ov::cli {

/// Replaces this process by the program, looked up in PATH. Returns only by Error{not_found} naming it.
[[noreturn]] void become_program(std::vector<std::string> argv);

}  // namespace ov::cli
