// What the rules about VM entities share: where findings go, and the small checks that every family needs.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/vm_validate.hpp"

namespace ov {

class VmCheck {
public:
    using Words = std::initializer_list<std::string_view>;

    VmCheck(const VmSpec& spec, const HostFacts& facts, const ValidateOptions& options, std::vector<Diagnostic>& findings);

    const VmSpec& spec;
    const HostFacts& facts;
    const ValidateOptions& options;
    const Backend backend;
    const std::string arch, machine;
    const FirmwareMode firmware;

    bool libvirt() const noexcept { return backend == Backend::libvirt; }
    bool has_graphics(std::string_view type) const noexcept;

    void error(std::string_view path, std::string message) { add(path, std::move(message), Severity::error); }
    void warning(std::string_view path, std::string message) { add(path, std::move(message), Severity::warning); }
    void note(std::string_view path, std::string message) { add(path, std::move(message), Severity::note); }

    /// Each of these takes an empty text as an absent key, reports, and says whether the value is good.
    bool one_of(std::string_view path, std::string_view value, Words words);
    bool flag(std::string_view path, std::string_view value);
    std::optional<std::uint64_t> size(std::string_view path, std::string_view value, vm::SizeUnit bare);
    std::optional<long long> number(std::string_view path, std::string_view value, long long least, long long most);
    void in_range(std::string_view path, const vm::Int& value, long long least, long long most);
    void absolute_path(std::string_view path, std::string_view value);
    /// Unix socket paths: known templates, not below a home, no longer than the kernel takes.
    void socket_path(std::string_view path, std::string_view value, std::string_view named_by);
    /// A MAC address that a guest may have.
    bool mac(std::string_view path, std::string_view value);

    /// An empty value is an error: "needs <key>: <what>".
    bool need(std::string_view block, std::string_view key, std::string_view value, std::string_view what);
    /// Keys of a mapping that have no meaning here.
    void only(std::string_view path, const vm::TextMap& map, Words allowed, std::string_view where);
    /// A key that is set although it has no meaning beside another.
    void refuse(std::string_view path, bool is_set, std::string_view why);

private:
    void add(std::string_view path, std::string message, Severity severity) {
        findings_.push_back(spec.finding(path, std::move(message), severity));
    }
    std::vector<Diagnostic>& findings_;
};

/// "libvirt.devices.disks[2]".
std::string item_path(std::string_view list, std::size_t index);
std::string join(const std::vector<std::string>& texts, std::string_view between);

void check_source(VmCheck& check);
void check_machine(VmCheck& check);
void check_access(VmCheck& check);
void check_cloud_init(VmCheck& check);
void check_snapshots(VmCheck& check);
void check_features(VmCheck& check);
void check_cpu(VmCheck& check);
void check_clock(VmCheck& check);
void check_tuning(VmCheck& check);
void check_security(VmCheck& check);
void check_disks(VmCheck& check);
void check_interfaces(VmCheck& check);
void check_characters(VmCheck& check);
void check_displays(VmCheck& check);
void check_hostdevs(VmCheck& check);
void check_filesystems(VmCheck& check);
void check_small_devices(VmCheck& check);
void check_texts(VmCheck& check);
void check_host(VmCheck& check);

}  // namespace ov
