// The operator's secrets: `CONFIG/ov/secrets.yml`, 0600, service -> key -> value (decisions 33).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace ov::state {

class SecretStore {
public:
    explicit SecretStore(std::string file) : file_(std::move(file)) {}

    /// Throws Error{spec_invalid} naming the file when it cannot be read as a map of maps.
    std::optional<std::string> get(const std::string& service, const std::string& key) const;
    /// The value that is there, else a fresh one, on disk before it is returned. Throws Error{io} when it cannot be kept: a value
    /// that is lost would be another one in the next run. Blocks: for the pool.
    std::string get_or_make(const std::string& service, const std::string& key) const;

    const std::string& file() const noexcept { return file_; }

private:
    using Values = std::map<std::string, std::map<std::string, std::string>>;
    Values read() const;
    std::string file_;
};

/// 32 random bytes in URL-safe base64, 44 characters.
std::string random_secret();

/// OV_SECRET_BACKEND: "auto" and "config" are the file; anything else is Error{unsupported} naming it.
void check_secret_backend();

}  // namespace ov::state
