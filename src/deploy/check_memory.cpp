#include "deploy/check_memory.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ov {

namespace {

std::string milliseconds(double value) {
    return fmt::format("{}", std::round(value * 1000) / 1000);
}

}  // namespace

std::optional<std::string> captured_text(const Check& check, const std::string& message) {
    if (!check.has("capture_extract")) return message;
    const RE2 pattern(check.text("capture_extract"), RE2::Quiet);
    if (!pattern.ok()) return std::nullopt;
    const bool grouped = pattern.NumberOfCapturingGroups() > 0;
    re2::StringPiece found[2];
    if (!pattern.Match(message, 0, message.size(), RE2::UNANCHORED, found, grouped ? 2 : 1)) return std::nullopt;
    return std::string(found[grouped ? 1 : 0]);
}

CheckVerdict summarize(const Check& check, std::span<const CheckResult> results) {
    std::vector<double> times;
    for (const std::string& id : check.list("over_id")) {
        const auto found = std::ranges::find(results, id, &CheckResult::id);
        if (found == results.end()) return failed(fmt::format("over_id: {} has no result", id));
        times.push_back(std::chrono::duration<double, std::milli>(found->elapsed).count());
    }
    if (times.empty()) return failed("over_id names no check");
    std::ranges::sort(times);
    const auto at = [&times](double part) {
        return times[static_cast<std::size_t>(std::llround(part * static_cast<double>(times.size() - 1)))];
    };
    const double mean = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
    const std::pair<const char*, double> values[] = {
        {"p50", at(0.5)}, {"p95", at(0.95)}, {"p99", at(0.99)}, {"max", times.back()}, {"mean", mean}};
    std::string said;
    for (const auto& [name, value] : values) {
        const std::string text = milliseconds(value);
        if (const auto wrong = mismatch(check.matching(name), text)) return failed(fmt::format("{}={}: {}", name, text, *wrong));
        said += fmt::format("{}{}={}", said.empty() ? "" : " ", name, text);
    }
    return passed(said);
}

}  // namespace ov
