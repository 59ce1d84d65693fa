// A directory of files for one test, removed with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

namespace ov::test {

class TempTree {
public:
    using Files = std::initializer_list<std::pair<std::string, std::string>>;

    explicit TempTree(Files files = {}) {
        std::string name = (std::filesystem::temp_directory_path() / "ov-test.XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        path_ = name;
        for (const auto& [file, content] : files) write(file, content);
    }
    TempTree(TempTree&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ~TempTree() {
        if (path_.empty()) return;
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempTree(const TempTree&) = delete;
    TempTree& operator=(const TempTree&) = delete;

    const std::string& path() const noexcept { return path_; }
    std::string path(const std::string& file) const { return path_ + "/" + file; }

    void write(const std::string& file, const std::string& content) const {
        std::filesystem::create_directories(std::filesystem::path(path(file)).parent_path());
        std::ofstream(path(file), std::ios::binary) << content;
    }
    std::string read(const std::string& file) const {
        std::ifstream stream(path(file), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

private:
    std::string path_;
};

}  // namespace ov::test
