// The command line of QEMU, in the order of `libvirt-renderer.md` 9.
#include <fmt/format.h>

#include "ov/render.hpp"
#include "render/context.hpp"
#include "render/qemu/comma.hpp"
#include "render/qemu/cpu_argument.hpp"
#include "render/qemu/devices.hpp"
#include "render/qemu/netdev.hpp"
#include "render/words.hpp"

namespace ov {

namespace {

using namespace render;
using namespace render::qemu;

void add_machine(Arguments& argv, const Context& context) {
    const char* accelerator = context.accelerator == Accelerator::kvm ? "kvm" : "tcg";
    const char* smm = vm::wants_smm(context.spec, context.arch) ? ",smm=on" : "";
    argv.add("-machine", fmt::format("{},accel={}{}", doubled(context.machine), accelerator, smm));
    const long long mib = context.runtime.ram_mb;
    argv.add("-m", mib % 1024 == 0 ? fmt::format("{}G", mib / 1024) : fmt::format("{}M", mib));
    argv.add("-smp", smp_argument(context));
    argv.add("-cpu", cpu_argument(context));
}

void add_firmware(Arguments& argv, const Context& context) {
    const FirmwareMode mode = vm::firmware_of(context.spec, context.arch);
    if (mode == FirmwareMode::bios) return;
    const VmRuntime& runtime = context.runtime;
    const std::string format = or_else(runtime.ovmf_format, "raw");
    if (!runtime.ovmf_code.empty()) {
        argv.add("-drive", fmt::format("if=pflash,format={},readonly=on,file={}", format, doubled(runtime.ovmf_code)));
        // As a property of the drive QEMU refuses it.
        if (mode == FirmwareMode::uefi_secure) argv.add("-global", "driver=cfi.pflash01,property=secure,value=on");
    }
    if (!runtime.nvram.empty()) argv.add("-drive", fmt::format("if=pflash,format={},file={}", format, doubled(runtime.nvram)));
}

void add_smbios(Arguments& argv, const Context& context) {
    const auto add = [&](const std::string& text) { argv.add("-smbios", "type=11,value=" + doubled(text)); };
    for (const std::string& text : context.runtime.smbios_credentials) add(text);
    for (const std::string& text : context.libvirt().sysinfo.oem_strings) add(text);
}

void add_control(Arguments& argv, const VmRuntime& runtime) {
    const QemuPaths& paths = runtime.qemu_paths;
    const auto socket = [](const std::string& path) { return fmt::format("unix:{},server=on,wait=off", doubled(path)); };
    if (!paths.monitor.empty()) argv.add("-monitor", socket(paths.monitor));
    if (!paths.qmp.empty()) argv.add("-qmp", socket(paths.qmp));
    if (!paths.console.empty()) {
        std::string console = socket(paths.console);
        if (!runtime.console_log.empty()) console += fmt::format(",logfile={},logappend=on", doubled(runtime.console_log));
        argv.add("-serial", console);
    } else if (paths.pidfile.empty()) {
        argv.add("-serial", "mon:stdio");
    }
    argv.add("-display", "none");
    if (paths.pidfile.empty()) return;
    argv.add("-daemonize");
    argv.add("-pidfile", paths.pidfile);  // a plain path, no option list: commas stay single
}

}  // namespace

std::string qemu_program(const HostFacts& facts, const VmRuntime& runtime) {
    const std::string& arch = runtime.arch.empty() ? facts.arch : runtime.arch;
    return vm::is_arm64(arch) ? "qemu-system-aarch64" : "qemu-system-x86_64";
}

std::vector<std::string> render_argv(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime) {
    const Context context(spec, facts, runtime);
    Arguments argv;
    add_machine(argv, context);
    add_firmware(argv, context);
    add_disks(argv, context);
    const UserNic nic = default_nic(context);
    argv.add("-netdev", nic.netdev);
    argv.add("-device", nic.device);
    add_smbios(argv, context);
    add_rngs(argv, context);
    add_memballoon(argv, context);
    add_agent(argv, context);
    add_control(argv, runtime);
    return argv.take();
}

std::vector<SmbiosFile> smbios_by_file(std::vector<std::string>& argv, const std::string& directory) {
    constexpr std::string_view by_value = "type=11,value=";
    std::vector<SmbiosFile> files;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i - 1] != "-smbios" || !argv[i].starts_with(by_value)) continue;
        SmbiosFile file{fmt::format("{}/smbios.{}", directory, files.size()),
                        undoubled(std::string_view(argv[i]).substr(by_value.size()))};
        argv[i] = "type=11,path=" + doubled(file.path);
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace ov
