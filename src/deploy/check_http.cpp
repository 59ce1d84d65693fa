#include "deploy/check_http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

namespace ov {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

struct Response {
    std::string body;
    std::vector<std::string> headers;  ///< of the last response
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
    auto& body = static_cast<Response*>(to)->body;
    if (body.size() < most_bytes) body.append(bytes, std::min(size * count, most_bytes - body.size()));
    return size * count;
}

/// "content-type" and "CONTENT-TYPE" become "Content-Type".
std::string canonical(std::string_view name) {
    std::string out;
    bool upper = true;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        out += static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
        upper = c == '-';
    }
    return out;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
    auto& headers = static_cast<Response*>(to)->headers;
    std::string_view line(bytes, size * count);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) headers.clear();  // of a redirect
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        headers.push_back(fmt::format("{}: {}\n", canonical(line.substr(0, colon)), value));
    }
    return size * count;
}

}  // namespace

CheckVerdict check_http(const Check& check, std::chrono::milliseconds limit) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) return failed("request: no memory");
    Response response;
    char words[CURL_ERROR_SIZE] = "";
    const auto set = [&curl](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
    set(CURLOPT_URL, check.subject.c_str());
    set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(words));
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&response));
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&response));
    set(CURLOPT_FOLLOWLOCATION, check.flag("no_follow_redirects", false) ? 0L : 1L);
    set(CURLOPT_MAXREDIRS, 10L);
    const std::string method = check.text("method", "GET"), body = check.text("request_body"), ca = check.text("ca_file");
    if (check.has("request_body")) {
        set(CURLOPT_POSTFIELDS, body.c_str());
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    }
    if (method == "HEAD")
        set(CURLOPT_NOBODY, 1L);
    else
        set(CURLOPT_CUSTOMREQUEST, method.c_str());
    if (check.flag("allow_insecure", false)) {
        set(CURLOPT_SSL_VERIFYPEER, 0L);
        set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!ca.empty()) {
        struct stat file {};
        if (::stat(ca.c_str(), &file) != 0 || file.st_size == 0) return failed(fmt::format("ca_file {}: missing or empty", ca));
        set(CURLOPT_CAINFO, ca.c_str());
    }
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) return failed(fmt::format("request: {}", words[0] != '\0' ? words : curl_easy_strerror(code)));
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    const std::string wanted = check.text("status", "0");
    if (wanted != "0" && std::to_string(status) != wanted) return failed(fmt::format("status={}, want {}", status, wanted));
    std::ranges::sort(response.headers);
    std::string headers;
    for (const std::string& line : response.headers) headers += line;
    if (const auto wrong = mismatch(check.matching("header"), headers)) return failed("headers: " + *wrong);
    if (const auto wrong = mismatch(check.matching("body"), response.body)) return failed("body: " + *wrong);
    return passed(fmt::format("status={}", status));
}

}  // namespace ov
