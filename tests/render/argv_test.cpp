// QEMU's command line, one row a rule of `libvirt-renderer.md` 9.
#include "support/render_case.hpp"

namespace {

using namespace ov::test;

/// The values that follow an option, joined by newlines.
std::string values(const std::vector<std::string>& argv, std::string_view option) {
    std::string out;
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (argv[i - 1] == option) out += (out.empty() ? "" : "\n") + argv[i];
    return out;
}

std::vector<std::string> argv_of(const std::string& more, const std::string& runtime = "{}", bool kvm = true) {
    ov::HostFacts facts = facts_of();
    facts.kvm = kvm;
    return ov::render_argv(spec_of("source: {kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\"}\n" + more), facts,
                           runtime_of(runtime, runtime_of("{name: ov-lab, state_dir: /st}")));
}

}  // namespace

TEST_CASE("one row a rule of the command line") {
    struct Row {
        const char *rule, *spec, *runtime, *option, *expected;
    };
    const Row rows[] = {
        {"1: the machine", "machine: i440fx", "{}", "-machine", "pc,accel=kvm"},
        {"1: SMM for secure boot", "firmware: uefi-secure", "{}", "-machine", "q35,accel=kvm,smm=on"},
        {"2: whole GiB", "", "{ram_mb: 4096}", "-m", "4G"},
        {"2: other sizes", "", "{ram_mb: 1500}", "-m", "1500M"},
        {"3: the topology's missing parts are 1", "libvirt: {cpu: {topology: {cores: 2, dies: 1}}}", "{cpus: 2}", "-smp",
         "cpus=2,sockets=1,dies=1,cores=2,threads=1"},
        {"4: migratable stays when asked for", "libvirt: {cpu: {mode: host-passthrough, migratable: on}}", "{}", "-cpu",
         "host,+svm"},
        {"4: nested virtualisation off", "libvirt: {cpu: {features: [{policy: disable, name: svm}]}}", "{}", "-cpu",
         "host,migratable=off,-svm"},
        {"4: host-model is max", "libvirt: {cpu: {mode: host-model}}", "{}", "-cpu", "max"},
        {"4: a model", "libvirt: {cpu: {mode: custom, model: Nehalem, features: [{name: aes}]}}", "{}", "-cpu", "Nehalem,+aes"},
        {"5: secure flash by a global", "firmware: uefi-secure", "{ovmf_code: /c.fd, nvram: /n.fd}", "-global",
         "driver=cfi.pflash01,property=secure,value=on"},
        {"5, 6: flash", "firmware: uefi-insecure", "{ovmf_code: /c.fd, nvram: /n.fd}", "-drive",
         "if=pflash,format=raw,readonly=on,file=/c.fd\nif=pflash,format=raw,file=/n.fd"},
        {"9: the author's disks",
         "libvirt: {devices: {disks: [{source: {file: /a.qcow2}}, {device: cdrom, source: {file: /b.iso}, readonly: true}, "
         "{source: {file: /c}, "
         "target: {dev: sdx, bus: scsi}}]}}",
         "{}", "-drive", "file=/a.qcow2,if=virtio,format=qcow2\nfile=/b.iso,if=ide,format=raw,media=cdrom,readonly=on"},
        {"10: a bridge", "network: {mode: bridge, bridge: br0}", "{}", "-netdev", "bridge,id=n0,br=br0"},
        {"W30: no forward for port 0", "", "{ssh_port: 0}", "-netdev", "user,id=n0"},
        {"11, W29: credentials, then the author's strings", "libvirt: {sysinfo: {oem_strings: [b]}}", "{smbios_credentials: [a]}",
         "-smbios", "type=11,value=a\ntype=11,value=b"},
        {"W26: commas are doubled", "libvirt: {sysinfo: {oem_strings: [\"a,b,,c\"]}}", "{}", "-smbios",
         "type=11,value=a,,b,,,,c"},
        {"W26: in paths too", "", "{disk: \"/a,b.qcow2\"}", "-drive", "file=/a,,b.qcow2,if=virtio,format=qcow2"},
        {"8: -cdrom takes a plain path", "", "{seed_iso: \"/a,b.iso\"}", "-cdrom", "/a,b.iso"},
        {"12, W27: random sources are numbered", "libvirt: {devices: {rng: [{}, {backend: builtin}]}}", "{}", "-object",
         "rng-random,id=rng0,filename=/dev/urandom\nrng-builtin,id=rng1"},
        {"14, W27: one agent, in the state directory",
         "libvirt: {devices: {channels: [{type: unix, name: org.qemu.guest_agent.0}, {type: unix, name: "
         "org.qemu.guest_agent.0}]}}",
         "{}", "-chardev", "socket,path=/st/qga.sock,server=on,wait=off,id=qga0"},
        {"16: a console without sockets", "", "{}", "-serial", "mon:stdio"},
        {"decision 39: the console's log", "", "{console_log: /l, qemu_paths: {console: /c}}", "-serial",
         "unix:/c,server=on,wait=off,logfile=/l,logappend=on"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK(values(argv_of(row.spec, row.runtime), row.option) == row.expected);
    }
}

TEST_CASE("without KVM the accelerator is TCG and the processor max") {
    const auto argv = argv_of("", "{}", false);
    CHECK(values(argv, "-machine") == "q35,accel=tcg");
    CHECK(values(argv, "-cpu") == "max");
}

TEST_CASE("SMBIOS strings move into files, exactly as they were") {
    auto argv = argv_of("libvirt: {sysinfo: {oem_strings: [\"a,b,,c\"]}}", "{smbios_credentials: [x]}");
    const auto files = ov::smbios_by_file(argv, "/st,1");
    REQUIRE(files.size() == 2);
    CHECK(files[0].content == "x");
    CHECK(files[1].content == "a,b,,c");
    CHECK(files[1].path == "/st,1/smbios.1");
    CHECK(values(argv, "-smbios") == "type=11,path=/st,,1/smbios.0\ntype=11,path=/st,,1/smbios.1");
}

TEST_CASE("the program is the one of the architecture") {
    ov::VmRuntime runtime;
    CHECK(ov::qemu_program(facts_of(), runtime) == "qemu-system-x86_64");
    runtime.arch = "arm64";
    CHECK(ov::qemu_program(facts_of(), runtime) == "qemu-system-aarch64");
}
