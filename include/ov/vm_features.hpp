// The support table: what of the schema needs which libvirt, which the driver refuses, and how QEMU's argv says it. One table
// drives the findings and docs/render-support.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ov/host_facts.hpp"

namespace ov {

struct VmFeature {
    std::string_view area;    ///< row of notes: "filesystem virtiofs"
    std::string_view path;    ///< schema path, "libvirt.devices.filesystems[].readonly"
    std::string_view value;   ///< the value that needs it; empty: the key being set at all
    Version since;            ///< first libvirt release that takes it; 0.0: no libvirt of interest lacks it
    std::string_view schema;  ///< part of the domain document: "filesystem/readonly"
    std::string_view rule;    ///< what the driver asks for besides; empty: nothing
    std::string_view argv;    ///< form in QEMU's argv; empty: argv cannot say it (a finding with the QEMU backend)
};

std::span<const VmFeature> vm_features();

/// docs/render-support.md, whole.
std::string render_support_page();

}  // namespace ov
