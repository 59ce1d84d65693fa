#include "cli/vm_command.hpp"

#include "cli/image_command.hpp"
#include "cli/vm_build_command.hpp"
#include "cli/vm_create_command.hpp"
#include "cli/vm_gpu_command.hpp"
#include "cli/vm_import_command.hpp"
#include "cli/vm_list_command.hpp"
#include "cli/vm_power_command.hpp"
#include "cli/vm_render_command.hpp"
#include "cli/vm_snapshot_command.hpp"
#include "cli/vm_ssh_command.hpp"
#include "cli/vm_validate_command.hpp"

namespace ov::cli {

void add_vm_commands(CLI::App& app, AppContext& context) {
    CLI::App* vm = app.add_subcommand("vm", "Virtual machines: build, create, start, stop, list, ...");
    vm->require_subcommand(1);
    vm->footer(
        "Examples:\n"
        "  ov vm build web                   disk and seed from the entity's source\n"
        "  ov vm create web                  define and boot it; stop, start, destroy, list\n"
        "  ov vm validate                    all findings about the project's VMs\n"
        "  ov vm render web --format qemu    the definition as a hypervisor gets it\n"
        "  ov vm gpu list                    what this host could pass through");
    add_vm_build(*vm, context);
    add_vm_clone(*vm, context);
    add_vm_console(*vm, context);
    add_vm_cp_image(*vm, context);
    add_vm_create(*vm, context);
    add_vm_gpu(*vm, context);
    add_vm_import(*vm, context);
    add_vm_list(*vm, context);
    add_vm_power(*vm, context);
    add_vm_render(*vm, context);
    add_vm_snapshot(*vm, context);
    add_vm_ssh(*vm, context);
    add_vm_validate(*vm, context);
}

}  // namespace ov::cli
