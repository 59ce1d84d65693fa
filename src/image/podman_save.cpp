#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "async/process.hpp"
#include "async/stage_directory.hpp"
#include "async/watchdog.hpp"
#include "ov/image.hpp"

namespace ov {

namespace {

constexpr std::size_t chunk_size = 256 * 1024;

/// Removes directories PARENT/NAME.PID.* of processes that are gone.
void sweep(const std::string& parent, const std::string& name) {
    std::error_code failure;  // what cannot be read or removed here belongs to somebody else
    for (const auto& entry : std::filesystem::directory_iterator(parent, failure)) {
        const std::string file = entry.path().filename().string();
        if (!file.starts_with(name + ".")) continue;
        pid_t pid = 0;
        std::from_chars(file.data() + name.size() + 1, file.data() + file.size(), pid);
        if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) std::filesystem::remove_all(entry.path(), failure);
    }
}

class PodmanSave final : public ByteSource {
public:
    PodmanSave(std::string ref, asio::any_io_executor executor) : ref_(std::move(ref)), executor_(std::move(executor)) {}

    asio::awaitable<std::string> next(Deadline deadline) override {
        if (!process_) start();
        // What a cancelled read had taken is kept for the next one.
        while (!ended_ && filled_ < chunk_size) {
            chunk_.resize(chunk_size);
            asio::error_code error;
            std::size_t count = 0;
            {
                auto& stream = process_->out();
                const Watchdog guard(executor_, deadline, [&stream] { stream.cancel(); });
                count = co_await stream.async_read_some(asio::buffer(chunk_.data() + filled_, chunk_size - filled_),
                                                        asio::redirect_error(asio::use_awaitable, error));
            }
            filled_ += count;
            if (error == asio::error::eof) {
                ended_ = true;
            } else if (error) {
                deadline.check();
                throw Error(Errc::io, fmt::format("podman save {}: {}", ref_, error.message()));
            }
        }
        if (filled_ == 0) co_await check_end(deadline);
        chunk_.resize(filled_);
        filled_ = 0;
        co_return std::exchange(chunk_, {});
    }

private:
    /// podman keeps layers in files until they are sent, and leaves them there when it is killed: they get a directory that goes
    /// with this object, or with the next export if this process is killed too.
    void start() {
        const char* temporary = std::getenv("TMPDIR");
        const std::string parent = temporary != nullptr && *temporary != '\0' ? temporary : "/var/tmp";
        const std::string name = fmt::format("ov-save-{}", getuid());
        sweep(parent, name);
        spool_.emplace(parent, fmt::format("{}.{}", name, getpid()));
        ProcessOptions options;
        options.variables = {"TMPDIR=" + spool_->path()};
        options.argv = {"podman", "save", "--quiet", "--format", "docker-archive", "--", ref_};
        process_.emplace(Process::spawn(executor_, std::move(options)));
    }

    asio::awaitable<void> check_end(Deadline deadline) {
        if (checked_) co_return;
        const ExitStatus status = co_await process_->wait(deadline);
        checked_ = true;
        if (status == 0) co_return;
        std::string words(4096, '\0');
        asio::error_code error;
        const std::size_t count =
            co_await asio::async_read(process_->err(), asio::buffer(words), asio::redirect_error(asio::use_awaitable, error));
        words.resize(count);
        words.erase(words.find_last_not_of("\n ") + 1);
        throw Error(Errc::io, fmt::format("podman save {} failed on this host (exit status {}): {}", ref_, status, words));
    }

    std::string ref_;
    asio::any_io_executor executor_;
    std::optional<StageDirectory> spool_;  // outlives the process
    std::optional<Process> process_;
    std::string chunk_;
    std::size_t filled_ = 0;
    bool ended_ = false, checked_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> podman_save(std::string ref, asio::any_io_executor executor) {
    return std::make_unique<PodmanSave>(std::move(ref), std::move(executor));
}

}  // namespace ov
