#include "exec/local_launcher.hpp"

#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include "async/event.hpp"
#include "async/process.hpp"

namespace ov {

namespace {

/// State that the reading and writing coroutines share with the handle, whichever lives longer.
struct Child : std::enable_shared_from_this<Child> {
    Child(Process child, const asio::any_io_executor& child_executor)
        : process(std::move(child)), executor(child_executor), changed(executor) {}

    Process process;
    asio::any_io_executor executor;
    RemoteProcessHandler* handler = nullptr;
    std::string queue;
    bool end_wanted = false, paused = false, abandoned = false;
    int streams_open = 2;
    Event changed;
    std::optional<RemoteExit> exit;

    void report(RemoteExit how) {
        exit = std::move(how);
        changed.notify();
        if (handler != nullptr) std::exchange(handler, nullptr)->on_closed(*exit);
    }
};

asio::awaitable<void> feed(std::shared_ptr<Child> child) {
    const Deadline forever = Deadline::unlimited();
    asio::error_code error;
    while (!child->abandoned && !error) {
        if (child->queue.empty()) {
            if (child->end_wanted) break;
            co_await child->changed.wait(forever);
            continue;
        }
        const std::string bytes = std::exchange(child->queue, {});
        co_await asio::async_write(child->process.in(), asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
        child->changed.notify();
    }
    child->process.in().close(error);
}

asio::awaitable<void> drain(std::shared_ptr<Child> child, Stream stream) {
    const Deadline forever = Deadline::unlimited();
    auto& source = stream == Stream::out ? child->process.out() : child->process.err();
    std::array<char, 16384> chunk;
    for (;;) {
        while (child->paused && !child->abandoned) co_await child->changed.wait(forever);
        asio::error_code error;
        const std::size_t count =
            co_await source.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
        if (error || child->abandoned) break;
        if (child->handler != nullptr) child->handler->on_output(stream, {chunk.data(), count});
    }
    if (--child->streams_open > 0 || child->abandoned) co_return;
    const ExitStatus status = co_await child->process.wait(forever);
    RemoteExit exit;
    exit.status = status;
    child->end_wanted = true;
    child->report(std::move(exit));
}

class LocalProcess final : public RemoteProcess {
public:
    explicit LocalProcess(std::shared_ptr<Child> child) : child_(std::move(child)) {}
    ~LocalProcess() override { abandon(); }

    void set_handler(RemoteProcessHandler* handler) override { child_->handler = handler; }
    void send(std::string bytes) override {
        child_->queue += bytes;
        child_->changed.notify();
    }
    asio::awaitable<void> drained(Deadline deadline) override {
        const auto child = child_;
        while (child->queue.size() >= 256 * 1024 && !child->exit) co_await child->changed.wait(deadline);
    }
    void end_input() override {
        child_->end_wanted = true;
        child_->changed.notify();
    }
    void pause(bool paused) override {
        child_->paused = paused;
        child_->changed.notify();
    }
    void abandon() noexcept override {
        child_->handler = nullptr;
        if (child_->exit || child_->abandoned) return;
        child_->abandoned = true;
        asio::error_code ignored;  // closing is how the coroutines learn of it
        child_->process.out().close(ignored);
        child_->process.err().close(ignored);
        child_->changed.notify();
    }

private:
    std::shared_ptr<Child> child_;
};

class LocalLauncher final : public Launcher {
public:
    explicit LocalLauncher(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    std::string venue() const override { return "local"; }
    bool is_root() const override { return ::geteuid() == 0; }

    asio::awaitable<std::unique_ptr<RemoteProcess>> launch(std::string command, RunAs, Deadline deadline) override {
        deadline.check();
        ProcessOptions options;
        options.argv = {"/bin/sh", "-c", std::move(command)};
        options.in = options.out = options.err = Redirect::pipe;
        auto child = std::make_shared<Child>(Process::spawn(executor_, std::move(options)), executor_);
        const auto over = [](std::exception_ptr) {};  // the loops report through the child, they do not throw
        asio::co_spawn(executor_, feed(child), over);
        asio::co_spawn(executor_, drain(child, Stream::out), over);
        asio::co_spawn(executor_, drain(child, Stream::err), over);
        std::unique_ptr<RemoteProcess> process = std::make_unique<LocalProcess>(std::move(child));
        co_return process;
    }

    asio::awaitable<void> close(Deadline) override { co_return; }

private:
    asio::any_io_executor executor_;
};

}  // namespace

std::unique_ptr<Launcher> make_local_launcher(asio::any_io_executor executor) {
    return std::make_unique<LocalLauncher>(std::move(executor));
}

}  // namespace ov
