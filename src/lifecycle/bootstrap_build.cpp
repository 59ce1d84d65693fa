#include "lifecycle/bootstrap_build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "async/stage_directory.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "lifecycle/base_image.hpp"
#include "lifecycle/container_build.hpp"
#include "lifecycle/image_build.hpp"
#include "state/async_lock.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// One container; `what` it was for, in the error.
asio::awaitable<std::string> run_in(std::vector<std::string> argv, std::string script, bool console, std::string what,
                                    Deadline deadline) {
    const ProcessOutput output = co_await run_container(std::move(argv), std::move(script), console, deadline);
    if (output.status != 0)
        throw Error(Errc::step_failed, fmt::format("{} failed (exit status {}): {}{}", what, output.status,
                                                   last_lines(output.err.empty() ? output.out : output.err, 12),
                                                   console ? "" : "\n--console shows all of it"));
    co_return output.out;
}

/// The builder's image: one of the project is built; any other is what `local_image` takes.
asio::awaitable<std::string> builder_image(VmContext& context, VmSpec spec, bool root, bool console, Deadline deadline) {
    const std::string& image = spec.source.builder_image;
    if (image.empty())
        throw Error(Errc::spec_invalid, fmt::format("vm.{}.source.builder_image: the builder {} runs in an image: name one",
                                                    spec.name, spec.source.builder));
    // Only root's builds are in the storage that privileged containers run from.
    if (!root || !context.project->images.contains(image)) {
        const std::string any_transport;
        const std::string found = co_await local_image(image, any_transport, root, deadline);
        co_return found;
    }
    ImageWorkshop workshop{context.runtime, context.project,
                           std::make_shared<Builders>(context.runtime, context.paths.home + "/.cache/ov/builders"),
                           context.paths.home + "/.cache/ov/images"};
    workshop.console = console;
    const EmitEvent events = [&context](const EventBody& body) {
        if (const auto* note = std::get_if<event::Note>(&body)) context.say(note->text);
    };
    const BuiltImage built = co_await build_image(std::move(workshop), image, deadline, events);
    co_return built.ref;
}

}  // namespace

asio::awaitable<BaseImage> build_bootstrap(VmContext& context, VmSpec spec, BootstrapRun run, Deadline deadline) {
    const BootstrapScripts scripts = bootstrap_scripts(*context.project, spec);
    const bool root = ::geteuid() == 0;
    const std::string image = co_await builder_image(context, spec, root, run.console, deadline);

    const ImageCache cache(context.image_cache());
    const std::string known = "bootstrap:" + sha256_hex(image + '\0' + scripts.rootfs + '\0' + scripts.disk);
    const state::FileLock lock = co_await state::lock_async(
        context.runtime.pool, cache.lock_path(known), "another ov command builds this disk", deadline, std::chrono::hours(6));
    const std::optional<IndexedImage> before = cache.find(known);
    if (!run.fresh && before && cache.has(before->digest)) {
        BaseImage base = co_await inspect_base(cache.image_path(before->digest), before->digest, deadline);
        co_return base;
    }

    std::error_code ignored;
    fs::remove_all(run.workplace, ignored);  // of a run that was killed
    const auto drop = [at = run.workplace](void*) {
        std::error_code not_there;
        fs::remove(at, not_there);
    };
    const std::shared_ptr<void> emptied(nullptr, drop);  // after `place`
    const StageDirectory place(run.workplace);
    const std::string made = place.path() + "/disk", unpacked = place.path() + "/rootfs";
    for (const std::string& directory : {made, unpacked})
        if (fs::create_directory(directory, ignored); ignored)
            throw Error(Errc::io, fmt::format("{}: {}", directory, ignored.message()));
    const std::string no_input;
    const std::vector<std::string> first = container_argv(image, unpacked, no_input, root);
    const std::string looked = fmt::format("looking at what {} can do here", image);
    const std::string missing = co_await run_in(first, scripts.probe, run.console, looked, deadline);
    if (!missing.empty())
        throw Error(Errc::unsupported,
                    fmt::format("vm.{}: its disk cannot be built on this host:\n{}", spec.name, last_lines(missing, 20)));
    context.say(fmt::format("{} installs {} in a container of {}", spec.source.builder, spec.source.distro, image));
    const std::string installed = fmt::format("builder.{} in {}", spec.source.builder, image);
    std::vector<std::string> cached = first;
    const auto verb = std::find(cached.begin(), cached.end(), "run") - cached.begin();
    for (const std::string& volume : scripts.volumes) cached.insert(cached.begin() + verb + 1, {"-v", volume});
    co_await run_in(std::move(cached), scripts.rootfs, run.console, installed, deadline);
    if (!fs::exists(unpacked + "/rootfs.tar.gz"))
        throw Error(Errc::step_failed, fmt::format("builder.{} made no /out/rootfs.tar.gz", spec.source.builder));
    context.say(
        fmt::format("making a disk of it, root file system {}", spec.source.rootfs.empty() ? "ext4" : spec.source.rootfs));
    std::vector<std::string> second = container_argv(image, made, unpacked, root);
    const std::string formatted = fmt::format("the disk of {}", spec.name);
    co_await run_in(std::move(second), scripts.disk, run.console, formatted, deadline);
    if (!fs::exists(made + "/disk.qcow2"))
        throw Error(Errc::step_failed, fmt::format("the disk of {}: the container made no /out/disk.qcow2", spec.name));
    BaseImage base = co_await adopt_disk(context, made + "/disk.qcow2", deadline);
    IndexedImage entry;
    entry.digest = base.digest;
    cache.remember(known, entry);
    co_return base;
}

}  // namespace ov
