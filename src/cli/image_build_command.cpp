#include "cli/image_build_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "cli/remote_project.hpp"
#include "cli/vm_verbs.hpp"
#include "lifecycle/image_build.hpp"

namespace ov::cli {

namespace {

struct BuildImageCommand {
    std::string image, context;
    bool dry_run = false, no_cache = false, quiet = false;
};

ImageWorkshop workshop_of(const BuildImageCommand& command, Runtime& runtime, std::shared_ptr<const Project> project) {
    const OperatorPaths paths = operator_paths();
    ImageWorkshop workshop{runtime, std::move(project), std::make_shared<Builders>(runtime, paths.home + "/.cache/ov/builders"),
                           paths.home + "/.cache/ov/images"};
    workshop.console = !command.quiet;
    workshop.no_cache = command.no_cache;
    return workshop;
}

asio::awaitable<void> print(ImageWorkshop workshop, std::string image, AppContext& app, Deadline deadline) {
    const BuildContext context = co_await plan_image(std::move(workshop), std::move(image), deadline);
    for (const std::string& note : context.notes) app.err << "ov: warning: " << note << '\n';
    app.out << context.containerfile;
}

asio::awaitable<void> build(ImageWorkshop workshop, std::string image, AppContext& app, Deadline deadline) {
    const EmitEvent events = [&app](const EventBody& body) {
        if (const auto* note = std::get_if<event::Note>(&body))
            app.err << (note->severity == Severity::warning ? "ov: warning: " : "ov: ") << note->text << '\n';
        else if (const auto* output = std::get_if<event::Output>(&body))
            app.err << output->text;
    };
    const BuiltImage built = co_await build_image(std::move(workshop), std::move(image), deadline, events);
    app.out << built.ref << '\n';
}

void run(const BuildImageCommand& command, AppContext& app) {
    Remote remote;
    Project loaded = load(app.directory, remote);
    fetch_image_layers(loaded, command.image, remote.access);
    tell_warnings(loaded, app);
    const auto project = std::make_shared<const Project>(std::move(loaded));
    const auto work = [&](VmContext& vms, Deadline deadline) {
        ImageWorkshop workshop = workshop_of(command, vms.runtime, project);
        return command.dry_run ? print(std::move(workshop), command.image, app, deadline)
                               : build(std::move(workshop), command.image, app, deadline);
    };
    run_vm_work(app, work, NeedsProject::no);
}

}  // namespace

void add_image(CLI::App& app, AppContext& context) {
    CLI::App* image = app.add_subcommand("image", "Container images of the project");
    image->require_subcommand(1);
    auto command = std::make_shared<BuildImageCommand>();
    CLI::App* verb = image->add_subcommand("build", "Build an image with podman from its base and its layers");
    verb->add_option("image", command->image, "Image of the project, directory with a Containerfile, or reference")->required();
    verb->add_flag("--dry-run", command->dry_run, "Print the Containerfile, build nothing");
    verb->add_flag("--no-cache", command->no_cache, "Run every step again");
    verb->add_flag("-q,--quiet", command->quiet, "Do not show what podman prints");
    verb->footer(
        "Prints the reference of the image. Layers are compiled as for a machine; the same files give the same image.\n"
        "Examples:\n"
        "  ov image build notes\n"
        "  ov image build notes --dry-run\n"
        "  ov image build ./web                     a plain Containerfile, as localhost/web:latest");
    image->footer("Examples:\n  ov image build notes\n  ov image build ./web --dry-run");
    verb->callback([command, &context] { context.action = [command, &context] { run(*command, context); }; });
}

}  // namespace ov::cli
