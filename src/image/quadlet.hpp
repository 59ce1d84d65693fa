// The `.container` unit of a pod (`image-transfer.md` 8). Pure; the guest program links it too, so it needs nothing else.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ov {

struct PodmanVersion {
    int major = 0, minor = 0;
    bool operator==(const PodmanVersion&) const = default;
    auto operator<=>(const PodmanVersion&) const = default;
};
/// "podman version 4.3.1" or "4.3.1"; 0.0 for anything else.
PodmanVersion parse_podman_version(const std::string& text);

struct PodSecret {
    std::string name;         ///< podman's
    std::string env, target;  ///< one of them
};

/// Everything that a unit says, resolved: ports with their address, volumes under the deployment's name, devices that exist.
struct PodUnit {
    std::string container, name, instance;
    std::string status, info;  ///< status empty: testing
    std::string image, working_dir, network;
    std::vector<std::string> ports, volumes, binds, mounts;
    std::vector<PodSecret> secrets;
    bool nvidia = false, privileged = false;
    std::vector<std::string> cap_add, devices, security_opt, groups;
    std::string cgroupns, ipc, shm_size;
    std::optional<std::pair<int, int>> keep_id;  ///< uid and gid, with bind mounts
    std::vector<std::string> env;                ///< KEY=VALUE
    std::string env_file;                        ///< absolute path
    std::vector<std::string> entrypoint;         ///< empty: sleep infinity
    bool own_command = false;                    ///< the image's own is run, and neither of them
    std::string memory_max, memory_high, memory_swap_max, cpus;
};

/// Keys that the podman of the machine does not know yet become PodmanArgs= (decisions 68). Throws Error{spec_invalid} naming
/// unit and key when a value would end its line.
std::string quadlet_text(const PodUnit& unit, PodmanVersion podman);

/// The same container as words for `podman create`, for a podman without quadlet (before 4.4). Its variables are not among them,
/// everybody on the machine could read them there: `env_file` has them.
std::vector<std::string> create_words(const PodUnit& unit);

/// The content of that file. Throws Error{unsupported} naming a variable with a line break, which such a file cannot hold.
std::string env_file_text(const PodUnit& unit);

/// Value of Environment= and word of Exec=: quoted for systemd where it needs to be, `%` doubled, no raw line break.
std::string systemd_word(const std::string& text, bool is_assignment);

}  // namespace ov
