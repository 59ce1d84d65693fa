#include "deploy/cloud_init_wait.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ov {
namespace {

/// cloud-init's own list of what went wrong and did not matter.
std::string recoverable_errors(const std::string& status) {
    const auto json = nlohmann::json::parse(status, nullptr, false);
    if (!json.is_object() || !json.contains("recoverable_errors")) return {};
    return json["recoverable_errors"].dump();
}

}  // namespace

asio::awaitable<void> wait_for_cloud_init(GuestSession& session, std::chrono::seconds limit, Deadline deadline,
                                          EmitEvent events) {
    const GuestFacts::CloudInit state = session.facts().cloud_init;
    if (state == GuestFacts::CloudInit::absent || state == GuestFacts::CloudInit::done) co_return;
    const Deadline until = deadline.child(limit, "cloud-init");
    Command wait;
    wait.script = "cloud-init status --wait --format=json 2>/dev/null";
    wait.label = "waiting for cloud-init";
    wait.limit = limit;  // a command's own limit is half of it
    const CommandResult result = co_await session.executor().run(std::move(wait), until);
    if (result.status == 0) co_return;
    if (result.status == 2) {
        events(event::Note{Severity::warning,
                           fmt::format("cloud-init finished with recoverable errors: {}", recoverable_errors(result.out))});
        co_return;
    }
    throw Error(Errc::step_failed,
                fmt::format("cloud-init failed on the machine (exit status {}): {}", result.status, result.out));
}

}  // namespace ov
