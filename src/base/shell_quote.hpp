// The three quotings of generated shell text (`deploy-engine.md` section 2), and nothing else that builds shell words.
#pragma once

#include <string>
#include <string_view>

namespace ov {

/// Strict: one literal word for a POSIX shell. Empty text becomes ''.
std::string shell_quote(std::string_view text);

/// Lazy: bare when the text holds no character of the quoting list, else strict. `~ # = , : % @ +` do not trigger quoting.
std::string shell_quote_lazy(std::string_view text);

/// Expanding: a double-quoted word in which `$` stays active.
std::string shell_quote_expanding(std::string_view text);

}  // namespace ov
