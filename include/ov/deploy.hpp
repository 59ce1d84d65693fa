// Applying install plans to one machine and taking them back, over any Executor.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ov/compile.hpp"
#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"
#include "ov/gates.hpp"
#include "ov/install_plan.hpp"

namespace ov {

/// What a machine says about itself, asked once per connection.
struct GuestFacts {
    std::string os_release;  ///< text of /etc/os-release
    std::string user, home, shell, arch, boot_id;
    unsigned uid = 0, gid = 0;
    enum class CloudInit { absent, running, done, failed } cloud_init = CloudInit::absent;
};

/// The part of the compile context that the machine decides. The home stays a token, so that machines of one kind share plans.
CompileContext compile_context(const GuestFacts& facts);

using Plans = std::shared_ptr<const std::vector<InstallPlan>>;

/// Plans for a kind of machine, compiled once and shared by all machines of that kind.
class PlanCache {
public:
    using Compiler = std::function<std::vector<InstallPlan>(const CompileContext&)>;
    explicit PlanCache(Compiler compiler) : compiler_(std::move(compiler)) {}
    Plans plans_for(const GuestFacts& facts);

private:
    Compiler compiler_;
    std::map<std::string, Plans> known_;
};

/// Files of the operator's machine that steps send: read and digested once, whatever the number of machines.
class UploadCache {
public:
    struct File {
        std::string sha256;
        std::string escaped;  ///< the bytes of a file up to `inline_limit`, as `printf %b` takes them
        std::uint64_t size = 0;
        unsigned mode = 0644;
    };
    static constexpr std::uint64_t inline_limit = 256 * 1024;

    /// Throws Error{io} naming the file.
    const File& file(const std::string& path);
    /// Regular files below the directory, relative paths, sorted.
    const std::vector<std::string>& tree(const std::string& directory);

private:
    std::map<std::string, File> files_;
    std::map<std::string, std::vector<std::string>> trees_;
};

/// How long a reboot may take.
struct RebootLimits {
    std::chrono::seconds down{60};   ///< until it has gone down
    std::chrono::seconds back{420};  ///< until it lets us in again
};

/// The machine at work. `reconnect` makes a new connection after a reboot; without it reboots are skipped with a warning.
struct Machine {
    std::unique_ptr<Executor> executor;
    std::function<asio::awaitable<std::unique_ptr<Executor>>(Deadline)> reconnect;
    RebootLimits reboot_limits{};
};

class Builders;

struct DeployRequest {
    std::string deploy_id;  ///< 16 hex digits; empty: there is nothing to deploy
    std::string target;     ///< "vm:<entity>[/<instance>]", "host"
    std::string key;        ///< deploy key
    std::string run;        ///< id of this run, for the journal
    std::shared_ptr<PlanCache> plans;
    std::shared_ptr<UploadCache> uploads = std::make_shared<UploadCache>();
    std::shared_ptr<Builders> builders;  ///< none: a step that needs one is Error{unsupported}
    GateOptions gates;
    bool skip_unchanged = false;
    /// There are no layers: the machine is made ready (cloud-init, guest program) for what comes after, such as its pods.
    bool only_prepare = false;
    std::chrono::seconds cloud_init_limit{600};                         ///< for the end of a first boot
    std::optional<std::chrono::seconds> step_limit;                     ///< for each step, instead of its kind's own
    std::map<std::string, std::map<std::string, std::string>> secrets;  ///< by layer and name
    /// `ov_install.strategy` where somebody needs an `ov` in the machine (decisions 49); unset: nobody does.
    std::optional<std::string> guest_program;
};

struct DeployReport {
    GuestFacts facts;
    int steps = 0, ran = 0, skipped = 0;  ///< skipped: gates, resumed or unchanged
    std::vector<std::string> notes;
    std::string guest_command;  ///< the words that start `ov` in the machine; empty: nobody asked for it
};

/// Throws Error naming layer and step of the first failure; what was done up to then is in the machine's ledger.
asio::awaitable<DeployReport> apply_deploy(Machine& machine, DeployRequest request, Deadline deadline, EmitEvent events);

/// What a deploy without a layer is told, by a dry run too.
inline constexpr const char* nothing_to_deploy = "there is nothing to deploy: no layer is named";

struct TeardownRequest {
    std::string target;
    std::string key;  ///< empty: all deploys of the target
    bool keep_services = false, keep_repo_changes = false;
    bool dry_run = false;
};

struct TeardownReport {
    std::vector<std::string> deploys;     ///< ids that were found; none: there was nothing to undo
    std::vector<std::string> undone;      ///< layers whose last claim went
    std::vector<std::string> kept;        ///< layers with operations that failed
    std::vector<std::string> would_undo;  ///< dry run: one line an operation
    std::vector<std::string> notes;
};

/// Failed operations stay recorded and are named in `kept`; throws only when the machine or its ledger cannot be used.
asio::awaitable<TeardownReport> teardown_deploy(Executor& executor, TeardownRequest request, Deadline deadline, EmitEvent events);

/// What a machine's ledger says is deployed; takes no lock and changes nothing.
struct DeployedRecord {
    std::string deploy_id, target, key, deployed_at;
    std::vector<std::string> layers;
    bool unfinished = false;
};
asio::awaitable<std::vector<DeployedRecord>> deployed_on(Executor& executor, Deadline deadline);

}  // namespace ov
