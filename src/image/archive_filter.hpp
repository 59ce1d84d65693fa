// Rewrites a docker-archive on its way to one storage: a layer that the storage holds becomes an entry of size 0.
//
// `podman load` takes such an entry's layer from its storage by diffID; where the layer is not there after all the load fails
// with a digest mismatch and stores nothing. Everything that is kept passes byte by byte as it came.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace ov {

/// What a header of 512 bytes says.
struct TarHeader {
    std::string name;
    char type = '0';
    std::uint64_t size = 0;  ///< octal, or base-256 beyond 8 GiB
    bool end = false;        ///< a block of zeros
};
/// Throws Error{io} when the block is no tar header (magic apart, its checksum is wrong or its size unreadable).
TarHeader parse_tar_header(std::string_view block);

class ArchiveFilter {
public:
    /// Called with pieces of the result, in order. A piece is valid during the call: part of the pushed chunk, or a header.
    using Sink = std::function<void(std::string_view)>;

    /// `held`: diffIDs as 64 hex digits.
    explicit ArchiveFilter(std::set<std::string, std::less<>> held) : held_(std::move(held)) {}

    /// Throws Error{io} when the stream is no tar archive.
    void push(std::string_view chunk, const Sink& out);
    /// Throws Error{io} when the archive ends in the middle of an entry or without its end mark.
    void finish() const;

    std::uint64_t bytes_in() const noexcept { return bytes_in_; }
    std::uint64_t bytes_out() const noexcept { return bytes_out_; }
    int layers_sent() const noexcept { return layers_sent_; }
    int layers_left_out() const noexcept { return layers_left_out_; }

private:
    void emit(std::string_view bytes, const Sink& out);
    void on_header(const Sink& out);
    void on_extension_end();

    std::set<std::string, std::less<>> held_;
    std::string block_;                ///< header that is being collected
    std::string extension_;            ///< pax or GNU headers with their bodies, kept until their entry is judged
    std::string extension_body_;       ///< body of the pax header that is being collected
    char extension_type_ = 0;          ///< while such a body is collected
    std::optional<std::string> path_;  ///< of the next entry, from an extension
    std::optional<std::uint64_t> size_;
    std::uint64_t remaining_ = 0;  ///< bytes of the entry's body and padding
    std::uint64_t body_left_ = 0;  ///< of those, the extension's own bytes without the padding
    enum class Pass { keep, drop, extension } pass_ = Pass::keep;
    bool ended_ = false;
    std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
    int layers_sent_ = 0, layers_left_out_ = 0;
};

}  // namespace ov
