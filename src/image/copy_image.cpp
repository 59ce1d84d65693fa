#include <fmt/format.h>

#include "image/archive_filter.hpp"
#include "image/guest_storage.hpp"
#include "image/zstd_stream.hpp"
#include "ov/error.hpp"
#include "ov/image.hpp"

namespace ov {

namespace {

constexpr std::size_t piece_size = 256 * 1024;
constexpr std::uint64_t report_every = 4U << 20U;
/// Compression pays when the beginning shrinks to this share: podman spools a compressed stream and unpacks it beside that.
constexpr std::size_t sample_size = 1U << 20U;
constexpr double worthwhile_ratio = 0.8;

bool pays(std::string_view sample) {
    ZstdStream trial;
    std::string packed;
    trial.push(sample, packed);
    trial.finish(packed);
    return static_cast<double>(packed.size()) < worthwhile_ratio * static_cast<double>(sample.size());
}

/// What travels: the export without the layers that the machine holds, compressed if it takes that.
class Parcel final : public ByteSource {
public:
    struct Count {
        std::uint64_t archive = 0, wire = 0;
        int sent = 0, held = 0;
    };

    Parcel(std::unique_ptr<ImageStream> stream, std::set<std::string, std::less<>> held, bool compress, Count& count,
           std::string what, EmitEvent events)
        : stream_(std::move(stream)),
          filter_(std::move(held)),
          count_(count),
          what_(std::move(what)),
          events_(std::move(events)) {
        sampling_ = compress;
    }

    asio::awaitable<std::string> next(Deadline deadline) override {
        const auto asked = Deadline::Clock::now();
        std::string out;
        const ArchiveFilter::Sink take = [this, &out](std::string_view piece) {
            if (zstd_)
                zstd_->push(piece, out);
            else
                out += piece;
        };
        while (!ended_ && out.size() < (sampling_ ? sample_size : piece_size)) {
            const auto chunk = co_await stream_->next(deadline);
            if (chunk) {
                filter_.push(*chunk, take);
            } else {
                filter_.finish();
                ended_ = true;
            }
            if (sampling_ && (out.size() >= sample_size || ended_)) begin(out);
        }
        if (ended_ && zstd_) {
            zstd_->finish(out);
            zstd_.reset();
        }
        judge_wire(asked);
        account(out.size());
        co_return out;
    }

private:
    /// What came up to now decides whether the stream is compressed.
    void begin(std::string& out) {
        sampling_ = false;
        if (!pays(out)) return;
        zstd_.emplace();
        std::string packed;
        zstd_->push(out, packed);
        out = std::move(packed);
    }

    /// The time between our answers is the wire's; the time inside is the export's and the compressor's.
    void judge_wire(Deadline::Clock::time_point asked) {
        const auto now = Deadline::Clock::now();
        if (zstd_ && answered_) {
            wire_time_ += asked - *answered_;
            own_time_ += now - asked;
            zstd_->set_fast_wire(wire_time_ < own_time_ / 2);
        }
        answered_ = now;
    }

    void account(std::size_t bytes) {
        count_.wire += bytes;
        count_.archive = filter_.bytes_in();
        count_.sent = filter_.layers_sent();
        count_.held = filter_.layers_left_out();
        if (bytes > 0 && count_.archive < reported_ + report_every) return;
        reported_ = count_.archive;
        events_(event::Transfer{what_, count_.wire, std::nullopt});
    }

    std::unique_ptr<ImageStream> stream_;
    ArchiveFilter filter_;
    std::optional<ZstdStream> zstd_;
    Count& count_;
    std::string what_;
    EmitEvent events_;
    bool ended_ = false, sampling_ = false;
    std::uint64_t reported_ = 0;
    std::optional<Deadline::Clock::time_point> answered_;
    Deadline::Clock::duration wire_time_{}, own_time_{};
};

std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1U << 20U));
}

/// One transfer: everything that `copy_image` needs again when the first try shows torn storage.
class Transfer {
public:
    Transfer(Executor& machine, HostImage image, OpenImage open, CopyImageOptions options, EmitEvent events)
        : machine_(machine),
          storage_(machine, options.rootless),
          image_(std::move(image)),
          open_(std::move(open)),
          options_(std::move(options)),
          events_(std::move(events)) {}

    asio::awaitable<CopyImageResult> run(Deadline deadline) {
        const auto start = Deadline::Clock::now();
        co_await storage_.look(image_.id, deadline);
        bool present = storage_.with_id(image_.id) != nullptr;
        if (present) {
            std::vector<std::string> names = options_.dry_run ? std::vector<std::string>() : names_to_set();
            const Settled settled = co_await storage_.settle(image_.id, std::move(names), deadline);
            result_.tagged = settled.tagged;
            if (settled.torn) {
                say(fmt::format("the image there is torn ({}): it is removed and sent whole", *settled.torn));
                whole_ = true;
                if (!options_.dry_run) {
                    std::string none;
                    co_await storage_.look(std::move(none), deadline);
                    check_space();  // containers of the image go with it: not for a transfer that cannot end well
                    co_await storage_.remove(image_.id, deadline);
                    co_await storage_.look(image_.id, deadline);
                }
                present = false;
            }
        }
        if (!present && !options_.dry_run) co_await send_until_whole(deadline);
        if (!present && options_.dry_run) say(plan());
        result_.seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
        co_return result_;
    }

private:
    void say(std::string text) {
        events_(event::Note{Severity::note, text});
        result_.notes.push_back(std::move(text));
    }

    std::set<std::string, std::less<>> held() const { return whole_ ? std::set<std::string, std::less<>>() : storage_.layers(); }

    std::uint64_t missing_bytes() const {
        if (image_.layer_sizes.empty()) return image_.size;
        const auto there = held();
        std::uint64_t bytes = 0;
        for (std::size_t i = 0; i < image_.layers.size(); ++i)
            if (!there.contains(image_.layers[i])) bytes += image_.layer_sizes[i];
        return bytes;
    }

    std::string plan() const {
        const auto there = held();
        const auto missing = std::count_if(image_.layers.begin(), image_.layers.end(),
                                           [&](const std::string& layer) { return !there.contains(layer); });
        return fmt::format("would send {} of {} layers of {} ({}) into {}", missing, image_.layers.size(), image_.ref,
                           mebibytes(missing_bytes()), storage_.whose());
    }

    /// podman spools the stream, unpacks it beside that when it is compressed, and then writes the layers.
    void check_space() const {
        const StorageSpace& space = storage_.space();
        if (!space.known)
            throw Error(Errc::step_failed,
                        fmt::format("{}: cannot tell the free space of {}", machine_.venue(), storage_.whose()));
        const std::uint64_t layers = missing_bytes(), spool = compress() ? 2 * layers : layers;
        const bool fits =
            space.same_filesystem ? layers + spool <= space.graph_free : layers <= space.graph_free && spool <= space.spool_free;
        if (fits) return;
        throw Error(
            Errc::step_failed,
            fmt::format("{}: not enough space for {}: its missing layers take {} in {} ({} free), and podman spools up to {} in "
                        "{} ({} free); make room, or set TMPDIR there for the spool",
                        machine_.venue(), image_.ref, mebibytes(layers), space.graph, mebibytes(space.graph_free),
                        mebibytes(spool), space.spool, mebibytes(space.spool_free)));
    }

    bool compress() const { return options_.compress && storage_.takes_zstd(); }

    asio::awaitable<std::optional<std::string>> send(std::unique_ptr<ImageStream> stream, Deadline deadline) {
        Parcel::Count count;
        auto parcel = std::make_unique<Parcel>(std::move(stream), held(), compress(), count, image_.ref, events_);
        Loaded loaded = co_await storage_.load(std::move(parcel), deadline);
        loaded_names_ = std::move(loaded.names);
        result_.sent = true;
        result_.wire_bytes += count.wire;
        result_.archive_bytes = count.archive;
        result_.layers_sent = count.sent;
        result_.layers_held = count.held;
        co_return std::move(loaded.refused);
    }

    /// A delta that the machine refuses is sent whole; so is an image that turns out torn, once.
    asio::awaitable<void> send_until_whole(Deadline deadline) {
        check_space();
        auto refused = co_await send(open_(), deadline);
        if (refused && result_.layers_held > 0) {
            say(fmt::format("the machine refused the delta ({}): the image is sent whole", *refused));
            whole_ = true;
            check_space();
            refused = co_await send(open_(), deadline);
        }
        if (refused) throw Error(Errc::step_failed, load_failure(*refused));
        auto torn = co_await settle(deadline);
        if (!torn) co_return;
        say(fmt::format("the image is torn after loading ({}): it is removed and sent whole, once", *torn));
        whole_ = true;
        co_await storage_.remove(image_.id, deadline);
        refused = co_await send(open_(), deadline);
        if (refused) throw Error(Errc::step_failed, load_failure(*refused));
        torn = co_await settle(deadline);
        if (torn)
            throw Error(Errc::step_failed,
                        fmt::format("{}: {} is still torn in {} after it was sent whole: {}; another image there shares a broken "
                                    "layer: remove that one too (`podman rmi`)",
                                    machine_.venue(), image_.ref, storage_.whose(), *torn));
    }

    /// Mounts what arrived and sees to its names.
    asio::awaitable<std::optional<std::string>> settle(Deadline deadline) {
        std::vector<std::string> wanted = names();
        std::erase_if(wanted, [this](const std::string& name) { return std::ranges::count(loaded_names_, name) > 0; });
        const Settled settled = co_await storage_.settle(image_.id, std::move(wanted), deadline);
        result_.tagged = result_.tagged || settled.tagged;
        co_return settled.torn;
    }

    std::string load_failure(const std::string& words) const {
        const bool full = words.find("no space left") != std::string::npos ||
                          words.find("payload does not match any of the supported image formats") != std::string::npos;
        return fmt::format("{}: podman load of {} into {} failed{}: {}", machine_.venue(), image_.ref, storage_.whose(),
                           full ? " (the machine's disk seems to be full)" : "", words);
    }

    std::vector<std::string> names() const {
        std::vector<std::string> names{image_.ref};
        if (!options_.as.empty() && options_.as != image_.ref) names.push_back(options_.as);
        return names;
    }

    /// Those that mean another image in the machine, or none.
    std::vector<std::string> names_to_set() const {
        std::vector<std::string> wanted;
        for (std::string& name : names()) {
            const StoredImage* now = storage_.named(name);
            if (now == nullptr || now->id != image_.id) wanted.push_back(std::move(name));
        }
        return wanted;
    }

    Executor& machine_;
    GuestStorage storage_;
    HostImage image_;
    OpenImage open_;
    CopyImageOptions options_;
    EmitEvent events_;
    CopyImageResult result_;
    std::vector<std::string> loaded_names_;  ///< those that the last load gave the image
    bool whole_ = false;                     ///< the storage's layers are not to be trusted
};

}  // namespace

asio::awaitable<CopyImageResult> copy_image(Executor& machine, HostImage image, OpenImage open, CopyImageOptions options,
                                            Deadline deadline, EmitEvent events) {
    Transfer transfer(machine, std::move(image), std::move(open), std::move(options), std::move(events));
    auto result = co_await transfer.run(deadline);
    co_return result;
}

}  // namespace ov
