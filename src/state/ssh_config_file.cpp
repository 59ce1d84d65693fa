#include "state/ssh_config_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <optional>

#include "ov/error.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view begin_marker = "# overthink:begin (managed by ov; do not edit inside this block)";
constexpr std::string_view begin_prefix = "# overthink:begin", end_marker = "# overthink:end";

/// A line of the text, [begin, next).
struct Line {
    std::size_t begin = 0, next = 0;
    std::string_view text;
};

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t newline = text.find('\n', at);
        const std::size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
        std::string_view line = text.substr(at, next - at);
        while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back({at, next, line});
        at = next;
    }
    return lines;
}

struct Block {
    std::size_t begin = 0, end = 0;            ///< with markers
    std::size_t body_begin = 0, body_end = 0;  ///< without
};

bool is_begin(std::string_view line) {
    return line.starts_with(begin_prefix) && (line.size() == begin_prefix.size() || line[begin_prefix.size()] == ' ');
}

std::optional<Block> find_block(std::string_view text, const std::string& file) {
    std::optional<Block> block;
    bool open = false;
    int number = 0;
    const auto unbalanced = [&](std::string_view what) {
        throw Error(Errc::spec_invalid,
                    fmt::format("{}:{}: {}; put the pair of markers in order, nothing was changed", file, number, what));
    };
    for (const Line& line : lines_of(text)) {
        ++number;
        if (is_begin(line.text)) {
            if (block) unbalanced("a second begin marker of ov's block");
            block = Block{line.begin, 0, line.next, 0};
            open = true;
        } else if (line.text == end_marker) {
            if (!open) unbalanced("an end marker of ov's block without its begin");
            block->body_end = line.begin;
            block->end = line.next;
            open = false;
        }
    }
    if (open) unbalanced("ov's block has no end marker");
    return block;
}

/// ssh_config splits at blanks; quotes keep a path whole. A double quote in it cannot be written there at all.
std::string word(const std::string& path) {
    if (path.find('"') != std::string::npos || path.find('\n') != std::string::npos)
        throw Error(Errc::unsupported, fmt::format("{}: ssh_config has no way to write this path", path));
    return path.find_first_of(" \t#") == std::string::npos ? path : "\"" + path + "\"";
}

std::map<std::string, std::string> stanzas_of(std::string_view body) {
    std::map<std::string, std::string> stanzas;
    std::string name;
    for (const Line& line : lines_of(body)) {
        if (line.text.starts_with("Host ") || line.text.starts_with("Host\t")) {
            std::string_view rest = line.text.substr(5);
            rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
            name = rest.substr(0, rest.find_first_of(" \t"));
        }
        if (name.empty() || line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
        stanzas[name] += std::string(line.text) + "\n";
    }
    return stanzas;
}

std::string body_of(const std::map<std::string, std::string>& stanzas) {
    std::string body;
    for (const auto& [name, text] : stanzas) body += (body.empty() ? "" : "\n") + text;
    return body;
}

/// The mode of the file as it is, so that an edit does not change who may read it.
unsigned mode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0600U;
}

void make_private_directory(const std::string& path) {
    std::error_code failure;
    if (fs::is_directory(path, failure)) return;
    fs::create_directories(path, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", path, failure.message()));
    fs::permissions(path, fs::perms::owner_all, failure);
}

void replace(const std::string& path, const std::optional<std::string>& before, const std::string& after) {
    if (before && *before == after) return;
    write_file(path, after, before ? mode_of(path) : 0600U);
}

void include_fragment(const SshConfigPaths& paths) {
    make_private_directory(fs::path(paths.user).parent_path().string());
    const auto before = read_file(paths.user);
    replace(paths.user, before, with_block(before.value_or(""), "Include " + word(paths.fragment) + "\n", true, paths.user));
}

/// What we made, we remove: a file that holds nothing but our block goes with it, unless it is a link to somebody's file.
void exclude_fragment(const SshConfigPaths& paths) {
    const auto before = read_file(paths.user);
    if (!before || !find_block(*before, paths.user)) return;
    const std::string after = with_block(*before, "", true, paths.user);
    if (after.empty() && !fs::is_symlink(paths.user))
        remove_file(paths.user);
    else
        replace(paths.user, before, after);
}

FileLock lock_of(const SshConfigPaths& paths, const std::function<bool()>& cancelled) {
    make_private_directory(fs::path(paths.fragment).parent_path().string());
    return FileLock::acquire(paths.fragment + ".lock", std::chrono::seconds(30), cancelled);
}

}  // namespace

SshConfigPaths ssh_config_paths(const std::string& home) {
    return {home + "/.config/ov/ssh_config", home + "/.ssh/config"};
}

std::string stanza_of(const SshAlias& alias) {
    if (alias.name.empty() || alias.hostname.empty())
        throw Error(Errc::usage,
                    fmt::format("an ssh alias needs a name and a host, got '{}' and '{}'", alias.name, alias.hostname));
    std::string text = fmt::format("Host {}\n    Hostname {}\n", alias.name, alias.hostname);
    if (alias.port > 0) text += fmt::format("    Port {}\n", alias.port);
    if (!alias.user.empty()) text += fmt::format("    User {}\n", alias.user);
    // Only our key is offered: an agent full of others would use up the server's patience.
    if (!alias.identity_file.empty())
        text += fmt::format("    IdentityFile {}\n    IdentitiesOnly yes\n", word(alias.identity_file));
    text += fmt::format("    StrictHostKeyChecking {}\n", alias.strict ? "yes" : "accept-new");
    if (!alias.known_hosts.empty()) text += fmt::format("    UserKnownHostsFile {}\n", word(alias.known_hosts));
    if (!alias.proxy_jump.empty()) text += fmt::format("    ProxyJump {}\n", alias.proxy_jump);
    return text;
}

std::string block_of(std::string_view text, const std::string& file) {
    const auto block = find_block(text, file);
    return block ? std::string(text.substr(block->body_begin, block->body_end - block->body_begin)) : std::string();
}

std::string with_block(std::string_view text, std::string_view body, bool at_top, const std::string& file) {
    const auto block = find_block(text, file);
    const std::string_view newline = text.find("\r\n") != std::string_view::npos ? "\r\n" : "\n";
    std::string ours;
    if (!body.empty()) {
        ours = fmt::format("{}{}", begin_marker, newline);
        for (const Line& line : lines_of(body)) ours += fmt::format("{}{}", line.text, newline);
        ours += fmt::format("{}{}", end_marker, newline);
    }
    if (block) {
        std::string_view after = text.substr(block->end);
        // The blank line that was put between our block and theirs goes with the block.
        if (ours.empty() && block->begin == 0 && after.starts_with(newline)) after.remove_prefix(newline.size());
        return std::string(text.substr(0, block->begin)) + ours + std::string(after);
    }
    if (ours.empty()) return std::string(text);
    if (at_top) return text.empty() ? ours : fmt::format("{}{}{}", ours, newline, text);
    std::string result(text);
    if (!result.empty() && !result.ends_with('\n')) result += newline;
    return result + ours;
}

void put_alias(const SshConfigPaths& paths, const SshAlias& alias, const std::function<bool()>& cancelled) {
    const std::string stanza = stanza_of(alias);
    const FileLock lock = lock_of(paths, cancelled);
    const auto before = read_file(paths.fragment);
    auto stanzas = stanzas_of(block_of(before.value_or(""), paths.fragment));
    stanzas[alias.name] = stanza;
    replace(paths.fragment, before, with_block(before.value_or(""), body_of(stanzas), false, paths.fragment));
    include_fragment(paths);
}

std::size_t remove_alias(const SshConfigPaths& paths, const std::string& name, const std::function<bool()>& cancelled) {
    const FileLock lock = lock_of(paths, cancelled);
    const auto before = read_file(paths.fragment);
    if (!before) {
        exclude_fragment(paths);
        return 0;
    }
    auto stanzas = stanzas_of(block_of(*before, paths.fragment));
    if (stanzas.erase(name) == 0 && !stanzas.empty()) return stanzas.size();
    const std::string after = with_block(*before, body_of(stanzas), false, paths.fragment);
    if (after.empty())
        remove_file(paths.fragment);
    else
        replace(paths.fragment, before, after);
    if (stanzas.empty()) exclude_fragment(paths);
    return stanzas.size();
}

bool has_alias(const SshConfigPaths& paths, const std::string& name) {
    const auto text = read_file(paths.fragment);
    return text && stanzas_of(block_of(*text, paths.fragment)).contains(name);
}

}  // namespace ov::state
