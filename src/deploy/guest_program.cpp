#include "deploy/guest_program.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "deploy/guest_session.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

std::optional<std::array<int, 3>> calendar_version(std::string_view text) {
    const std::string word = trimmed(text);
    std::array<int, 3> numbers{};
    const char* at = word.data();
    const char* const end = at + word.size();
    for (std::size_t i = 0; i < 3; ++i) {
        const auto [after, error] = std::from_chars(at, end, numbers[i]);
        if (error != std::errc{} || *at == '-') return std::nullopt;
        if (i < 2 && (after == end || *after != '.')) return std::nullopt;
        at = i < 2 ? after + 1 : after;
    }
    const bool possible = at == end && numbers[0] >= 1970 && numbers[1] >= 1 && numbers[1] <= 366 && numbers[2] <= 2359;
    return possible ? std::optional(numbers) : std::nullopt;
}

std::string digest_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Errc::not_found, fmt::format("{}: cannot read the program for guests", path));
    Sha256 hash;
    std::string chunk(1U << 16U, '\0');
    while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0)
        hash.update(std::string_view(chunk.data(), static_cast<std::size_t>(file.gcount())));
    return hash.hex();
}

asio::awaitable<CommandResult> ask(Executor& machine, std::string script, RunAs as, Deadline deadline) {
    Command command;
    command.script = std::move(script);
    command.as = as;
    command.limit = 60s;
    command.label = "ov in the guest";
    CommandResult result = co_await machine.run(std::move(command), deadline);
    co_return result;
}

/// The presence check of `cloud-init.md` 12.2.
asio::awaitable<std::string> look_only(Executor& machine, std::string strategy, Deadline deadline) {
    std::string script = fmt::format(
        "if ! command -v ov >/dev/null 2>&1; then\n"
        "    echo 'ov binary not present in guest (ov_install.strategy: {})' >&2\n    exit 1\nfi\n"
        "timeout 20 ov version",
        strategy);
    const CommandResult result = co_await ask(machine, std::move(script), RunAs::root, deadline);
    if (result.ok()) co_return trimmed(result.out);
    std::string said = trimmed(result.err.empty() ? result.out : result.err);
    // A shell that is given a program of another machine quotes its first bytes.
    for (char& c : said)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = ' ';
    throw Error(Errc::step_failed, said.find("ov_install.strategy") != std::string::npos
                                       ? said
                                       : fmt::format("the ov of the guest does not run (ov_install.strategy: {}): {}", strategy,
                                                     said.empty() ? exit_text(result) : said));
}

/// What one round trip tells.
struct Seen {
    std::string arch, version, home;
    bool has_copy = false;
};

Seen parse(const std::string& text) {
    Seen seen;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t space = line.find(' ');
        const std::string key = line.substr(0, space), value = space == std::string::npos ? "" : line.substr(space + 1);
        if (key == "arch") seen.arch = value;
        if (key == "home") seen.home = value;
        if (key == "copy") seen.has_copy = value == "yes";
        if (key == "version") seen.version = trimmed(value);
    }
    return seen;
}

}  // namespace

std::string guest_program_path() {
    if (const char* given = std::getenv("OV_GUEST_BINARY"); given != nullptr && *given != '\0') return given;
    std::error_code failure;
    const fs::path own = fs::read_symlink("/proc/self/exe", failure).parent_path();
    for (const fs::path& place : {own / "../libexec/ov/ov-guest", own / "guest/ov-guest"})
        if (fs::exists(place, failure)) return place.lexically_normal().string();
    throw Error(Errc::not_found, "ov-guest is not installed (libexec/ov/ov-guest); OV_GUEST_BINARY names another place");
}

bool strictly_newer(std::string_view ours, std::string_view theirs) {
    const auto mine = calendar_version(ours), other = calendar_version(theirs);
    if (!mine) return false;
    return !other || *other < *mine;
}

std::string elf_machine(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 20> head{};
    if (!file.read(head.data(), head.size()) || std::string_view(head.data(), 4) !=
                                                    "\x7f"
                                                    "ELF")
        return {};
    const int number = static_cast<unsigned char>(head[18]) | (static_cast<unsigned char>(head[19]) << 8);
    switch (number) {
        case 62:
            return "x86_64";
        case 183:
            return "aarch64";
        case 243:
            return "riscv64";
        default:
            return fmt::format("ELF machine {}", number);
    }
}

asio::awaitable<std::string> ensure_guest_program(Executor& machine, GuestProgramRequest request, Deadline deadline,
                                                  EmitEvent events) {
    if (request.strategy == "url" || request.strategy == "skip") {
        const std::string version = co_await look_only(machine, request.strategy, deadline);
        events(event::Note{Severity::note, fmt::format("ov in the guest: its own, {}", version)});
        co_return std::string("ov");
    }
    if (request.program.empty()) request.program = guest_program_path();
    const std::string digest = digest_of(request.program);
    const std::string name = fmt::format("ov-{}-{:.12}", request.version, digest);
    // One line a fact, whatever the guest's ov prints. What cannot run says nothing.
    std::string probe = fmt::format(
        "printf 'arch %s\\nhome %s\\n' \"$(uname -m)\" \"$HOME\"\n"
        "if command -v ov >/dev/null 2>&1; then\n"
        "    v=$(timeout 20 ov version 2>/dev/null | tr '\\n' ' ' | head -c 200)\n    printf 'version %s\\n' \"$v\"\nfi\n"
        "if [ -f \"$HOME/.cache/ov/{0}\" ] && [ -x \"$HOME/.cache/ov/{0}\" ] && echo '{1}  '\"$HOME/.cache/ov/{0}\" | "
        "sha256sum --check --status; then echo 'copy yes'; fi\ntrue",
        name, digest);
    const CommandResult result = co_await ask(machine, std::move(probe), RunAs::user, deadline);
    if (!result.ok()) throw Error(Errc::step_failed, fmt::format("looking for ov in the guest: {}", last_lines(result)));
    const Seen seen = parse(result.out);
    if (!seen.version.empty() && !strictly_newer(request.version, seen.version)) {
        events(event::Note{Severity::note, fmt::format("ov in the guest: its own, {}", seen.version)});
        co_return std::string("ov");
    }
    const std::string path = seen.home + "/.cache/ov/" + name;
    const std::string ours = elf_machine(request.program);
    if (!ours.empty() && ours != seen.arch)
        throw Error(
            Errc::unsupported,
            fmt::format("{} is for {}, the guest is {}: put an ov into the guest (ov_install.strategy: url or skip) or name "
                        "a program for it with OV_GUEST_BINARY",
                        request.program, ours, seen.arch));
    const std::string guest = seen.version.empty() ? "absent" : seen.version;
    if (seen.has_copy) {
        events(event::Note{Severity::note,
                           fmt::format("ov in the guest: {}; the copy of {} is there: {}", guest, request.version, path)});
        co_return path;
    }
    const CommandResult made =
        co_await ask(machine, "umask 077; mkdir -p \"$HOME/.cache/ov\" && chmod 0700 \"$HOME/.cache/ov\"", RunAs::user, deadline);
    if (!made.ok()) throw Error(Errc::step_failed, fmt::format("~/.cache/ov in the guest: {}", last_lines(made)));
    PutTarget target;
    target.path = path;
    target.mode = 0755;
    target.sha256 = digest;
    co_await machine.put(bytes_of_file(request.program), std::move(target), deadline);
    // It must run there, and what an older ov brought is of no use any more.
    std::string finish = fmt::format(
        "timeout 20 {0} version >/dev/null || exit\n"
        "for old in \"$HOME\"/.cache/ov/ov-[0-9u]*; do [ \"$old\" = {0} ] || rm -f \"$old\"; done",
        shell_quote(path));
    const CommandResult ran = co_await ask(machine, std::move(finish), RunAs::user, deadline);
    if (!ran.ok()) throw Error(Errc::step_failed, fmt::format("{} does not run in the guest: {}", path, last_lines(ran)));
    events(event::Note{Severity::note, fmt::format("ov in the guest: {}; copied {} to {}", guest, request.version, path)});
    co_return path;
}

}  // namespace ov
