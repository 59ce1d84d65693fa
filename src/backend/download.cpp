#include "backend/download.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>

#include "ov/error.hpp"

namespace ov {

namespace {

/// HTTP alone, and never from a protected connection to an open one.
void allow_protocols(CURL* handle, const std::string& url) {
    const bool secured = url.starts_with("https:");
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, secured ? "https" : "http,https");
#else
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS | (secured ? 0 : CURLPROTO_HTTP)));
#endif
}

/// libcurl's own start-up, once a process (design 4: third-party initialisers).
void start_curl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct FreeCurl {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// One transfer: headers first, then bytes into the file, or nowhere.
class Transfer {
public:
    explicit Transfer(const DownloadRequest& request) : request_(request) {}
    ~Transfer() {
        if (file_ >= 0) ::close(file_);
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    DownloadEnd run();

private:
    static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) {
        static_cast<Transfer*>(self)->header({bytes, size});
        return size;
    }
    static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) {
        return static_cast<Transfer*>(self)->body({bytes, size}) ? size : 0;
    }
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        const auto& stopped = static_cast<Transfer*>(self)->request_.stopped;
        return stopped && stopped() ? 1 : 0;
    }

    void header(std::string_view line);
    bool body(std::string_view bytes);
    bool begin();
    bool open_file(bool append);
    void judge(CURLcode result);
    void give_up(DownloadEnd::Kind kind, std::string reason) {
        decided_ = true;
        end_.kind = kind;
        end_.reason = std::move(reason);
    }

    const DownloadRequest& request_;
    std::unique_ptr<CURL, FreeCurl> curl_;
    DownloadEnd end_;
    std::optional<std::uint64_t> length_, range_start_, range_total_;
    bool begun_ = false, decided_ = false;
    int file_ = -1;
};

void Transfer::header(std::string_view line) {
    line = trimmed(line);
    if (line.starts_with("HTTP/")) {  // a redirect's headers are not the resource's
        end_.validator = {};
        length_ = range_start_ = range_total_ = std::nullopt;
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (same_word(name, "etag")) end_.validator.etag = value;
    if (same_word(name, "last-modified")) end_.validator.last_modified = value;
    if (same_word(name, "content-length")) length_ = number_of(value);
    if (same_word(name, "content-range") && value.starts_with("bytes ")) {
        const std::string_view range = value.substr(6);
        range_start_ = number_of(range.substr(0, range.find('-')));
        range_total_ = number_of(range.substr(std::min(range.find('/'), range.size() - 1) + 1));
    }
}

bool Transfer::open_file(bool append) {
    file_ = ::open(request_.part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0600);
    if (file_ >= 0) return true;
    give_up(DownloadEnd::Kind::no_space, fmt::format("{}: {}", request_.part, std::strerror(errno)));
    return false;
}

/// The headers are complete: is this what was asked for, and does it fit?
bool Transfer::begin() {
    begun_ = true;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &end_.status);
    if (end_.status != 200 && end_.status != 206) return false;
    const bool rest = end_.status == 206;
    if (rest && range_start_ != end_.had) {
        give_up(DownloadEnd::Kind::range_gone,
                fmt::format("the server sent bytes from {}, asked for from {}", range_start_.value_or(0), end_.had));
        return false;
    }
    // A server that ignores If-Range sends the rest of another version.
    const bool other =
        rest && ((!end_.validator.etag.empty() && !request_.resume.etag.empty() && end_.validator.etag != request_.resume.etag) ||
                 (!end_.validator.last_modified.empty() && !request_.resume.last_modified.empty() &&
                  end_.validator.last_modified != request_.resume.last_modified));
    if (other) {
        give_up(DownloadEnd::Kind::range_gone, "the resource changed since the first part was fetched");
        return false;
    }
    end_.total = rest ? range_total_ : length_;
    if (!rest) end_.had = 0;
    struct statvfs space {};
    const std::string directory = std::filesystem::path(request_.part).parent_path().string();
    if (end_.total && ::statvfs(directory.c_str(), &space) == 0) {
        const std::uint64_t free = std::uint64_t{space.f_bavail} * space.f_frsize;
        if (const std::uint64_t need = *end_.total - std::min(*end_.total, end_.had); need > free) {
            give_up(DownloadEnd::Kind::no_space, fmt::format("{}: needs {} more bytes, {} are free", directory, need, free));
            return false;
        }
    }
    if (!open_file(rest)) return false;
    end_.got = end_.had;
    if (request_.began) request_.began(end_.validator, end_.total);
    return true;
}

bool Transfer::body(std::string_view bytes) {
    if (!begun_ && !begin()) return end_.status != 200 && end_.status != 206 && !decided_;  // an error page is read and dropped
    if (file_ < 0) return !decided_;
    while (!bytes.empty()) {
        const ssize_t put = ::write(file_, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            give_up(DownloadEnd::Kind::no_space, fmt::format("{}: {}", request_.part, std::strerror(errno)));
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(put));
        end_.got += static_cast<std::uint64_t>(put);
    }
    if (request_.progress) request_.progress(end_.got, end_.total);
    return true;
}

void Transfer::judge(CURLcode result) {
    if (decided_) return;
    using Kind = DownloadEnd::Kind;
    const std::string words = curl_easy_strerror(result);
    if (result == CURLE_ABORTED_BY_CALLBACK) return give_up(Kind::cancelled, "cancelled");
    if (end_.status == 304) return give_up(Kind::not_modified, {});
    if (end_.status == 416) return give_up(Kind::range_gone, "416: the server has no such range");
    if (end_.status == 404 || end_.status == 410) return give_up(Kind::not_there, fmt::format("HTTP status {}", end_.status));
    if (end_.status == 408 || end_.status == 429 || end_.status >= 500)
        return give_up(Kind::interrupted, fmt::format("HTTP status {}", end_.status));
    if (end_.status != 0 && end_.status != 200 && end_.status != 206)
        return give_up(Kind::refused, fmt::format("HTTP status {}", end_.status));
    switch (result) {
        case CURLE_OK:
            if (end_.total && end_.got != *end_.total)
                return give_up(Kind::interrupted, fmt::format("{} of {} bytes came", end_.got, *end_.total));
            return give_up(Kind::complete, {});
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_TOO_MANY_REDIRECTS:
            return give_up(Kind::refused, words);
        case CURLE_OPERATION_TIMEDOUT:
            return give_up(Kind::interrupted, fmt::format("no byte for {} s, or no connection in {} s",
                                                          request_.limits.stall.count(), request_.limits.connect.count()));
        default:
            return give_up(Kind::interrupted, words);
    }
}

DownloadEnd Transfer::run() {
    start_curl();
    curl_.reset(curl_easy_init());
    if (!curl_) throw Error(Errc::internal, "libcurl gave no handle");
    CURL* handle = curl_.get();
    struct stat status {};
    const std::string range = request_.resume.for_range();
    if (!range.empty() && ::stat(request_.part.c_str(), &status) == 0) end_.had = static_cast<std::uint64_t>(status.st_size);
    std::unique_ptr<curl_slist, FreeList> headers;
    const auto add = [&](const std::string& line) { headers.reset(curl_slist_append(headers.release(), line.c_str())); };
    if (end_.had > 0) {
        add("Range: bytes=" + std::to_string(end_.had) + "-");
        add("If-Range: " + range);
    } else if (!request_.known.etag.empty()) {
        add("If-None-Match: " + request_.known.etag);
    } else if (!request_.known.last_modified.empty()) {
        add("If-Modified-Since: " + request_.known.last_modified);
    }
    end_.got = end_.had;
    curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 10L);
    allow_protocols(handle, request_.url);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request_.limits.connect.count()));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.limits.stall.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(request_.limits.whole.count()));
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "ov");
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, this);
    const CURLcode result = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &end_.status);
    if (result == CURLE_OK && !begun_ && end_.status == 200) begin();  // an empty resource has no body
    judge(result);
    if (end_.status == 416) end_.total = range_total_;
    return end_;
}

}  // namespace

std::string Validator::for_range() const {
    return !etag.empty() && !etag.starts_with("W/") ? etag : last_modified;
}

DownloadEnd download(const DownloadRequest& request) {
    Transfer transfer(request);
    return transfer.run();
}

std::optional<std::string> download_text(const std::string& url, std::size_t most, const std::function<bool()>& stopped) {
    start_curl();
    struct Sink {
        std::string text;
        std::size_t most;
        const std::function<bool()>& stopped;
    } sink{{}, most, stopped};
    const std::unique_ptr<CURL, FreeCurl> handle(curl_easy_init());
    if (!handle) throw Error(Errc::internal, "libcurl gave no handle");
    using Body = std::size_t (*)(char*, std::size_t, std::size_t, void*);
    const Body body = [](char* bytes, std::size_t, std::size_t size, void* to) -> std::size_t {
        Sink& into = *static_cast<Sink*>(to);
        into.text.append(bytes, std::min(size, into.most - into.text.size()));
        return into.text.size() < into.most ? size : 0;
    };
    using Progress = int (*)(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
    const Progress progress = [](void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
        const Sink& into = *static_cast<Sink*>(to);
        return into.stopped && into.stopped() ? 1 : 0;
    };
    curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_MAXREDIRS, 10L);
    allow_protocols(handle.get(), url);
    curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "ov");
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, body);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &sink);
    const CURLcode result = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    const bool cut = result == CURLE_WRITE_ERROR && sink.text.size() >= most;
    if (status != 200 || (result != CURLE_OK && !cut)) return std::nullopt;
    return sink.text;
}

}  // namespace ov
