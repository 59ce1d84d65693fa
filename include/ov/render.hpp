// The pure renderers: a VM entity, the host's facts and the runtime parameters become domain XML, QEMU's argv or the files of
// a cloud-init seed. Same input, same bytes; nothing else is read.
#pragma once

#include <string>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/host_facts.hpp"
#include "ov/vm_runtime.hpp"
#include "ov/vm_spec.hpp"

namespace ov {

/// Domain XML for libvirt (`libvirt-renderer.md` 3-8). What `validate` and `check_markup` find no error in cannot fail; for
/// anything else SpecError, never a document that is not well-formed.
std::string render_domain(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime);

/// QEMU's argv without the program (`libvirt-renderer.md` 9). What argv cannot say is left out; `validate` with the backend
/// QEMU names each. SMBIOS strings stand in it as `value=`; a launcher puts them into files (`smbios_by_file`).
std::vector<std::string> render_argv(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime);

/// The program that takes the argv: "qemu-system-aarch64" or "qemu-system-x86_64".
std::string qemu_program(const HostFacts& facts, const VmRuntime& runtime);

/// One SMBIOS string that belongs into a file of mode 0400, so that other users of the host cannot read it from the process list.
struct SmbiosFile {
    std::string path, content;
};
/// Replaces `-smbios type=11,value=...` by `path=DIRECTORY/smbios.N` and gives the files to write first.
std::vector<SmbiosFile> smbios_by_file(std::vector<std::string>& argv, const std::string& directory);

/// Findings about `libvirt.snippets`, the layers' snippets and `libvirt.xml_passthrough`: malformed, unknown to libvirt at
/// that place, or a second element of what may occur once. Empty when all can be merged.
std::vector<Diagnostic> check_markup(const VmSpec& spec, const VmRuntime& runtime);

/// What the domain renderer decided by itself and its user should know: forwards by QEMU's own command line where the host's
/// libvirt refuses passt, a left out id map, emulation instead of KVM.
std::vector<Diagnostic> render_notes(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime);

/// The files of a NoCloud seed; an empty network_config is no file.
struct CloudInitFiles {
    std::string user_data, meta_data, network_config;
    bool operator==(const CloudInitFiles&) const = default;
};
CloudInitFiles render_cloud_init(const VmSpec& spec, const VmRuntime& runtime);

/// Paths of the sockets that libvirt will bind, from domain XML: unix channels and socket listeners. Their directories must
/// exist before the domain starts (`libvirt-renderer.md` 6.7).
std::vector<std::string> socket_paths(const std::string& domain_xml);

}  // namespace ov
