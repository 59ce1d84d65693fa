// A project as loaded: layers, VM entities and deploy nodes by name, each with its place in the files.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/layer.hpp"
#include "ov/repository.hpp"
#include "ov/vm_spec.hpp"
#include "ov/yaml.hpp"

namespace ov {

/// How a machine is reached. Unset values come from `ssh -G`, then from built-in defaults.
struct SshSettings {
    std::string host, user, identity, known_hosts;  ///< paths are absolute or start with "~/"
    std::optional<int> port;
};

/// What loading a project keeps of a VM entity. The whole body stays in `body` for the decoder of the VM schema.
struct VmEntity {
    std::string name;
    SourcePosition where;
    std::string source_kind;    ///< "cloud_image", "bootc", "bootstrap", "clone", "imported" or "external"
    std::string source_distro;  ///< "ID[:VERSION]" or empty
    std::string base_user;
    SshSettings ssh;
    std::vector<std::string> tags;
    bool has_cloud_init = false;
    YamlPtr eval, deploy_eval, body;
    VmSpecPtr spec;  ///< the whole schema, decoded; null for an external machine

    bool external() const noexcept { return source_kind == "external"; }
};

/// `install_opts` of a deploy node. Unset differs from false.
struct InstallOptions {
    std::optional<bool> with_services, allow_repo_changes, allow_root_tasks, skip_incompatible, verify;
    std::string builder_image;
};

/// State that the program keeps about the machine of a deploy (`cli-and-config.md` 5.4).
struct VmState {
    std::string instance_id, disk_path, seed_iso, ssh_user, backend, install_strategy, cloud_init_digest;
    std::optional<int> ssh_port;
    struct KeyInjection {
        bool smbios = false, cloud_init = false;
        bool operator==(const KeyInjection&) const = default;
    };
    std::optional<KeyInjection> key_injection;
    YamlPtr snapshot, ephemeral;  ///< owned by the snapshot and ephemeral verbs
};

/// One deploy (`cli-and-config.md` 5.2). Fields that only concern other kinds of target stay in `body`.
struct DeployNode {
    std::string key;
    SourcePosition where;
    std::string target;  ///< "vm", "pod", "local", "k8s", "android" or empty
    std::string vm, image, pod, version, lifecycle, from_snapshot;
    std::vector<std::string> add_layers;
    std::vector<std::string> env;  ///< KEY=VALUE lines
    InstallOptions install;
    std::vector<std::string> tags;
    std::optional<bool> disposable;
    std::string host, user;  ///< local target over SSH
    std::vector<std::string> ssh_args;
    std::optional<int> cpus;
    std::string ram, disk_size;
    YamlPtr eval;
    /// Checks of this host's deploy.yml: they are merged by id with `eval` of the project, not put in its place.
    YamlPtr overlay_eval;
    std::string overlay_file;
    std::optional<VmState> vm_state;
    std::map<std::string, DeployNode, std::less<>> nested;
    YamlPtr body;  ///< every field, in file order, after merging
};

using DeployMap = std::map<std::string, DeployNode, std::less<>>;

/// Images per builder and other project-wide settings that a compile needs.
struct ProjectDefaults {
    std::map<std::string, std::string> builder;  ///< builder name -> image
};

/// Another project mounted under an alias; its entities are called `alias.name`. Read when one of them is asked for.
struct Namespace {
    std::string target;  ///< absolute path of a project file or directory, or a remote reference
    SourcePosition where;
};

/// `kind: {name: body}` as written, for the kinds that only some rules look into.
using Entities = std::map<std::string, YamlPtr, std::less<>>;

struct Project {
    std::string directory;  ///< absolute
    std::string version;
    LayerMap layers;
    std::map<std::string, VmEntity, std::less<>> vms;
    DeployMap deploys;  ///< the project's `deploy:` merged with the host's deploy.yml
    ProjectDefaults defaults;
    Entities images, builders, distros, inits;
    std::map<std::string, Namespace, std::less<>> namespaces;
    std::map<std::string, std::shared_ptr<const Project>> mounted;  ///< projects behind namespaces, by file, each read once
    /// Repositories that imports name and `LoadOptions::checkouts` lacks. Not empty: the rest was not looked at closely.
    std::vector<RepositoryAt> lacking;
    std::vector<Diagnostic> warnings;
};

}  // namespace ov
