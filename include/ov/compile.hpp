// Layers -> install plans. Pure: the target is described by values, nothing is asked of it here.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ov/install_plan.hpp"
#include "ov/layer.hpp"

namespace ov {

/// What distribution a machine runs: everything that package selection asks.
struct Distro {
    std::string id, version_id;     ///< "debian", "13"; empty when unknown
    std::vector<std::string> tags;  ///< most specific first: "debian:13", "debian"
    std::string format;             ///< "rpm", "deb", "pac" or empty
};

/// From the text of /etc/os-release.
Distro distro_from_os_release(std::string_view text);
/// From `ID[:VERSION]`, with a built-in table for what os-release would say about its relatives.
Distro distro_from_tag(std::string_view tag);

struct Project;

/// Builder -> files in a layer's directory that ask for it. Only cargo, npm and pixi have a script; aur is asked for by
/// packages. A layer that asks for another one is not compiled, or with `skip_incompatible` goes without.
using BuilderTriggers = std::map<std::string, std::vector<std::string>>;
BuilderTriggers default_builder_triggers();
/// The project's `builder:` entities over the defaults.
BuilderTriggers builder_triggers(const Project& project);

struct CompileContext {
    Distro distro;
    std::string user;  ///< deploy user; may be empty in a dry run without a machine
    unsigned uid = 1000, gid = 1000;
    std::string home;          ///< empty: paths keep the home token
    std::string architecture;  ///< `uname -m`; empty: ${ARCH} and ${BUILD_ARCH} stay in paths
    std::map<std::string, std::string> builder_images;
    BuilderTriggers builders = default_builder_triggers();
    std::string builder_image;  ///< overrides all of them
    bool skip_incompatible = false;
    std::string image = "vm-adhoc";  ///< or "host-adhoc"
    std::string deploy_id;
    std::vector<std::string> add_layers;
};

/// What the project's `distro:` and `builder:` definitions change: a distribution that is not built in takes the package
/// format and tags of the one it inherits from, builders their triggers.
void apply_definitions(CompileContext& context, const Project& project);

/// One layer for one machine, steps in the order of `install-plan.md` section 6. Throws SpecError with every finding that
/// keeps the layer from being installed (a task without verb, a copy that leaves the layer, ...).
InstallPlan compile(const Layer& layer, const CompileContext& context);

/// The layer names packages, but none for this distribution (decisions 57).
bool lacks_packages_for(const Layer& layer, const Distro& distro);

/// A variable that a layer requires and the deploy's `env` does not bring.
struct MissingVariable {
    std::string layer, name, description;
};
/// `env`: KEY=VALUE lines. Asked before the first action.
std::vector<MissingVariable> missing_environment(std::span<const Layer* const> layers, std::span<const std::string> env);

/// Identity of a deploy: 16 hex digits over its base name, primary layers and added references (`install-plan.md` 9).
std::string deploy_id(std::string_view base, std::span<const std::string> layers, std::span<const std::string> add_layers);

/// Layers in install order, dependencies first.
using OrderedLayers = std::vector<const Layer*>;

struct OrderOptions {
    bool dependencies = true;           ///< false: only what was asked for, in the order asked
    bool drop_container_init = true;    ///< leave out the layer named `supervisord`
    std::vector<std::string> provided;  ///< keys of layers that are there already
};

/// Composition expanded, dependencies added, sorted (`install-plan.md` 8). Throws LayerNotFound, naming who asked for it, or
/// Error{spec_invalid} with the path of a cycle.
OrderedLayers order_layers(std::span<const std::string> requests, const LayerMap& layers, const OrderOptions& options = {});

}  // namespace ov
