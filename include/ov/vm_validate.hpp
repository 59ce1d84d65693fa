// Every rule about VM entities: what is wrong with one, and what this host's hypervisor cannot take. All findings at once,
// each with its place and the way out; a renderer does not fail on a spec without errors.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/host_facts.hpp"
#include "ov/vm_defaults.hpp"
#include "ov/vm_runtime.hpp"
#include "ov/vm_spec.hpp"

namespace ov {

struct Project;

struct ValidateOptions {
    std::optional<Backend> backend;  ///< unset: the entity's own
    long long instances = 1;         ///< above 1: fixed forwards, a fixed MAC and host devices are errors (decisions 30)
    bool host_rules = true;          ///< false: only what is wrong everywhere
    bool for_create = false;         ///< a machine is about to be made: an account to log in with must be known
};

/// Errors, warnings and notes of one entity, by place. `facts` is the host it would run on.
std::vector<Diagnostic> validate(const VmSpec& spec, const HostFacts& facts, const ValidateOptions& options = {});

/// Rules between entities: `from_vm` that is unknown or goes in a circle.
std::vector<Diagnostic> validate_entities(const std::map<std::string, VmSpecPtr, std::less<>>& specs);

/// All of the above for a project: `validate_entities`, and instances whose domain is another entity's (decisions 27: `web` with
/// instance `1` and an entity `web-1`).
std::vector<Diagnostic> validate_vm_names(const Project& project);

/// Deploys that name a VM or a layer which is not there.
std::vector<Diagnostic> validate_deploy_references(const Project& project);

/// The `instance.yml` of one machine (`vm-spec.md` 12).
struct InstanceOverride {
    std::optional<bool> disposable;
    std::string lifecycle, file;
    std::vector<vm::Hostdev> hostdevs;
    std::vector<vm::Filesystem> filesystems;
    SourceMap places;  ///< paths below the file's root
};
/// Unknown and ignored keys are warnings. Findings are appended.
InstanceOverride parse_instance_override(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings);
/// Unset when there is no such file. Throws SpecError naming the path for bad YAML, Error{io} when it cannot be read.
std::optional<InstanceOverride> load_instance_override(const std::string& path, std::vector<Diagnostic>& warnings);
/// The spec with the override's devices appended; the arguments stay as they are.
VmSpec apply_override(const VmSpec& spec, const InstanceOverride& instance);

}  // namespace ov
