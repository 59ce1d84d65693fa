// Values in the spelling that libvirt wants, from the spellings that authors may use.
#pragma once

#include <string>
#include <string_view>

#include "ov/vm/values.hpp"

namespace ov::render {

/// The value under `key` as a text of its own.
inline std::string text_of(const vm::TextMap& map, std::string_view key) {
    return std::string(vm::value_of(map, key));
}
inline std::string on_off_of(const vm::TextMap& map, std::string_view key) {
    return std::string(vm::on_off(vm::value_of(map, key)));
}
inline std::string yes_no_of(const vm::TextMap& map, std::string_view key) {
    return std::string(vm::yes_no(vm::value_of(map, key)));
}
inline const char* yes_no_word(bool value) noexcept {
    return value ? "yes" : "no";
}
/// `text`, or `fallback` when it is empty.
inline std::string or_else(const std::string& text, std::string_view fallback) {
    return text.empty() ? std::string(fallback) : text;
}

/// A size in the largest of the units KiB and bytes that holds it exactly; the number is empty when the text is no size.
struct SizeText {
    std::string number;
    const char* unit = "KiB";
};
SizeText size_in_kib(std::string_view text, vm::SizeUnit bare);

}  // namespace ov::render
