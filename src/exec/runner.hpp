// Our end of a runner on a machine: sends framed scripts, tells apart their output, knows when each has ended.
//
// Scripts run one after another in the order of `run` calls; calls need not wait for each other (pipelining). No end record,
// no success: a transport that ends first makes every script in flight fail with Error{transport_lost}.
#pragma once

#include <asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "exec/remote_process.hpp"

namespace ov {

class Runner final : private RemoteProcessHandler {
public:
    /// Starts the runner program in `process` (a fresh bash that reads its input) and waits for its hello. Throws
    /// Error{privilege} with the machine's words when bash did not come up as root, Error{unreachable} otherwise.
    static asio::awaitable<std::unique_ptr<Runner>> start(std::unique_ptr<RemoteProcess> process, std::string venue, RunAs as,
                                                          Deadline deadline);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner() override;

    asio::awaitable<CommandResult> run(Command command, Deadline deadline, OutputSink sink);

    /// Waits until every script handed in has ended.
    asio::awaitable<void> idle(Deadline deadline);
    /// Ends its input and waits until it has gone; then nothing of it runs any more, except what steps put there on purpose.
    asio::awaitable<void> close(Deadline deadline);
    bool alive() const noexcept { return !exit_; }
    bool greeted() const noexcept { return out_.greeted && err_.greeted; }

    Runner(std::unique_ptr<RemoteProcess> process, std::string venue, RunAs as, asio::any_io_executor executor);

private:
    struct Job;

    /// Cuts one stream at the records.
    struct Reader {
        std::string carry;                      ///< may be the beginning of a record
        std::deque<std::shared_ptr<Job>> jobs;  ///< whose end record is still to come on this stream
        bool greeted = false;                   ///< rc files may have printed before the hello
    };

    void on_output(Stream stream, std::string_view bytes) override;
    void on_closed(const RemoteExit& exit) override;
    void deliver(Stream stream, Reader& reader, std::string_view text);
    bool take_record(Reader& reader, std::string_view line);
    void finish(const std::shared_ptr<Job>& job);
    void arm_limit();
    void kill(Job& job);
    void send_kills();
    std::string why_lost(const Job* job) const;

    std::unique_ptr<RemoteProcess> process_;
    std::string venue_;
    RunAs as_;
    asio::any_io_executor executor_;
    std::string nonce_;
    std::string before_hello_;  ///< what came on stderr before the hello: sudo's refusal, for instance
    Reader out_, err_;
    std::deque<std::shared_ptr<Job>> running_;  ///< not ended on both streams
    std::uint64_t next_id_ = 1;
    std::vector<std::uint64_t> kills_;  ///< to be sent at the end of this turn of the loop
    std::uint64_t bytes_ = 0;
    std::optional<RemoteExit> exit_;
    Event changed_;
    asio::steady_timer limit_;
};

/// The text that turns a fresh bash into a runner.
std::string runner_program(const std::string& nonce, const std::string& tag);

/// 32 hex digits from the system's random source.
std::string random_nonce();

}  // namespace ov
