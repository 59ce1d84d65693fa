// Which local image a short name means (`image-transfer.md` 1.1). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ov {

struct LocalImage {
    std::vector<std::string> refs;
    std::map<std::string, std::string> labels;
};

/// The reference to use. Throws Error{not_found} or, when several repositories could be meant, Error{usage} listing them.
std::string choose_image(std::string_view name, const std::vector<LocalImage>& images);

/// Which of an image's own names `given` (a short one, or one without a tag) stands for.
std::string choose_ref(std::string_view given, const std::vector<std::string>& names);

/// "localhost/ov-notes:latest" -> "ov-notes", "host:5000/a/b:v1" -> "b" (`image-transfer.md` 3).
std::string last_segment(std::string_view ref);

}  // namespace ov
