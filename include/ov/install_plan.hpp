// The install plan: what a layer asks of a machine, compiled for that machine's distribution, as an ordered list of steps.
// A value: no I/O, no clock, no secret. Field names follow the JSON form that `ov layer plan` prints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ov {

/// Stands for the deploy user's home until the real machine has been asked; see `resolve_home`.
inline constexpr const char* home_token = "{{.Home}}";

enum class Scope { system = 0, user = 1, user_profile = 2 };
enum class Venue { host_native = 0, container_builder = 1, skip = 2 };
enum class Phase { prepare = 0, install = 1, cleanup = 2 };
enum class Gate { none, allow_repo_changes, allow_root_tasks, with_services };

std::string_view to_string(Scope scope) noexcept;  // "system", "user", "user-profile"
std::string_view to_string(Venue venue) noexcept;  // "host-native", "container-builder", "skip"
std::string_view to_string(Phase phase) noexcept;  // "prepare", "install", "cleanup"
std::string_view to_string(Gate gate) noexcept;    // "", "allow-repo-changes", ...

/// One operation that undoes (part of) a step, as stored in the ledger's `reverse_ops`.
struct ReverseOp {
    std::string kind;                  ///< "package-remove", "rm-file-system", ... (`ledger.md` 7, decisions 54)
    std::string format;                ///< package format; empty otherwise
    std::vector<std::string> targets;  ///< package names, absolute paths or units
    Scope scope = Scope::system;
    std::map<std::string, std::string> extra;  ///< e.g. layer, shell, marker, digest

    bool operator==(const ReverseOp&) const = default;
};

struct SystemPackagesStep {
    std::string format;  ///< "rpm", "deb" or "pac"
    Phase phase = Phase::install;
    std::vector<std::string> packages, options, copr, modules, exclude, keys;
    std::vector<std::map<std::string, std::string>> repos;  ///< prepare: what to set up
    std::vector<std::string> enable_repos;                  ///< install: repositories to switch on for this command only
};

/// Runs on the operator's machine in a container, ships the result.
struct BuilderStep {
    std::string builder;  ///< "aur", "cargo", "npm", "pixi"
    std::string image;    ///< may be empty: chosen when the step runs
    std::string layer, layer_dir;
    std::vector<std::string> packages, options, replaces, binaries;  ///< aur: packages, options, replaces; cargo: binaries
    std::string env_name;                                            ///< pixi: "default"
};

enum class TaskVerb { cmd, mkdir, copy, write, link, download, setcap, build };
std::string_view to_string(TaskVerb verb) noexcept;

/// One entry of a layer's `task:` list. Path fields are home-tokenised and their declared variables are expanded.
struct TaskStep {
    TaskVerb verb = TaskVerb::cmd;
    std::string cmd;                     ///< cmd: the script body as authored
    std::string path;                    ///< mkdir, write, link, setcap: the path that is made or changed; copy, download: `to`
    std::string source;                  ///< copy: file relative to the layer directory; link: target; download: URL
    std::string content;                 ///< write: exact bytes
    std::optional<unsigned> mode;        ///< permission bits; unset: the verb's default
    std::string extract;                 ///< download: "none", "tar.gz", "tar.xz", "tar.zst", "zip", "sh"
    std::string checksum;                ///< download: "sha256:<hex>" or empty
    std::vector<std::string> include;    ///< download: archive members
    int strip_components = 0;            ///< download
    std::vector<std::string> uninstall;  ///< download: what teardown removes
    std::map<std::string, std::string> env;
    std::string caps;                    ///< setcap
    std::string user_text;               ///< `user` as authored
    std::string path_text, source_text;  ///< `path` and `source` as authored
    std::string mode_text, target_text;  ///< `mode` and `target` as authored
    std::string comment, cache;          ///< image builds only
    std::string resolved_user;           ///< "0" for root, else the user as resolved (`layer-format.md` 5.2)
    bool run_as_deploy_user = false;     ///< resolved_user names the deploy user itself
    int index = 0;                       ///< position in the layer's task list, from 0
    std::string layer, layer_dir;
    std::map<std::string, std::string> layer_vars;
};

/// Places one file of the operator's machine.
struct FileStep {
    std::string source, dest, owner, layer;
    unsigned mode = 0644;
};

struct ServicePackagedStep {
    std::string unit;  ///< with suffix
    Scope target_scope = Scope::system;
    bool enable = false;
    std::string overrides_text, overrides_path;  ///< drop-in and its path, or both empty
    std::string layer;
};

struct ServiceCustomStep {
    std::string name;  ///< "ov-LAYER-NAME", without suffix
    std::string unit_text, unit_path;
    Scope target_scope = Scope::system;
    bool enable = false;
    std::string layer;
};

/// Environment of the deploy user's shells and of later user steps: `~/.config/overthink/env.d/<layer>.env`.
struct ShellHookStep {
    std::string layer;
    std::map<std::string, std::string> env_vars;
    std::vector<std::string> path_add;
    std::string env_file;  ///< where it is written; empty: nothing to undo
};

struct ShellSnippetStep {
    std::string layer, shell;  ///< shell: "bash", "zsh", "fish", "sh"
    std::string snippet, destination, marker;
    std::vector<std::string> path_append;
    bool use_dropin = false;
    int priority = 0;
};

struct RepoChangeStep {
    std::string format, file, content, checksum, layer;
};

struct ApkPackage {
    std::string package, apk, source, arch, app_version;
};

/// Recorded, then skipped on every machine that is not an Android device.
struct ApkInstallStep {
    std::vector<ApkPackage> packages;
    std::string layer, layer_dir;
};

struct RebootStep {
    std::string layer;
};

using StepBody = std::variant<SystemPackagesStep, BuilderStep, TaskStep, FileStep, ServicePackagedStep, ServiceCustomStep,
                              ShellHookStep, ShellSnippetStep, RepoChangeStep, ApkInstallStep, RebootStep>;

/// A step answers four questions, whatever its kind: which kind, as whom, where, behind which gate.
struct Step {
    StepBody body;

    std::string_view kind() const noexcept;  ///< "SystemPackages", "Task", ...
    Scope scope() const;
    Venue venue() const;
    Gate gate() const;
    /// One line for people: "deb: 3 packages (install)", "task 2: mkdir /srv/x". Never holds script text or secret values.
    std::string summary() const;
};

/// `install-plan.md` section 5. One plan a layer; all plans of one deploy share `deploy_id`.
struct InstallPlan {
    std::string deploy_id;  ///< 16 hex digits
    std::string image;      ///< "vm-adhoc" or "host-adhoc"
    std::string version, distro, layer;
    std::vector<Step> steps;
    std::vector<std::string> layers_included, add_layers;
};

/// True when the path lies in a tree that only root writes (`install-plan.md` section 2).
bool is_system_path(std::string_view path) noexcept;

/// Replaces the home token by `home` in every path, unit, snippet and value. Idempotent; an empty home changes nothing.
void resolve_home(InstallPlan& plan, std::string_view home);

}  // namespace ov
