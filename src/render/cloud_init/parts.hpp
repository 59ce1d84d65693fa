// The parts of a seed, each a pure function of the entity and the runtime parameters (`cloud-init.md` 2-7).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ov/vm_runtime.hpp"
#include "ov/vm_spec.hpp"

namespace ov::render::cloud_init {

using Entries = std::vector<std::pair<std::string, YamlPtr>>;

/// What package, unit and admin group are called on the guest's distribution.
struct DistroWords {
    std::string_view ssh_package = "openssh", ssh_unit = "sshd", admin_group = "wheel";
};
/// By `source.distro` ("ID" or "ID:VERSION"); the general words for an undeclared or unknown one.
DistroWords distro_words(std::string_view distro);

/// The entity's `cloud_init`, or an empty one.
const vm::CloudInit& settings_of(const VmSpec& spec);
/// `cloud_init.hostname`, else the runtime's made into a host label; may be empty.
std::string hostname_of(const VmSpec& spec, const VmRuntime& runtime);

YamlPtr users_of(const VmSpec& spec, const VmRuntime& runtime);
/// Whether the login user is root and gets the key: its login must not be closed then.
bool opens_root(const VmSpec& spec, const VmRuntime& runtime);
YamlPtr packages_of(const VmSpec& spec);
YamlPtr runcmd_of(const VmSpec& spec, const VmRuntime& runtime);
std::vector<std::string> bootcmd_of(const VmSpec& spec);
/// One shell line that leaves a verified /usr/local/bin/ov or nothing new.
std::string install_line(const std::string& url, const std::string& checksum);

/// `extra` laid over the rendered mapping: mappings recursively, lists appended, scalars replaced.
YamlPtr merged(const YamlPtr& base, const YamlPtr& extra);
/// Keys of every mapping in ascending byte order.
YamlPtr sorted(const YamlPtr& node);

}  // namespace ov::render::cloud_init
