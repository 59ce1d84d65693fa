// The process behind a pidfile, held by descriptor: known to be the machine's own QEMU before anything is done to it, and never
// another one that got the same number later.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

class QemuProcess {
public:
    /// The living process that the pidfile names and whose command line says `-pidfile <that path>`. Nothing when the file is
    /// absent, unreadable as a number, or names an ended or foreign process: a stale file.
    static std::optional<QemuProcess> find(asio::any_io_executor executor, const std::string& pidfile);
    /// Every living process that was started with this pidfile, also one that has not written it yet.
    static std::vector<QemuProcess> find_all(asio::any_io_executor executor, const std::string& pidfile);
    QemuProcess(QemuProcess&&) = default;

    int pid() const noexcept { return pid_; }
    bool ended() const;
    /// Nothing happens when it has ended.
    void signal(int number) const;
    /// Returns when it has ended; Error{timed_out} or Error{cancelled} from the deadline.
    asio::awaitable<void> wait_end(Deadline deadline);

private:
    QemuProcess(asio::posix::stream_descriptor descriptor, int pid) : descriptor_(std::move(descriptor)), pid_(pid) {}
    asio::posix::stream_descriptor descriptor_;
    int pid_;
};

}  // namespace ov
