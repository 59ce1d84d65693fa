// Aligned columns for people: two blanks between columns, no trailing blanks, widths in characters rather than bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ov {

class TextTable {
public:
    explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Header first, each row ended by a newline. Line breaks inside a cell become blanks.
    std::string str() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// Number of code points of UTF-8 text.
std::size_t text_width(std::string_view text) noexcept;

/// At most `width` code points; what is cut off is shown as "…".
std::string cut_text(std::string_view text, std::size_t width);

}  // namespace ov
