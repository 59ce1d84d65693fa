#include "exec/known_hosts.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "exec/ssh_session.hpp"

namespace ov {

namespace {

std::string_view take_word(std::string_view& rest) {
    const std::size_t start = rest.find_first_not_of(" \t");
    if (start == std::string_view::npos) return rest = {};
    const std::size_t end = rest.find_first_of(" \t", start);
    const std::string_view word = rest.substr(start, end == std::string_view::npos ? end : end - start);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    return word;
}

/// The name under which OpenSSH files a host: bare on port 22, else "[host]:port".
std::string filed_name(std::string_view host, int port) {
    return port == 22 ? std::string(host) : fmt::format("[{}]:{}", host, port);
}

bool hashed_matches(std::string_view field, const std::string& name) {
    // |1|salt|HMAC-SHA1(salt, name)
    const std::size_t bar = field.find('|', 3);
    if (bar == std::string_view::npos) return false;
    const std::string salt = from_base64(field.substr(3, bar - 3));
    const std::string expected = from_base64(field.substr(bar + 1));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha1(), salt.data(), static_cast<int>(salt.size()), reinterpret_cast<const unsigned char*>(name.data()), name.size(),
         digest.data(), &length);
    return !expected.empty() && expected == std::string_view(reinterpret_cast<const char*>(digest.data()), length);
}

}  // namespace

KnownHosts parse_known_hosts(std::string_view text) {
    KnownHosts known;
    int number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        KnownHost host;
        host.line = number;
        std::string_view word = take_word(line);
        if (word.empty() || word.front() == '#') continue;
        if (word == "@cert-authority") {
            ++known.authorities;
            continue;
        }
        if (word == "@revoked") {
            host.revoked = true;
            word = take_word(line);
        }
        host.patterns = word;
        host.type = take_word(line);
        host.key = take_word(line);
        if (!host.key.empty()) known.hosts.push_back(std::move(host));
    }
    return known;
}

bool known_host_matches(std::string_view patterns, std::string_view host, int port) {
    const std::string name = filed_name(host, port);
    if (patterns.starts_with("|1|")) return hashed_matches(patterns, name);
    bool matches = false;
    while (!patterns.empty()) {
        const std::size_t comma = patterns.find(',');
        std::string pattern(patterns.substr(0, comma));
        patterns = comma == std::string_view::npos ? std::string_view{} : patterns.substr(comma + 1);
        const bool negated = pattern.starts_with('!');
        if (negated) pattern.erase(0, 1);
        // fnmatch would read "[host]:port" as a character class.
        std::string escaped;
        for (const char c : pattern) {
            if (c == '[' || c == ']' || c == '\\') escaped += '\\';
            escaped += c;
        }
        if (::fnmatch(escaped.c_str(), name.c_str(), 0) != 0) continue;
        if (negated) return false;
        matches = true;
    }
    return matches;
}

HostKeyCheck check_host_key(const KnownHosts& known, std::string_view host, int port, const HostKey& key) {
    const std::string encoded = base64(key.blob);
    HostKeyCheck check;
    for (const KnownHost& entry : known.hosts) {
        if (!known_host_matches(entry.patterns, host, port)) continue;
        const bool same = entry.type == key.type && entry.key == encoded;
        if (entry.revoked) {
            if (same) return {HostKeyVerdict::revoked, entry.line};
            continue;
        }
        if (same) return {HostKeyVerdict::match, entry.line};
        if (entry.type == key.type || check.verdict == HostKeyVerdict::unknown) check = {HostKeyVerdict::mismatch, entry.line};
    }
    return check;
}

std::vector<std::string> known_key_types(const KnownHosts& known, std::string_view host, int port) {
    std::vector<std::string> types;
    const auto add = [&](const std::string& type) {
        if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    };
    for (const KnownHost& entry : known.hosts) {
        if (entry.revoked || !known_host_matches(entry.patterns, host, port)) continue;
        // An RSA key answers to three signature algorithms.
        if (entry.type == "ssh-rsa") {
            add("rsa-sha2-512");
            add("rsa-sha2-256");
        }
        add(entry.type);
    }
    return types;
}

std::string known_host_line(std::string_view host, int port, const HostKey& key) {
    return fmt::format("{} {} {}\n", filed_name(host, port), key.type, base64(key.blob));
}

}  // namespace ov
