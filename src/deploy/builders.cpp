#include "deploy/builders.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <filesystem>

#include "async/podman_container.hpp"
#include "async/process.hpp"
#include "async/stage_directory.hpp"
#include "async/task_group.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "deploy/tree_archive.hpp"
#include "deploy/tree_digest.hpp"
#include "plan/builder_script.hpp"

namespace ov {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes build_limit{60};

/// uname's words for what podman calls an architecture.
std::string machine_word(const std::string& arch) {
    if (arch == "amd64") return "x86_64";
    if (arch == "arm64") return "aarch64";
    return arch;
}

/// An archive that is not whole yet. Shared with the thread that writes it: the last of them removes what has not got its name.
class PartialArchive {
public:
    explicit PartialArchive(std::string path) : path_(std::move(path)) {}
    PartialArchive(const PartialArchive&) = delete;
    PartialArchive& operator=(const PartialArchive&) = delete;
    ~PartialArchive() {
        std::error_code gone;
        fs::remove(path_, gone);
    }
    const std::string& path() const noexcept { return path_; }
    void finish(const std::string& archive) const {
        std::error_code failure;
        fs::rename(path_, archive, failure);
        if (failure) throw Error(Errc::io, fmt::format("{}: {}", archive, failure.message()));
    }

private:
    std::string path_;
};

struct ContainerRun {
    ExitStatus status = 0;
    std::string tail;  ///< of both streams
};

asio::awaitable<void> relay(Process& process, bool errors, ContainerRun& run, EmitEvent events) {
    auto& stream = errors ? process.err() : process.out();
    std::array<char, 8192> chunk;
    for (;;) {
        asio::error_code over;
        const std::size_t count =
            co_await stream.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, over));
        if (over) co_return;
        const std::string text(chunk.data(), count);
        events(event::Output{text, errors});
        run.tail += text;
        if (run.tail.size() > 16384) run.tail.erase(0, run.tail.size() - 8192);
    }
}

asio::awaitable<void> feed(Process& process, std::string script) {
    asio::error_code gone;  // its exit status tells more
    co_await asio::async_write(process.in(), asio::buffer(script), asio::redirect_error(asio::use_awaitable, gone));
    process.in().close(gone);
}

asio::awaitable<ContainerRun> run_container(std::vector<std::string> argv, std::string script, Deadline deadline,
                                            EmitEvent events) {
    const auto executor = co_await asio::this_coro::executor;
    ContainerRun run;
    const ContainerClient client = [&](std::vector<std::string> words, Deadline limit) -> asio::awaitable<void> {
        ProcessOptions options;
        options.argv = std::move(words);
        options.in = options.out = options.err = Redirect::pipe;
        Process process = Process::spawn(executor, std::move(options));
        const auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(feed(process, script));
            group.spawn(relay(process, false, run, events));
            group.spawn(relay(process, true, run, events));
            run.status = co_await process.wait(limit);
        };
        co_await with_task_group(limit, body);
    };
    co_await with_container(std::move(argv), client, deadline);
    co_return run;
}

}  // namespace

struct Builders::Work {
    explicit Work(const asio::any_io_executor& executor) : changed(executor) {}
    Event changed;
    bool done = false;
};

asio::awaitable<ProcessOutput> Builders::podman(std::vector<std::string> words, std::string what, Deadline deadline) {
    ProcessOptions options;
    options.argv = {podman_};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    std::optional<Error> missing;
    ProcessOutput output;
    try {
        output = co_await run_process(std::move(options), deadline);
    } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        missing = error;
    }
    if (missing)
        throw Error(Errc::unsupported, fmt::format("{}: {} is not installed; builders run in containers", what, podman_));
    co_return output;
}

asio::awaitable<Builders::Image> Builders::find_image(const BuilderStep& step, Deadline deadline, const EmitEvent& events) {
    if (step.image.empty())
        throw Error(Errc::not_found,
                    fmt::format("layer {}: no image for the {} builder: set `builder: {{{}: IMAGE}}` or give --builder-image",
                                step.layer, step.builder, step.builder));
    const std::string what = fmt::format("layer {}: {} builder image {}", step.layer, step.builder, step.image);
    std::vector<std::string> words = {"image", "exists", step.image};
    ProcessOutput answer = co_await podman(words, what, deadline);
    if (answer.status > 1)
        throw Error(Errc::unsupported,
                    fmt::format("layer {}: podman cannot run containers here: {}", step.layer, last_lines(answer.err)));
    if (answer.status == 1) {
        events(event::Note{Severity::note, fmt::format("pulling {}", step.image)});
        words = {"pull", "-q", step.image};
        answer = co_await podman(words, what, deadline);
        if (answer.status != 0)
            throw Error(Errc::not_found, fmt::format("{} is not here and cannot be pulled: {}", what, last_lines(answer.err)));
    }
    words = {"image", "inspect", "--format", "{{.Id}} {{.Architecture}}", step.image};
    answer = co_await podman(words, what, deadline);
    if (answer.status != 0) throw Error(Errc::not_found, fmt::format("{}: {}", what, last_lines(answer.err)));
    std::string line = answer.out.substr(0, answer.out.find('\n'));
    const std::size_t space = line.find(' ');
    co_return Image{line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1)};
}

asio::awaitable<void> Builders::make(BuilderStep step, std::string home, std::string image, std::string archive,
                                     Deadline deadline, EmitEvent events) {
    const bool aur = step.builder == "aur";
    const StageDirectory stage(cache_);
    ::chmod(stage.path().c_str(), 0755);
    std::vector<std::string> argv = {podman_, "run", "--rm", "--pull=never", "--user", "0:0", "-i"};
    const std::string inside = aur ? std::string(builder_package_mount) : home;
    argv.insert(argv.end(), {"-v", stage.path() + ":" + inside + ":rw"});
    if (!step.layer_dir.empty()) argv.insert(argv.end(), {"-v", fmt::format("{}:{}:ro", step.layer_dir, builder_layer_mount)});
    if (!aur)
        for (const std::string& variable : builder_environment(home)) argv.insert(argv.end(), {"-e", variable});
    argv.insert(argv.end(), {"-w", builder_layer_mount, image, "bash", "-s"});
    events(event::Note{Severity::note, fmt::format("layer {}: the {} builder runs", step.layer, step.builder)});
    const Deadline limit = deadline.child(build_limit, "builder");
    const ContainerRun run = co_await run_container(std::move(argv), builder_container_script(step), limit, events);
    // 125: podman itself, 126 and 127: the container could not start its program.
    if (run.status >= 125 && run.status <= 127)
        throw Error(Errc::unsupported, fmt::format("layer {}: podman cannot run containers here (exit status {}): {}", step.layer,
                                                   run.status, last_lines(run.tail)));
    if (run.status != 0)
        throw Error(Errc::step_failed, fmt::format("layer {}: the {} builder failed with exit status {}: {}", step.layer,
                                                   step.builder, run.status, last_lines(run.tail)));
    // A number of its own: a build that was cancelled may still write in its thread.
    const auto partial = std::make_shared<PartialArchive>(fmt::format("{}.{}.{}", archive, ::getpid(), ++partials_));
    auto pack = [directory = stage.path(), partial, aur] {
        const auto leave_out = [aur](const std::string& name) {
            return aur ? name.find(".pkg.tar") == std::string::npos : is_builder_cache(name);
        };
        return write_tree_archive(directory, partial->path(), leave_out);
    };
    const std::size_t files = co_await runtime_.pool.run(deadline, std::move(pack));
    if (files == 0)
        throw Error(Errc::step_failed,
                    fmt::format("layer {}: the {} builder produced nothing in {}", step.layer, step.builder, inside));
    partial->finish(archive);
}

asio::awaitable<std::string> Builders::build(BuilderStep step, std::string home, std::string arch, Deadline deadline,
                                             EmitEvent events) {
    const Image image = co_await find_image(step, deadline, events);
    if (!arch.empty() && !image.arch.empty() && machine_word(image.arch) != arch)
        throw Error(Errc::unsupported, fmt::format("layer {}: builder image {} is for {}, the machine is {}", step.layer,
                                                   step.image, image.arch, arch));
    Sha256 digest;
    auto hash = [directory = step.layer_dir] { return directory.empty() ? std::string() : tree_digest(directory); };
    const std::string files = co_await runtime_.pool.run(deadline, std::move(hash));
    const std::string place = step.builder == "aur" ? std::string() : home;
    for (const std::string& part : {image.id, arch, builder_container_script(step), files, place}) {
        digest.update(part);
        digest.update(std::string_view("\0", 1));
    }
    const std::string key = digest.hex();
    const std::string archive = fmt::format("{}/{}.tar.zst", cache_, key);
    for (;;) {
        std::error_code unknown;  // giving it its name will tell
        if (fs::exists(archive, unknown)) co_return archive;
        const auto other = working_.find(key);
        if (other == working_.end()) break;
        const auto work = other->second;
        while (!work->done) co_await work->changed.wait(deadline);
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto work = std::make_shared<Work>(executor);
    working_[key] = work;
    std::exception_ptr failure;
    try {
        co_await make(step, home, image.id, archive, deadline, events);
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    work->done = true;
    working_.erase(key);
    work->changed.notify();
    if (failure) std::rethrow_exception(failure);
    co_return archive;
}

}  // namespace ov
