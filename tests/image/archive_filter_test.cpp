// The filter against libarchive: what is kept is kept to the byte, what is left out is an entry of size 0.
#include "image/archive_filter.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "fuzz/archive_target.hpp"
#include "ov/error.hpp"

using ov::ArchiveFilter;

namespace {

struct Entry {
    std::string name, content;
    bool link = false;
    bool operator==(const Entry&) const = default;
};
using Entries = std::vector<Entry>;
using Held = std::set<std::string, std::less<>>;

std::string hex_name(std::mt19937_64& random) {
    std::string hex;
    for (int i = 0; i < 64; ++i) hex += "0123456789abcdef"[random() % 16];
    return hex;
}

ssize_t append(archive*, void* to, const void* bytes, size_t length) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), length);
    return static_cast<ssize_t>(length);
}

std::string pack(const Entries& entries, int format) {
    std::string bytes;
    archive* writer = archive_write_new();
    REQUIRE(archive_write_set_format(writer, format) == ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(writer, 1);
    REQUIRE(archive_write_open(writer, &bytes, nullptr, append, nullptr) == ARCHIVE_OK);
    for (const Entry& entry : entries) {
        archive_entry* header = archive_entry_new();
        archive_entry_set_pathname(header, entry.name.c_str());
        archive_entry_set_filetype(header, entry.link ? AE_IFLNK : AE_IFREG);
        archive_entry_set_perm(header, 0444);
        if (entry.link)
            archive_entry_set_symlink(header, entry.content.c_str());
        else
            archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
        // A time with a fraction makes libarchive's pax writer add an extended header.
        archive_entry_set_mtime(header, 1, 500);
        REQUIRE(archive_write_header(writer, header) == ARCHIVE_OK);
        if (!entry.link) archive_write_data(writer, entry.content.data(), entry.content.size());
        archive_entry_free(header);
    }
    REQUIRE(archive_write_free(writer) == ARCHIVE_OK);
    return bytes;
}

Entries unpack(const std::string& bytes) {
    Entries entries;
    archive* reader = archive_read_new();
    archive_read_support_format_tar(reader);
    REQUIRE(archive_read_open_memory(reader, bytes.data(), bytes.size()) == ARCHIVE_OK);
    archive_entry* header = nullptr;
    while (archive_read_next_header(reader, &header) == ARCHIVE_OK) {
        Entry entry{archive_entry_pathname(header), {}, archive_entry_filetype(header) == AE_IFLNK};
        if (entry.link) {
            entry.content = archive_entry_symlink(header);
        } else {
            entry.content.resize(static_cast<std::size_t>(archive_entry_size(header)));
            CHECK(archive_read_data(reader, entry.content.data(), entry.content.size()) ==
                  static_cast<la_ssize_t>(entry.content.size()));
        }
        entries.push_back(std::move(entry));
    }
    CHECK(archive_errno(reader) == 0);
    archive_read_free(reader);
    return entries;
}

/// Random chunks, so that headers and bodies are cut anywhere.
std::string filtered(const std::string& bytes, const Held& held, std::mt19937_64& random, std::size_t longest) {
    ArchiveFilter filter(held);
    std::string result;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t part = std::min<std::size_t>(1 + random() % longest, bytes.size() - at);
        filter.push(std::string_view(bytes).substr(at, part), [&](std::string_view piece) { result += piece; });
        at += part;
    }
    filter.finish();
    CHECK(filter.bytes_in() == bytes.size());
    CHECK(filter.bytes_out() == result.size());
    return result;
}

Entries random_image(std::mt19937_64& random, std::vector<std::string>& layers, bool long_names) {
    Entries entries;
    for (std::uint64_t i = 1 + random() % 12; i > 0; --i) {
        layers.push_back(hex_name(random));
        std::string content(random() % 5000, '\0');
        for (char& byte : content) byte = static_cast<char>(random());
        entries.push_back({layers.back() + ".tar", content});
        if (random() % 3 == 0) entries.push_back({hex_name(random) + "/layer.tar", "../" + layers.back() + ".tar", true});
        if (random() % 3 == 0) entries.push_back({hex_name(random) + "/VERSION", "1.0"});
    }
    entries.push_back({hex_name(random) + ".json", R"({"rootfs":{}})"});
    // Longer than a plain header can say: the writers add extended headers.
    const std::string deep = std::string(180, 'd').append("/").append(90, 'f');
    if (long_names && random() % 2 == 0) entries.push_back({deep, "deep"});
    entries.push_back({"manifest.json", "[]"});
    return entries;
}

/// A header as Go's archive writer makes it for a size that octal digits cannot hold.
std::string big_header(const std::string& name, std::uint64_t size) {
    std::string block(512, '\0');
    std::copy(name.begin(), name.end(), block.begin());
    block[124] = static_cast<char>(0x80);
    for (int i = 0; i < 8; ++i) block[static_cast<std::size_t>(135 - i)] = static_cast<char>(size >> (8 * i));
    block[156] = '0';
    std::copy_n("ustar  \0", 8, block.begin() + 257);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
    std::snprintf(block.data() + 148, 8, "%06o", sum);
    return block;
}

}  // namespace

TEST_CASE("what the storage holds becomes an entry of size 0, the rest is kept to the byte, however the stream is cut") {
    std::mt19937_64 random(7);
    for (const int format : {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
        for (int round = 0; round < 60; ++round) {
            CAPTURE(format);
            CAPTURE(round);
            std::vector<std::string> layers;
            Entries image = random_image(random, layers, format != ARCHIVE_FORMAT_TAR_USTAR);
            const std::string bytes = pack(image, format);
            CHECK(filtered(bytes, {}, random, 700) == bytes);
            Held held;
            for (const std::string& layer : layers)
                if (random() % 2 == 0) held.insert(layer);
            const std::string result = filtered(bytes, held, random, 1 + random() % 9000);
            for (Entry& entry : image)
                if (held.contains(entry.name.substr(0, 64)) && entry.name.ends_with(".tar") && !entry.link) entry.content.clear();
            CHECK(unpack(result) == image);
            // Filtering the filtered is no change: nothing that was kept is written anew.
            CHECK(filtered(result, held, random, 1000) == result);
        }
    }
}

TEST_CASE("sizes beyond 8 GiB, in base-256 and in a pax header") {
    std::mt19937_64 random(3);
    const std::string layer = hex_name(random);
    const std::uint64_t size = (std::uint64_t{9} << 30U) + 5;
    CHECK(ov::parse_tar_header(big_header(layer + ".tar", size)).size == size);

    // Nine GiB of zeros pass through without being held.
    ArchiveFilter filter({layer});
    std::uint64_t sent = 0;
    const ArchiveFilter::Sink count = [&](std::string_view piece) { sent += piece.size(); };
    filter.push(big_header(layer + ".tar", size), count);
    const std::string zeros(1U << 20U, '\0');
    std::uint64_t left = (size + 511) / 512 * 512;
    while (left > 0) {
        const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left, zeros.size()));
        filter.push(std::string_view(zeros).substr(0, part), count);
        left -= part;
    }
    filter.push(std::string(1024, '\0'), count);
    filter.finish();
    CHECK(sent == 512 + 1024);
    CHECK(filter.layers_left_out() == 1);
}

TEST_CASE("what is no archive, or ends early, is an error") {
    std::mt19937_64 random(5);
    const std::string layer = hex_name(random);
    const std::string good =
        pack({{layer + ".tar", std::string(3000, 'x')}, {"manifest.json", "[]"}}, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
    const ArchiveFilter::Sink nowhere = [](std::string_view) {};
    SUBCASE("ends early, at every length") {
        for (std::size_t length = 0; length + 1024 < good.size(); length += 100) {
            ArchiveFilter filter({layer});
            filter.push(std::string_view(good).substr(0, length), nowhere);
            CHECK_THROWS_AS(filter.finish(), ov::Error);
        }
    }
    SUBCASE("another kind of file") {
        ArchiveFilter filter({});
        CHECK_THROWS_AS(filter.push(std::string(600, 'a'), nowhere), ov::Error);
    }
    SUBCASE("a header that was damaged") {
        std::string bad = good;
        bad[0] = bad[0] == 'a' ? 'b' : 'a';
        ArchiveFilter filter({});
        CHECK_THROWS_AS(filter.push(bad, nowhere), ov::Error);
    }
}

TEST_CASE("what the fuzzer keeps goes through the filter whole, in pieces and twice, with the same result") {
    const char* data = std::getenv("OV_TEST_DATA");
    int replayed = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(data ? data : "tests") + "/fuzz/corpus/archive")) {
        std::ifstream file(entry.path(), std::ios::binary);
        ov::fuzz::archive(std::string{std::istreambuf_iterator<char>(file), {}});
        ++replayed;
    }
    CHECK(replayed >= 3);
}

namespace {

/// Sizes of 8 GiB and more do not fit into octal digits.
std::string raw_header(const std::string& name, char type, std::uint64_t size) {
    std::string block(512, '\0');
    std::copy(name.begin(), name.end(), block.begin());
    const std::string digits = fmt::format("{:011o}", size);
    if (digits.size() == 11) {
        std::copy(digits.begin(), digits.end(), block.begin() + 124);
    } else {
        block[124] = '\x80';
        for (int i = 0; i < 8; ++i) block[static_cast<std::size_t>(135 - i)] = static_cast<char>(size >> (8 * i));
    }
    block[156] = type;
    std::fill_n(block.begin() + 148, 8, ' ');
    unsigned total = 0;
    for (const char c : block) total += static_cast<unsigned char>(c);
    const std::string checksum = fmt::format("{:06o}", total);
    std::copy(checksum.begin(), checksum.end(), block.begin() + 148);
    block[154] = '\0';
    return block;
}

}  // namespace

TEST_CASE("2 GiB in 40 layers, and one of 10 GiB with its size in base-256: what is kept passes, what is held is a header") {
    struct Row {
        int layers;
        std::uint64_t size;
    };
    for (const Row row : {Row{40, (2ULL << 30U) / 40}, Row{2, 10ULL << 30U}}) {
        const std::string piece(1U << 20U, 'p');
        std::mt19937_64 random(7);
        std::vector<std::string> names;
        Held held;
        for (int i = 0; i < row.layers; ++i) {
            names.push_back(hex_name(random));
            if (i % 2 == 1) held.insert(names.back());
        }
        ArchiveFilter filter(held);
        std::uint64_t out = 0, kept = 0;
        const auto count = [&](std::string_view part) { out += part.size(); };
        for (const std::string& name : names) {
            filter.push(raw_header(name + ".tar", '0', row.size), count);
            const std::uint64_t padded = (row.size + 511) / 512 * 512;
            for (std::uint64_t left = padded; left > 0;) {
                const std::uint64_t part = std::min<std::uint64_t>(left, piece.size());
                filter.push(std::string_view(piece).substr(0, static_cast<std::size_t>(part)), count);
                left -= part;
            }
            kept += 512 + (held.contains(name) ? 0 : padded);
        }
        filter.push(std::string(1024, '\0'), count);
        filter.finish();
        CHECK(out == kept + 1024);
        CHECK(filter.layers_left_out() == row.layers / 2);
        CHECK(filter.layers_sent() == row.layers - row.layers / 2);
    }
}

TEST_CASE("a pax size that no disk has, and extended headers without end, are errors") {
    const auto nowhere = [](std::string_view) {};
    std::string record = "29 size=18446744073709551615\n";
    ov::ArchiveFilter wrapping({});
    std::string body = record;
    body.resize(512, '\0');
    CHECK_THROWS_AS(wrapping.push(raw_header("h", 'x', record.size()) + body + raw_header("h", '0', 0), nowhere), ov::Error);
    ov::ArchiveFilter endless({});
    const std::string more = raw_header("h", 'K', 1U << 20U) + std::string(1U << 20U, 'k');
    const auto push_all = [&] {
        for (int i = 0; i < 8; ++i) endless.push(more, nowhere);
    };
    CHECK_THROWS_AS(push_all(), ov::Error);
}
