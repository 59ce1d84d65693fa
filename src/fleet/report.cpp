#include "fleet/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fleet/text_table.hpp"

namespace ov {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kept_lines = 20;

double rounded(double seconds) {
    return static_cast<double>(static_cast<long long>(seconds * 1000 + 0.5)) / 1000;
}

Json row_json(const VmReport& vm) {
    Json json{{"vm", vm.vm}, {"entity", vm.entity}, {"instance", vm.instance}, {"host", vm.host}};
    json["outcome"] = to_string(vm.outcome);
    json["phase"] = to_string(vm.phase);
    json["layer"] = vm.layer;
    json["step"] = vm.step;
    json["seconds"] = rounded(vm.seconds);
    json["reason"] = vm.reason;
    json["log"] = vm.log;
    json["last_lines"] = vm.last_lines;
    json["warnings"] = vm.warnings;
    json["notes"] = vm.notes;
    if (auto [name, value] = finding_member(vm.finding); !name.empty()) json[name] = std::move(value);
    return json;
}

/// Where it stopped.
std::string where_of(const VmReport& vm) {
    if (vm.outcome == Outcome::ok) return {};
    if (vm.layer.empty()) return std::string(to_string(vm.phase));
    return fmt::format("{} {}/{}", to_string(vm.phase), vm.layer, vm.step);
}

}  // namespace

int exit_code_of(const std::vector<VmReport>& vms, int signal) {
    if (signal) return 128 + signal;
    bool checks = false;
    for (const auto& vm : vms) {
        if (vm.outcome == Outcome::ok) continue;
        if (vm.error != Errc::checks_failed) return 1;
        checks = true;
    }
    return checks ? 2 : 0;
}

std::string to_json(const Report& report) {
    const auto& totals = report.totals;
    Json json{{"schema", 1}, {"command", report.command}, {"exit_code", report.exit_code}, {"seconds", rounded(report.seconds)}};
    json["totals"] = {{"ok", totals.ok},
                      {"failed", totals.failed},
                      {"unreachable", totals.unreachable},
                      {"timed_out", totals.timed_out},
                      {"cancelled", totals.cancelled},
                      {"skipped", totals.skipped}};
    json["warnings"] = report.warnings;
    json["vms"] = Json::array();
    for (const auto& vm : report.vms) json["vms"].push_back(row_json(vm));
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::string> not_ok_in(std::string_view report_json) {
    const Json json = Json::parse(report_json, nullptr, false);
    if (!json.is_object() || json.value("schema", Json()) != 1) throw Error(Errc::spec_invalid, "not a report of schema 1");
    const auto vms = json.find("vms");
    if (vms == json.end() || !vms->is_array()) throw Error(Errc::spec_invalid, "report has no list `vms`");
    std::vector<std::string> keys;
    for (const auto& vm : *vms) {
        const bool shaped =
            vm.is_object() && vm.contains("vm") && vm["vm"].is_string() && vm.contains("outcome") && vm["outcome"].is_string();
        if (!shaped) throw Error(Errc::spec_invalid, fmt::format("vms[{}] has no `vm` or no `outcome`", &vm - &*vms->begin()));
        if (vm["outcome"] != "ok") keys.push_back(vm["vm"]);
    }
    return keys;
}

std::pair<std::string, Json> finding_member(const Finding& finding) {
    switch (finding.kind) {
        case Finding::Kind::none:
            break;
        case Finding::Kind::status:
            return {"status", finding.text};
        case Finding::Kind::plans:
            return {"plans", finding.text.empty() ? Json::array() : Json::parse(finding.text)};
        case Finding::Kind::image:
            return {"image", finding.text.empty() ? Json::object() : Json::parse(finding.text)};
        case Finding::Kind::undo:
        case Finding::Kind::removed: {
            Json lines = Json::array();
            std::istringstream text(finding.text);
            for (std::string line; std::getline(text, line);) lines.push_back(line);
            return {finding.kind == Finding::Kind::undo ? "undo" : "removed", std::move(lines)};
        }
    }
    return {};
}

std::string own_words(std::string_view vm, std::string_view host, std::string_view reason) {
    for (const std::string_view name : {vm, host}) {
        if (name.empty() || !reason.starts_with(name)) continue;
        const std::string_view rest = reason.substr(name.size());
        if (rest.starts_with(": ")) return std::string(rest.substr(2));
        // "web (10.0.0.1:22): ..."
        if (const std::size_t end = rest.find("): "); rest.starts_with(" (") && end != std::string_view::npos)
            return fmt::format("{}{}", rest.substr(2, end - 2), rest.substr(end + 1));
    }
    return std::string(reason);
}

std::string reason_of(const VmReport& vm) {
    if (vm.reason.empty()) return std::string(to_string(vm.outcome));
    return own_words(vm.vm, vm.host, vm.reason);
}

std::string to_table(const Report& report, std::size_t reason_width) {
    TextTable table({"VM", "OUTCOME", "PHASE", "TIME", "REASON"});
    for (const auto& vm : report.vms)
        table.add({vm.vm, std::string(to_string(vm.outcome)), where_of(vm), fmt::format("{:.1f} s", vm.seconds),
                   cut_text(vm.reason.empty() ? "" : reason_of(vm), reason_width)});
    std::string text = table.str();
    const auto& totals = report.totals;
    text += fmt::format("{} ok", totals.ok);
    const std::pair<int, const char*> others[] = {{totals.failed, "failed"},
                                                  {totals.unreachable, "unreachable"},
                                                  {totals.timed_out, "timed out"},
                                                  {totals.cancelled, "cancelled"},
                                                  {totals.skipped, "skipped"}};
    for (const auto& [count, word] : others)
        if (count) text += fmt::format(", {} {}", count, word);
    text += fmt::format(" of {} in {:.1f} s\n", totals.sum(), report.seconds);
    for (const auto& vm : report.vms) {
        if (vm.outcome == Outcome::ok || vm.last_lines.empty()) continue;
        text += fmt::format("\n-- {}: last lines{}\n", vm.vm, vm.log.empty() ? "" : " (all in " + vm.log + ")");
        for (const auto& line : vm.last_lines) text += line + "\n";
    }
    return text;
}

VmReport& ReportBuilder::row(const std::string& vm) {
    const auto [place, added] = index_.try_emplace(vm, report_.vms.size());
    if (added) {
        report_.vms.emplace_back();
        report_.vms.back().vm = vm;
    }
    return report_.vms[place->second];
}

void ReportBuilder::set_log(std::string_view vm, std::string path) {
    row(std::string(vm)).log = std::move(path);
}

void ReportBuilder::on_event(const DeployEvent& event) {
    if (const auto* run = std::get_if<event::RunStarted>(&event.body)) {
        report_.command = run->command;
        for (const auto& vm : run->vms) row(vm);
        return;
    }
    if (const auto* note = std::get_if<event::Note>(&event.body)) {
        const bool warns = note->severity != Severity::note;
        if (event.vm.empty()) {
            if (warns) report_.warnings.push_back(note->text);
            return;
        }
        auto& vm = row(event.vm);
        (warns ? vm.warnings : vm.notes).push_back(note->text);
        return;
    }
    if (event.vm.empty()) return;
    auto& vm = row(event.vm);
    if (const auto* started = std::get_if<event::VmStarted>(&event.body)) {
        vm.entity = started->entity;
        vm.instance = started->instance;
        vm.host = started->host;
    } else if (const auto* output = std::get_if<event::Output>(&event.body)) {
        auto& lines = lines_[event.vm];
        for (const char c : output->text) {
            if (c != '\n') {
                // A runaway line without an end must not fill the memory.
                if (lines.partial.size() < 4096) lines.partial += c;
                continue;
            }
            lines.kept.push_back(std::move(lines.partial));
            lines.partial.clear();
            if (lines.kept.size() > kept_lines) lines.kept.pop_front();
        }
    } else if (const auto* finished = std::get_if<event::VmFinished>(&event.body)) {
        vm.outcome = finished->outcome;
        vm.phase = finished->phase;
        vm.layer = finished->layer;
        vm.step = finished->step;
        vm.seconds = finished->seconds;
        vm.reason = finished->reason;
        vm.error = finished->error;
        auto& lines = lines_[event.vm];
        if (!lines.partial.empty()) lines.kept.push_back(lines.partial);
        if (vm.outcome != Outcome::ok) vm.last_lines.assign(lines.kept.begin(), lines.kept.end());
        lines_.erase(event.vm);
    }
}

Report ReportBuilder::finish(double seconds, int signal) {
    report_.seconds = seconds;
    report_.totals = {};
    for (const auto& vm : report_.vms) report_.totals.add(vm.outcome);
    report_.exit_code = exit_code_of(report_.vms, signal);
    return report_;
}

}  // namespace ov
