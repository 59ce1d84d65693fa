#include "exec/transfer.hpp"

#include <fmt/format.h>

#include <asio/this_coro.hpp>

#include "async/event.hpp"
#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "exec/runner.hpp"

namespace ov {

namespace {

/// Collects what the transfer program says until it has ended.
class Listener final : public RemoteProcessHandler {
public:
    Listener(const asio::any_io_executor& executor, std::function<void(std::string_view)> sink)
        : changed_(executor), sink_(std::move(sink)) {}

    void on_output(Stream stream, std::string_view bytes) override {
        if (stream == Stream::out && sink_)
            sink_(bytes);
        else if (words_.size() < 16384)
            words_.append(bytes);
    }
    void on_closed(const RemoteExit& exit) override {
        exit_ = exit;
        changed_.notify();
    }

    asio::awaitable<void> ended(Deadline deadline) {
        while (!exit_) co_await changed_.wait(deadline);
    }
    const std::optional<RemoteExit>& exit() const { return exit_; }

    /// Takes the line that starts with `mark` out of what was said; empty when there is none.
    std::string take_record(const std::string& mark) {
        const std::size_t start = words_.find(mark);
        if (start == std::string::npos) return {};
        const std::size_t end = words_.find('\n', start);
        if (end == std::string::npos) return {};
        std::string rest = words_.substr(start + mark.size(), end - start - mark.size());
        words_.erase(start, end - start + 1);
        return rest;
    }
    std::string words() const {
        const std::size_t end = words_.find_last_not_of("\r\n ");
        return end == std::string::npos ? std::string() : words_.substr(0, end + 1);
    }

private:
    Event changed_;
    std::function<void(std::string_view)> sink_;
    std::string words_;
    std::optional<RemoteExit> exit_;
};

// Frames on the input: "chunk N" and N bytes, any number of times, then "commit SHA256". The program is read line by line
// before the data; `head -c` takes exactly what belongs to a chunk. The file is opened once: opened for each chunk it would come
// back into a run directory that its runner is just removing.
constexpr std::string_view upload_program = R"(ov_put() {{
    local path={path} dir kind value sum out
    dir=${{path%/*}}
    dir=${{dir:-/}}
    umask 022
    mkdir -p -- "$dir" || return
    umask 077
    temp=$(mktemp -- "$dir/.ov-put.XXXXXXXX") || return
    trap 'rm -f -- "$temp"' EXIT
    exec {{out}}>"$temp" || return
    while read -r kind value; do
        case $kind in
            chunk) head -c "$value" >&"$out" || return ;;
            commit)
                sum=$(sha256sum <"$temp") || return
                if [[ ${{sum%% *}} != "$value" ]]; then echo 'the bytes that arrived differ from those sent' >&2; return 1; fi
                chmod {mode} -- "$temp" && mv -fT -- "$temp" "$path" || return
                printf '\036ov-put {nonce} ok\n' >&2
                return 0
                ;;
        esac
    done
    return 1
}}
ov_put; exit
)";

constexpr std::string_view download_program = R"(ov_get() {{
    local path={path}
    if [[ ! -e $path ]]; then printf '\036ov-get {nonce} absent\n' >&2; return; fi
    cat -- "$path" </dev/null && printf '\036ov-get {nonce} ok\n' >&2
}}
ov_get; exit
)";

// bash reads a pipe one byte at a time and has the whole last line before it acts on it: what follows is the script's.
constexpr std::string_view feed_program = R"(ov_feed() {{
{script}
}}
ov_feed; printf '\036ov-feed {nonce} %d\n' "$?" >&2; exit
)";

/// How long a script whose input was cut may take to tidy up before its channel is closed.
constexpr std::chrono::milliseconds tidy_limit{1000};

/// A write that failed because the script stopped reading.
bool input_broke_on_us(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.code() == Errc::transport_lost;
    }
}

[[noreturn]] void fail(const Listener& listener, const std::string& venue, std::string_view what, const std::string& path) {
    const auto& exit = listener.exit();
    if (exit && !exit->lost.empty())
        throw Error(Errc::transport_lost, fmt::format("{}: {} {}: {}", venue, what, path, exit->lost));
    const std::string words = listener.words();
    const bool privilege = words.find("sudo: ") != std::string::npos;
    throw Error(privilege ? Errc::privilege : Errc::io,
                fmt::format("{}: {} {}: {}", venue, what, path, words.empty() ? "the machine did not confirm it" : words));
}

}  // namespace

asio::awaitable<void> upload(std::unique_ptr<RemoteProcess> process, std::string venue, std::unique_ptr<ByteSource> source,
                             PutTarget target, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    Listener listener(executor, {});
    process->set_handler(&listener);
    const std::string nonce = random_nonce();
    process->send(fmt::format(fmt::runtime(upload_program), fmt::arg("path", shell_quote(target.path)),
                              fmt::arg("mode", fmt::format("{:04o}", target.mode)), fmt::arg("nonce", nonce)));
    Sha256 hash;
    std::exception_ptr failure;
    try {
        for (;;) {
            std::string chunk = co_await source->next(deadline);
            if (chunk.empty() || listener.exit()) break;
            hash.update(chunk);
            process->send(fmt::format("chunk {}\n", chunk.size()));
            process->send(std::move(chunk));
            co_await process->drained(deadline);
        }
        process->send(fmt::format("commit {}\n", target.sha256 ? *target.sha256 : hash.hex()));
        process->end_input();
        co_await listener.ended(deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    process->set_handler(nullptr);
    if (failure) std::rethrow_exception(failure);
    if (listener.take_record(fmt::format("\036ov-put {} ", nonce)) != "ok") fail(listener, venue, "upload to", target.path);
}

asio::awaitable<void> download(std::unique_ptr<RemoteProcess> process, std::string venue, std::string path,
                               std::function<void(std::string_view)> sink, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    Listener listener(executor, std::move(sink));
    process->set_handler(&listener);
    const std::string nonce = random_nonce();
    process->send(fmt::format(fmt::runtime(download_program), fmt::arg("path", shell_quote(path)), fmt::arg("nonce", nonce)));
    process->end_input();
    std::exception_ptr failure;
    try {
        co_await listener.ended(deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    process->set_handler(nullptr);
    if (failure) std::rethrow_exception(failure);
    const std::string verdict = listener.take_record(fmt::format("\036ov-get {} ", nonce));
    if (verdict == "absent") throw Error(Errc::not_found, fmt::format("{}: {}: no such file", venue, path));
    if (verdict != "ok") fail(listener, venue, "download of", path);
}

asio::awaitable<CommandResult> feed_script(std::unique_ptr<RemoteProcess> process, std::string venue, Command command,
                                           std::unique_ptr<ByteSource> input, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    CommandResult result;
    Listener listener(executor, [&result](std::string_view bytes) { result.out += bytes; });
    process->set_handler(&listener);
    const std::string nonce = random_nonce();
    process->send(fmt::format(fmt::runtime(feed_program), fmt::arg("script", command.script), fmt::arg("nonce", nonce)));
    const Deadline limit = deadline.child(command.limit, command.label);
    std::exception_ptr failure;
    try {
        while (!listener.exit()) {
            std::string chunk = co_await input->next(limit);
            if (chunk.empty()) break;
            process->send(std::move(chunk));
            co_await process->drained(limit);
        }
        process->end_input();
        co_await listener.ended(limit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (failure && !listener.exit()) {
        process->end_input();
        const Deadline tidy = Deadline::unlimited().child(tidy_limit);
        try {
            co_await listener.ended(tidy);
        } catch (const Error& error) {
            // The channel is closed on it; what the caller hears of is the first failure.
            if (error.code() != Errc::timed_out) throw;
        }
    }
    process->set_handler(nullptr);
    const std::string status = listener.take_record(fmt::format("\036ov-feed {} ", nonce));
    result.err = listener.words();
    // A script that ended by itself has more to say than the stream that broke on it.
    const bool ended_first = failure && !status.empty() && status != "0" && !deadline.cancelled() && input_broke_on_us(failure);
    if (failure && !ended_first) std::rethrow_exception(failure);
    if (status.empty()) fail(listener, venue, "the script", command.label);
    result.status = std::stoi(status);
    co_return result;
}

}  // namespace ov
