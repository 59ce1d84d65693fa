#include "exec/ssh_destination.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <map>

#include "async/process.hpp"

namespace ov {

namespace {

using Settings = std::multimap<std::string, std::string, std::less<>>;

Settings parse(std::string_view config) {
    Settings settings;
    while (!config.empty()) {
        const std::size_t end = config.find('\n');
        const std::string_view line = config.substr(0, end);
        config = end == std::string_view::npos ? std::string_view{} : config.substr(end + 1);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) continue;
        settings.emplace(line.substr(0, space), line.substr(space + 1));
    }
    return settings;
}

std::string first(const Settings& settings, std::string_view key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string() : found->second;
}

std::string expand_home(std::string_view path, std::string_view home) {
    if (path == "~") return std::string(home);
    if (path.starts_with("~/")) return std::string(home) + std::string(path.substr(1));
    return std::string(path);
}

std::vector<std::string> words(std::string_view text, std::string_view separators) {
    std::vector<std::string> result;
    while (true) {
        const std::size_t start = text.find_first_not_of(separators);
        if (start == std::string_view::npos) return result;
        const std::size_t end = text.find_first_of(separators, start);
        result.emplace_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos) return result;
        text = text.substr(end);
    }
}

/// "[user@]host[:port]" with brackets around IPv6 addresses, as ProxyJump takes it.
SshDestination parse_jump(std::string_view text) {
    SshDestination jump;
    jump.name = text;
    jump.port = 0;
    const std::size_t at = text.rfind('@');
    if (at != std::string_view::npos) {
        jump.user = text.substr(0, at);
        text = text.substr(at + 1);
    }
    const std::size_t bracket = text.rfind(']');
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos ? text.find(':') == colon : colon > bracket)) {
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), jump.port);
        text = text.substr(0, colon);
    }
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    jump.host = text;
    return jump;
}

}  // namespace

bool is_complete(const SshDestination& destination) {
    return !destination.host.empty() && !destination.user.empty() && !destination.identities.empty() &&
           !destination.known_hosts.empty();
}

SshDestination from_ssh_config(SshDestination given, std::string_view config, std::string_view home) {
    const Settings settings = parse(config);
    const std::string host = first(settings, "hostname");
    if (!host.empty()) given.host = host;
    if (given.user.empty()) given.user = first(settings, "user");
    if (given.port == 0) {
        const std::string port = first(settings, "port");
        std::from_chars(port.data(), port.data() + port.size(), given.port);
        if (given.port == 0) given.port = 22;
    }
    if (given.identities.empty()) {
        const auto [begin, end] = settings.equal_range("identityfile");
        for (auto it = begin; it != end; ++it) given.identities.push_back(expand_home(it->second, home));
        const std::string agent = first(settings, "identityagent");
        const char* environment = std::getenv("SSH_AUTH_SOCK");
        const bool only_files = first(settings, "identitiesonly") == "yes" && agent.empty();
        if (agent.empty() || agent == "SSH_AUTH_SOCK")
            given.agent_socket = environment != nullptr && !only_files ? environment : "";
        else if (agent != "none")
            given.agent_socket = expand_home(agent, home);
    }
    if (given.known_hosts.empty()) {
        for (const std::string& file : words(first(settings, "userknownhostsfile"), " "))
            given.known_hosts.push_back(expand_home(file, home));
        for (const std::string& file : words(first(settings, "globalknownhostsfile"), " ")) given.known_hosts.push_back(file);
        const std::string strict = first(settings, "stricthostkeychecking");
        if (strict == "yes" || strict == "true") given.policy = HostKeyPolicy::strict;
    }
    if (given.host_key_alias.empty()) given.host_key_alias = first(settings, "hostkeyalias");
    const std::string command = first(settings, "proxycommand");
    if (!command.empty() && command != "none") given.proxy_command = command;
    const std::string jumps = first(settings, "proxyjump");
    if (!jumps.empty() && jumps != "none" && given.jumps.empty())
        for (const std::string& jump : words(jumps, ",")) given.jumps.push_back(parse_jump(jump));
    return given;
}

asio::awaitable<SshDestination> resolve_destination(SshDestination given, Deadline deadline) {
    if (is_complete(given)) {
        if (given.port == 0) given.port = 22;
        co_return given;
    }
    ProcessOptions options;
    options.argv = {"ssh", "-G"};
    if (!given.user.empty()) options.argv.insert(options.argv.end(), {"-l", given.user});
    if (given.port != 0) options.argv.insert(options.argv.end(), {"-p", std::to_string(given.port)});
    options.argv.insert(options.argv.end(), {"--", given.host});
    const ProcessOutput output = co_await run_process(options, deadline);
    if (output.status != 0)
        throw Error(Errc::unreachable,
                    fmt::format("{}: ssh -G {}: exit {}: {}", given.name, given.host, output.status, output.err));
    const char* home = std::getenv("HOME");
    SshDestination resolved = from_ssh_config(std::move(given), output.out, home != nullptr ? home : "");
    std::vector<SshDestination> jumps = std::move(resolved.jumps);
    resolved.jumps.clear();
    for (SshDestination& jump : jumps) {
        SshDestination full = co_await resolve_destination(std::move(jump), deadline);
        // The list already orders the hops; a ProxyJump of a hop itself comes before it.
        for (SshDestination& before : full.jumps) resolved.jumps.push_back(std::move(before));
        full.jumps.clear();
        resolved.jumps.push_back(std::move(full));
    }
    co_return resolved;
}

}  // namespace ov
