// The only way a plan touches a machine. Implementations: local shell, SSH, nested venues, and the recording test double.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"
#include "ov/run_as.hpp"

namespace ov {

/// A script for bash on the machine. It goes over the runner's input, never over argv. Commands in it read /dev/null.
struct Command {
    std::string script;
    RunAs as = RunAs::user;
    std::chrono::seconds limit{300};  ///< enforced on the machine too, also when we are gone
    std::string label;                ///< for messages: "layer web, step 3"
    std::string record;               ///< JSON members for the journal line of this step, without braces; empty: not recorded
    bool persistent = false;          ///< evaluated in the runner itself: its functions and variables serve all later commands
    bool last = false;  ///< no later command needs what the persistent ones left, so none of them is told to it again
    /// Evaluated in the runner itself to save a process: for short calls of library functions that leave nothing behind in it.
    /// `exit` in it would end the runner, and its deadline is ours alone to watch.
    bool in_runner = false;
    /// Not empty: `script` is no script but the value (without NUL) of this variable of the runner, `name` or `name[key]` with a
    /// key of letters, digits and `./_-`. It is read as it comes, where an assignment would be parsed. Needs `persistent`.
    std::string variable;
};

/// Exit status of a script. A status other than 0 is a value, not an exception. 128+n: ended by signal n.
struct CommandResult {
    int status = 0;
    std::string out, err;  ///< empty when the command had an output sink
    bool ok() const noexcept { return status == 0; }
};

enum class Stream { out, err };

/// Called with output as it arrives, in chunks that need not end at a line. Must not block and must not throw.
using OutputSink = std::function<void(Stream, std::string_view)>;

/// Bytes on their way to a machine. `next` returns the next chunk (at most 256 KiB), empty at the end.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    virtual asio::awaitable<std::string> next(Deadline deadline) = 0;
    /// Total length in bytes when it is known beforehand.
    virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
};

std::unique_ptr<ByteSource> bytes_of(std::string content);
/// Reads the file in chunks. Throws Error{not_found} or Error{io}, at once or from `next`.
std::unique_ptr<ByteSource> bytes_of_file(std::string path);

/// Where a file goes. Parents are created. The bytes arrive under a unique name beside `path` and are renamed.
struct PutTarget {
    std::string path;  ///< absolute
    unsigned mode = 0644;
    RunAs as = RunAs::user;             ///< root: the file belongs to root:root
    std::optional<std::string> sha256;  ///< hex; verified on the machine before the rename
};

/// One machine. All calls belong to the io_context's thread. A call in flight may be abandoned by cancelling its deadline:
/// the remote process group is killed and the error is Error{cancelled} (or timed_out when the time ran out).
class Executor {
public:
    virtual ~Executor() = default;

    /// Stable text naming where commands run: "local", "ssh://user@host:port".
    virtual std::string venue() const = 0;

    /// Runs one script. Several calls may be in flight; those with equal `as` run in call order (pipelining).
    /// Throws Error{transport_lost} when no end record came: what the script did is then unknown.
    virtual asio::awaitable<CommandResult> run(Command command, Deadline deadline, OutputSink sink = {}) = 0;

    /// Streams a file to the machine with at most 1 MiB in memory.
    virtual asio::awaitable<void> put(std::unique_ptr<ByteSource> source, PutTarget target, Deadline deadline) = 0;

    /// Streams a file from the machine. Throws Error{not_found} when there is none.
    virtual asio::awaitable<void> get(std::string path, RunAs as, std::function<void(std::string_view)> sink,
                                      Deadline deadline) = 0;

    /// Runs one script in a shell of its own, with `input` as the script's standard input, streamed with at most 1 MiB in memory.
    /// Output is kept in the result. When the input fails or the call is abandoned, the script sees an early end of it: it must
    /// take nothing for whole that does not say so itself, and gets a moment to clean up. Errors of `input` pass through;
    /// Error{transport_lost} when the script's end was not heard of.
    virtual asio::awaitable<CommandResult> feed(Command command, std::unique_ptr<ByteSource> input, Deadline deadline) = 0;

    /// Ends runners and their process groups, joins everything in flight. Idempotent.
    virtual asio::awaitable<void> close(Deadline deadline) = 0;
};

}  // namespace ov
