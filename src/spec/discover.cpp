#include "spec/discover.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "ov/error.hpp"

namespace ov::spec {

namespace {

namespace fs = std::filesystem;

void walk(const fs::path& directory, const std::string& file, int levels, std::vector<std::string>& found) {
    std::error_code failure;
    bool holds = false;
    std::vector<fs::path> below;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
        const fs::file_status status = entry.symlink_status(failure);
        if (fs::is_directory(status)) {
            if (entry.path().filename() != ".git") below.push_back(entry.path());
        } else if (fs::is_regular_file(status) && entry.path().filename() == file) {
            holds = true;
        }
    }
    if (failure) throw Error(Errc::io, directory.string() + ": " + failure.message());
    if (holds) found.push_back(directory.string());
    if (levels == 0) return;
    for (const fs::path& child : below) walk(child, file, levels - 1, found);
}

}  // namespace

std::vector<std::string> find_directories(const std::string& root, const std::string& file, bool recursive) {
    if (!fs::is_directory(root)) throw Error(Errc::not_found, root + ": no such directory");
    constexpr int deepest = 64;
    std::vector<std::string> found;
    walk(root, file, recursive ? deepest : 1, found);
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<std::string> layer_manifests(const std::string& directory) {
    static constexpr std::array<std::string_view, 5> names{"pixi.toml", "pyproject.toml", "environment.yml", "package.json",
                                                           "Cargo.toml"};
    std::vector<std::string> found;
    std::error_code failure;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
        std::string name = entry.path().filename().string();
        if (std::find(names.begin(), names.end(), name) != names.end() || name.ends_with(".service"))
            found.push_back(std::move(name));
    }
    if (failure) throw Error(Errc::io, directory + ": " + failure.message());
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace ov::spec
