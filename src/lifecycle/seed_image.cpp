#include "lifecycle/seed_image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>
#include <string_view>

#include "base/sha256.hpp"
#include "ov/error.hpp"
#include "state/state_file.hpp"

namespace ov {

namespace {

struct FreeArchive {
    void operator()(archive* writer) const noexcept { archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};

la_ssize_t append(archive*, void* to, const void* bytes, size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

void check(archive* writer, int result) {
    if (result == ARCHIVE_OK) return;
    const char* reason = archive_error_string(writer);
    throw Error(Errc::io, fmt::format("the seed image: {}", reason != nullptr ? reason : "libarchive failed"));
}

void add_file(archive* writer, const char* name, std::string_view content) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_mtime(entry.get(), 0, 0);
    check(writer, archive_write_header(writer, entry.get()));
    if (archive_write_data(writer, content.data(), content.size()) != static_cast<la_ssize_t>(content.size()))
        check(writer, ARCHIVE_FATAL);
}

}  // namespace

std::string seed_image(const CloudInitFiles& files) {
    if (files.user_data.empty()) throw Error(Errc::usage, "a seed needs user-data");
    std::string image;
    const std::unique_ptr<archive, FreeArchive> writer(archive_write_new());
    check(writer.get(), archive_write_set_format_iso9660(writer.get()));
    // The guest's data source looks for this label, in either case, and for unmangled names.
    check(writer.get(), archive_write_set_options(writer.get(), "volume-id=cidata,joliet=long,rockridge=useful"));
    check(writer.get(), archive_write_open(writer.get(), &image, nullptr, append, nullptr));
    add_file(writer.get(), "user-data", files.user_data);
    add_file(writer.get(), "meta-data", files.meta_data);
    if (!files.network_config.empty()) add_file(writer.get(), "network-config", files.network_config);
    check(writer.get(), archive_write_close(writer.get()));
    return image;
}

void write_seed_image(const CloudInitFiles& files, const std::string& path) {
    // It may hold secrets (host keys, write_files): for its owner alone.
    state::write_file(path, seed_image(files), 0600);
}

std::string user_data_digest(const CloudInitFiles& files) {
    return "sha256:" + sha256_hex(files.user_data);
}

}  // namespace ov
