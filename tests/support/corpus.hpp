// The real layers that some tests read: beside the checkout, or where OV_SHARED says.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "support/temp_tree.hpp"

namespace ov::test {

/// The folder that holds `layers` and `project`; nullopt, with a message, when it is not there.
inline std::optional<std::string> corpus() {
    const char* shared = std::getenv("OV_SHARED");
    const char* data = std::getenv("OV_TEST_DATA");
    const std::string beside = (data != nullptr ? std::string(data) : std::string("tests")) + "/../../shared";
    const std::string root = (shared != nullptr ? std::string(shared) : beside) + "/corpus";
    if (std::filesystem::is_directory(root + "/layers")) return std::filesystem::canonical(root).string();
    MESSAGE("skipped: no corpus at " << root << " (OV_SHARED names another place)");
    return std::nullopt;
}

/// A project whose layers are those of the corpus.
inline TempTree corpus_project(const std::string& corpus) {
    return TempTree({{"overthink.yml", "version: 2026.144.1443\ndiscover: {layer: [" + corpus + "/layers]}\n"}});
}

}  // namespace ov::test
