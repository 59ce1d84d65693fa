// The words of a pass-through verb: everything behind the VM's name in `ov vm ssh NAME word...` belongs to the guest's command.
#pragma once

#include <string>
#include <vector>

namespace ov::cli {

/// Takes them out of `arguments` (the command line without the program) and returns them; a leading `--` is dropped. Nothing for
/// every other verb.
std::vector<std::string> cut_remote_words(std::vector<std::string>& arguments);

}  // namespace ov::cli
