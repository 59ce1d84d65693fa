#include "cli/vm_gpu_command.hpp"

#include <sys/resource.h>

#include <limits>
#include <memory>
#include <ostream>

#include "backend/gpu_inspect.hpp"
#include "cli/remote_project.hpp"
#include "cli/vm_entity_ref.hpp"
#include "ov/load.hpp"
#include "ov/vm_defaults.hpp"

namespace ov::cli {

namespace {

std::uint64_t locked_memory_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return 0;
    return limit.rlim_max == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max() : limit.rlim_max;
}

void add_roots(CLI::App& verb, GpuRoots& roots) {
    verb.add_option("--sysfs", roots.sysfs, "Where sysfs is")->capture_default_str();
    verb.add_option("--cmdline", roots.command_line, "The kernel's command line")->capture_default_str();
}

void run_list(const GpuRoots& roots, AppContext& to) {
    const GpuReport report = inspect_gpus(roots);
    if (!report.gpus.empty() && !report.iommu)
        to.err << "ov: warning: the IOMMU is off: no guest can get these devices (see `ov vm gpu status`)\n";
    to.out << hostdevs_block(report);
}

void run_status(const GpuRoots& roots, const std::string& name, AppContext& to) {
    std::uint64_t needed = 0;
    if (!name.empty()) {
        const Project project = load_project({to.directory, std::nullopt});
        tell_warnings(project, to);
        needed = static_cast<std::uint64_t>(vm::ram_mib(find_vm_spec(project, named_vm(name).entity))) << 20U;
    }
    to.out << gpu_status(inspect_gpus(roots), roots, locked_memory_limit(), needed);
}

}  // namespace

void add_vm_gpu(CLI::App& vm, AppContext& context) {
    CLI::App* gpu = vm.add_subcommand("gpu", "Host devices for passthrough");
    gpu->require_subcommand(1);
    gpu->footer(
        "Examples:\n"
        "  ov vm gpu list            a hostdevs: block for every GPU, to paste below devices: of a VM\n"
        "  ov vm gpu status web      IOMMU, drivers, and whether this host may lock the memory of web");
    auto roots = std::make_shared<GpuRoots>();
    CLI::App* list = gpu->add_subcommand("list", "Print a hostdevs: block for every GPU, with its whole IOMMU group");
    list->footer("Example:\n  ov vm gpu list");
    add_roots(*list, *roots);
    list->callback([roots, &context] { context.action = [roots, &context] { run_list(*roots, context); }; });

    auto name = std::make_shared<std::string>();
    CLI::App* status = gpu->add_subcommand("status", "Whether this host can pass GPUs through");
    status->add_option("vm", *name, "Compare the limit of locked memory with this VM's RAM");
    status->footer("Examples:\n  ov vm gpu status\n  ov vm gpu status web");
    add_roots(*status, *roots);
    status->callback(
        [roots, name, &context] { context.action = [roots, name, &context] { run_status(*roots, *name, context); }; });
}

}  // namespace ov::cli
