// Directory trees as zstd-compressed tar files, and such files as streams of plain tar.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "async/runtime.hpp"
#include "ov/executor.hpp"

namespace ov {

/// Writes everything below `directory` but what `leave_out` (path relative to it) names, sorted, owned by nobody in particular.
/// Returns the number of files and links. Blocks: for the pool. Throws Error{io}.
std::size_t write_tree_archive(const std::string& directory, const std::string& archive,
                               const std::function<bool(const std::string&)>& leave_out);

/// The uncompressed tar, a quarter of a MiB at a time.
std::unique_ptr<ByteSource> tar_of_archive(Runtime& runtime, std::string archive);

}  // namespace ov
