#include "state/vm_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ov/error.hpp"
#include "state/async_lock.hpp"

namespace ov::state {

namespace {

using Json = nlohmann::json;

/// Throws for a file that exists and is no JSON; a machine's record is never guessed.
std::optional<Json> read_json(const std::string& path, bool array) {
    const auto text = read_file(path);
    if (!text) return std::nullopt;
    Json value = Json::parse(*text, nullptr, false);
    if (array ? !value.is_array() : !value.is_object())
        throw Error(Errc::spec_invalid,
                    fmt::format("{}: not a JSON {}; move it away to go on without it", path, array ? "list" : "object"));
    return value;
}

/// Takes the key out, so that what stays is unknown.
std::string take(Json& from, const char* key) {
    const auto found = from.find(key);
    if (found == from.end() || !found->is_string()) return {};
    std::string value = found->get<std::string>();
    from.erase(found);
    return value;
}

void put(Json& into, const char* key, const std::string& value) {
    if (!value.empty()) into[key] = value;
}

VmOverrides overrides_of(Json value) {
    VmOverrides overrides;
    overrides.ram = take(value, "ram");
    overrides.disk_size = take(value, "disk_size");
    overrides.root_size = take(value, "root_size");
    overrides.ssh_key = take(value, "ssh_key");
    if (value.contains("cpus") && value["cpus"].is_number_integer()) overrides.cpus = value["cpus"].get<int>();
    return overrides;
}

Json json_of(const VmOverrides& overrides) {
    Json value = Json::object();
    put(value, "ram", overrides.ram);
    put(value, "disk_size", overrides.disk_size);
    put(value, "root_size", overrides.root_size);
    put(value, "ssh_key", overrides.ssh_key);
    if (overrides.cpus > 0) value["cpus"] = overrides.cpus;
    return value;
}

}  // namespace

std::optional<VmRecord> load_vm_record(const VmFiles& files) {
    auto value = read_json(files.record(), false);
    if (!value) return std::nullopt;
    VmRecord record;
    record.base = take(*value, "base");
    record.base_digest = take(*value, "base_digest");
    record.source = take(*value, "source");
    record.active_disk = take(*value, "active_disk");
    record.disk_format = take(*value, "disk_format");
    record.nvram_template = take(*value, "nvram_template");
    record.libvirt_uri = take(*value, "libvirt_uri");
    record.definition_digest = take(*value, "definition_digest");
    record.instance_id = take(*value, "instance_id");
    if (const auto port = value->find("ssh_port"); port != value->end() && port->is_number_integer()) {
        record.ssh_port = port->get<int>();
        value->erase("ssh_port");
    }
    if (const auto facts = value->find("facts"); facts != value->end() && facts->is_object()) {
        for (const auto& [key, fact] : facts->items())
            if (fact.is_string()) record.facts[key] = fact.get<std::string>();
        value->erase("facts");
    }
    if (const auto given = value->find("overrides"); given != value->end() && given->is_object()) {
        record.overrides = overrides_of(*given);
        value->erase("overrides");
    }
    value->erase("schema");
    if (!value->empty()) record.unknown = value->dump();
    return record;
}

void save_vm_record(const VmFiles& files, const VmRecord& record) {
    Json value = record.unknown.empty() ? Json::object() : Json::parse(record.unknown, nullptr, false);
    if (!value.is_object()) value = Json::object();
    value["schema"] = 1;
    put(value, "base", record.base);
    put(value, "base_digest", record.base_digest);
    put(value, "source", record.source);
    put(value, "active_disk", record.active_disk);
    put(value, "disk_format", record.disk_format);
    put(value, "nvram_template", record.nvram_template);
    put(value, "libvirt_uri", record.libvirt_uri);
    put(value, "definition_digest", record.definition_digest);
    put(value, "instance_id", record.instance_id);
    if (record.ssh_port > 0) value["ssh_port"] = record.ssh_port;
    if (!record.facts.empty()) value["facts"] = record.facts;
    if (Json given = json_of(record.overrides); !given.empty()) value["overrides"] = std::move(given);
    make_state_directory(files);
    write_file(files.record(), value.dump(2) + "\n");
}

std::optional<std::vector<std::string>> load_command(const VmFiles& files) {
    const auto value = read_json(files.command(), true);
    if (!value) return std::nullopt;
    std::vector<std::string> argv;
    for (const Json& word : *value) {
        if (!word.is_string()) throw Error(Errc::spec_invalid, fmt::format("{}: not a list of strings", files.command()));
        argv.push_back(word.get<std::string>());
    }
    if (argv.size() < 2) throw Error(Errc::spec_invalid, fmt::format("{}: holds no command line", files.command()));
    return argv;
}

void save_command(const VmFiles& files, const std::vector<std::string>& argv) {
    make_state_directory(files);
    write_file(files.command(), Json(argv).dump(2) + "\n");
}

void remove_command(const VmFiles& files) {
    std::error_code ignored;
    if (std::filesystem::is_directory(files.directory, ignored)) remove_file(files.command());
}

void make_state_directory(const VmFiles& files) {
    std::error_code failure;
    std::filesystem::create_directories(files.directory, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", files.directory, failure.message()));
    if (::chmod(files.directory.c_str(), 0700) != 0)
        throw Error(Errc::io, fmt::format("{}: {}", files.directory, std::strerror(errno)));
}

asio::awaitable<FileLock> lock_vm(BlockingPool& pool, VmFiles files, Deadline deadline, Deadline::Duration wait) {
    const auto make = [files] { make_state_directory(files); };
    co_await pool.run(deadline, make);
    FileLock lock = co_await lock_async(pool, files.lock(), "another ov command works on this machine", deadline, wait);
    co_return lock;
}

}  // namespace ov::state
