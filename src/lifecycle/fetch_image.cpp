#include "lifecycle/fetch_image.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "async/event.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
}

bool is_digest(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string base_name_of(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    return std::string(url.substr(url.rfind('/') + 1));
}

bool is_protected(const std::string& url) {
    if (url.starts_with("https://")) return true;
    // What this machine tells itself needs no protection.
    for (const char* here : {"http://127.", "http://localhost/", "http://localhost:", "http://[::1]"})
        if (url.starts_with(here)) return true;
    return false;
}

/// What the beginning of an unfinished file is the beginning of; stands beside it.
void remember_part(const std::string& part, const Validator& validator) {
    state::write_file(part + ".json", Json{{"etag", validator.etag}, {"last_modified", validator.last_modified}}.dump() + "\n");
}

Validator validator_of_part(const std::string& part) {
    std::error_code ignored;
    if (!fs::exists(part, ignored)) return {};
    const Json value = Json::parse(state::read_file(part + ".json").value_or(""), nullptr, false);
    if (!value.is_object()) return {};
    return {value.value("etag", ""), value.value("last_modified", "")};
}

void remove_part(const std::string& part) {
    ::unlink(part.c_str());
    ::unlink((part + ".json").c_str());
}

struct Stop {
    explicit Stop(const Deadline& deadline)
        : end(deadline.at()), registration(deadline.on_cancel([stop = flag] { *stop = true; })) {}
    ~Stop() { *flag = true; }
    Stop(const Stop&) = delete;
    Stop& operator=(const Stop&) = delete;
    std::function<bool()> asked() const {
        return [stop = flag, at = end] { return stop->load() || Deadline::Clock::now() >= at; };
    }
    std::shared_ptr<std::atomic<bool>> flag = std::make_shared<std::atomic<bool>>(false);
    Deadline::Clock::time_point end;
    CancelRegistration registration;
};

/// One image on its way into the cache.
class Fetch {
public:
    Fetch(Runtime& runtime, ImageCache cache, FetchOptions options, const Deadline& deadline)
        : runtime_(runtime), cache_(std::move(cache)), options_(std::move(options)), deadline_(deadline), stop_(deadline) {}

    asio::awaitable<std::string> run();

private:
    asio::awaitable<std::string> find_expected();
    asio::awaitable<DownloadEnd> attempt(Validator known);
    asio::awaitable<DownloadEnd> keep_trying(Validator known);
    asio::awaitable<std::string> finish(DownloadEnd end, std::string expected);
    void say(const std::string& text) const {
        if (options_.note) options_.note(text);
    }

    Runtime& runtime_;
    ImageCache cache_;
    FetchOptions options_;
    Deadline deadline_;
    Stop stop_;
};

/// The author's sum, else one that is published beside the image.
asio::awaitable<std::string> Fetch::find_expected() {
    if (!options_.expected.empty()) co_return lower(options_.expected);
    const std::string name = base_name_of(options_.url);
    for (const char* suffix : {".SHA256", ".sha256", ".sha256sum"}) {
        const std::string url = options_.url + suffix;
        const auto asked = stop_.asked();
        const auto load = [url, asked] { return download_text(url, 65536, asked); };
        const std::optional<std::string> text = co_await runtime_.pool.run(deadline_, load);
        if (!text) continue;
        if (const auto digest = digest_in_sidecar(*text, name)) co_return *digest;
    }
    co_return std::string();
}

asio::awaitable<DownloadEnd> Fetch::attempt(Validator known) {
    DownloadRequest request;
    request.url = options_.url;
    request.part = cache_.part_path(options_.url);
    request.limits = options_.limits;
    request.stopped = stop_.asked();
    const auto report = options_.progress;
    auto loop = runtime_.io.get_executor();
    const auto last = std::make_shared<std::atomic<std::uint64_t>>(0);
    request.progress = [report, loop, last](std::uint64_t bytes, std::optional<std::uint64_t> total) {
        constexpr std::uint64_t step = 4U << 20U;
        if (!report || (bytes - last->load() < step && bytes != total)) return;
        *last = bytes;
        asio::post(loop, [report, bytes, all = total.value_or(0)] { report(bytes, all); });
    };
    const std::string part = request.part;
    request.began = [part](const Validator& validator, std::optional<std::uint64_t>) { remember_part(part, validator); };
    const auto work = [request = std::move(request), known]() mutable {
        fs::create_directories(fs::path(request.part).parent_path());
        request.resume = validator_of_part(request.part);
        // Where only a change is asked about, an unfinished file of that change comes first.
        if (request.resume.empty()) request.known = known;
        return download(request);
    };
    // Waited for, not abandoned: it asks `stopped` often enough, and nobody else may touch the file while it writes.
    const Deadline patience = Deadline::unlimited();
    co_return co_await runtime_.pool.run(patience, work);
}

asio::awaitable<DownloadEnd> Fetch::keep_trying(Validator known) {
    using Kind = DownloadEnd::Kind;
    Backoff backoff(options_.backoff, runtime_.next_seed());
    const std::string part = cache_.part_path(options_.url);
    int without_progress = 0;
    bool restarted = false;
    for (;;) {
        DownloadEnd end = co_await attempt(known);
        if (end.kind == Kind::cancelled) deadline_.raise();
        if (end.kind == Kind::range_gone) {
            // The whole of it is here already, or it is another version's beginning.
            struct stat status {};
            const bool whole = end.status == 416 && ::stat(part.c_str(), &status) == 0 && status.st_size > 0 &&
                               end.total == static_cast<std::uint64_t>(status.st_size);
            if (whole && !restarted) {
                end.kind = Kind::complete;
                end.validator = validator_of_part(part);
                co_return end;
            }
            if (restarted) throw Error(Errc::unreachable, fmt::format("{}: {}, again and again", options_.url, end.reason));
            restarted = true;
            say(fmt::format("{}: {}; starting over", options_.url, end.reason));
            remove_part(part);
            continue;
        }
        if (end.kind != Kind::interrupted) co_return end;
        without_progress = end.got > end.had ? 1 : without_progress + 1;
        if (without_progress >= options_.tries)
            throw Error(Errc::unreachable, fmt::format("{}: {} ({} tries; {} bytes are kept for the next run)", options_.url,
                                                       end.reason, without_progress, end.got));
        say(fmt::format("{}: {}; trying again from byte {}", options_.url, end.reason, end.got));
        co_await sleep_for(backoff.next(), deadline_);
    }
}

asio::awaitable<std::string> Fetch::finish(DownloadEnd end, std::string expected) {
    const std::string part = cache_.part_path(options_.url);
    const auto asked = stop_.asked();
    const auto hash = [part, asked] { return digest_of_file(part, asked); };
    const std::string digest = co_await runtime_.pool.run(deadline_, hash);
    if (!expected.empty() && digest != expected) {
        remove_part(part);
        throw Error(Errc::spec_invalid,
                    fmt::format("{}: its SHA-256 is {}, expected {}; nothing was kept", options_.url, digest, expected));
    }
    IndexedImage entry;
    entry.digest = digest;
    entry.etag = end.validator.etag;
    entry.last_modified = end.validator.last_modified;
    entry.size = end.got;
    entry.verified = !expected.empty();
    const ImageCache cache = cache_;
    const std::string url = options_.url;
    const auto adopt = [cache, url, part, entry] {
        cache.adopt(part, entry.digest);
        remove_part(part);
        cache.remember(url, entry);
    };
    co_await runtime_.pool.run(deadline_, adopt);
    co_return digest;
}

asio::awaitable<std::string> Fetch::run() {
    using Kind = DownloadEnd::Kind;
    if (!is_protected(options_.url) && options_.expected.empty())
        throw Error(Errc::usage,
                    fmt::format("{}: over plain http anybody on the way can change the image; use https, or write its "
                                "sum in source.checksum.value",
                                options_.url));
    const std::string expected = co_await find_expected();
    if (!expected.empty() && cache_.has(expected)) co_return expected;
    auto known = cache_.find(options_.url);
    if (known && !cache_.has(known->digest)) known.reset();
    Validator version;
    if (known && expected.empty()) version = {known->etag, known->last_modified};
    std::optional<Error> offline;
    DownloadEnd end;
    try {
        end = co_await keep_trying(version);
    } catch (const Error& error) {
        if (error.code() != Errc::unreachable || !known || !expected.empty()) throw;
        offline = error;
    }
    if (offline) {
        say(fmt::format("{}; using the image of the last time", offline->what()));
        co_return known->digest;
    }
    if (end.kind == Kind::not_modified && known) co_return known->digest;
    if (end.kind == Kind::no_space) throw Error(Errc::io, fmt::format("{}: {} (what came is kept)", options_.url, end.reason));
    if (end.kind == Kind::not_there) throw Error(Errc::not_found, fmt::format("{}: {}", options_.url, end.reason));
    if (end.kind != Kind::complete) throw Error(Errc::unreachable, fmt::format("{}: {}", options_.url, end.reason));
    if (expected.empty())
        say(fmt::format("{}: no checksum is known for it; the image was not verified (source.checksum.value)", options_.url));
    const bool resumed = end.had > 0;
    std::optional<Error> wrong;
    std::string digest;
    try {
        digest = co_await finish(end, expected);
    } catch (const Error& error) {
        if (error.code() != Errc::spec_invalid || !resumed) throw;
        wrong = error;
    }
    if (!wrong) co_return digest;
    // The server may have joined two versions: once more, from the first byte.
    say(fmt::format("{}; it was put together from several requests, fetching it whole", wrong->what()));
    const Validator none;
    end = co_await keep_trying(none);
    if (end.kind != Kind::complete) throw *wrong;
    digest = co_await finish(end, expected);
    co_return digest;
}

}  // namespace

std::optional<std::string> digest_in_sidecar(std::string_view text, std::string_view base_name) {
    std::optional<std::string> alone;
    while (!text.empty()) {
        const std::size_t newline = text.find('\n');
        std::string_view line = text.substr(0, newline);
        text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
        const auto word = [&line]() -> std::string_view {
            const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
            line.remove_prefix(begin);
            const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
            const std::string_view found = line.substr(0, end);
            line.remove_prefix(end);
            return found;
        };
        std::string_view digest = word();
        if (digest.starts_with("sha256:")) digest.remove_prefix(7);
        if (!is_digest(digest)) continue;
        std::string_view name = word();
        if (name.empty()) {
            if (!alone) alone = lower(digest);
            continue;
        }
        if (name.starts_with('*')) name.remove_prefix(1);
        if (name.starts_with("./")) name.remove_prefix(2);
        if (name == base_name) return lower(digest);
    }
    return alone;
}

asio::awaitable<std::string> fetch_image(Runtime& runtime, ImageCache cache, FetchOptions options, Deadline deadline) {
    Fetch fetch(runtime, std::move(cache), std::move(options), deadline);
    std::string digest = co_await fetch.run();
    co_return digest;
}

}  // namespace ov
