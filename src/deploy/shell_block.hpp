// The block that makes a login shell read env.d: which files, where in them, which words (decisions 18 and 55).
#pragma once

#include <string>
#include <string_view>

namespace ov {

/// Script for the deploy user; functions of the guest library's block part.
std::string shell_block_script(std::string_view login_shell, std::string_view home);

/// Strips the block from every file it could be in, for ledgers that do not say where it was put.
std::string shell_block_strip_script();

}  // namespace ov
