#include "lifecycle/container_build.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "async/podman_container.hpp"
#include "async/process.hpp"
#include "base/shell_quote.hpp"
#include "base/text.hpp"
#include "lifecycle/base_image.hpp"
#include "ov/vm_defaults.hpp"
#include "state/async_lock.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

/// Year, day of the year, time; nothing for another tag.
std::optional<std::array<int, 3>> date_version(std::string_view tag) {
    std::array<int, 3> numbers{};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::size_t dot = i < 2 ? tag.find('.') : tag.size();
        if (dot == std::string_view::npos) return std::nullopt;
        const std::string_view part = tag.substr(0, dot);
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), numbers[i]);
        if (error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
        tag.remove_prefix(std::min(dot + 1, tag.size()));
    }
    return numbers[0] >= 1970 ? std::optional(numbers) : std::nullopt;
}

std::vector<std::string> rootful(std::vector<std::string> argv, bool root) {
    if (!root) argv.insert(argv.begin(), {"sudo", "-n"});
    return argv;
}

}  // namespace

std::string newest_dated(std::string_view lines, std::string_view name) {
    std::string best;
    std::array<int, 3> newest{};
    std::istringstream stream{std::string(lines)};
    for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.rfind(':');
        if (colon == std::string::npos) continue;
        const std::string_view repository = std::string_view(line).substr(0, colon);
        if (repository.substr(repository.rfind('/') + 1) != name) continue;
        const auto version = date_version(std::string_view(line).substr(colon + 1));
        if (!version || (!best.empty() && *version <= newest)) continue;
        newest = *version;
        best = line;
    }
    return best;
}

std::string bootc_script(const BootcDisk& disk) {
    std::string install = fmt::format("bootc install to-disk \\\n  --filesystem {}", shell_quote(disk.rootfs));
    constexpr std::uint64_t mib = 1U << 20U;
    if (disk.root_bytes) install += fmt::format(" --root-size {}M", (*disk.root_bytes + mib - 1) / mib);
    for (const std::string& word : words_of(disk.kernel_args)) install += " --karg " + shell_quote(word);
    return fmt::format(
        "set -euo pipefail\n"
        "truncate -s {} /out/disk.raw\n"
        "LOOP=$(losetup --find --show /out/disk.raw)\n"
        "trap 'losetup -d \"$LOOP\" 2>/dev/null || true' EXIT\n"
        "{} \\\n"
        "  --target-no-signature-verification \\\n"
        "  \"$LOOP\"\n"
        "sync\n"
        "losetup -d \"$LOOP\"\n"
        "trap - EXIT\n"
        "qemu-img convert -O qcow2 /out/disk.raw /out/disk.qcow2\n"
        "rm -f /out/disk.raw\n"
        "chown --reference=/out /out/disk.qcow2\n",
        disk.disk_bytes, install);
}

std::vector<std::string> container_argv(const std::string& image, const std::string& staging, const std::string& input,
                                        bool root) {
    std::vector<std::string> argv{"podman", "run",  "--privileged", "--rm",      "-i", "--user",         "0",
                                  "--net",  "host", "-v",           "/dev:/dev", "-v", staging + ":/out"};
    if (!input.empty()) argv.insert(argv.end(), {"-v", input + ":/in:ro"});
    argv.insert(argv.end(), {image, "bash", "-s"});
    return rootful(std::move(argv), root);
}

asio::awaitable<ProcessOutput> run_podman(std::vector<std::string> argv, std::string input, bool console, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    if (console) options.err = Redirect::inherit;
    try {
        ProcessOutput output = co_await run_process(std::move(options), deadline, std::move(input));
        co_return output;
    } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        throw Error(Errc::not_found,
                    fmt::format("{}; building this disk needs podman (Debian: apt-get install podman)", error.what()));
    }
}

asio::awaitable<ProcessOutput> run_container(std::vector<std::string> argv, std::string script, bool console, Deadline deadline) {
    ProcessOutput output;
    const ContainerClient client = [&](std::vector<std::string> words, Deadline limit) -> asio::awaitable<void> {
        output = co_await run_podman(std::move(words), script, console, limit);
    };
    co_await with_container(std::move(argv), client, deadline);
    co_return output;
}

asio::awaitable<std::string> local_image(std::string image, std::string transport, bool root, Deadline deadline) {
    if (image.find('/') == std::string::npos && transport.empty()) {
        std::vector<std::string> list = rootful({"podman", "images", "--format", "{{.Repository}}:{{.Tag}}"}, root);
        const std::string nothing;
        const ProcessOutput output = co_await run_podman(std::move(list), nothing, false, deadline);
        std::string found = newest_dated(output.out, image);
        if (found.empty())
            throw Error(Errc::not_found,
                        fmt::format("{}: no local image of that name with a date version "
                                    "(2026.144.1443); build it first: podman build -t localhost/{}:$(date +%Y.%-j.%-H%M) .",
                                    image, image));
        co_return found;
    }
    if (transport.empty() || transport == "containers-storage") co_return image;
    const std::string from = transport == "registry" ? "docker://" + image : transport + ":" + image;
    std::vector<std::string> pull = rootful({"podman", "pull", "--quiet", from}, root);
    const std::string nothing;
    const ProcessOutput output = co_await run_podman(std::move(pull), nothing, false, deadline);
    if (output.status != 0) throw Error(Errc::not_found, fmt::format("podman pull {}: {}", from, last_lines(output.err)));
    co_return last_lines(output.out, 1);
}

asio::awaitable<BaseImage> adopt_disk(VmContext& context, std::string made, Deadline deadline) {
    const ImageCache cache(context.image_cache());
    auto adopt = [cache, made]() -> std::string {
        const std::string digest = digest_of_file(made, {});
        cache.adopt(made, digest);
        return digest;
    };
    const std::string digest = co_await context.runtime.pool.run(deadline, adopt);
    BaseImage base = co_await inspect_base(cache.image_path(digest), digest, deadline);
    co_return base;
}

asio::awaitable<BaseImage> build_bootc(VmContext& context, VmSpec spec, std::string transport, bool console, Deadline deadline) {
    const auto size = vm::parse_size(spec.disk_size, vm::SizeUnit::byte);
    if (!size)
        throw Error(Errc::spec_invalid, fmt::format("vm.{}.disk_size: a bootc disk needs a size, for example 10G", spec.name));
    BootcDisk disk;
    disk.disk_bytes = *size;
    if (!spec.source.rootfs.empty()) disk.rootfs = spec.source.rootfs;
    if (!spec.source.root_size.empty()) disk.root_bytes = vm::parse_size(spec.source.root_size, vm::SizeUnit::byte);
    disk.kernel_args = spec.source.kernel_args;
    if (transport.empty()) transport = spec.source.transport;
    const bool root = ::geteuid() == 0;
    const std::string image = co_await local_image(spec.source.image, transport, root, deadline);

    const ImageCache cache(context.image_cache());
    const std::string staging = cache.directory() + "/build-" + spec.name;
    const state::FileLock lock = co_await state::lock_async(
        context.runtime.pool, cache.lock_path(staging), "another ov command builds this disk", deadline, std::chrono::hours(6));
    std::error_code failure;
    fs::remove_all(staging, failure);
    fs::create_directories(staging, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", staging, failure.message()));
    std::vector<std::string> argv = container_argv(image, staging, "", root);
    const ProcessOutput output = co_await run_container(std::move(argv), bootc_script(disk), console, deadline);
    if (output.status != 0 || !fs::exists(staging + "/disk.qcow2")) {
        fs::remove_all(staging, failure);
        throw Error(Errc::unsupported,
                    fmt::format("{}: the disk was not built (exit status {}): {}\nIt takes privileged containers, loop "
                                "devices and bootc in the image; --console shows all of it",
                                image, output.status, last_lines(output.err.empty() ? output.out : output.err)));
    }
    BaseImage base = co_await adopt_disk(context, staging + "/disk.qcow2", deadline);
    fs::remove_all(staging, failure);
    co_return base;
}

}  // namespace ov
