// What an import reads out of a domain's XML.
#include <doctest/doctest.h>

#include "backend/libvirt_domains.hpp"
#include "ov/error.hpp"

namespace {

ov::DomainFacts facts(const std::string& memory, const std::string& os, const std::string& devices,
                      const std::string& more = "") {
    return ov::domain_facts("<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>old</name>" +
                            memory + "<vcpu placement='static'>3</vcpu><os>" + os + "</os><devices>" + devices + "</devices>" +
                            more + "</domain>");
}

const std::string bios = "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type>";
const std::string mem = "<memory unit='KiB'>2097152</memory>";

}  // namespace

TEST_CASE("import: sizes are whole GiB or MiB, whatever the unit") {
    for (const auto& [text, ram] :
         {std::pair("<memory unit='KiB'>2097152</memory>", "2G"), std::pair("<memory>1572864</memory>", "1536M"),
          std::pair("<memory unit='GiB'>4</memory>", "4G"), std::pair("<memory unit='MB'>1000</memory>", "953M"),
          std::pair("<memory unit='b'>1073741824</memory>", "1G")})
        CHECK(facts(text, bios, "").ram == ram);
    CHECK(facts(mem, bios, "").cpus == 3);
    CHECK(facts(mem, bios, "").machine == "pc-q35-7.2");
}

TEST_CASE("import: firmware by loader, by feature, or none") {
    for (const auto& [os, firmware] :
         {std::pair(bios, "bios"),
          std::pair(bios + "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>", "uefi-insecure"),
          std::pair(bios + "<loader type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.secboot.fd</loader>", "uefi-secure"),
          std::pair(bios + "<loader secure='yes' type='pflash'>/x.fd</loader>", "uefi-secure")})
        CHECK(facts(mem, os, "").firmware == firmware);
    const auto automatic = ov::domain_facts(
        "<domain><name>a</name><os firmware='efi'><type>hvm</type><firmware><feature enabled='yes' "
        "name='secure-boot'/></firmware></os></domain>");
    CHECK(automatic.firmware == "uefi-secure");
}

TEST_CASE("import: the first disk that is a disk and a file, with its format") {
    const ov::DomainFacts seen = facts(mem, bios,
                                       "<disk type='file' device='cdrom'><source file='/x.iso'/></disk><disk type='block' "
                                       "device='disk'><source dev='/dev/sdb'/></disk>"
                                       "<disk type='file'><driver type='qcow2'/><source file='/data/old.qcow2'/></disk>");
    CHECK(seen.disk_path == "/data/old.qcow2");
    CHECK(seen.disk_format == "qcow2");
    CHECK(facts(mem, bios, "<disk type='file' device='disk'><source file='/r.img'/></disk>").disk_format == "raw");
}

TEST_CASE("import: network mode, bridge, and where its port 22 is forwarded from") {
    const ov::DomainFacts bridge = facts(mem, bios, "<interface type='bridge'><source bridge='br7'/></interface>");
    CHECK(bridge.network == "bridge");
    CHECK(bridge.bridge == "br7");
    CHECK(facts(mem, bios, "<interface type='network'><source network='default'/></interface>").network == "nat");
    CHECK(facts(mem, bios, "").network == "");
    CHECK(facts(mem, bios,
                "<interface type='user'><portForward proto='tcp'><range start='443'/><range start='2022' "
                "to='22'/></portForward></interface>")
              .ssh_port == 2022);
    const ov::DomainFacts command = facts(mem, bios, "",
                                          "<qemu:commandline><qemu:arg value='-netdev'/><qemu:arg "
                                          "value='user,id=n0,hostfwd=tcp:127.0.0.1:2299-:22'/></qemu:commandline>");
    CHECK(command.ssh_port == 2299);
    CHECK(command.network == "user");
    CHECK(
        facts(mem, bios, "", "<qemu:commandline><qemu:arg value='user,hostfwd=tcp::8080-:2222'/></qemu:commandline>").ssh_port ==
        0);
}

TEST_CASE("import: a text that is no domain is said") {
    CHECK_THROWS_AS(ov::domain_facts("<network/>"), ov::Error);
    CHECK_THROWS_AS(ov::domain_facts("no xml"), ov::Error);
}
