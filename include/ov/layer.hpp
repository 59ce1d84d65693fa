// A layer as its author wrote it: the typed body of one layer.yml. A value without I/O; what it means for a machine is
// decided by `compile`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/install_plan.hpp"
#include "ov/yaml.hpp"

namespace ov {

/// An entry of `require` or `layer`: a plain name or a remote reference.
struct LayerRef {
    std::string text;  ///< as authored
    std::string key;   ///< key in the layer map: the name, or the reference without "@" and version
    SourcePosition where;
    std::string version;  ///< tag or branch of a remote reference; empty: the default branch, or a layer of the project
};

/// One third-party repository (`layer-format.md` 4.4); the keys differ per format.
struct RepoEntry {
    std::map<std::string, std::string> fields;
    SourcePosition where;
};

struct AurBlock {
    std::vector<std::string> packages, options, replaces;
};

/// One block below `distro:`. An unset list falls back to the bare block of the distribution, an empty one does not.
struct DistroBlock {
    std::string key;     ///< as authored: "fedora", "debian-13"
    std::string tag;     ///< distro tag that it applies to: "fedora", "debian:13"
    bool stray = false;  ///< written as a body key of its own, outside `distro:`
    std::optional<std::vector<std::string>> packages, options, exclude, copr, modules;
    std::optional<std::vector<RepoEntry>> repos;
    std::optional<AurBlock> aur;
    SourcePosition where;
};

/// One entry of `task:`. Texts are as authored.
struct Task {
    std::vector<std::pair<TaskVerb, std::string>> verbs;  ///< verb and its value; exactly one in a valid task
    std::string user, mode, to, target, content, extract, caps, cache, comment, checksum;
    bool has_content = false, has_caps = false;
    std::vector<std::string> include, uninstall;
    std::optional<long long> strip_components;
    std::map<std::string, std::string> env;
    SourcePosition where;
};

struct ServiceOverrides {
    std::map<std::string, std::string> env;
    std::vector<std::string> after;
    std::string exec;
    bool empty() const noexcept { return env.empty() && after.empty() && exec.empty(); }
};

/// One entry of `service:`.
struct Service {
    std::string name, use_packaged, exec, restart, working_directory, user, stop_timeout, stop_signal, stdout_target;
    std::vector<std::string> after, before, wanted_by, exit_codes;
    std::map<std::string, std::string> env;
    Scope scope = Scope::system;
    bool enable = false;
    ServiceOverrides overrides;
    SourcePosition where;
    bool packaged() const noexcept { return !use_packaged.empty(); }
};

struct ShellPart {
    std::string init, path;
    std::vector<std::string> path_append;
};

struct ShellConfig {
    ShellPart generic;
    int priority = 0;
    std::map<std::string, ShellPart> overrides;  ///< keyed by shell: "bash", "zsh", "fish", "sh"
    SourcePosition where;
};

/// `secret_require`, `secret_accept`, `env_require`, `env_accept`, `mcp_require`, `mcp_accept`.
struct Dependency {
    std::string name, description, fallback, key;
    SourcePosition where;
};

struct Artifact {
    std::string name, path, retrieve_to;
    unsigned mode = 0644;
    std::vector<std::pair<std::string, std::string>> rewrite;  ///< literal find and replace, in order
    bool optional = false;
    int wait_seconds = 0;
    SourcePosition where;
};

struct Layer {
    std::string name;      ///< base name of the directory, or the map key of an inline layer
    std::string key;       ///< key in the layer map: the name, or the bare reference of a remote layer
    std::string dir;       ///< absolute; the project's directory for an inline layer
    SourcePosition where;  ///< the body
    std::string version, description;
    std::string origin;  ///< remote layer: "github.com/acme/infra@v1.2.0#<commit>"; empty for a layer of the project

    std::vector<LayerRef> require, layers;
    std::vector<std::string> packages;
    std::vector<DistroBlock> distros;
    bool has_distro = false;  ///< `distro:` is there and not empty
    std::vector<Task> tasks;
    std::map<std::string, std::string> vars, env;
    std::vector<std::string> path_append;
    std::optional<ShellConfig> shell;
    std::vector<Service> services;
    std::vector<ApkPackage> apk;
    bool reboot = false;
    std::vector<Dependency> secret_require, secret_accept, env_require, env_accept;
    std::vector<Artifact> artifacts;
    std::vector<std::string> libvirt_snippets;  ///< XML for the domain of a VM that is composed from this layer
    YamlPtr eval;                               ///< the checks, decoded where they are run; null when there are none

    /// Manifests in the directory that ask for a builder: "pixi.toml", "package.json", "Cargo.toml", ... Found by the loader.
    std::vector<std::string> manifests;
    /// Keys that are read for their types only: nothing happens for them on a VM or a host.
    std::vector<std::string> ignored_keys;
    /// The mapping all this came from; null for an empty layer. Gives places to findings about single keys.
    YamlPtr body;

    /// Whether anything would be installed, recorded or fetched for the layer itself (`layer-format.md` 15, W31).
    bool has_content() const noexcept;
    /// Place of a body key, or of the body when the key is not there.
    SourcePosition place_of(std::string_view body_key) const;
};

/// Layers by key. Ordered, so that everything made from it is.
using LayerMap = std::map<std::string, Layer, std::less<>>;

}  // namespace ov
