// Files to and from a machine over a process of their own: streamed, verified, renamed into place.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "exec/remote_process.hpp"
#include "ov/executor.hpp"

namespace ov {

/// `process` is a fresh bash. The bytes go into a temporary file beside the target; only a matching SHA-256 is renamed, so a
/// cut connection leaves the old file. Throws Error{io} with the machine's words (disk full, permission), Error{transport_lost}.
asio::awaitable<void> upload(std::unique_ptr<RemoteProcess> process, std::string venue, std::unique_ptr<ByteSource> source,
                             PutTarget target, Deadline deadline);

/// Streams `path` into `sink`. Throws Error{not_found}, Error{io} with the machine's words, Error{transport_lost}.
asio::awaitable<void> download(std::unique_ptr<RemoteProcess> process, std::string venue, std::string path,
                               std::function<void(std::string_view)> sink, Deadline deadline);

/// `Executor::feed` over a fresh bash.
asio::awaitable<CommandResult> feed_script(std::unique_ptr<RemoteProcess> process, std::string venue, Command command,
                                           std::unique_ptr<ByteSource> input, Deadline deadline);

}  // namespace ov
