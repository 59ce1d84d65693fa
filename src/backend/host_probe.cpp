#include "backend/host_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "async/process.hpp"
#include "backend/host_files.hpp"
#include "ov/error.hpp"
#include "ov/vm_defaults.hpp"

namespace ov {

namespace {

/// A guest that only passt makes sense for: libvirt builds that refuse it say so when they read it.
constexpr std::string_view passt_document =
    "<domain type='qemu'><name>ov-probe</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
    "<interface type='user'><portForward proto='tcp'><range start='2222' to='22'/></portForward><model type='virtio'/>"
    "<backend type='passt'/></interface></devices></domain>";

std::vector<std::string> program_folders(const HostProbe& how) {
    if (!how.programs.empty()) return how.programs;
    std::vector<std::string> folders;
    const char* path = std::getenv("PATH");
    for (std::string_view rest = path != nullptr ? path : ""; !rest.empty();) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        if (end != 0) folders.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    // Ordinary users' PATH often lacks the places of helpers.
    for (const char* usual : {"/usr/local/bin", "/usr/bin", "/usr/sbin", "/sbin", "/usr/libexec"})
        if (std::find(folders.begin(), folders.end(), usual) == folders.end()) folders.emplace_back(usual);
    return folders;
}

std::string find_program(const std::vector<std::string>& folders, std::string_view name) {
    for (const std::string& folder : folders) {
        std::string path = folder + "/" + std::string(name);
        if (access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

bool opens(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return false;
    close(descriptor);
    return true;
}

std::string user_name(uid_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) return {};
    return entry.pw_name;
}

/// A run of a helper: nothing when it cannot be started or does not end in time; its status is the caller's matter.
asio::awaitable<std::optional<ProcessOutput>> try_run(std::vector<std::string> argv, Deadline deadline, std::string input = {}) {
    ProcessOptions options;
    options.argv = std::move(argv);
    options.variables = {"LC_ALL=C"};
    const Deadline short_deadline = deadline.child(std::chrono::seconds(20));
    try {
        ProcessOutput output = co_await run_process(std::move(options), short_deadline, std::move(input));
        co_return output;
    } catch (const Error& e) {
        if (e.code() == Errc::cancelled) throw;
        co_return std::nullopt;
    }
}

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

/// Version of "QEMU emulator version 7.2.22 (Debian ...)".
std::optional<Version> version_in(std::string_view text, std::string_view before) {
    const std::size_t at = text.find(before);
    if (at == std::string_view::npos) return std::nullopt;
    return parse_version(text.substr(at + before.size()));
}

asio::awaitable<void> probe_qemu(HostProbeResult& result, std::vector<std::string> folders, Deadline deadline) {
    const std::string arch = result.facts.arch;
    std::string program = find_program(folders, "qemu-system-" + arch);
    if (program.empty()) program = find_program(folders, "qemu-kvm");
    if (program.empty()) {
        result.notes.push_back("no qemu-system-" + arch + " in PATH");
        co_return;
    }
    std::vector<std::string> ask_version{program, "--version"};
    const std::optional<ProcessOutput> version = co_await try_run(std::move(ask_version), deadline);
    const auto number = version ? version_in(version->out, "version ") : std::nullopt;
    if (!number) {
        result.notes.push_back(program + " --version gave no version");
        co_return;
    }
    result.facts.qemu = QemuFacts{*number, {}};
    std::vector<std::string> ask_machines{program, "-machine", "help"};
    const std::optional<ProcessOutput> machines = co_await try_run(std::move(ask_machines), deadline);
    if (machines) result.facts.qemu->machines = machines_of_help(machines->out);
}

/// Whether the daemon takes passt, before the capabilities said so (10.6): it reads a document with it or refuses.
asio::awaitable<bool> takes_passt(std::vector<std::string> virsh, Version version, Deadline deadline) {
    if (version < Version{9, 0, 0}) co_return false;
    for (const char* word : {"domxml-to-native", "qemu-argv", "--xml", "/dev/stdin"}) virsh.emplace_back(word);
    const std::optional<ProcessOutput> answer = co_await try_run(std::move(virsh), deadline, std::string(passt_document));
    co_return answer && answer->err.find("'passt'") == std::string::npos;
}

asio::awaitable<void> probe_libvirt(HostProbeResult& result, HostProbe how, std::vector<std::string> folders, Deadline deadline) {
    HostFacts& facts = result.facts;
    const std::string program = find_program(folders, "virsh");
    if (program.empty()) {
        result.notes.push_back("no virsh in PATH: libvirt was not asked");
        co_return;
    }
    LibvirtFacts libvirt;
    libvirt.uri = !how.connect.empty() ? how.connect : facts.uid == 0 ? "qemu:///system" : "qemu:///session";
    if (libvirt.uri.find("+ssh://") != std::string::npos)
        result.notes.push_back("files, programs, KVM and ids are those of this host, not of " + libvirt.uri);
    const std::vector<std::string> virsh{program, "--quiet", "--connect", libvirt.uri};
    const auto command = [&](std::initializer_list<const char*> words) {
        std::vector<std::string> argv = virsh;
        for (const char* word : words) argv.emplace_back(word);
        return argv;
    };
    std::vector<std::string> ask_version = command({"version", "--daemon"});
    const std::optional<ProcessOutput> version = co_await try_run(std::move(ask_version), deadline);
    if (!version || version->status != 0) {
        result.notes.push_back(
            fmt::format("{} does not answer: {}", libvirt.uri, version ? first_line(version->err) : "virsh did not end in time"));
        co_return;
    }
    auto number = version_in(version->out, "daemon: ");
    if (!number) number = version_in(version->out, "Using library: libvirt ");
    if (!number) {
        result.notes.push_back(libvirt.uri + " answers without a version");
        co_return;
    }
    libvirt.version = *number;
    std::vector<std::string> ask_capabilities = command({"capabilities"});
    const std::optional<ProcessOutput> capabilities = co_await try_run(std::move(ask_capabilities), deadline);
    if (capabilities && capabilities->status == 0) read_capabilities(capabilities->out, facts.arch, libvirt);
    libvirt.passt = false;
    if (libvirt.version < Version{10, 6, 0}) libvirt.passt = co_await takes_passt(virsh, libvirt.version, deadline);
    std::vector<std::string> ask_domain = command({"domcapabilities", "--arch", facts.arch.c_str()});
    const std::optional<ProcessOutput> domain = co_await try_run(std::move(ask_domain), deadline);
    if (domain && domain->status == 0) read_domain_capabilities(domain->out, libvirt);
    facts.libvirt = std::move(libvirt);
}

/// `getsubids` knows ranges that come from the name service. "0: user 100000 65536".
asio::awaitable<std::optional<SubIdRange>> ask_sub_ids(std::string program, std::string user, bool groups, Deadline deadline) {
    std::vector<std::string> argv{program};
    if (groups) argv.emplace_back("-g");
    argv.push_back(user);
    const std::optional<ProcessOutput> answer = co_await try_run(std::move(argv), deadline);
    if (!answer || answer->status != 0) co_return std::nullopt;
    const std::string line = first_line(answer->out);
    const std::size_t last = line.rfind(' ');
    const std::size_t before = last == std::string::npos || last == 0 ? std::string::npos : line.rfind(' ', last - 1);
    if (before == std::string::npos) co_return std::nullopt;
    const std::string row = user + ":" + line.substr(before + 1, last - before - 1) + ":" + line.substr(last + 1);
    co_return sub_ids_of(row, user, -1);
}

}  // namespace

std::vector<std::string> machines_of_help(std::string_view text) {
    std::vector<std::string> machines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t blank = line.find(' ');
        // "Supported machines are:" ends with a colon; names have a description behind them.
        if (blank == std::string_view::npos || blank == 0 || line.ends_with(':') || line.starts_with("none ")) continue;
        machines.emplace_back(line.substr(0, blank));
    }
    std::sort(machines.begin(), machines.end());
    return machines;
}

asio::awaitable<HostProbeResult> probe_host(HostProbe how, Deadline deadline) {
    HostProbeResult result;
    HostFacts& facts = result.facts;
    utsname names{};
    if (uname(&names) == 0) facts.arch = names.machine;
    const std::string cpuinfo = host_file(how.root, "/proc/cpuinfo");
    facts.cpu_vendor = cpu_vendor_of(cpuinfo);
    const bool device = opens(how.root + "/dev/kvm");
    facts.kvm = device && (!vm::is_x86(facts.arch) || has_virtualisation(cpuinfo));
    if (device && !facts.kvm) result.notes.push_back("/dev/kvm opens, but the CPU has neither vmx nor svm: KVM cannot work");
    facts.uid = geteuid();
    facts.gid = getegid();
    const std::string user = user_name(geteuid());
    facts.subuid = sub_ids_of(host_file(how.root, "/etc/subuid"), user, facts.uid);
    facts.subgid = sub_ids_of(host_file(how.root, "/etc/subgid"), user, facts.uid);
    facts.firmware = firmware_images(how.root, facts.arch);
    const std::vector<std::string> folders = program_folders(how);
    facts.virtiofsd = first_existing(how.root, {"/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/lib/virtiofsd"});
    if (facts.virtiofsd.empty()) facts.virtiofsd = find_program(folders, "virtiofsd");
    facts.swtpm = find_program(folders, "swtpm");
    facts.passt = find_program(folders, "passt");
    const std::string getsubids = find_program(folders, "getsubids");
    if (!facts.subuid && !getsubids.empty() && !user.empty())
        facts.subuid = co_await ask_sub_ids(getsubids, user, false, deadline);
    if (!facts.subgid && !getsubids.empty() && !user.empty())
        facts.subgid = co_await ask_sub_ids(getsubids, user, true, deadline);
    co_await probe_qemu(result, folders, deadline);
    co_await probe_libvirt(result, how, folders, deadline);
    co_return result;
}

}  // namespace ov
