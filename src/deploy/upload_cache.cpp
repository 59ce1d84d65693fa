#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/sha256.hpp"
#include "ov/deploy.hpp"

namespace ov {
namespace {

void escape(std::string_view bytes, std::string& into) {
    for (const char c : bytes) {
        if (c == '\\')
            into += "\\\\";
        else if (c == '\0')
            into += "\\0000";
        else
            into += c;
    }
}

}  // namespace

const UploadCache::File& UploadCache::file(const std::string& path) {
    if (const auto known = files_.find(path); known != files_.end()) return known->second;
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error || !std::filesystem::is_regular_file(status)) throw Error(Errc::io, fmt::format("{}: not a readable file", path));
    File file;
    file.size = std::filesystem::file_size(path);
    file.mode = static_cast<unsigned>(status.permissions()) & 0777;
    std::ifstream in(path, std::ios::binary);
    Sha256 digest;
    std::string chunk(1 << 16, '\0');
    while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
        const std::string_view bytes(chunk.data(), static_cast<std::size_t>(in.gcount()));
        digest.update(bytes);
        if (file.size <= inline_limit) escape(bytes, file.escaped);
    }
    if (in.bad() || !in.eof()) throw Error(Errc::io, fmt::format("{}: cannot be read", path));
    file.sha256 = digest.hex();
    return files_.emplace(path, std::move(file)).first->second;
}

const std::vector<std::string>& UploadCache::tree(const std::string& directory) {
    if (const auto known = trees_.find(directory); known != trees_.end()) return known->second;
    std::vector<std::string> names;
    try {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
            if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(directory).string());
    } catch (const std::filesystem::filesystem_error& error) {
        throw Error(Errc::io, fmt::format("{}: {}", directory, error.code().message()));
    }
    std::ranges::sort(names);
    return trees_.emplace(directory, std::move(names)).first->second;
}

}  // namespace ov
