// `--host`: the whole command on another machine, over ssh (`cli-and-config.md` 2.1).
#pragma once

#include <string>
#include <vector>

namespace ov::cli {

/// `ov` and its words as one string for the other machine's shell. The flags that mean this machine (--host, -C/--dir) are left
/// out. `arguments`: those of the program without the words of a pass-through verb, which come from `remote_words`, untouched.
std::string remote_command(const std::vector<std::string>& arguments, const std::vector<std::string>& remote_words);

/// ssh's words for a destination "[user@]host[:port]".
std::vector<std::string> ssh_words(const std::string& destination, bool terminal, const std::string& command);

}  // namespace ov::cli
