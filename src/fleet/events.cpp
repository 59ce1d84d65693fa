#include "fleet/events.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fleet/report.hpp"

namespace ov {

namespace {

using Json = nlohmann::ordered_json;

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

double rounded(double seconds) {
    return static_cast<double>(static_cast<long long>(seconds * 1000 + 0.5)) / 1000;
}

Json totals_json(const Totals& totals) {
    return {{"ok", totals.ok},
            {"failed", totals.failed},
            {"unreachable", totals.unreachable},
            {"timed_out", totals.timed_out},
            {"cancelled", totals.cancelled},
            {"skipped", totals.skipped}};
}

void add_members(Json& json, const EventBody& body) {
    std::visit(
        Overloaded{
            [&](const event::RunStarted& e) {
                json["command"] = e.command;
                json["vms"] = e.vms;
                json["jobs"] = e.jobs;
            },
            [&](const event::VmStarted& e) {
                json["entity"] = e.entity;
                json["instance"] = e.instance;
                json["host"] = e.host;
            },
            [&](const event::PhaseStarted& e) { json["phase"] = to_string(e.phase); },
            [&](const event::PhaseFinished& e) {
                json["phase"] = to_string(e.phase);
                json["seconds"] = rounded(e.seconds);
            },
            [&](const event::StepStarted& e) {
                json["layer"] = e.layer;
                json["step"] = e.step;
                json["of"] = e.of;
                json["kind"] = e.kind;
                json["summary"] = e.summary;
            },
            [&](const event::StepFinished& e) {
                json["layer"] = e.layer;
                json["step"] = e.step;
                json["of"] = e.of;
                json["state"] = to_string(e.state);
                json["status"] = e.status;
                json["seconds"] = rounded(e.seconds);
                if (!e.reason.empty()) json["reason"] = e.reason;
            },
            [&](const event::Output& e) {
                json["stream"] = e.is_error ? "err" : "out";
                json["text"] = e.text;
            },
            [&](const event::Transfer& e) {
                json["what"] = e.what;
                json["bytes"] = e.bytes;
                if (e.total) json["total"] = *e.total;
            },
            [&](const event::Note& e) {
                json["severity"] = e.severity == Severity::error ? "error" : e.severity == Severity::warning ? "warning" : "note";
                json["text"] = e.text;
            },
            [&](const event::CheckFinished& e) {
                json["verb"] = e.result.verb;
                json["subject"] = e.result.subject;
                json["status"] = to_string(e.result.status);
                json["message"] = e.result.message;
                if (!e.result.id.empty()) json["id"] = e.result.id;
                if (!e.result.origin.empty()) json["origin"] = e.result.origin;
                json["attempts"] = e.result.attempts;
                json["seconds"] = rounded(std::chrono::duration<double>(e.result.elapsed).count());
            },
            [&](const event::VmFinished& e) {
                json["outcome"] = to_string(e.outcome);
                json["phase"] = to_string(e.phase);
                if (!e.layer.empty()) {
                    json["layer"] = e.layer;
                    json["step"] = e.step;
                }
                json["seconds"] = rounded(e.seconds);
                if (!e.reason.empty()) json["reason"] = e.reason;
                if (e.error) json["error"] = to_string(*e.error);
            },
            [&](const event::RunFinished& e) {
                json["exit_code"] = e.exit_code;
                json["seconds"] = rounded(e.seconds);
                json["totals"] = totals_json(e.totals);
            },
        },
        body);
}

}  // namespace

void EventStream::emit(std::string vm, EventBody body) {
    const DeployEvent event{++seq_, clock_(), run_, std::move(vm), std::move(body)};
    for (const auto& sink : sinks_) sink(event);
}

EmitEvent EventStream::emitter(std::string vm) {
    return [this, vm = std::move(vm)](EventBody body) { emit(vm, std::move(body)); };
}

std::string format_time(std::chrono::system_clock::time_point time) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(since / 1000)), since % 1000);
}

std::string to_json_line(const DeployEvent& event, const Finding& found) {
    Json json{{"v", 1}, {"seq", event.seq}, {"time", format_time(event.time)}, {"run", event.run}};
    if (!event.vm.empty()) json["vm"] = event.vm;
    json["event"] = name_of(event.body);
    add_members(json, event.body);
    if (auto [name, value] = finding_member(found); !name.empty()) json[name] = std::move(value);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ov
