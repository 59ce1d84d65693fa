// A directory that goes away with everything in it.
#pragma once

#include <string>

namespace ov {

/// Blocks shortly. Mode 0700.
class StageDirectory {
public:
    /// Below `parent`, which is made: `name` and a dot before what makes it unique. Throws Error{io} naming the parent.
    explicit StageDirectory(const std::string& parent, const std::string& name = "stage");
    StageDirectory(const StageDirectory&) = delete;
    StageDirectory& operator=(const StageDirectory&) = delete;
    ~StageDirectory();
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace ov
