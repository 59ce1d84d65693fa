// What must hold for any bytes that are pushed through the archive filter.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "image/archive_filter.hpp"
#include "ov/error.hpp"

namespace ov::fuzz {

inline void demand(bool held) {
    if (!held) std::abort();
}

struct Filtered {
    std::string out;
    bool whole = false;  ///< the archive ended as it should
    int left_out = 0;
};

/// Nothing when the filter refuses the bytes. `seed` cuts them into pieces; 0: in one piece.
inline std::optional<Filtered> filtered(std::string_view bytes, const std::set<std::string, std::less<>>& held, unsigned seed) {
    Filtered result;
    ArchiveFilter filter(held);
    const auto take = [&result](std::string_view piece) { result.out += piece; };
    try {
        for (std::string_view rest = bytes; !rest.empty();) {
            seed = seed == 0 ? 0 : seed * 1103515245U + 12345U;
            const std::size_t part = seed == 0 ? rest.size() : std::min<std::size_t>(rest.size(), 1 + seed % 700);
            filter.push(rest.substr(0, part), take);
            rest.remove_prefix(part);
        }
        demand(filter.bytes_in() == bytes.size());
        demand(filter.bytes_out() == result.out.size());
        result.left_out = filter.layers_left_out();
    } catch (const Error&) {
        return std::nullopt;
    }
    try {
        filter.finish();
        result.whole = true;
    } catch (const Error&) {
        result.whole = false;
    }
    return result;
}

inline void archive(std::string_view bytes) {
    const std::set<std::string, std::less<>> none, some{std::string(64, 'a'), std::string(64, '0')};
    const auto plain = filtered(bytes, none, 0), once = filtered(bytes, some, 0);
    demand(plain.has_value() == once.has_value());
    for (const unsigned seed : {1U, 77U}) {
        const auto cut = filtered(bytes, some, seed);
        demand(cut.has_value() == once.has_value());
        if (cut) demand(cut->out == once->out && cut->whole == once->whole && cut->left_out == once->left_out);
    }
    if (!once) return;
    // A header or an extended one that is not complete waits inside.
    demand(plain->out == bytes.substr(0, plain->out.size()));
    if (!plain->whole) return;
    demand(plain->out == bytes && once->whole && once->out.size() <= bytes.size());
    const auto twice = filtered(once->out, some, 0);
    demand(twice && twice->whole && twice->out == once->out && twice->left_out == 0);
}

/// Gives every header of the archive its checksum, so that a changed one gets past the first test.
inline void mend(std::uint8_t* data, std::size_t size) {
    for (std::size_t at = 0; at + 512 <= size;) {
        std::uint64_t sum = 0, length = 0;
        bool zeros = true;
        for (std::size_t i = 0; i < 512; ++i) {
            sum += i >= 148 && i < 156 ? ' ' : data[at + i];
            zeros = zeros && data[at + i] == 0;
        }
        if (zeros) return;
        for (int digit = 5; digit >= 0; --digit, sum >>= 3U)
            data[at + 148 + static_cast<std::size_t>(digit)] = static_cast<std::uint8_t>('0' + (sum & 7U));
        data[at + 154] = 0;
        data[at + 155] = ' ';
        for (std::size_t i = 124; i < 135 && data[at + i] >= '0' && data[at + i] <= '7'; ++i)
            length = length * 8 + (data[at + i] - '0');
        at += 512 + std::min<std::uint64_t>((length + 511) / 512 * 512, size);
    }
}

}  // namespace ov::fuzz
