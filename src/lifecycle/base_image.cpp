#include "lifecycle/base_image.hpp"

#include <fmt/format.h>

#include <asio/post.hpp>
#include <atomic>

#include "backend/disk_image.hpp"
#include "lifecycle/fetch_image.hpp"
#include "state/async_lock.hpp"

namespace ov {

namespace {

/// Tells a thread of the pool that nobody waits for it any more.
struct StopFlag {
    explicit StopFlag(const Deadline& deadline)
        : flag(std::make_shared<std::atomic<bool>>(false)), registration(deadline.on_cancel([stop = flag] { *stop = true; })) {}
    ~StopFlag() { *flag = true; }
    StopFlag(const StopFlag&) = delete;
    StopFlag& operator=(const StopFlag&) = delete;
    ImageCache::Stopped stopped() const {
        return [stop = flag] { return stop->load(); };
    }
    std::shared_ptr<std::atomic<bool>> flag;
    CancelRegistration registration;
};

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

asio::awaitable<std::string> import_local(VmContext& context, ImageCache cache, std::string url, std::string expected,
                                          Deadline deadline) {
    const StopFlag stop(deadline);
    const auto stopped = stop.stopped();
    const auto last = std::make_shared<std::atomic<std::uint64_t>>(0);
    const auto report = context.progress;
    auto loop = context.runtime.io.get_executor();
    const ImageCache::Copied copied = [report, loop, last, url](std::uint64_t done, std::uint64_t total) {
        constexpr std::uint64_t step = 64U << 20U;
        if (!report || (done - last->load() < step && done != total)) return;
        *last = done;
        asio::post(loop, [report, url, done, total] { report({url, done, total}); });
    };
    const std::string path = path_of_file_url(url);
    auto import = [cache, url, path, expected, stopped, copied] {
        return cache.import_file(url, path, expected, stopped, copied);
    };
    co_return co_await context.runtime.pool.run(deadline, import);
}

}  // namespace

asio::awaitable<BaseImage> inspect_base(std::string path, std::string digest, Deadline deadline) {
    const DiskInfo info = co_await disk_info(path, deadline, true);
    if (!info.backing_file.empty())
        throw Error(Errc::unsupported,
                    fmt::format("{}: the image stands on another file ({}); publish it flattened (qemu-img convert)", path,
                                info.backing_file));
    if (info.format != "qcow2" && info.format != "raw")
        throw Error(Errc::unsupported, fmt::format("{}: expected a qcow2 or raw image, it is {}", path, info.format));
    BaseImage base;
    base.path = std::move(path);
    base.digest = std::move(digest);
    base.format = info.format;
    base.virtual_size = info.virtual_size;
    co_return base;
}

asio::awaitable<BaseImage> fetch_base(VmContext& context, VmSpec spec, Deadline deadline) {
    const ImageCache cache(spec.source.cache.empty() ? context.image_cache() : spec.source.cache);
    const std::string url = spec.source.url, expected = lower(spec.source.checksum.value);
    const std::string path = path_of_file_url(url);
    // Machines that want the same image wait for the one that fetches it.
    const state::FileLock lock = co_await state::lock_async(
        context.runtime.pool, cache.lock_path(url), "another ov command fetches this image", deadline, std::chrono::hours(6));
    std::string digest;
    if (path.empty()) {
        FetchOptions options;
        options.url = url;
        options.expected = expected;
        options.note = context.note;
        if (const auto report = context.progress)
            options.progress = [report, url](std::uint64_t done, std::uint64_t total) {
                report({url, done, total > 0 ? std::optional(total) : std::nullopt});
            };
        digest = co_await fetch_image(context.runtime, cache, std::move(options), deadline);
    } else {
        digest = co_await import_local(context, cache, url, expected, deadline);
    }
    BaseImage base = co_await inspect_base(cache.image_path(digest), digest, deadline);
    co_return base;
}

}  // namespace ov
