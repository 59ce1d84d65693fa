// The library's front door: one request on many machines, events while it runs, a report at the end.
//
//     ov::Engine engine;
//     ov::FleetRequest request;
//     request.project_directory = "fleet";
//     request.all = true;
//     const ov::Report report = engine.run(request, [](const ov::DeployEvent& event) { ... });
//
// An engine has its own event loop; several engines in one process do not know of each other. `run` works on the calling
// thread. `cancel` may be called from any thread, also from an event callback: remote process trees are ended, ledgers stay
// true, and `run` returns within two seconds with the outcome "cancelled" for what was not done.
#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ov/events.hpp"
#include "ov/gates.hpp"
#include "ov/image.hpp"

namespace ov {

/// What a run found out about one machine beside how it ended.
struct Finding {
    /// plans: of a dry run of add, update or up, a JSON array. undo, removed: of a dry run of del and of del, a line for each;
    /// none: nothing was deployed. status: the deployed records as one line. image: the account of cp_image, a JSON object.
    enum class Kind { none, plans, undo, removed, status, image };

    std::string vm, text;
    Kind kind = Kind::none;
};

/// How the work on one machine ended.
struct VmReport {
    std::string vm, entity, instance, host;
    Outcome outcome = Outcome::skipped;
    WorkPhase phase = WorkPhase::resolve;
    std::string layer;
    int step = 0;
    double seconds = 0;
    std::string reason;
    std::string log;                      ///< path of the machine's log file, empty without --log-dir
    std::vector<std::string> last_lines;  ///< of the output, for machines that are not ok
    std::vector<std::string> warnings, notes;
    Finding finding;
    std::optional<Errc> error;
};

/// The account of a run.
struct Report {
    std::string command;
    int exit_code = 0;
    double seconds = 0;
    Totals totals;
    std::vector<std::string> warnings;  ///< about the project
    std::vector<VmReport> vms;          ///< in the order of the run
};

/// An absolute number or a share of the selected machines.
struct Share {
    unsigned value = 0;
    bool percent = false;
    /// Machines out of `total`, shares rounded down.
    std::size_t of(std::size_t total) const noexcept { return percent ? total * value / 100 : value; }
};

/// "5" or "20%". Throws Error{usage} naming `option`.
Share parse_share(const std::string& text, const std::string& option);

enum class FleetVerb { add, del, update, test, status, up, down, cp_image };

struct FleetRequest {
    FleetVerb verb = FleetVerb::add;
    std::string command = "fleet add";  ///< as the report names it

    std::string project_directory = ".";
    std::optional<std::string> deploy_file;  ///< the host's deploy.yml; unset: the usual place
    std::vector<std::string> selectors, limit;
    bool all = false;
    /// Exact keys, resolved as `deploy add NAME` does (`vm:<entity>` needs no node); used instead of selectors when set.
    std::vector<std::string> names;

    /// up, down: instances 1 to `count` of this entity. `down` without a count: all that this host knows.
    std::string entity;
    long long count = 0;
    std::string from_key;   ///< up: the deploy that the instances follow; empty: the entity's own, or its only one
    bool no_start = false;  ///< up: define the machines only

    int jobs = 32;                                ///< machines at work at once; waiting for a machine to come up takes no place
    std::optional<Share> batch;                   ///< next machines start when these have ended
    std::optional<Share> max_fail;                ///< no new starts once failed + unreachable + timed_out exceed it
    bool fail_fast = false;                       ///< the first failure cancels the others
    std::optional<std::chrono::seconds> timeout;  ///< for all the work on one machine
    std::chrono::seconds ssh_timeout{120};        ///< for it to let us in
    std::chrono::seconds cloud_init_timeout{600};
    std::chrono::seconds reboot_timeout{420};          ///< for a machine to be back after a reboot step
    std::optional<std::chrono::seconds> step_timeout;  ///< for one step; unset: what its kind needs

    std::vector<std::string> add_layers;  ///< replaces the nodes' lists when not empty
    std::string primary_ref;              ///< `deploy add NAME REF`
    GateOptions gates;
    std::optional<bool> skip_incompatible;
    std::string builder_image;
    bool skip_unchanged = false;
    bool node_only = false;      ///< add, update: leave out the pods nested in the machine
    std::optional<bool> verify;  ///< add: run the checks afterwards

    std::string check_section;             ///< "layer", "image", "deploy"; empty: all
    std::vector<std::string> check_verbs;  ///< only checks of these verbs; empty: all

    bool keep_services = false, keep_repo_changes = false, purge = false;  ///< del
    bool dry_run = false;

    std::string image_ref;   ///< cp_image: a reference in this host's podman storage, or a short name
    CopyImageOptions image;  ///< cp_image
};

class Engine {
public:
    struct Options {
        std::uint64_t seed = 0;  ///< of back-off jitter; 0: from the system
    };

    Engine();
    explicit Engine(Options options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Keys of the machines that `run` would work on. None is contacted.
    std::vector<std::string> selection(const FleetRequest& request);

    /// Throws SpecError, Error{usage} or Error{not_found} before anything was contacted; what happens on machines is in the
    /// report.
    Report run(FleetRequest request, EventSink events = {});

    /// Thread-safe. Everything in progress ends; a later `run` starts afresh.
    void cancel();

    /// The engine's loop, for timers and signals of the embedding program. They must end by the event RunFinished, which is
    /// emitted on the loop as the last event of a run, or `run` does not return.
    asio::any_io_executor executor();

    /// One entry a machine, in order of the report; complete for a machine once its VmFinished is emitted.
    const std::vector<Finding>& findings() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ov
