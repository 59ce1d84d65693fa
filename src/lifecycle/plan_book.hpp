// Compiles what a deploy node asks for, once per list of layers and kind of machine, whatever the number of machines.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ov/compile.hpp"
#include "ov/deploy.hpp"
#include "ov/project.hpp"
#include "state/secret_store.hpp"

namespace ov {

struct PlanInputs {
    std::string primary;                  ///< layer or image; empty: none
    std::vector<std::string> add_layers;  ///< as authored
    std::vector<std::string> env;         ///< KEY=VALUE for every task
    bool skip_incompatible = false;
    std::string builder_image;
    bool on_host = false;  ///< a machine of people, not a VM
};

class PlanBook {
public:
    explicit PlanBook(std::shared_ptr<const Project> project) : project_(std::move(project)) {}

    /// Layers in install order. Throws LayerNotFound, or Error{spec_invalid} with the path of a cycle.
    OrderedLayers layers_of(const PlanInputs& inputs) const;
    std::shared_ptr<PlanCache> plans_for(const PlanInputs& inputs);
    /// Identity of the deploy of these inputs under `key`; empty when there is nothing to deploy.
    std::string deploy_id_of(const std::string& key, const PlanInputs& inputs) const;
    /// Values of the secrets that the layers declare: from the operator's environment, else from the store, which gets a fresh
    /// value for a required one that is in neither. Blocks: for the pool.
    std::map<std::string, std::map<std::string, std::string>> secrets_of(const PlanInputs& inputs,
                                                                         const state::SecretStore& store) const;

    /// What a machine of this context gets. Throws Error{unsupported} naming each layer that has nothing for it.
    std::vector<InstallPlan> compile_all(const PlanInputs& inputs, CompileContext context) const;

private:
    std::vector<std::string> primary_layers(const PlanInputs& inputs) const;

    std::shared_ptr<const Project> project_;
    std::map<std::string, std::shared_ptr<PlanCache>> caches_;
};

}  // namespace ov
