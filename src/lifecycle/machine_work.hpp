// The work on one machine, start to end: reach it, apply or take back a deploy, tell what happens.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "deploy/builders.hpp"
#include "exec/ssh_connect.hpp"
#include "lifecycle/deploy_target.hpp"
#include "lifecycle/hypervisors.hpp"
#include "lifecycle/image_shelf.hpp"
#include "lifecycle/plan_book.hpp"
#include "ov/deploy.hpp"
#include "ov/fleet.hpp"
#include "state/secret_store.hpp"

namespace ov {

struct ImageSupply;

/// What all machines of one run share.
struct RunContext {
    RunContext(Runtime& engine, std::shared_ptr<const Project> loaded, OperatorPaths operator_files)
        : runtime(engine),
          ssh(engine),
          project(loaded),
          paths(std::move(operator_files)),
          plans(loaded),
          vms{engine, loaded, paths, loaded->directory, paths.deploy_file()},
          hypervisors(vms),
          builders(std::make_shared<Builders>(engine, paths.home + "/.cache/ov/builders")),
          shelf({engine, loaded, builders, paths.home + "/.cache/ov/images"}),
          secrets(paths.config + "/ov/secrets.yml") {}

    Runtime& runtime;
    SshContext ssh;
    std::shared_ptr<const Project> project;
    OperatorPaths paths;
    PlanBook plans;
    VmContext vms;
    Hypervisors hypervisors;
    std::shared_ptr<UploadCache> uploads = std::make_shared<UploadCache>();
    std::shared_ptr<Builders> builders;
    ImageShelf shelf;
    state::SecretStore secrets;
    FleetRequest request;
    std::shared_ptr<ImageSupply> image;  ///< of cp-image
    std::string run;                     ///< id of the run
};

/// The place at work that a machine holds. Given back while the machine is not there yet, so that it keeps no other waiting.
class WorkSlot {
public:
    virtual ~WorkSlot() = default;
    virtual void release() noexcept = 0;
    virtual asio::awaitable<void> acquire(Deadline deadline) = 0;
};

struct MachineJob {
    DeployTarget target;
    WorkSlot* slot = nullptr;
    EmitEvent emit;
};

/// Inputs of the node as the request overrides them.
PlanInputs plan_inputs(const DeployNode& node, const FleetRequest& request);
GateOptions gate_options(const DeployNode& node, const FleetRequest& request);

/// Each returns what the run prints for the machine (empty: nothing) and throws Error for what went wrong.
asio::awaitable<std::string> add_to_machine(RunContext& context, MachineJob job, Deadline deadline);
asio::awaitable<std::string> del_from_machine(RunContext& context, MachineJob job, Deadline deadline);
/// Applies again; a machine that is disposable is made anew first.
asio::awaitable<std::string> update_machine(RunContext& context, MachineJob job, Deadline deadline);
asio::awaitable<std::string> test_machine(RunContext& context, MachineJob job, Deadline deadline);
asio::awaitable<std::string> status_of_machine(RunContext& context, MachineJob job, Deadline deadline);

}  // namespace ov
