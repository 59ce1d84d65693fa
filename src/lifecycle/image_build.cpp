#include "lifecycle/image_build.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "async/podman_container.hpp"
#include "async/process.hpp"
#include "async/stage_directory.hpp"
#include "base/near_name.hpp"
#include "base/text.hpp"
#include "deploy/tree_archive.hpp"
#include "image/host_podman.hpp"
#include "lifecycle/image_context.hpp"
#include "lifecycle/undo.hpp"
#include "ov/error.hpp"
#include "ov/load.hpp"
#include "plan/image_labels.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr int most_repetitions = 2;

/// The text of a base image's os-release, out of a container that is made for it and never started.
asio::awaitable<std::string> os_release_of(std::string base, std::string container, bool console, Deadline deadline) {
    const Words create{"create", "--quiet", "--name", container, base, "true"};
    const ProcessOutput made = co_await host_podman(create, deadline, console);
    if (made.status != 0)
        throw Error(Errc::not_found,
                    fmt::format("base image {} is not here and cannot be pulled: {}", base, last_lines(made.err, 3)));
    for (const char* file : {"/usr/lib/os-release", "/etc/os-release"}) {
        const Words copy{"cp", container + ":" + file, "-"};
        const ProcessOutput copied = co_await host_podman(copy, deadline);
        // A tar of one file: its text stands behind the header.
        if (copied.status != 0 || copied.out.size() <= 512) continue;
        std::string text = copied.out.substr(512);
        text.resize(std::min(text.size(), text.find('\0')));
        if (!text.empty()) co_return text;
    }
    co_return std::string();
}

/// Without running anything of it.
asio::awaitable<Distro> distro_of_base(std::string base, bool console, Deadline deadline) {
    const std::string container = container_name("base");
    std::string text;
    std::exception_ptr failure;
    try {
        text = co_await os_release_of(base, container, console, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    const Words remove{"rm", "--force", "--ignore", container};
    try {
        co_await host_podman(remove, undo_deadline());
    } catch (const Error&) {
        if (!failure) failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    co_return distro_from_os_release(text);
}

std::string this_architecture() {
    utsname names{};
    return ::uname(&names) == 0 ? names.machine : "x86_64";
}

std::vector<InstallPlan> compile_image(const ImageRecipe& recipe, const CompileContext& context) {
    std::vector<InstallPlan> plans;
    std::string unfit;
    for (const Layer* layer : recipe.layers) {
        InstallPlan plan = compile(*layer, context);
        if (plan.steps.empty() && lacks_packages_for(*layer, context.distro)) unfit += (unfit.empty() ? "" : ", ") + layer->key;
        plans.push_back(std::move(plan));
    }
    if (unfit.empty()) return plans;
    throw Error(Errc::unsupported,
                fmt::format("image {}: nothing for {} in: {}", recipe.name,
                            context.distro.tags.empty() ? "an unknown distribution" : context.distro.tags.front(), unfit));
}

/// An author who writes it himself says what his pod runs.
constexpr const char* init_label = "org.overthinkos.init";

struct Planned {
    ImageRecipe recipe;
    BuildContext context;
};

asio::awaitable<Planned> plan(ImageWorkshop workshop, std::string image, Deadline deadline) {
    Planned planned;
    planned.recipe = image_recipe(*workshop.project, image);
    const ImageRecipe& recipe = planned.recipe;
    Distro distro;
    if (recipe.distro.empty() && !recipe.layers.empty())
        distro = co_await distro_of_base(recipe.from, workshop.console, deadline);
    CompileContext context = image_context(*workshop.project, recipe, distro);
    context.architecture = this_architecture();
    auto labels = image_labels(recipe, context);
    if (!recipe.containerfile.empty()) {
        const fs::path file = fs::path(workshop.project->directory) / recipe.containerfile;
        std::string text = read_context_file(file.string());
        if (!text.ends_with('\n')) text += '\n';
        if (text.find(init_label) != std::string::npos) labels.erase(init_label);
        planned.context.containerfile = text + label_lines(labels);
        co_return planned;
    }
    const auto plans = compile_image(recipe, context);
    auto hash = [plans] { return context_digests(plans); };
    const auto digests = co_await workshop.runtime.pool.run(deadline, std::move(hash));
    planned.context = build_context(recipe, plans, labels, digests);
    co_return planned;
}

asio::awaitable<void> lay_out_builds(ImageWorkshop workshop, const Planned& planned, fs::path place, Deadline deadline,
                                     EmitEvent events) {
    for (const BuildContext::Build& build : planned.context.builds) {
        const std::string archive =
            co_await workshop.builders->build(build.step, planned.recipe.home, this_architecture(), deadline, events);
        auto source = tar_of_archive(workshop.runtime, archive);
        std::ofstream file(place / "ov" / build.path, std::ios::binary);
        for (;;) {
            const std::string chunk = co_await source->next(deadline);
            if (chunk.empty()) break;
            file << chunk;
        }
        if (!file.flush()) throw Error(Errc::io, fmt::format("{}: cannot be written", (place / "ov" / build.path).string()));
    }
}

/// podman's look into its cache fails when another podman removes an image meanwhile; nothing is wrong with the build.
bool met_removal(const ProcessOutput& output) {
    return output.status != 0 &&
           (output.err.find("layer not known") != std::string::npos || output.err.find("image not known") != std::string::npos);
}

asio::awaitable<void> run_build(ImageWorkshop workshop, std::string ref, std::string file, std::string directory, Words more,
                                Deadline deadline, EmitEvent events) {
    Words words{"build", "--tag", ref, "--file", file, "--pull=missing"};
    words.insert(words.end(), more.begin(), more.end());
    if (workshop.no_cache) words.emplace_back("--no-cache");
    words.push_back(directory);
    const auto start = Deadline::Clock::now();
    ProcessOutput output = co_await host_podman(words, deadline, workshop.console);
    for (int again = 0; again < most_repetitions && met_removal(output); ++again)
        output = co_await host_podman(words, deadline, workshop.console);
    if (output.status != 0)
        throw Error(Errc::step_failed, fmt::format("podman build of {} failed (exit status {}): {}", ref, output.status,
                                                   last_lines(output.err.empty() ? output.out : output.err, 12)));
    const double seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
    events(event::Note{Severity::note, fmt::format("image {} built in {:.1f} s", ref, seconds)});
}

asio::awaitable<BuiltImage> build_entry(ImageWorkshop workshop, std::string image, Deadline deadline, EmitEvent events) {
    const ImageRecipe below = image_recipe(*workshop.project, image);
    // An image that stands on one with a Containerfile of its own starts from its name.
    for (const auto& [name, body] : workshop.project->images) {
        if (name == image || !body || !body->is_map() || body->find("containerfile") == nullptr) continue;
        const std::string ref = image_recipe(*workshop.project, name).tag();
        if (ref == below.from) co_await build_entry(workshop, name, deadline, events);
    }
    const Planned planned = co_await plan(workshop, image, deadline);
    for (const std::string& note : planned.context.notes) events(event::Note{Severity::note, note});
    const StageDirectory scratch(workshop.scratch);
    const fs::path place = scratch.path();
    std::string directory = place.string();
    if (planned.recipe.containerfile.empty()) {
        auto fill = [&planned, place] { lay_out_context(planned.context, place.string()); };
        co_await workshop.runtime.pool.run(deadline, std::move(fill));
        co_await lay_out_builds(workshop, planned, place, deadline, events);
    } else {
        write_context_file((place / "Containerfile").string(), planned.context.containerfile);
        directory = (fs::path(workshop.project->directory) / planned.recipe.containerfile).parent_path().string();
    }
    const Words no_labels;  // they stand in its Containerfile
    co_await run_build(workshop, planned.recipe.tag(), (place / "Containerfile").string(), directory, no_labels, deadline,
                       events);
    co_return BuiltImage{planned.recipe.tag(), true};
}

/// A path to a Containerfile, or to a directory with one; empty for anything else.
std::string containerfile_at(const fs::path& base, const std::string& image) {
    if (image.find('/') == std::string::npos) return {};
    const fs::path path = (base / image).lexically_normal();
    if (fs::is_regular_file(path)) return path.string();
    for (const char* name : {"Containerfile", "Dockerfile"})
        if (fs::is_regular_file(path / name)) return (path / name).string();
    return {};
}

/// What makes a plain image one that `deploy from-image` takes, unless its author says so himself.
Words plain_labels(const Project& project, const std::string& name, const std::string& containerfile) {
    if (containerfile.find("org.overthinkos.version") != std::string::npos) return {};
    const std::string version = project.version.empty() ? "latest" : project.version;
    Words words{"--label", "org.overthinkos.version=" + version, "--label", "org.overthinkos.image=" + name};
    if (containerfile.find(init_label) == std::string::npos)
        words.insert(words.end(), {"--label", std::string(init_label) + "=image"});
    return words;
}

std::string near_image(const Project& project, const std::string& image) {
    std::vector<std::string> names;
    for (const auto& [known, body] : project.images) names.push_back(known);
    return did_you_mean(image, names);
}

asio::awaitable<BuiltImage> take_reference(ImageWorkshop workshop, std::string image, Deadline deadline, EmitEvent events) {
    const Words exists{"image", "exists", image}, pull{"pull", "--quiet", image};
    const ProcessOutput there = co_await host_podman(exists, deadline);
    if (there.status == 0) co_return BuiltImage{image, false};
    if (image.find('/') == std::string::npos) {
        throw Error(Errc::not_found, fmt::format("no image \"{}\" in the project or in this host's podman storage{}", image,
                                                 near_image(*workshop.project, image)));
    }
    events(event::Note{Severity::note, fmt::format("pulling {}", image)});
    const ProcessOutput pulled = co_await host_podman(pull, deadline, workshop.console);
    if (pulled.status != 0)
        throw Error(Errc::not_found,
                    fmt::format("image {} is not here and cannot be pulled: {}", image, last_lines(pulled.err, 3)));
    co_return BuiltImage{image, false};
}

}  // namespace

asio::awaitable<BuildContext> plan_image(ImageWorkshop workshop, std::string image, Deadline deadline) {
    if (!workshop.project->images.contains(image)) {
        const std::string file = containerfile_at(workshop.project->directory, image);
        if (file.empty())
            throw Error(Errc::not_found,
                        fmt::format("no image \"{}\" in the project{}", image, near_image(*workshop.project, image)));
        BuildContext own;
        own.containerfile = read_context_file(file);
        co_return own;
    }
    Planned planned = co_await plan(std::move(workshop), std::move(image), deadline);
    co_return std::move(planned.context);
}

asio::awaitable<BuiltImage> build_image(ImageWorkshop workshop, std::string image, Deadline deadline, EmitEvent events) {
    if (image.empty()) throw Error(Errc::usage, "an image is required");
    if (workshop.project->images.contains(image)) {
        auto built = co_await build_entry(std::move(workshop), std::move(image), deadline, std::move(events));
        co_return built;
    }
    const std::string file = containerfile_at(workshop.project->directory, image);
    if (file.empty()) {
        auto found = co_await take_reference(std::move(workshop), std::move(image), deadline, std::move(events));
        co_return found;
    }
    const std::string directory = fs::path(file).parent_path().string();
    const std::string name = fs::path(directory).filename().string();
    const std::string ref = fmt::format("localhost/{}:latest", name);
    Words labels = plain_labels(*workshop.project, name, read_context_file(file));
    co_await run_build(std::move(workshop), ref, file, directory, std::move(labels), deadline, std::move(events));
    co_return BuiltImage{ref, true};
}

void fetch_image_layers(Project& project, const std::string& image, const RemoteAccess& access) {
    std::vector<std::string> refs;
    std::set<std::string> seen;
    for (std::string name = image; seen.insert(name).second;) {
        fetch_image(project, name, access);
        const auto found = project.images.find(name);
        if (found == project.images.end() || !found->second) break;
        if (const YamlNode* list = found->second->find("layer"))
            for (const YamlPtr& item : list->items)
                refs.push_back(is_directory_ref(item->text) ? resolve_layer_ref(project, item->text, project.directory)
                                                            : item->text);
        const YamlNode* base = found->second->find("base");
        if (base == nullptr) break;
        name = base->text;
    }
    fetch_remote_layers(project, refs, access);
}

}  // namespace ov
