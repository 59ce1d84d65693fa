#include "backend/qemu_launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <asio/this_coro.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "async/process.hpp"
#include "ov/render.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// Readable by its owner alone from the first moment on.
void write_secret(const SmbiosFile& file) {
    ::unlink(file.path.c_str());
    const int descriptor = ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (descriptor < 0) throw Error(Errc::io, fmt::format("{}: {}", file.path, std::strerror(errno)));
    const ssize_t put = ::write(descriptor, file.content.data(), file.content.size());
    const int error = errno;
    ::close(descriptor);
    if (put != static_cast<ssize_t>(file.content.size()))
        throw Error(Errc::io, fmt::format("{}: {}", file.path, put < 0 ? std::strerror(error) : "short write"));
}

void prepare_directory(const std::string& directory) {
    std::error_code failure;
    fs::create_directories(directory, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", directory, failure.message()));
    fs::permissions(directory, fs::perms::owner_all, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", directory, failure.message()));
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

void remove_runtime_files(const std::string& state_directory) {
    std::error_code ignored;  // what cannot be removed is in nobody's way: QEMU replaces it
    for (const char* name : {"qemu.pid", "qmp.sock", "console.sock", "monitor.sock", "qga.sock"})
        fs::remove(state_directory + "/" + name, ignored);
    for (fs::directory_iterator entry(state_directory, ignored), end; !ignored && entry != end; entry.increment(ignored))
        if (entry->path().filename().string().starts_with("smbios.")) {
            std::error_code kept;
            fs::remove(entry->path(), kept);
        }
}

asio::awaitable<void> kill_qemu(QemuProcess& process) {
    const Deadline patience = Deadline::unlimited().child(std::chrono::seconds(5));
    process.signal(SIGKILL);
    co_await process.wait_end(patience);
}

asio::awaitable<QemuProcess> launch_qemu(std::vector<std::string> argv, std::string state_directory, std::string pidfile,
                                         Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    prepare_directory(state_directory);
    remove_runtime_files(state_directory);
    for (const SmbiosFile& file : smbios_by_file(argv, state_directory)) write_secret(file);
    const std::string program = argv.front();
    ProcessOptions options;
    options.argv = std::move(argv);
    ProcessOutput output;
    std::exception_ptr failure;
    try {
        output = co_await run_process(std::move(options), deadline);
        if (output.status != 0)
            throw Error(Errc::io, fmt::format("{} ended at start with status {}: {}", program, output.status,
                                              output.err.empty() ? "it wrote nothing" : trimmed(output.err)));
    } catch (const Error&) {
        failure = std::current_exception();
    }
    std::optional<QemuProcess> process = QemuProcess::find(executor, pidfile);
    if (!failure && process) co_return std::move(*process);
    // The one that goes into the background may not have written its pidfile yet, and may fork once more.
    for (;;) {
        std::vector<QemuProcess> left = QemuProcess::find_all(executor, pidfile);
        if (left.empty()) break;
        for (QemuProcess& one : left) co_await kill_qemu(one);
    }
    remove_runtime_files(state_directory);
    if (failure) std::rethrow_exception(failure);
    throw Error(Errc::io,
                fmt::format("{} ended right after its start{}{}", program, output.err.empty() ? "" : ": ", trimmed(output.err)));
}

}  // namespace ov
