#include "cli/vm_list_command.hpp"

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/ask.hpp"
#include "cli/vm_verbs.hpp"
#include "fleet/text_table.hpp"
#include "lifecycle/vm_orphans.hpp"
#include "lifecycle/vm_power.hpp"

namespace ov::cli {

namespace {

struct ListCommand {
    bool all = false, clean_orphans = false, json = false, assume_yes = false;
};

const char* word_of(Backend backend) {
    return backend == Backend::qemu ? "qemu" : "libvirt";
}

bool confirmed(const ListCommand& command, const std::string& name) {
    if (command.assume_yes) return true;
    if (!at_terminal())
        throw Error(Errc::gate_closed, "--clean-orphans: nobody to ask; give --yes to undefine what it finds (" + name + ")");
    return person_agrees("Undefine " + name + ", which has neither state nor disk?");
}

asio::awaitable<void> clean(VmContext& context, Hypervisors& hypervisors, std::shared_ptr<ListCommand> command, AppContext& app,
                            Deadline deadline) {
    const std::vector<std::string> orphans = co_await find_orphans(context, hypervisors, deadline);
    if (orphans.empty()) app.err << "no orphan libvirt domains\n";
    for (const std::string& name : orphans) {
        if (!confirmed(*command, name)) continue;
        try {
            co_await undefine_orphan(context, hypervisors, name, deadline);
            app.err << "undefined orphan: " << name << '\n';
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            app.err << "ov: warning: " << error.what() << '\n';
        }
    }
}

asio::awaitable<void> list(VmContext& context, std::shared_ptr<ListCommand> command, AppContext& app, Deadline deadline) {
    Hypervisors hypervisors(context);
    if (command->clean_orphans) co_await clean(context, hypervisors, command, app, deadline);
    std::vector<VmRow> rows = co_await list_vms(context, hypervisors, deadline);
    if (!command->all) std::erase_if(rows, [](const VmRow& row) { return row.state != MachineState::running; });
    if (command->json) {
        nlohmann::json all = nlohmann::json::array();
        for (const VmRow& row : rows)
            all.push_back({{"name", row.name}, {"backend", word_of(row.backend)}, {"state", to_string(row.state)}});
        app.out << nlohmann::json{{"schema", 1}, {"vms", all}}.dump(2) << '\n';
    } else if (rows.empty()) {
        app.err << "No VMs found\n";
    } else {
        TextTable table({"NAME", "BACKEND", "STATE"});
        for (const VmRow& row : rows) table.add({row.name, word_of(row.backend), std::string(to_string(row.state))});
        app.out << table.str();
    }
    co_await hypervisors.close(deadline);
}

}  // namespace

void add_vm_list(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<ListCommand>();
    CLI::App* verb = vm.add_subcommand("list", "VMs of both backends: name, backend, state");
    verb->add_flag("-a,--all", command->all, "Also those that do not run");
    verb->add_flag("--json", command->json, "As JSON");
    verb->add_flag("--clean-orphans", command->clean_orphans,
                   "First undefine libvirt domains of ours that are off and have neither state nor disk");
    verb->add_flag("-y,--yes", command->assume_yes, "Do not ask before undefining");
    verb->footer("Examples:\n  ov vm list\n  ov vm list -a --json");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(
                context, [command, &context](VmContext& vms, Deadline deadline) { return list(vms, command, context, deadline); },
                NeedsProject::no);
        };
    });
}

}  // namespace ov::cli
