#include "deploy/prepared_steps.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.hpp"
#include "ov/plan_output.hpp"

namespace ov {
namespace {

/// Digests of everything the plan sends. A directory's digest covers the names and bytes below it, and which files are programs:
/// that is all of a mode that arrives.
std::map<std::string, std::string> file_digests(const InstallPlan& plan, UploadCache& uploads) {
    std::map<std::string, std::string> digests;
    for (const std::string& path : referenced_files(plan)) {
        if (!path.ends_with('/')) {
            digests[path] = uploads.file(path).sha256;
            continue;
        }
        Sha256 digest;
        for (const std::string& name : uploads.tree(path)) {
            const UploadCache::File& file = uploads.file(path + name);
            digest.update(name);
            digest.update(std::string_view("\0", 1));
            digest.update(file.sha256);
            digest.update(file.mode & 0100 ? "x" : "-");
        }
        digests[path] = digest.hex();
    }
    return digests;
}

std::string recorded_digest(const GuestLedger& ledger, const std::string& layer, const std::string& deploy_id) {
    const auto record = ledger.layers.find(layer);
    if (record == ledger.layers.end()) return {};
    for (const std::string& id : string_list(record->second, "deployed_by"))
        if (id == deploy_id) return record->second.value("plan_digest", "");
    return {};
}

bool names_layer(const Journal& journal, const std::string& layer) {
    return std::ranges::any_of(journal.lines, [&](const JournalLine& line) { return line.layer == layer; });
}

}  // namespace

PreparedDeploy prepare_deploy(const DeployRequest& request, const GuestFacts& facts, const GuestLedger& ledger,
                              const std::string& run_dir) {
    PreparedDeploy out;
    const Plans shared = request.plans->plans_for(facts);
    out.plans = *shared;
    for (InstallPlan& plan : out.plans) resolve_home(plan, facts.home);
    const GateReport gates = evaluate_gates(out.plans, request.gates);
    gates.require_none_refused();
    const auto journal = ledger.journals.find(request.deploy_id);

    const bool has_journal = journal != ledger.journals.end();
    bool resuming = has_journal;  // until the step at which the run before ended
    StepContext context;
    context.run_dir = run_dir;
    context.secrets = request.secrets;
    for (std::size_t p = 0; p < out.plans.size(); ++p) {
        const InstallPlan& plan = out.plans[p];
        if (!is_ledger_name(plan.layer))
            throw Error(Errc::spec_invalid, fmt::format("layer name '{}': only letters, digits, '.', '_', '-'", plan.layer));
        const std::string digest = plan_digest(plan, file_digests(plan, *request.uploads));
        // What an unfinished run began with the layer is not what the record says.
        const bool unfinished = has_journal && names_layer(journal->second, plan.layer);
        const bool unchanged =
            request.skip_unchanged && !unfinished && recorded_digest(ledger, plan.layer, request.deploy_id) == digest;
        for (std::size_t s = 0; s < plan.steps.size(); ++s) {
            PreparedStep step;
            step.step = &plan.steps[s];
            step.layer = plan.layer;
            step.digest = digest;
            step.index = static_cast<int>(s);
            step.of = static_cast<int>(plan.steps.size());
            step.number = static_cast<int>(out.steps.size()) + 1;
            step.summary = plan.steps[s].summary();
            for (const Upload& upload : uploads_of(plan.steps[s]))
                if (!upload.tree) context.digests[upload.source] = request.uploads->file(upload.source).sha256;
            try {
                step.script = render_step(plan.steps[s], context);
            } catch (const Error& error) {
                throw error.within(fmt::format("layer {}: step {} ({})", plan.layer, s + 1, step.summary));
            }
            if (request.step_limit) step.script.limit = *request.step_limit;
            const auto state = resuming ? state_of(journal->second, plan.layer, digest, step.index) : std::nullopt;
            if (gates.skips(p, s))
                step.skip = fmt::format("requires --{}", to_string(plan.steps[s].gate()));
            else if (unchanged)
                step.skip = "unchanged since the last deploy";
            else if (step.script.action == GuestAction::skip)
                step.skip = step.script.note;
            else if (state == RecordedState::ok)
                step.skip = "done by the run before";
            else if (state) {
                // Intents are written for a whole deploy: of the steps without a result only the first can have been begun, and
                // none after one that failed.
                step.again = *state == RecordedState::unknown;
                resuming = false;
            }
            out.steps.push_back(std::move(step));
        }
        out.digests.push_back(digest);
    }
    for (const GatedStep& gated : gates.skipped) out.notes.push_back(gated.message);
    return out;
}

std::string journal_record(const PreparedStep& step, const std::string& run) {
    const LedgerJson json = {{"v", 1},
                             {"run", run},
                             {"seq", step.number},
                             {"layer", step.layer},
                             {"digest", step.digest},
                             {"step", step.index},
                             {"kind", step.step->kind()}};
    const std::string text = json.dump();
    return text.substr(1, text.size() - 2);
}

std::string journal_intent(const PreparedStep& step, const std::string& run, std::string_view now) {
    const LedgerJson json = {
        {"state", "intent"}, {"scope", static_cast<int>(step.step->scope())}, {"summary", step.summary}, {"at", now}};
    return "{" + journal_record(step, run) + "," + json.dump().substr(1) + "\n";
}

}  // namespace ov
