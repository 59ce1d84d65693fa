#include "cli/dotenv.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace ov::cli {

namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(" \t\r") - start + 1);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_dotenv(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = trimmed(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        const std::size_t equals = line.find('=');
        if (line.empty() || line.front() == '#' || equals == std::string_view::npos) continue;
        std::string_view value = trimmed(line.substr(equals + 1));
        const bool quoted = value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
        if (quoted) value = value.substr(1, value.size() - 2);
        pairs.emplace_back(trimmed(line.substr(0, equals)), value);
    }
    return pairs;
}

std::string load_dotenv(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0) return {};
    std::ifstream file(path);
    if (!file) return path + ": " + std::strerror(errno);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const auto& [key, value] : parse_dotenv(text)) ::setenv(key.c_str(), value.c_str(), 0);
    return {};
}

}  // namespace ov::cli
