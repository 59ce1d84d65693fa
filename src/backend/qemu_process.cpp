#include "backend/qemu_process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "async/watchdog.hpp"

namespace ov {

namespace {

std::optional<std::string> contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<int> number_in(const std::string& pidfile) {
    const auto text = contents(pidfile);
    if (!text) return std::nullopt;
    int pid = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), pid);
    if (failure != std::errc() || pid <= 1) return std::nullopt;
    return std::string_view(end).find_first_not_of(" \r\n") == std::string_view::npos ? std::optional(pid) : std::nullopt;
}

/// Whether the process was started with this pidfile. The path is one word of its command line, so no other machine matches.
bool was_started_with(int pid, const std::string& pidfile) {
    const auto text = contents(fmt::format("/proc/{}/cmdline", pid));
    const std::string words = std::string("\0-pidfile\0", 10) + pidfile + std::string(1, '\0');
    return text && text->find(words) != std::string::npos;
}

bool readable(int descriptor) {
    pollfd entry{descriptor, POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

std::optional<QemuProcess> QemuProcess::find(asio::any_io_executor executor, const std::string& pidfile) {
    const auto pid = number_in(pidfile);
    if (!pid) return std::nullopt;
    // Held first, looked at afterwards: if it is still alive then, the look was at this process.
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
    if (descriptor < 0) return std::nullopt;
    asio::posix::stream_descriptor held(executor, descriptor);
    if (!was_started_with(*pid, pidfile) || readable(descriptor)) return std::nullopt;
    return QemuProcess(std::move(held), *pid);
}

std::vector<QemuProcess> QemuProcess::find_all(asio::any_io_executor executor, const std::string& pidfile) {
    std::vector<QemuProcess> found;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry("/proc", failure), end; !failure && entry != end; entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        int pid = 0;
        const auto [rest, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc() || rest != name.data() + name.size() || !was_started_with(pid, pidfile)) continue;
        const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
        if (descriptor < 0) continue;
        asio::posix::stream_descriptor held(executor, descriptor);
        if (was_started_with(pid, pidfile) && !readable(descriptor)) found.push_back(QemuProcess(std::move(held), pid));
    }
    return found;
}

bool QemuProcess::ended() const {
    return readable(const_cast<asio::posix::stream_descriptor&>(descriptor_).native_handle());
}

void QemuProcess::signal(int number) const {
    const int descriptor = const_cast<asio::posix::stream_descriptor&>(descriptor_).native_handle();
    if (::syscall(SYS_pidfd_send_signal, descriptor, number, nullptr, 0) == 0 || errno == ESRCH) return;
    throw Error(Errc::io, fmt::format("signal {} to process {}: {}", number, pid_, std::strerror(errno)));
}

asio::awaitable<void> QemuProcess::wait_end(Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const Watchdog guard(executor, deadline, [this] { descriptor_.cancel(); });
    while (!ended()) {
        if (guard.fired()) deadline.raise();
        asio::error_code error;
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace ov
