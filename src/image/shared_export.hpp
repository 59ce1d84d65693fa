// One export of an image, read once, for any number of machines at their own pace.
//
// Readers share a window of reference-counted chunks. Whoever needs the next chunk reads it for all. A reader that falls a
// whole window behind while another waits is let go: it goes on with an export of its own, from where it was. One for which all
// the others wait is let go soon; while several are behind, the machines may just be busy, and a second export would not help.
#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>

#include "async/event.hpp"
#include "ov/image.hpp"

namespace ov {

class SharedExport : public std::enable_shared_from_this<SharedExport> {
public:
    struct Limits {
        std::size_t window = 12U << 20U;            ///< bytes in memory for all readers together
        std::chrono::milliseconds patience{3000};   ///< how long the window may stay full because of some that are behind
        std::chrono::milliseconds alone{100};       ///< the same because of one alone, for a quarter of the readers
        std::chrono::milliseconds gathering{3000};  ///< how long the first reader waits for the others that are expected
    };

    SharedExport(asio::any_io_executor executor, ImageExport stream, int expected, Limits limits);
    SharedExport(asio::any_io_executor executor, ImageExport stream, int expected)
        : SharedExport(std::move(executor), std::move(stream), expected, Limits{}) {}

    /// A reader from the beginning. One that comes after the export has begun gets an export of its own.
    std::unique_ptr<ImageStream> join();
    /// One of the expected readers does not come.
    void excuse();

    int exports() const noexcept { return exports_; }
    std::size_t most_bytes() const noexcept { return most_bytes_; }

private:
    class Reader;
    using Chunk = std::shared_ptr<const std::string>;

    asio::awaitable<void> gather(Deadline deadline);
    asio::awaitable<void> read_one(Deadline deadline);
    asio::awaitable<void> make_room(Deadline deadline);
    void drop_consumed();
    Reader* slowest() const;
    bool all_wait_for(const Reader* behind) const;
    std::unique_ptr<ByteSource> start();

    asio::any_io_executor executor_;
    ImageExport stream_;
    Limits limits_;
    int expected_, joined_ = 0, exports_ = 0;
    std::unique_ptr<ByteSource> source_;
    std::set<Reader*> readers_;
    std::deque<Chunk> window_;
    std::size_t window_bytes_ = 0, most_bytes_ = 0;
    std::uint64_t first_ = 0;  ///< index of the window's first chunk
    /// Waited for the slowest reader, and while nobody else was behind, since the window was last half empty.
    Deadline::Duration held_up_{}, held_up_by_one_{};
    int let_go_soon_ = 0;
    bool begun_ = false, ended_ = false, reading_ = false;
    std::exception_ptr failure_;
    Event changed_;
};

}  // namespace ov
