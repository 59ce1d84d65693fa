#include "exec/runner.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <charconv>
#include <functional>

#include "runner_text.hpp"

namespace ov {

namespace {

constexpr char record_mark = '\x1e';
constexpr std::size_t longest_record = 160;
constexpr std::chrono::milliseconds kill_patience{1500};

/// The first line of a frame, filled to the length that the machine reads at once.
std::string frame_head(const std::string& words) {
    constexpr std::size_t length = 72;
    if (words.size() + 2 > length) throw Error(Errc::internal, fmt::format("runner frame '{}' is too long", words));
    return fmt::format("{:<{}}\n", words, length - 1);
}

/// What `read` may get as the name of a variable: nothing that bash would expand.
bool is_variable(std::string_view text) {
    const auto made_of = [](std::string_view word, std::string_view others) {
        return !word.empty() && std::ranges::all_of(word, [others](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
        });
    };
    const std::size_t bracket = text.find('[');
    if (bracket == std::string_view::npos) return made_of(text, "_");
    return made_of(text.substr(0, bracket), "_") && text.ends_with(']') &&
           made_of(text.substr(bracket + 1, text.size() - bracket - 2), "./_-");
}

}  // namespace

struct Runner::Job {
    explicit Job(const asio::any_io_executor& executor) : changed(executor) {}
    std::uint64_t id = 0;
    std::string label;
    std::chrono::seconds limit{};
    OutputSink sink;
    CommandResult result;
    int streams_left = 2;
    bool done = false, killed = false, over_limit = false;
    std::string lost;
    std::optional<Deadline::Clock::time_point> started;
    Event changed;
};

std::string random_nonce() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw Error(Errc::internal, "libcrypto gives no random bytes");
    std::string text;
    for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
}

std::string runner_program(const std::string& nonce, const std::string& tag) {
    // bash reads commands from a pipe byte by byte, but the argument of `read -N` in one go.
    return fmt::format("ov__nonce={} ov__tag={} LC_ALL=C; IFS= read -r -N {} ov__text; eval \"$ov__text\"\n{}", nonce, tag,
                       runner_text.size(), runner_text);
}

Runner::Runner(std::unique_ptr<RemoteProcess> process, std::string venue, RunAs as, asio::any_io_executor executor)
    : process_(std::move(process)),
      venue_(std::move(venue)),
      as_(as),
      executor_(executor),
      nonce_(random_nonce()),
      changed_(executor),
      limit_(executor) {
    process_->set_handler(this);
}

Runner::~Runner() {
    process_->set_handler(nullptr);
    process_->abandon();
}

asio::awaitable<std::unique_ptr<Runner>> Runner::start(std::unique_ptr<RemoteProcess> process, std::string venue, RunAs as,
                                                       Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto runner = std::make_unique<Runner>(std::move(process), std::move(venue), as, executor);
    runner->process_->send(runner_program(runner->nonce_, random_nonce().substr(0, 12)));
    while (!runner->greeted() && !runner->exit_) co_await runner->changed_.wait(deadline);
    if (!runner->greeted()) {
        std::string words = runner->before_hello_;
        while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
        const std::string& lost = runner->exit_->lost;
        if (!lost.empty()) throw Error(Errc::transport_lost, fmt::format("{}: {}", runner->venue_, lost));
        const bool root = as == RunAs::root;
        throw Error(root ? Errc::privilege : Errc::unreachable,
                    fmt::format("{}: {}: {}", runner->venue_,
                                root ? "no root shell (`sudo -n bash` must work without a password)" : "no bash on the machine",
                                words.empty() ? "it ended without a word" : words));
    }
    co_return runner;
}

asio::awaitable<CommandResult> Runner::run(Command command, Deadline deadline, OutputSink sink) {
    deadline.check();
    if (exit_) throw Error(Errc::transport_lost, why_lost(nullptr));
    const bool hold = !command.variable.empty();
    if (hold && (!command.persistent || !is_variable(command.variable) || command.script.find('\0') != std::string::npos))
        throw Error(Errc::internal, fmt::format("'{}' cannot be set in a runner", command.variable));
    auto job = std::make_shared<Job>(executor_);
    job->id = next_id_++;
    job->label = std::move(command.label);
    job->limit = command.limit;
    job->sink = std::move(sink);
    std::string body = std::move(command.script);
    if (!command.record.empty()) body = "#ov-record " + command.record + "\n" + body;
    running_.push_back(job);
    out_.jobs.push_back(job);
    err_.jobs.push_back(job);
    const char* verb = hold ? "hold" : command.persistent || command.in_runner ? "keep" : "run";
    if (hold) body.insert(0, command.variable + "\n");
    process_->send(frame_head(fmt::format("{} {} {} {} {}", verb, job->id, nonce_, command.limit.count(), body.size())) + body);
    arm_limit();
    std::exception_ptr cut;
    try {
        while (!job->done) co_await job->changed.wait(deadline);
    } catch (const Error&) {
        cut = std::current_exception();
    }
    if (cut) {
        // Ends the process tree on the machine and hears that it ended, before the caller goes on.
        kill(*job);
        const Deadline patience = Deadline::unlimited().child(kill_patience);
        try {
            while (!job->done) co_await job->changed.wait(patience);
        } catch (const Error&) {
            // No answer: the machine ends the step by its own deadline or when the connection closes.
        }
        job->sink = nullptr;
        std::rethrow_exception(cut);
    }
    if (!job->lost.empty()) throw Error(Errc::transport_lost, job->lost);
    if (job->over_limit)
        throw Error(Errc::timed_out,
                    fmt::format("{}: {}: longer than its limit of {} s; it was ended", venue_, job->label, job->limit.count()));
    co_return std::move(job->result);
}

void Runner::kill(Job& job) {
    if (job.done || job.killed || exit_) return;
    job.killed = true;
    kills_.push_back(job.id);
    // The caller waits for the job's end, so this object is still there then.
    if (kills_.size() == 1) asio::post(executor_, [this] { send_kills(); });
}

void Runner::send_kills() {
    // Newest first: what is queued must be dropped before the end of the one at work lets it begin.
    std::sort(kills_.begin(), kills_.end(), std::greater<>());
    std::string frames;
    for (const std::uint64_t id : kills_) frames += frame_head(fmt::format("kill {}", id));
    kills_.clear();
    process_->send(std::move(frames));
}

void Runner::arm_limit() {
    if (running_.empty()) {
        limit_.cancel();
        return;
    }
    const auto job = running_.front();
    if (job->started) return;
    job->started = Deadline::Clock::now();
    limit_.expires_at(*job->started + job->limit);
    limit_.async_wait([this, weak = std::weak_ptr(job)](asio::error_code error) {
        const auto late = weak.lock();
        if (error || !late || late->done) return;
        late->over_limit = true;
        kill(*late);
    });
}

void Runner::on_output(Stream stream, std::string_view bytes) {
    bytes_ += bytes.size();
    Reader& reader = stream == Stream::out ? out_ : err_;
    std::string joined;
    if (!reader.carry.empty()) {
        joined = std::exchange(reader.carry, {}) + std::string(bytes);
        bytes = joined;
    }
    while (!bytes.empty()) {
        const std::size_t mark = bytes.find(record_mark);
        if (mark == std::string_view::npos) return deliver(stream, reader, bytes);
        deliver(stream, reader, bytes.substr(0, mark));
        bytes.remove_prefix(mark);
        const std::size_t end = bytes.find('\n');
        if (end == std::string_view::npos && bytes.size() < longest_record) {
            reader.carry = bytes;
            return;
        }
        if (end != std::string_view::npos && take_record(reader, bytes.substr(1, end - 1))) {
            bytes.remove_prefix(end + 1);
        } else {
            // Somebody's output holds the mark: it is output.
            deliver(stream, reader, bytes.substr(0, 1));
            bytes.remove_prefix(1);
        }
    }
}

bool Runner::take_record(Reader& reader, std::string_view line) {
    const auto take = [&line](std::string_view word) {
        if (!line.starts_with(word)) return false;
        line.remove_prefix(word.size());
        return true;
    };
    if (take("ov-hello ")) {
        if (line != nonce_) return false;
        reader.greeted = true;
        changed_.notify();
        return true;
    }
    if (!take("ov-end ") || !take(nonce_) || !take(" ")) return false;
    std::uint64_t id = 0;
    int status = 0;
    const char* end = line.data() + line.size();
    const auto after_id = std::from_chars(line.data(), end, id);
    if (after_id.ptr == end || *after_id.ptr != ' ' || std::from_chars(after_id.ptr + 1, end, status).ptr != end) return false;
    if (reader.jobs.empty() || reader.jobs.front()->id != id) return false;
    const auto job = reader.jobs.front();
    reader.jobs.pop_front();
    job->result.status = status;
    if (--job->streams_left == 0) finish(job);
    return true;
}

void Runner::finish(const std::shared_ptr<Job>& job) {
    job->done = true;
    job->sink = nullptr;
    job->changed.notify();
    std::erase(running_, job);
    arm_limit();
}

void Runner::deliver(Stream stream, Reader& reader, std::string_view text) {
    if (text.empty()) return;
    if (!reader.greeted) {
        if (stream == Stream::err && before_hello_.size() < 4096) before_hello_ += text;
        return;
    }
    // Between two steps only strays write: a daemon that kept its parent's output.
    if (reader.jobs.empty()) return;
    Job& job = *reader.jobs.front();
    if (job.sink)
        job.sink(stream, text);
    else if (!job.done)
        (stream == Stream::out ? job.result.out : job.result.err).append(text);
}

std::string Runner::why_lost(const Job* job) const {
    const std::string reason = !exit_ ? "closed" : !exit_->lost.empty() ? exit_->lost : "the runner on the machine ended";
    if (job == nullptr || job->label.empty()) return fmt::format("{}: {} ({} bytes received)", venue_, reason, bytes_);
    return fmt::format("{}: {}: connection lost before its end was reported: {} ({} bytes received); what it did is unknown",
                       venue_, job->label, reason, bytes_);
}

void Runner::on_closed(const RemoteExit& exit) {
    exit_ = exit;
    const auto jobs = std::move(running_);
    running_.clear();
    out_.jobs.clear();
    err_.jobs.clear();
    limit_.cancel();
    for (const auto& job : jobs) {
        job->lost = why_lost(job.get());
        job->done = true;
        job->sink = nullptr;
        job->changed.notify();
    }
    changed_.notify();
}

asio::awaitable<void> Runner::idle(Deadline deadline) {
    while (!running_.empty()) {
        const auto last = running_.back();
        co_await last->changed.wait(deadline);
    }
}

asio::awaitable<void> Runner::close(Deadline deadline) {
    if (exit_) co_return;
    process_->end_input();
    try {
        while (!exit_) co_await changed_.wait(deadline);
    } catch (const Error&) {
        // The runner ends by itself once it reads the end of its input.
        process_->abandon();
    }
}

}  // namespace ov
