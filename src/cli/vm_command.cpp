#include "cli/vm_command.hpp"

#include "cli/vm_render_command.hpp"

namespace ov::cli {

void add_vm_commands(CLI::App& app, AppContext& context) {
    CLI::App* vm = app.add_subcommand("vm", "Look at VM definitions: render");
    vm->require_subcommand(1);
    add_vm_render(*vm, context);
}

}  // namespace ov::cli
