#include "state/secret_store.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cstdlib>

#include "ov/diagnostic.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += '\\', out += c;
        else if (byte < 0x20 || byte == 0x7f)
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
        else
            out += c;
    }
    return out + '"';
}

}  // namespace

std::string random_secret() {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<unsigned char, 33> bytes{};
    if (::getrandom(bytes.data(), 32, 0) != 32) throw Error(Errc::io, "the system gave no random bytes");
    std::string out;
    for (std::size_t i = 0; i < 33; i += 3) {
        const unsigned group = static_cast<unsigned>(bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]);
        for (const int shift : {18, 12, 6, 0}) out += digits[(group >> shift) & 63U];
    }
    out.back() = '=';
    return out;
}

void check_secret_backend() {
    const char* word = std::getenv("OV_SECRET_BACKEND");
    const std::string_view backend = word == nullptr ? "" : word;
    if (backend.empty() || backend == "auto" || backend == "config") return;
    if (backend == "keyring") throw Error(Errc::unsupported, "OV_SECRET_BACKEND: this version has no keyring client; use config");
    throw Error(Errc::usage, fmt::format("OV_SECRET_BACKEND: expected auto, keyring or config, got '{}'", backend));
}

SecretStore::Values SecretStore::read() const {
    Values values;
    const auto text = read_file(file_);
    if (!text) return values;
    std::vector<Diagnostic> findings;
    const auto documents = spec::parse_yaml(*text, file_, findings);
    const auto broken = [this](std::string_view what) {
        return Error(Errc::spec_invalid, fmt::format("{}: expected service: {{key: value}}: {}", file_, what));
    };
    // The findings of a parser may quote a value.
    if (!findings.empty()) throw broken("it is no YAML");
    for (const YamlPtr& document : documents) {
        if (document->is_null()) continue;
        if (!document->is_map()) throw broken("it is no mapping");
        for (const YamlEntry& service : document->entries) {
            if (!service.value->is_map()) throw broken(service.key + " is no mapping");
            for (const YamlEntry& key : service.value->entries) {
                if (!key.value->is_scalar()) throw broken(service.key + "." + key.key + " is no text");
                values[service.key][key.key] = key.value->text;
            }
        }
    }
    return values;
}

std::optional<std::string> SecretStore::get(const std::string& service, const std::string& key) const {
    const Values values = read();
    const auto found = values.find(service);
    if (found == values.end()) return std::nullopt;
    const auto value = found->second.find(key);
    if (value == found->second.end()) return std::nullopt;
    return value->second;
}

std::string SecretStore::get_or_make(const std::string& service, const std::string& key) const {
    const FileLock lock = FileLock::acquire(file_ + ".lock");
    Values values = read();
    std::string& value = values[service][key];
    if (!value.empty()) return value;
    value = random_secret();
    std::string text;
    for (const auto& [name, keys] : values) {
        text += quoted(name) + ":\n";
        for (const auto& [word, secret] : keys) text += "    " + quoted(word) + ": " + quoted(secret) + "\n";
    }
    write_file(file_, text, 0600);
    return value;
}

}  // namespace ov::state
