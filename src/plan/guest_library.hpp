// The bash functions that step scripts call on the machine, sent once per runner before the first step.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace ov {

/// One file of src/plan/guest. Runners get only what their steps call: reading and parsing all of it costs a guest milliseconds.
enum class GuestPart : unsigned {
    journal = 1,
    files = 2,
    blocks = 4,
    download = 8,
    packages = 16,
    services = 32,
    repos = 64,
    undo = 128,
    ledger = 256,
    build = 512,
    names = 1024,
    shell = 2048
};

/// A set of parts, closed over what they call: every set holds `journal`.
class GuestParts {
public:
    GuestParts() = default;
    GuestParts(std::initializer_list<GuestPart> parts);
    GuestParts& operator|=(GuestParts other) noexcept;
    bool has(GuestPart part) const noexcept { return (bits_ & static_cast<unsigned>(part)) != 0; }
    /// What this set holds beyond `other`.
    GuestParts without(GuestParts other) const noexcept;
    bool empty() const noexcept { return bits_ == 0; }
    bool operator==(const GuestParts&) const = default;

private:
    unsigned bits_ = 0;
};

/// The text of the parts, without comments and indentation.
std::string guest_library(GuestParts parts);

}  // namespace ov
