// Child processes without shells, signal handlers or inherited descriptors.
//
// posix_spawn into a new process group, default signals, everything above descriptor 2 closed; the end is observed through a
// pidfd, so an embedding program keeps its own SIGCHLD.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

enum class Redirect { null, pipe, inherit };

struct ProcessOptions {
    std::vector<std::string> argv;       ///< argv[0] is looked up in PATH
    std::vector<std::string> variables;  ///< KEY=VALUE, beside or instead of those of this process
    std::string directory;               ///< empty: the current one
    Redirect in = Redirect::null, out = Redirect::pipe, err = Redirect::pipe;
    int in_out_descriptor = -1;  ///< one descriptor for both stdin and stdout (a socket); `in` and `out` are then ignored
};

/// 0-255: exited. 128+n: ended by signal n.
using ExitStatus = int;

class Process {
public:
    /// Throws Error{not_found} naming the program when there is none, Error{io} otherwise.
    static Process spawn(asio::any_io_executor executor, ProcessOptions options);

    Process(Process&&) noexcept;
    Process& operator=(Process&&) noexcept;
    /// Kills the process group and reaps the child if it is still running.
    ~Process();

    int pid() const noexcept;
    /// Our ends of the pipes; closed streams where none was asked for.
    asio::posix::stream_descriptor& in() noexcept;
    asio::posix::stream_descriptor& out() noexcept;
    asio::posix::stream_descriptor& err() noexcept;

    /// Returns when the child has ended. When the deadline ends first the group is ended; throws the deadline's error or `end`'s.
    asio::awaitable<ExitStatus> wait(Deadline deadline);

    /// SIGTERM to the group, SIGKILL after `grace`, reaps. Not cut short. Error{io}: another user's (sudo), it may go on.
    asio::awaitable<ExitStatus> end(Deadline::Duration grace);

private:
    struct Impl;
    explicit Process(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

struct ProcessOutput {
    ExitStatus status = 0;
    std::string out, err;
};

/// Spawns, writes `input`, collects both streams, waits. For short programs (`ssh -G`, `qemu-img info`).
asio::awaitable<ProcessOutput> run_process(ProcessOptions options, Deadline deadline, std::string input = {});

}  // namespace ov
