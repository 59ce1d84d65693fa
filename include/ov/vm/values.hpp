// The small value grammars of the VM schema: sizes, on/off and yes/no words, numbers of PCI addresses and policies.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ov::vm {

/// An integer key; unset when absent.
using Int = std::optional<long long>;
/// A boolean key that tells "absent" from "false".
using Bool = std::optional<bool>;
/// A mapping of texts. Every value keeps its source text ("0x0a", "yes").
using TextMap = std::map<std::string, std::string, std::less<>>;

/// The value under `key`, or empty.
inline std::string_view value_of(const TextMap& map, std::string_view key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string_view() : std::string_view(found->second);
}

/// What a bare number of a size key counts. The value is the unit in bytes.
enum class SizeUnit : std::uint64_t { byte = 1, kib = 1024, mib = 1024 * 1024 };

/// Bytes of a size (`vm-spec.md` 10.1): `<number>[ ]<unit>`, unit none, B, K, M, G, T or P, each optionally followed by B or
/// iB, any case, always multiples of 1024; a fraction if whole bytes result. Nothing for zero, negative, overflow or other text.
std::optional<std::uint64_t> parse_size(std::string_view text, SizeUnit bare) noexcept;

/// true/yes/on and false/no/off in any case, nothing for other text (`vm-spec.md` 10.2).
std::optional<bool> parse_flag(std::string_view text) noexcept;
/// The attribute's own pair for any accepted spelling; empty for an empty or unknown text.
std::string_view on_off(std::string_view text) noexcept;
std::string_view yes_no(std::string_view text) noexcept;

/// A number of a PCI address: `0x` and hex digits, or one digit 0-9 (`vm-spec.md` W10).
std::optional<std::uint32_t> parse_pci_number(std::string_view text) noexcept;
/// A policy: `0x` and hex digits, or decimal digits; the whole text.
std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

}  // namespace ov::vm
