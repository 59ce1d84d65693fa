// The two shapes of a project document: a collection of named entities, or one entity (`layer-format.md` 2.1).
#pragma once

#include <string>
#include <string_view>

#include "spec/cursor.hpp"

namespace ov::spec {

enum class Shape { collection, entity, neither };

struct DocumentShape {
    Shape shape = Shape::neither;
    std::string kind;  ///< entity: its kind key
};

/// Reports what makes a document neither, or both.
DocumentShape recognise(const Cursor& document);

bool is_root_key(std::string_view key) noexcept;

/// "2026.144.1443" -> comparable number; 0 when it is no such version.
long long schema_number(std::string_view version) noexcept;

inline constexpr std::string_view schema_version = "2026.144.1443";

}  // namespace ov::spec
