#include "plan/guest_library.hpp"

#include <algorithm>
#include <array>

namespace ov {
namespace {

struct PartText {
    GuestPart part;
    std::string_view text;
};

const std::array<PartText, 12>& all_parts() {
    using enum GuestPart;
    static const std::array<PartText, 12> parts{{
        {
            journal,
#include "journal.sh.inc"
        },
        {
            files,
#include "files.sh.inc"
        },
        {
            blocks,
#include "block.sh.inc"
        },
        {
            download,
#include "download.sh.inc"
        },
        {
            packages,
#include "packages.sh.inc"
        },
        {
            services,
#include "services.sh.inc"
        },
        {
            repos,
#include "repos.sh.inc"
        },
        {
            undo,
#include "undo.sh.inc"
        },
        {
            ledger,
#include "ledger.sh.inc"
        },
        {
            build,
#include "build.sh.inc"
        },
        {
            names,
#include "names.sh.inc"
        },
        {
            shell,
#include "shell.sh.inc"
        },
    }};
    return parts;
}

unsigned bit(GuestPart part) {
    return static_cast<unsigned>(part);
}

/// The part and all parts whose functions it calls.
unsigned with_needs(GuestPart part) {
    using enum GuestPart;
    switch (part) {
        case files:
        case undo:
            return bit(part) | bit(names);
        case ledger:
            return bit(part) | bit(names) | bit(shell);
        case blocks:
        case download:
        case services:
            return bit(part) | with_needs(files);
        case build:
            return bit(part) | with_needs(files) | bit(packages);
        case repos:
            return bit(part) | with_needs(files) | bit(blocks) | bit(download);
        default:
            return bit(part);
    }
}

/// Comments and indentation are for readers of the source. The functions hold no here-documents; the one program of several lines
/// means the same without them.
std::string compact(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line.empty() || line.front() == '#') continue;
        out.append(line).push_back('\n');
    }
    return out;
}

}  // namespace

GuestParts::GuestParts(std::initializer_list<GuestPart> parts) {
    for (const GuestPart part : parts) bits_ |= with_needs(part) | bit(GuestPart::journal);
}

GuestParts& GuestParts::operator|=(GuestParts other) noexcept {
    bits_ |= other.bits_;
    return *this;
}

GuestParts GuestParts::without(GuestParts other) const noexcept {
    GuestParts rest;
    rest.bits_ = bits_ & ~other.bits_;
    return rest;
}

std::string guest_library(GuestParts parts) {
    static const std::array<std::string, 12> texts = [] {
        std::array<std::string, 12> all;
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = compact(all_parts()[i].text);
        return all;
    }();
    std::string out;
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (parts.has(all_parts()[i].part)) out += texts[i];
    return out;
}

}  // namespace ov
