// Builders: what runs in the container on the operator's machine, what of its result is shipped, and how the guest takes it.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/step_script.hpp"

namespace ov {

/// Where the container sees the layer's directory (decisions 11).
inline constexpr const char* builder_layer_mount = "/layer";
/// Where the container leaves packages for pacman.
inline constexpr const char* builder_package_mount = "/tmp/aur-pkgs";

/// The script for `bash -s` in the container. Throws Error{unsupported} for a builder without a script, naming those there are.
std::string builder_container_script(const BuilderStep& step);

/// KEY=VALUE of the container, sorted, HOME first.
std::vector<std::string> builder_environment(std::string_view home);

/// Paths below the home that are caches and stay behind (decisions 17).
bool is_builder_cache(std::string_view relative);

/// Where the archive is put on the machine before the step runs: `$ov_archive` in its script.
std::string builder_archive(const BuilderStep& step, std::string_view home, std::string_view run_dir);
/// What the machine does with the archive at `$ov_archive`.
std::string builder_guest_text(const BuilderStep& step, const StepContext& context);

}  // namespace ov
