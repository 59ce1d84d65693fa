#include "async/podman_container.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "async/event.hpp"
#include "async/process.hpp"
#include "async/task_group.hpp"

namespace ov {

namespace {

/// For the removal; the caller's deadline is over then.
constexpr std::chrono::seconds removal_limit{30};
/// For `podman run` to see that its container is gone.
constexpr std::chrono::seconds farewell{2};

asio::awaitable<void> remove_container(std::vector<std::string> argv) {
    ProcessOptions options;
    options.argv = std::move(argv);
    const Deadline limit = Deadline::unlimited("removal of a container").child(removal_limit);
    try {
        co_await run_process(std::move(options), limit);
    } catch (const Error&) {  // what ended the run is the error
    }
}

}  // namespace

std::string container_name(std::string_view what) {
    return fmt::format("ov-{}-{}-{}", what, ::getpid(), Deadline::Clock::now().time_since_epoch().count());
}

asio::awaitable<void> with_container(std::vector<std::string> argv, ContainerClient client, Deadline deadline) {
    const auto run = std::find(argv.begin(), argv.end(), "run");
    if (run == argv.end()) throw Error(Errc::internal, "with_container: no podman run");
    std::vector<std::string> remove(argv.begin(), run);
    const std::string name = container_name("build");
    remove.insert(remove.end(), {"rm", "--force", "--time", "0", name});
    argv.insert(run + 1, {"--name", name});

    const auto executor = co_await asio::this_coro::executor;
    Event ended(executor);
    bool over = false, given_up = false, killed = false;
    std::exception_ptr failure;
    const auto work = [&](TaskGroup& group) -> asio::awaitable<void> {
        const auto run_client = [&]() -> asio::awaitable<void> {
            try {
                co_await client(argv, group.deadline());
            } catch (...) {  // border of the task: rethrown below
                failure = std::current_exception();
            }
            over = true;
            ended.notify();
        };
        group.spawn(run_client());
        try {
            while (!over) co_await ended.wait(deadline);
        } catch (const Error&) {
            given_up = true;
        }
        if (given_up) {
            // Removed first: that ends a client which we may not signal, and spares the others the signal.
            co_await remove_container(remove);
            const Deadline soon = Deadline::unlimited().child(farewell);
            try {
                while (!over) co_await ended.wait(soon);
            } catch (const Error&) {
                killed = true;
            }
            if (killed) group.deadline().cancel();
        }
        co_await group.join();
    };
    const Deadline own = Deadline::unlimited(deadline.prefix());
    co_await with_task_group(own, work);
    // A client that was killed may have made its container after the first look for it.
    if (killed || (failure && !given_up)) co_await remove_container(remove);
    if (!given_up) {
        if (failure) std::rethrow_exception(failure);
        co_return;
    }
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const Error& error) {
        if (error.code() == Errc::io) throw;  // it could not be ended
    } catch (...) {                           // the deadline is the reason
    }
    deadline.raise();
}

}  // namespace ov
