// Finds out what the renderers may assume about this host: its files, and short runs of QEMU's and libvirt's programs.
//
// libvirt is asked through `virsh`, which takes every URI and needs no library at build time. A daemon that does not answer is
// a fact ("no libvirt"), not an error; so is a program that is missing.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "ov/deadline.hpp"
#include "ov/host_facts.hpp"

namespace ov {

struct HostProbe {
    std::string connect;                ///< libvirt URI; empty: qemu:///system for root, else qemu:///session (decisions 36)
    std::string root;                   ///< where the host's files are; empty: the real ones
    std::vector<std::string> programs;  ///< directories to look for programs in; empty: PATH and the usual ones
};

struct HostProbeResult {
    HostFacts facts;
    std::vector<std::string> notes;  ///< why a part is missing, for people
};

asio::awaitable<HostProbeResult> probe_host(HostProbe how, Deadline deadline);

/// Machine names of `qemu-system-* -machine help`.
std::vector<std::string> machines_of_help(std::string_view text);

/// What the output of `virsh domcapabilities` and `virsh capabilities` says.
void read_domain_capabilities(const std::string& xml, LibvirtFacts& facts);
void read_capabilities(const std::string& xml, std::string_view arch, LibvirtFacts& facts);

}  // namespace ov
