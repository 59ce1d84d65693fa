#include "image/shared_export.hpp"

#include <algorithm>

namespace ov {

namespace {

/// Those that catch up tell nobody.
constexpr std::chrono::milliseconds look_interval{20};

}  // namespace

class SharedExport::Reader final : public ImageStream {
public:
    Reader(std::shared_ptr<SharedExport> shared, std::unique_ptr<ByteSource> own)
        : shared_(std::move(shared)), own_(std::move(own)) {}
    ~Reader() override { leave(); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    asio::awaitable<Chunk> next(Deadline deadline) override {
        if (!own_ && !shared_->begun_) co_await shared_->gather(deadline);
        for (;;) {
            if (own_) {
                Chunk chunk = co_await next_own(deadline);
                co_return chunk;
            }
            SharedExport& all = *shared_;
            if (at_ < all.first_ + all.window_.size()) {
                Chunk chunk = all.window_[static_cast<std::size_t>(at_ - all.first_)];
                ++at_;
                bytes_ += chunk->size();
                all.drop_consumed();
                co_return chunk;
            }
            if (all.failure_) std::rethrow_exception(all.failure_);
            if (all.ended_) co_return nullptr;
            if (all.reading_)
                co_await all.changed_.wait(deadline);
            else
                co_await all.read_one(deadline);
        }
    }

    void let_go() { own_ = shared_->start(); }
    std::uint64_t at() const noexcept { return at_; }
    bool shares() const noexcept { return !own_; }

private:
    /// An export gives the same bytes each time: those that this reader has had are passed over.
    asio::awaitable<Chunk> next_own(Deadline deadline) {
        for (;;) {
            std::string chunk = co_await own_->next(deadline);
            if (chunk.empty() && passed_ < bytes_)
                throw Error(Errc::io, "the second export of the image is shorter than the first");
            const std::uint64_t known = std::min<std::uint64_t>(bytes_ - passed_, chunk.size());
            passed_ += known;
            if (chunk.empty()) co_return nullptr;
            if (known == chunk.size()) continue;
            chunk.erase(0, static_cast<std::size_t>(known));
            co_return std::make_shared<const std::string>(std::move(chunk));
        }
    }
    void leave() {
        shared_->readers_.erase(this);
        shared_->drop_consumed();
        shared_->changed_.notify();
    }

    std::shared_ptr<SharedExport> shared_;
    std::unique_ptr<ByteSource> own_;
    std::uint64_t at_ = 0, bytes_ = 0, passed_ = 0;
};

SharedExport::SharedExport(asio::any_io_executor executor, ImageExport stream, int expected, Limits limits)
    : executor_(std::move(executor)), stream_(std::move(stream)), limits_(limits), expected_(expected), changed_(executor_) {}

std::unique_ptr<ByteSource> SharedExport::start() {
    ++exports_;
    return stream_();
}

std::unique_ptr<ImageStream> SharedExport::join() {
    auto reader = std::make_unique<Reader>(shared_from_this(), begun_ ? start() : nullptr);
    readers_.insert(reader.get());
    ++joined_;
    changed_.notify();
    return reader;
}

void SharedExport::excuse() {
    --expected_;
    changed_.notify();
}

asio::awaitable<void> SharedExport::gather(Deadline deadline) {
    const Deadline patience = deadline.child(limits_.gathering);
    try {
        while (!begun_ && joined_ < expected_) co_await changed_.wait(patience);
    } catch (const Error& error) {
        if (error.code() != Errc::timed_out || deadline.expired()) throw;
    }
    if (begun_) co_return;
    begun_ = true;
    try {
        source_ = start();
    } catch (...) {  // every reader is told
        failure_ = std::current_exception();
    }
    changed_.notify();
}

SharedExport::Reader* SharedExport::slowest() const {
    Reader* last = nullptr;
    for (Reader* reader : readers_)
        if (reader->shares() && (last == nullptr || reader->at() < last->at())) last = reader;
    return last;
}

void SharedExport::drop_consumed() {
    const Reader* last = slowest();
    const std::uint64_t needed = last == nullptr ? first_ + window_.size() : last->at();
    bool dropped = false;
    while (!window_.empty() && first_ < needed) {
        window_bytes_ -= window_.front()->size();
        window_.pop_front();
        ++first_;
        dropped = true;
    }
    if (dropped) changed_.notify();
}

bool SharedExport::all_wait_for(const Reader* behind) const {
    return std::ranges::all_of(readers_, [&](const Reader* reader) {
        return reader == behind || !reader->shares() || reader->at() == first_ + window_.size();
    });
}

asio::awaitable<void> SharedExport::make_room(Deadline deadline) {
    if (window_bytes_ < limits_.window / 2) held_up_ = held_up_by_one_ = {};
    while (window_bytes_ >= limits_.window) {
        Reader* behind = slowest();
        if (behind == nullptr) co_return;
        const bool one = all_wait_for(behind);
        const bool soon = one && held_up_by_one_ >= limits_.alone && let_go_soon_ < std::max(1, joined_ / 4);
        // One chunk of room now and then is no progress: what was waited adds up until the window is half empty.
        if (soon || held_up_ >= limits_.patience) {
            held_up_ = held_up_by_one_ = {};
            if (soon) ++let_go_soon_;
            behind->let_go();
            drop_consumed();
            continue;
        }
        const auto start = Deadline::Clock::now();
        const Deadline look_again = deadline.child(look_interval);
        try {
            co_await changed_.wait(look_again);
        } catch (const Error& error) {
            if (error.code() != Errc::timed_out || deadline.expired()) throw;
        }
        const auto waited = Deadline::Clock::now() - start;
        held_up_ += waited;
        if (one) held_up_by_one_ += waited;
    }
}

asio::awaitable<void> SharedExport::read_one(Deadline deadline) {
    reading_ = true;
    std::exception_ptr failure;
    bool ours = false;  // the reader's own deadline, not the export's failure
    try {
        co_await make_room(deadline);
        std::string bytes = co_await source_->next(deadline);
        if (bytes.empty()) {
            ended_ = true;
        } else {
            window_bytes_ += bytes.size();
            most_bytes_ = std::max(most_bytes_, window_bytes_);
            window_.push_back(std::make_shared<const std::string>(std::move(bytes)));
        }
    } catch (const Error& error) {
        failure = std::current_exception();
        ours = error.code() == Errc::cancelled || error.code() == Errc::timed_out;
    } catch (...) {  // whatever it is, the other readers must hear of it
        failure = std::current_exception();
    }
    reading_ = false;
    if (failure && !ours) failure_ = failure;
    changed_.notify();
    if (failure) std::rethrow_exception(failure);
}

OpenImage share_export(asio::any_io_executor executor, ImageExport stream, int expected) {
    auto shared = std::make_shared<SharedExport>(std::move(executor), std::move(stream), expected);
    return [shared] { return shared->join(); };
}

}  // namespace ov
