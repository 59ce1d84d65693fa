// A program that runs somewhere with its three streams in our hands: an SSH exec channel or a local child.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ov/deadline.hpp"
#include "ov/executor.hpp"

namespace ov {

/// How it ended. Without a status the transport went away first, and `lost` says how. An SSH server may also leave the status
/// out, which libssh2 1.10 shows as 0: programs whose success matters print a record of their own.
struct RemoteExit {
    std::optional<int> status;
    std::string lost;
};

/// Receives output and the end. Called from the event loop, never from inside a call into the process.
class RemoteProcessHandler {
public:
    virtual ~RemoteProcessHandler() = default;
    virtual void on_output(Stream stream, std::string_view bytes) = 0;
    virtual void on_closed(const RemoteExit& exit) = 0;
};

class RemoteProcess {
public:
    virtual ~RemoteProcess() = default;
    /// Takes events from now on; null stops them. The handler outlives its registration.
    virtual void set_handler(RemoteProcessHandler* handler) = 0;
    /// Queues bytes for the program's input.
    virtual void send(std::string bytes) = 0;
    /// Returns when less than 256 KiB of input are queued. Throws Error{transport_lost}.
    virtual asio::awaitable<void> drained(Deadline deadline) = 0;
    /// Ends the program's input after what is queued.
    virtual void end_input() = 0;
    /// Stops reading output, so that the program blocks, until resumed.
    virtual void pause(bool paused) = 0;
    /// Lets go without waiting: closes the channel or kills the child.
    virtual void abandon() noexcept = 0;
};

/// Starts programs at one venue.
class Launcher {
public:
    virtual ~Launcher() = default;
    virtual std::string venue() const = 0;
    /// `command` is one line for the venue's login shell and holds no user data; it escalates by itself. `as` is for venues where
    /// being root is decided from outside.
    virtual asio::awaitable<std::unique_ptr<RemoteProcess>> launch(std::string command, RunAs as, Deadline deadline) = 0;
    /// True when the login user is root there, so that no sudo is needed.
    virtual bool is_root() const = 0;
    virtual asio::awaitable<void> close(Deadline deadline) = 0;
};

}  // namespace ov
