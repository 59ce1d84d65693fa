// The files of a pod on this machine: its unit, and what is kept beside it below ~/.config/ov/pods. All are 0600.
#pragma once

#include <string>

namespace ov::guest {

/// Of the environment; empty when it is not set.
std::string variable(const char* name);

/// $XDG_CONFIG_HOME or ~/.config. Throws Error{io} without a home.
std::string config_directory();
std::string pods_directory();

/// Nothing for a file that is not there.
std::string read(const std::string& path);
/// Temporary file beside it, fsync, rename; a file that says the same already is left.
void write(const std::string& path, const std::string& text);

struct PodFiles {
    explicit PodFiles(const std::string& container);

    std::string service;             ///< name of the unit
    std::string quadlet, generated;  ///< one of them is the unit: for the quadlet generator, or text of podman before 4.4
    std::string owner;               ///< deploy and full name, one a line
    std::string made_from;           ///< what the running pod's unit was made from
    std::string environment;         ///< variables for a podman without quadlet
    std::string pre_remove;          ///< the image's hook

    bool has_unit() const;
    std::string owner_deploy() const;
    void remove() const;
};

}  // namespace ov::guest
