// Where the values of a VM entity stand in the files: dotted path -> file, line, column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/yaml.hpp"

namespace ov {

/// Trees of the files that a spec was made from. Paths are relative to the entity: "libvirt.devices.disks[1].target.dev".
class SourceMap {
public:
    /// `value` stands at `path`; with several matches the longest path wins, so that an override's items can be laid over the
    /// entity's own tree. An empty path is the entity itself.
    void add(std::string path, std::string file, YamlPtr value);

    /// The place of the value at `path`, else of the nearest enclosing value that exists.
    SourcePosition find(std::string_view path) const;
    /// The authored value at `path`, or nullptr.
    const YamlNode* node(std::string_view path) const;

private:
    struct Tree {
        std::string path, file;
        YamlPtr value;
    };
    const Tree* tree_of(std::string_view path) const;

    std::vector<Tree> trees_;
};

}  // namespace ov
