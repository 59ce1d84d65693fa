#include "async/stage_directory.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "ov/error.hpp"

namespace ov {

namespace fs = std::filesystem;

StageDirectory::StageDirectory(const std::string& parent, const std::string& name) {
    std::error_code failure;
    fs::create_directories(parent, failure);
    std::string pattern = parent + "/" + name + ".XXXXXX";
    if (failure || ::mkdtemp(pattern.data()) == nullptr)
        throw Error(Errc::io, fmt::format("{}: cannot make a directory in it", parent));
    path_ = pattern;
}

StageDirectory::~StageDirectory() {
    std::error_code left;  // nothing can be done about it here
    fs::remove_all(path_, left);
}

}  // namespace ov
