#include "cli/vm_import_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "cli/vm_verbs.hpp"
#include "fleet/text_table.hpp"
#include "lifecycle/vm_build.hpp"
#include "lifecycle/vm_clone.hpp"
#include "lifecycle/vm_import.hpp"

namespace ov::cli {

namespace {

struct ImportCommand {
    std::string domain;
    ImportOptions options;
    bool all = false, list = false, show_drift = false, diff = false;
};

std::string joined(const std::vector<std::string>& texts) {
    std::string line;
    for (const std::string& text : texts) line += (line.empty() ? "" : "; ") + text;
    return line;
}

void print_list(const std::vector<ImportRow>& rows, bool drift, AppContext& app) {
    if (rows.empty()) {
        app.err << "No domains of others found\n";
        return;
    }
    std::vector<std::string> head{"DOMAIN", "STATE", "ENTITY", "DISK"};
    if (drift) head.emplace_back("DRIFT");
    TextTable table(head);
    for (const ImportRow& row : rows) {
        std::vector<std::string> cells{row.domain.name, std::string(to_string(row.domain.state)), row.entity,
                                       row.domain.disk_path};
        if (drift) cells.push_back(row.entity.empty() ? "not adopted" : row.drift.empty() ? "none" : joined(row.drift));
        table.add(cells);
    }
    app.out << table.str();
}

asio::awaitable<void> import_one(VmContext& context, ImportRow row, std::shared_ptr<ImportCommand> command, AppContext& app,
                                 Deadline deadline) {
    const std::string domain = row.domain.name;
    const bool known = !row.entity.empty();
    const std::string entity = co_await import_domain(context, std::move(row), command->options, deadline);
    app.err << fmt::format("{} {} as {} in overthink.yml\n", known ? "Updated" : "Adopted", domain, entity);
    if (!known)
        app.err << fmt::format("Say in vm.{}.ssh who logs in (user) and where (port); then: ov vm create {}\n", entity, entity);
}

asio::awaitable<void> import(VmContext& context, std::shared_ptr<ImportCommand> command, AppContext& app, Deadline deadline) {
    if (command->list) {
        const std::vector<ImportRow> rows = co_await importable_domains(context, deadline);
        print_list(rows, command->show_drift, app);
        co_return;
    }
    if (command->domain.empty() == !command->all) throw Error(Errc::usage, "name a domain, or give --all or --list");
    if (command->all) {
        const std::vector<ImportRow> rows = co_await importable_domains(context, deadline);
        for (const ImportRow& row : rows)
            if (row.entity.empty() || command->options.update) co_await import_one(context, row, command, app, deadline);
        co_return;
    }
    ImportRow row = co_await importable_domain(context, command->domain, deadline);
    if (!command->diff) {
        co_await import_one(context, std::move(row), command, app, deadline);
        co_return;
    }
    if (row.entity.empty())
        throw Error(Errc::not_found, fmt::format("{} is not adopted by an entity of this project", command->domain));
    for (const std::string& line : row.drift) app.out << line << '\n';
    if (row.drift.empty()) app.err << fmt::format("{} is as vm.{} says\n", command->domain, row.entity);
}

struct CloneCommand {
    CloneRequest request;
    bool build = true;
};

asio::awaitable<void> clone(VmContext& context, std::shared_ptr<CloneCommand> command, AppContext& app, Deadline deadline) {
    co_await add_clone_entity(context, command->request, deadline);
    app.err << fmt::format("Wrote vm.{} into overthink.yml: a clone of {}\n", command->request.name, command->request.from);
}

asio::awaitable<void> build(VmContext& context, std::shared_ptr<CloneCommand> command, AppContext& app, Deadline deadline) {
    const VmIdentity machine{command->request.name, {}};
    const BuildOptions options;
    const BuildResult result = co_await build_vm(context, machine, options, deadline);
    app.out << fmt::format("disk: {}\n", result.disk);
    if (!result.seed.empty()) app.out << fmt::format("seed: {}\n", result.seed);
    if (!result.instance_id.empty()) app.out << fmt::format("instance-id: {}\n", result.instance_id);
}

}  // namespace

void add_vm_import(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<ImportCommand>();
    CLI::App* verb = vm.add_subcommand("import", "Adopt a libvirt domain that somebody else defined");
    verb->add_option("domain", command->domain, "Its name in libvirt");
    verb->add_option("--target-name", command->options.target_name, "Name of the entity (default: the domain's, without ov-)");
    verb->add_flag("--all", command->all, "Every domain that ov did not make");
    verb->add_flag("--list", command->list, "Only list them");
    verb->add_flag("--show-drift", command->show_drift, "With --list: what entities and domains do not agree about");
    verb->add_flag("--update", command->options.update, "Let the entity follow its domain; what the import does not know stays");
    verb->add_flag("--diff", command->diff, "Only show what the entity and its domain do not agree about");
    verb->add_flag("--replace-libvirt", command->options.replace_libvirt, "With --update: drop the entity's libvirt: block");
    verb->footer(
        "The domain stays as it is: ov never defines, rebuilds or undefines it.\n"
        "Examples:\n  ov vm import --list --show-drift\n  ov vm import winbox --target-name win\n  ov vm import winbox --update");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return import(vms, command, context, deadline);
            });
        };
    });
}

void add_vm_clone(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<CloneCommand>();
    CLI::App* verb = vm.add_subcommand("clone", "A new VM whose disk stands on a snapshot of another one");
    verb->add_option("new", command->request.name, "Name of the new entity")->required();
    verb->add_option("--from", command->request.from, "VM and snapshot")->type_name("VM@SNAPSHOT")->required();
    verb->add_flag("--cloud-init-clean,!--no-cloud-init-clean", command->request.cloud_init_clean,
                   "The clone gets a machine id of its own at its first boot (default: yes)");
    verb->add_flag("--build,!--no-build", command->build, "Make its disk and seed at once (default: yes)");
    verb->footer(
        "The entity is written into overthink.yml; hardware, user and key come from the parent.\n"
        "Examples:\n  ov vm snapshot create web golden && ov vm clone web-2 --from web@golden && ov vm create web-2\n"
        "  ov vm clone web-3 --from web@golden --no-build");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return clone(vms, command, context, deadline);
            });
            if (!command->build) return;
            // The project as it is now, with the new entity.
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return build(vms, command, context, deadline);
            });
        };
    });
}

}  // namespace ov::cli
