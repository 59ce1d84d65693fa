#include "backend/host_files.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ov {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

/// Calls `take` for every line until it returns false.
template <class Take>
void each_line(std::string_view text, Take take) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (!take(trimmed(text.substr(0, end)))) return;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

/// The value of a `key : value` line of /proc/cpuinfo, or nothing when the line has another key.
std::optional<std::string_view> cpuinfo_value(std::string_view line, std::string_view key) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || trimmed(line.substr(0, colon)) != key) return std::nullopt;
    return trimmed(line.substr(colon + 1));
}

std::optional<long long> whole_number(std::string_view text) {
    long long value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (text.empty() || failure != std::errc() || stop != end) return std::nullopt;
    return value;
}

}  // namespace

std::string cpu_vendor_of(std::string_view cpuinfo) {
    std::string vendor;
    each_line(cpuinfo, [&](std::string_view line) {
        const auto value = cpuinfo_value(line, "vendor_id");
        if (value) vendor = *value;
        return !value;
    });
    return vendor;
}

bool has_virtualisation(std::string_view cpuinfo) {
    bool found = false;
    each_line(cpuinfo, [&](std::string_view line) {
        const auto flags = cpuinfo_value(line, "flags");
        if (!flags) return true;
        const std::string all = " " + std::string(*flags) + " ";
        found = all.find(" vmx ") != std::string::npos || all.find(" svm ") != std::string::npos;
        return false;
    });
    return found;
}

std::optional<SubIdRange> sub_ids_of(std::string_view text, std::string_view user, long long uid) {
    constexpr long long beyond = 1LL << 32U;
    std::optional<SubIdRange> range;
    each_line(text, [&](std::string_view line) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos || line.find(':', second + 1) != std::string_view::npos) return true;
        const std::string_view who = line.substr(0, first);
        if (who.empty() || (who != user && who != std::to_string(uid))) return true;
        const auto start = whole_number(line.substr(first + 1, second - first - 1));
        const auto count = whole_number(line.substr(second + 1));
        if (!start || !count || *start < 1 || *count < 1 || *start >= beyond || *count > beyond - *start) return true;
        range = SubIdRange{*start, *count};
        return false;
    });
    return range;
}

std::vector<std::string> distro_ids_of(std::string_view os_release) {
    std::string id, like;
    each_line(os_release, [&](std::string_view line) {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return true;
        const std::string_view key = line.substr(0, equals);
        std::string_view value = line.substr(equals + 1);
        const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
        if (quoted) value = value.substr(1, value.size() - 2);
        if (key == "ID") id = value;
        if (key == "ID_LIKE") like = value;
        return true;
    });
    std::vector<std::string> ids;
    if (!id.empty()) ids.push_back(id);
    for (std::string_view rest = like; !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (end != 0) ids.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return ids;
}

std::string first_existing(const std::string& root, const std::vector<std::string>& candidates) {
    std::error_code ignored;
    for (const std::string& path : candidates)
        if (std::filesystem::is_regular_file(root + path, ignored)) return path;
    return {};
}

std::string host_file(const std::string& root, const std::string& path) {
    std::ifstream file(root + path, std::ios::binary);
    if (!file) return {};
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace ov
