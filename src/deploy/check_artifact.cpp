#include "deploy/check_artifact.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/endian.hpp"
#include "deploy/pixels.hpp"

namespace ov {
namespace {

struct Size {
    unsigned width = 0, height = 0;
};

unsigned big(std::string_view bytes, std::size_t at, std::size_t count) {
    return big_endian(bytes.substr(at, count));
}

/// The header of a JPEG stands behind segments of any length.
std::optional<Size> jpeg_size(std::string_view bytes) {
    for (std::size_t at = 2; at + 9 < bytes.size();) {
        const unsigned marker = big(bytes, at, 2);
        const bool frame = marker >= 0xFFC0 && marker <= 0xFFCF && marker != 0xFFC4 && marker != 0xFFC8 && marker != 0xFFCC;
        if (frame) return Size{big(bytes, at + 7, 2), big(bytes, at + 5, 2)};
        at += 2 + big(bytes, at + 2, 2);
    }
    return std::nullopt;
}

std::optional<Size> ppm_size(const std::string& bytes) {
    if (!bytes.starts_with("P6")) return std::nullopt;
    std::istringstream words(bytes.substr(2, 64));
    Size size;
    unsigned most = 0;
    if (!(words >> size.width >> size.height >> most)) return std::nullopt;
    return size;
}

std::optional<Size> image_size(const std::string& bytes) {
    if (bytes.starts_with("\x89PNG") && bytes.size() > 24) return Size{big(bytes, 16, 4), big(bytes, 20, 4)};
    if (bytes.starts_with("\xFF\xD8")) return jpeg_size(bytes);
    if (bytes.starts_with("GIF8") && bytes.size() > 10) {
        const std::string_view head(bytes);
        return Size{little_endian(head.substr(6, 2)), little_endian(head.substr(8, 2))};
    }
    return ppm_size(bytes);
}

/// Looks at every tenth pixel of every tenth row. Nothing: the form is not one whose pixels are read here.
std::optional<bool> one_colour(const std::string& file) {
    const auto pixels = pixels_in(file);
    if (!pixels) return std::nullopt;
    const auto at = [&pixels](std::size_t x, std::size_t y) {
        return std::string_view(pixels->bytes).substr((y * pixels->width + x) * pixels->each, pixels->each);
    };
    for (std::size_t y = 0; y < pixels->height; y += 10)
        for (std::size_t x = 0; x < pixels->width; x += 10)
            if (at(x, y) != at(0, 0)) return false;
    return true;
}

std::optional<std::string> cast_problem(const std::string& bytes, unsigned long wanted) {
    std::istringstream lines(bytes);
    std::string line;
    std::getline(lines, line);
    const auto head = nlohmann::json::parse(line, nullptr, false);
    if (!head.is_object() || !head.contains("version")) return "the first line is no header of a recording";
    unsigned long events = 0;
    while (std::getline(lines, line)) events += nlohmann::json::parse(line, nullptr, false).is_array() ? 1 : 0;
    if (events < wanted) return fmt::format("{} events < required min {}", events, wanted);
    return std::nullopt;
}

unsigned long number(const std::string& text) {
    unsigned long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

std::optional<std::string> artifact_problem(const Check& check, const std::string& directory,
                                            std::filesystem::file_time_type begun) {
    const std::string name = check.text("artifact");
    if (name.empty()) return std::nullopt;
    const std::filesystem::path path = std::filesystem::path(directory) / name;
    const auto wrong = [&](const std::string& what) { return fmt::format("artifact {}: {}", name, what); };
    std::error_code failure;
    const auto written = std::filesystem::last_write_time(path, failure);
    if (failure) return wrong("it was not written");
    if (written < begun) return wrong("it is older than this check: the method wrote nothing");
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.empty()) return wrong("it is empty");
    if (check.has("artifact_min_bytes") && bytes.size() < number(check.text("artifact_min_bytes")))
        return wrong(fmt::format("{} bytes < required min {}", bytes.size(), check.text("artifact_min_bytes")));
    if (const std::string least = check.text("artifact_min_dimensions"); !least.empty()) {
        const auto size = image_size(bytes);
        if (!size) return wrong("no PNG, JPEG, GIF or PPM");
        const std::size_t x = least.find('x');
        if (size->width < number(least.substr(0, x)) || size->height < number(least.substr(x + 1)))
            return wrong(fmt::format("{}x{} < required min {}", size->width, size->height, least));
    }
    if (check.flag("artifact_not_uniform", false)) {
        const auto same = one_colour(bytes);
        if (!same) return wrong("its pixels cannot be read: only those of a PPM or PNG are");
        if (*same) return wrong("it is uniformly one color");
    }
    if (check.has("artifact_min_cast_events"))
        if (const auto problem = cast_problem(bytes, number(check.text("artifact_min_cast_events")))) return wrong(*problem);
    return std::nullopt;
}

}  // namespace ov
