// Who deploys, for the machine's lock file, and names that are unique to this run of the program.
#pragma once

#include <string>
#include <string_view>

namespace ov {

/// A fresh name below /tmp on the machine: "/tmp/ov." and 12 random characters.
std::string random_run_dir();

/// "host=<name> pid=<n> key=<key> boot_id=<id> time=<t>" of the operator's machine.
std::string lock_owner(std::string_view key);

}  // namespace ov
