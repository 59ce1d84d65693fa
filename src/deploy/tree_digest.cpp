#include "deploy/tree_digest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/sha256.hpp"
#include "ov/error.hpp"

namespace ov {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
    throw Error(Errc::io, fmt::format("{}: {}", path, why));
}

std::string digest_of_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path, std::strerror(errno));
    Sha256 digest;
    std::string chunk(1 << 16, '\0');
    while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0)
        digest.update(std::string_view(chunk).substr(0, static_cast<std::size_t>(file.gcount())));
    if (file.bad() || !file.eof()) fail(path, "cannot be read");
    return digest.hex();
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code failure;
    fs::recursive_directory_iterator at(directory, failure);
    for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure))
        names.push_back(at->path().lexically_relative(directory).string());
    if (failure) fail(directory, failure.message());
    std::ranges::sort(names);
    return names;
}

/// Type, mode, and what it holds: without a type of its own a link would be the file that has its target for content.
std::string entry_text(const std::string& path, const struct stat& info) {
    const unsigned mode = info.st_mode & 07777U;
    if (S_ISREG(info.st_mode)) return fmt::format("file {:o} {}", mode, digest_of_bytes(path));
    if (S_ISDIR(info.st_mode)) return fmt::format("directory {:o}", mode);
    if (!S_ISLNK(info.st_mode)) return fmt::format("special {:o}", info.st_mode);
    std::error_code failure;
    const std::string target = fs::read_symlink(path, failure).string();
    if (failure) fail(path, failure.message());
    return "link " + target;  // its mode says nothing
}

}  // namespace

std::string tree_digest(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) fail(path, std::strerror(errno));
    Sha256 digest;
    const std::string root = entry_text(path, info) + '\0';
    digest.update(root);
    if (!S_ISDIR(info.st_mode)) return digest.hex();
    for (const std::string& name : names_in(path)) {
        const std::string each = path + "/" + name;
        if (::lstat(each.c_str(), &info) != 0) fail(each, std::strerror(errno));
        digest.update(name + '\0' + entry_text(each, info) + '\0');
    }
    return digest.hex();
}

}  // namespace ov
