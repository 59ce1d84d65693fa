#include "deploy/build_steps.hpp"

#include <fmt/format.h>

#include "deploy/builders.hpp"
#include "deploy/tree_archive.hpp"
#include "plan/builder_script.hpp"
#include "plan/script_text.hpp"

namespace ov {

asio::awaitable<void> run_builders(const DeployRequest& request, const GuestFacts& facts, std::vector<PreparedStep>& steps,
                                   Deadline deadline, EmitEvent events) {
    for (PreparedStep& step : steps) {
        if (step.script.action != GuestAction::build || !step.skip.empty()) continue;
        if (!request.builders)
            throw Error(Errc::unsupported, fmt::format("layer {}: step {} ({}): there are no builders here", step.layer,
                                                       step.index + 1, step.summary));
        const BuilderStep& body = std::get<BuilderStep>(step.step->body);
        step.archive = co_await request.builders->build(body, facts.home, facts.arch, deadline, events);
    }
}

asio::awaitable<void> ship_build(GuestSession& session, const DeployRequest& request, const PreparedStep& step, Deadline deadline,
                                 EmitEvent events) {
    PutTarget target;
    target.path = builder_archive(std::get<BuilderStep>(step.step->body), session.facts().home, session.place().run_dir);
    target.mode = 0600;
    events(event::Transfer{step.summary, 0, std::nullopt});
    if (step.script.as == RunAs::user) {
        // The step has not begun: whatever ends this run, the next one or a teardown knows what lies there.
        const std::string directory = target.path.substr(0, target.path.rfind('/'));
        const std::string note =
            fmt::format("ov_record={} {}ov_sync \"$ov_journal\"\n", script_word(journal_record(step, request.run)),
                        script_call("ov_op", {"rm-dir-recursive", directory}));
        const GuestParts library = {GuestPart::journal};
        co_await session.must(RunAs::user, library, note, "recording what is going to be sent", deadline);
    }
    auto source = tar_of_archive(request.builders->runtime(), step.archive);
    co_await session.executor().put(std::move(source), std::move(target), deadline);
}

}  // namespace ov
