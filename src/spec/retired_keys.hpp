// Keys that older schemas had: each is an error that names its replacement (`layer-format.md` 2.1, 2.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ov::spec {

/// A key inside a layer's body that used to mean something: the message, or nullopt for any other key.
std::optional<std::string> retired_body_key(std::string_view key);

/// An old plural key at the root of overthink.yml or of a layer file: the message, or nullopt for any other key.
std::optional<std::string> root_key_message(std::string_view key);

/// The message for any key of old project files: `include`, `benchmark`, `deployment`, ... or nullopt.
std::optional<std::string> retired_project_key(std::string_view key);

}  // namespace ov::spec
