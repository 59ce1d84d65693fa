// A build context on this host: what of the operator's files goes into it, and its directory. Blocks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/containerfile.hpp"

namespace ov {

/// Throws Error{not_found} naming the file.
std::string read_context_file(const std::string& path);
/// Makes the directories above it. Throws Error{io} naming the file.
void write_context_file(const std::string& path, const std::string& text);

/// SHA-256 by source of everything that the plans take from this host; empty text for what is missing.
/// Throws Error{io} naming what cannot be read.
std::map<std::string, std::string> context_digests(const std::vector<InstallPlan>& plans);

/// The Containerfile and everything below "ov" but the archives of builders. Throws Error{not_found} naming a missing source,
/// Error{io} naming one that cannot be copied.
void lay_out_context(const BuildContext& context, const std::string& directory);

}  // namespace ov
