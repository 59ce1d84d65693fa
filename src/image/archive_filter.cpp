#include "image/archive_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::size_t block_size = 512;
constexpr std::size_t name_at = 0, name_length = 100, size_at = 124, size_length = 12, checksum_at = 148, checksum_length = 8,
                      type_at = 156, magic_at = 257, prefix_at = 345, prefix_length = 155;
/// An extended header holds a name and a few numbers; more is no archive of ours.
constexpr std::uint64_t longest_extension = 1U << 20U;
/// Padding must not wrap around.
constexpr std::uint64_t largest_size = std::uint64_t{1} << 62U;

std::string_view text_field(std::string_view block, std::size_t at, std::size_t length) {
    const std::string_view field = block.substr(at, length);
    return field.substr(0, field.find('\0'));
}

std::optional<std::uint64_t> number_field(std::string_view block, std::size_t at, std::size_t length) {
    std::string_view field = block.substr(at, length);
    if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
        // Base-256, big-endian; negative numbers and those beyond 64 bits are no sizes.
        std::uint64_t value = static_cast<unsigned char>(field[0]) & 0x7fU;
        for (const char byte : field.substr(1)) {
            if (value >> 56U != 0) return std::nullopt;
            value = value << 8U | static_cast<unsigned char>(byte);
        }
        return value;
    }
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    field = field.substr(0, std::min(field.find(' '), field.find('\0')));
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
    if (end != field.data() + field.size() || (failure != std::errc() && !field.empty())) return std::nullopt;
    return value;
}

std::uint64_t checksum_of(std::string_view block) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block_size; ++i) {
        const bool own = i >= checksum_at && i < checksum_at + checksum_length;
        sum += own ? ' ' : static_cast<unsigned char>(block[i]);
    }
    return sum;
}

void set_octal(std::string& block, std::size_t at, std::size_t digits, std::uint64_t value) {
    const std::string text = fmt::format("{:0{}o}", value, digits);
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string emptied(std::string block) {
    set_octal(block, size_at, size_length - 1, 0);
    block[size_at + size_length - 1] = '\0';
    set_octal(block, checksum_at, 6, checksum_of(block));
    block[checksum_at + 6] = '\0';
    block[checksum_at + 7] = ' ';
    return block;
}

/// "path" and "size" of a pax header: records "LENGTH KEY=VALUE\n".
void read_pax(std::string_view body, std::optional<std::string>& path, std::optional<std::uint64_t>& size) {
    while (!body.empty()) {
        std::size_t length = 0;
        const auto [end, failure] = std::from_chars(body.data(), body.data() + body.size(), length);
        const auto digits = static_cast<std::size_t>(end - body.data());
        if (failure != std::errc() || length > body.size() || length < digits + 3 || body[digits] != ' ')
            throw Error(Errc::io, "the image archive has a broken pax header");
        const std::string_view record = body.substr(digits + 1, length - digits - 2);
        const std::size_t equals = record.find('=');
        const std::string_view key = record.substr(0, equals), value = record.substr(std::min(equals + 1, record.size()));
        if (key == "path") path = value;
        if (key == "size") {
            std::uint64_t number = 0;
            const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
            if (read.ec != std::errc() || read.ptr != value.data() + value.size() || number > largest_size)
                throw Error(Errc::io, "the image archive has a pax header whose size is no number");
            size = number;
        }
        body.remove_prefix(length);
    }
}

/// The diffID in the name of a layer's entry: "<64 hex>.tar".
std::string_view layer_of(std::string_view name) {
    if (name.size() != 68 || !name.ends_with(".tar")) return {};
    const std::string_view hex = name.substr(0, 64);
    return hex.find_first_not_of("0123456789abcdef") == std::string_view::npos ? hex : std::string_view();
}

std::uint64_t padded(std::uint64_t size) {
    return (size + block_size - 1) / block_size * block_size;
}

}  // namespace

TarHeader parse_tar_header(std::string_view block) {
    TarHeader header;
    if (block.find_first_not_of('\0') == std::string_view::npos) {
        header.end = true;
        return header;
    }
    const auto stored = number_field(block, checksum_at, checksum_length);
    if (!stored || *stored != checksum_of(block)) throw Error(Errc::io, "the image stream is no tar archive (header checksum)");
    const auto size = number_field(block, size_at, size_length);
    if (!size || *size > largest_size) throw Error(Errc::io, "the image archive has an entry of unreadable size");
    header.size = *size;
    header.type = block[type_at];
    const std::string_view prefix =
        block.substr(magic_at, 6) == std::string_view("ustar\0", 6) ? text_field(block, prefix_at, prefix_length) : "";
    header.name = std::string(prefix) + (prefix.empty() ? "" : "/") + std::string(text_field(block, name_at, name_length));
    return header;
}

void ArchiveFilter::emit(std::string_view bytes, const Sink& out) {
    if (bytes.empty()) return;
    bytes_out_ += bytes.size();
    out(bytes);
}

void ArchiveFilter::on_extension_end() {
    if (extension_type_ == 'x') read_pax(extension_body_, path_, size_);
    if (extension_type_ == 'L') path_ = extension_body_.substr(0, extension_body_.find('\0'));
    extension_type_ = 0;
    extension_body_.clear();
}

void ArchiveFilter::on_header(const Sink& out) {
    TarHeader header = parse_tar_header(block_);
    if (header.end) {
        ended_ = true;
        emit(extension_, out);
        emit(block_, out);
        extension_.clear();
        return;
    }
    if (header.type == 'x' || header.type == 'L' || header.type == 'K') {
        if (header.size > longest_extension || extension_.size() > 2 * longest_extension)
            throw Error(Errc::io, "the image archive has an extended header of over 1 MiB");
        extension_ += block_;
        extension_type_ = header.type;
        pass_ = Pass::extension;
        body_left_ = header.size;
        remaining_ = padded(header.size);
        if (remaining_ == 0) on_extension_end();
        return;
    }
    const std::uint64_t size = size_.value_or(header.size);
    const std::string name = path_.value_or(header.name);
    const std::string_view layer = layer_of(name);
    const bool regular = header.type == '0' || header.type == '\0';
    if (regular && !layer.empty() && size > 0 && held_.contains(layer)) {
        // Its extended headers speak of the size that it no longer has; the name fits into the plain header.
        std::string block = block_;
        if (path_) {
            std::fill_n(block.begin() + name_at, name_length, '\0');
            std::fill_n(block.begin() + prefix_at, prefix_length, '\0');
            std::copy(name.begin(), name.end(), block.begin() + name_at);
        }
        emit(emptied(std::move(block)), out);
        ++layers_left_out_;
        pass_ = Pass::drop;
    } else {
        emit(extension_, out);
        emit(block_, out);
        if (regular && !layer.empty()) ++layers_sent_;
        pass_ = Pass::keep;
    }
    extension_.clear();
    path_.reset();
    size_.reset();
    remaining_ = padded(size);
}

void ArchiveFilter::push(std::string_view chunk, const Sink& out) {
    bytes_in_ += chunk.size();
    while (!chunk.empty()) {
        if (ended_) {  // what follows the end mark is padding
            emit(chunk, out);
            return;
        }
        if (remaining_ > 0) {
            const std::string_view part =
                chunk.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, chunk.size())));
            if (pass_ == Pass::keep) emit(part, out);
            if (pass_ == Pass::extension) {
                extension_ += part;
                const auto body = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, part.size()));
                extension_body_ += part.substr(0, body);
                body_left_ -= body;
            }
            remaining_ -= part.size();
            chunk.remove_prefix(part.size());
            if (remaining_ == 0 && pass_ == Pass::extension) on_extension_end();
            continue;
        }
        const std::size_t part = std::min(block_size - block_.size(), chunk.size());
        block_ += chunk.substr(0, part);
        chunk.remove_prefix(part);
        if (block_.size() == block_size) {
            on_header(out);
            block_.clear();
        }
    }
}

void ArchiveFilter::finish() const {
    if (remaining_ > 0 || !block_.empty() || !extension_.empty() || !ended_)
        throw Error(Errc::io, fmt::format("the image archive ended early, after {} bytes", bytes_in_));
}

}  // namespace ov
