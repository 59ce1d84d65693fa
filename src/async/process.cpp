#include "async/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "async/task_group.hpp"
#include "async/watchdog.hpp"

extern char** environ;

namespace ov {

namespace {

/// A descriptor that closes itself.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            descriptor_ = std::exchange(other.descriptor_, -1);
        }
        return *this;
    }
    ~Descriptor() { reset(); }
    int get() const noexcept { return descriptor_; }
    int release() noexcept { return std::exchange(descriptor_, -1); }
    void reset() noexcept {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

private:
    int descriptor_ = -1;
};

[[noreturn]] void fail(std::string_view what, int error) {
    throw Error(error == ENOENT ? Errc::not_found : Errc::io, fmt::format("{}: {}", what, std::strerror(error)));
}

struct Pipe {
    Descriptor read, write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe", errno);
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

class SpawnSettings {
public:
    SpawnSettings() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
    }

    /// Own group (so that the whole tree can be signalled), default handlers, empty mask.
    void isolate() {
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

/// KEY=VALUE each, ended by nullptr; points into `variables` and the environment of this process.
std::vector<char*> environment_with(std::vector<std::string>& variables) {
    std::vector<char*> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view there(*entry);
        const std::string_view key = there.substr(0, there.find('=') + 1);
        const bool replaced = std::ranges::any_of(variables, [key](const std::string& one) { return one.starts_with(key); });
        if (!replaced) all.push_back(*entry);
    }
    for (std::string& one : variables) all.push_back(one.data());
    all.push_back(nullptr);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

struct Process::Impl {
    explicit Impl(const asio::any_io_executor& executor) : in(executor), out(executor), err(executor), pidfd(executor) {}

    ~Impl() {
        if (pid <= 0 || status) return;
        const bool killed = ::kill(-pid, SIGKILL) == 0 || errno != EPERM;
        ::waitpid(pid, nullptr, killed ? 0 : WNOHANG);  // returns at once: the child was just killed, or is not ours to end
    }

    /// Reaps without blocking; false while the child runs.
    bool reap() {
        siginfo_t info{};
        if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.native_handle()), &info, WEXITED | WNOHANG) != 0) fail("waitid", errno);
        if (info.si_pid == 0) return false;
        status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
        return true;
    }

    asio::posix::stream_descriptor in, out, err, pidfd;
    std::string program;
    pid_t pid = 0;
    bool refused = false;  ///< it runs as another user, who alone may signal it
    std::optional<ExitStatus> status;
};

Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

int Process::pid() const noexcept {
    return impl_->pid;
}
asio::posix::stream_descriptor& Process::in() noexcept {
    return impl_->in;
}
asio::posix::stream_descriptor& Process::out() noexcept {
    return impl_->out;
}
asio::posix::stream_descriptor& Process::err() noexcept {
    return impl_->err;
}

Process Process::spawn(asio::any_io_executor executor, ProcessOptions options) {
    if (options.argv.empty()) throw Error(Errc::internal, "spawn: no program");
    auto impl = std::make_unique<Impl>(executor);
    SpawnSettings settings;
    settings.isolate();
    std::vector<Descriptor> child_ends;
    const auto wire = [&](Redirect redirect, int target, asio::posix::stream_descriptor& ours) {
        if (redirect == Redirect::inherit) return;
        if (redirect == Redirect::null) {
            posix_spawn_file_actions_addopen(&settings.actions, target, "/dev/null", target == 0 ? O_RDONLY : O_WRONLY, 0);
            return;
        }
        Pipe pipe = make_pipe();
        Descriptor& theirs = target == 0 ? pipe.read : pipe.write;
        Descriptor& mine = target == 0 ? pipe.write : pipe.read;
        posix_spawn_file_actions_adddup2(&settings.actions, theirs.get(), target);
        ours.assign(mine.release());
        child_ends.push_back(std::move(theirs));
    };
    if (options.in_out_descriptor >= 0) {
        posix_spawn_file_actions_adddup2(&settings.actions, options.in_out_descriptor, 0);
        posix_spawn_file_actions_adddup2(&settings.actions, options.in_out_descriptor, 1);
    } else {
        wire(options.in, 0, impl->in);
        wire(options.out, 1, impl->out);
    }
    wire(options.err, 2, impl->err);
    posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3);
    if (!options.directory.empty()) posix_spawn_file_actions_addchdir_np(&settings.actions, options.directory.c_str());

    auto argv = pointers(options.argv);
    auto environment = environment_with(options.variables);
    impl->program = options.argv[0];
    const int error =
        ::posix_spawnp(&impl->pid, argv[0], &settings.actions, &settings.attributes, argv.data(), environment.data());
    if (error != 0) {
        impl->pid = 0;
        fail(fmt::format("cannot run {}", options.argv[0]), error);
    }
    // The wrapper of glibc 2.36 has C++ linkage by mistake and does not link.
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, impl->pid, 0));
    if (pidfd < 0) fail("pidfd_open", errno);
    impl->pidfd.assign(pidfd);
    return Process(std::move(impl));
}

asio::awaitable<ExitStatus> Process::wait(Deadline deadline) {
    Impl& impl = *impl_;
    if (impl.status) co_return *impl.status;
    bool late = false;
    {
        const auto executor = co_await asio::this_coro::executor;
        const Watchdog guard(executor, deadline, [&impl] { impl.pidfd.cancel(); });
        while (!impl.reap() && !late) {
            asio::error_code error;
            co_await impl.pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                                           asio::redirect_error(asio::use_awaitable, error));
            late = guard.fired();
        }
    }
    if (late && !impl.status) {
        co_await end(std::chrono::seconds(1));
        deadline.raise();
    }
    co_return *impl.status;
}

asio::awaitable<ExitStatus> Process::end(Deadline::Duration grace) {
    Impl& impl = *impl_;
    if (impl.status) co_return *impl.status;
    const auto executor = co_await asio::this_coro::executor;
    ::kill(-impl.pid, SIGTERM);
    const Deadline patience = Deadline::unlimited().child(grace);
    // Past the grace the group gets SIGKILL, which nothing survives, or may not get it: the wait below always ends.
    const Watchdog guard(executor, patience, [&impl] {
        impl.refused = ::kill(-impl.pid, SIGKILL) != 0 && errno == EPERM;
        if (impl.refused) impl.pidfd.cancel();
    });
    while (!impl.reap()) {
        if (impl.refused)
            throw Error(Errc::io, fmt::format("{} (process {}) was to end, but runs as another user and may not be signalled: "
                                              "it goes on",
                                              impl.program, impl.pid));
        asio::error_code error;
        co_await impl.pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, error));
    }
    ::kill(-impl.pid, SIGKILL);  // grandchildren that outlived the leader
    co_return *impl.status;
}

namespace {

asio::awaitable<void> read_all(asio::posix::stream_descriptor& stream, std::string& into) {
    std::array<char, 16384> chunk;
    for (;;) {
        asio::error_code error;
        const std::size_t got =
            co_await stream.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;  // end of file, or the watchdog's cancel, which the wait reports
        into.append(chunk.data(), got);
    }
}

asio::awaitable<void> write_all(asio::posix::stream_descriptor& stream, const std::string& bytes) {
    asio::error_code error;
    // A child that closes its input early decides so; its exit status tells whether that was a failure.
    if (!bytes.empty()) co_await asio::async_write(stream, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    stream.close(error);
}

}  // namespace

asio::awaitable<ProcessOutput> run_process(ProcessOptions options, Deadline deadline, std::string input) {
    const auto executor = co_await asio::this_coro::executor;
    options.in = input.empty() ? Redirect::null : Redirect::pipe;
    options.out = options.err = Redirect::pipe;
    Process process = Process::spawn(executor, std::move(options));
    ProcessOutput output;
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        if (process.in().is_open()) group.spawn(write_all(process.in(), input));
        group.spawn(read_all(process.out(), output.out));
        group.spawn(read_all(process.err(), output.err));
        const Watchdog guard(executor, deadline, [&process] {
            for (auto* stream : {&process.in(), &process.out(), &process.err()})
                if (stream->is_open()) stream->cancel();
        });
        co_await group.join();
        output.status = co_await process.wait(deadline);
    };
    co_await with_task_group(deadline, body);
    co_return output;
}

}  // namespace ov
