// Opens the byte stream under an SSH session: TCP, a channel of a jump host's session, or a ProxyCommand.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "exec/byte_stream.hpp"
#include "exec/ssh_destination.hpp"

namespace ov {

class SshContext;
class SshSession;

/// Throws Error{unreachable} naming host, port and the reason.
asio::awaitable<std::unique_ptr<ByteStream>> dial(SshContext& context, SshDestination destination,
                                                  std::shared_ptr<SshSession> outer, std::chrono::milliseconds limit,
                                                  Deadline deadline);

/// Replaces %h %p %r %n and %% as ssh_config(5) says for ProxyCommand.
std::string expand_proxy_command(const SshDestination& destination);

}  // namespace ov
