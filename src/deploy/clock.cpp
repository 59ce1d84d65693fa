#include "deploy/clock.hpp"

#include <array>
#include <ctime>

namespace ov {

namespace {

using Clock = std::chrono::system_clock;
constexpr const char* form = "%Y-%m-%dT%H:%M:%SZ";

}  // namespace

std::string utc_text(Clock::time_point at) {
    const std::time_t seconds = Clock::to_time_t(at);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

std::string utc_now() {
    return utc_text(Clock::now());
}

std::optional<Clock::time_point> parse_utc(const std::string& text) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') return std::nullopt;
    return Clock::from_time_t(::timegm(&parts));
}

}  // namespace ov
