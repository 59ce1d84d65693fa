#include "fleet/log_files.hpp"

#include <fmt/format.h>

#include "base/sha256.hpp"
#include "fleet/events.hpp"

namespace ov {

std::string log_file_name(std::string_view key) {
    std::string name(key);
    for (char& c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!plain) c = '_';
    }
    return fmt::format("{}-{}.log", name, sha256_hex(key).substr(0, 6));
}

LogFiles::LogFiles(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::error_code failure;
    std::filesystem::create_directories(folder_, failure);
    if (failure) throw Error(Errc::io, fmt::format("cannot create {}: {}", folder_.string(), failure.message()));
}

LogFiles::File& LogFiles::file(const std::string& vm) {
    auto& file = files_[vm];
    if (!file.stream.is_open()) {
        file.stream.open(path_of(vm), std::ios::binary | std::ios::trunc);
        if (!file.stream && problem_.empty()) problem_ = fmt::format("cannot write {}", path_of(vm));
    }
    return file;
}

void LogFiles::on_event(const DeployEvent& event) {
    if (event.vm.empty()) return;
    auto& [stream, at_line_start] = file(event.vm);
    if (const auto* output = std::get_if<event::Output>(&event.body)) {
        stream << output->text;
        if (!output->text.empty()) at_line_start = output->text.back() == '\n';
        return;
    }
    std::string line;
    if (const auto* phase = std::get_if<event::PhaseStarted>(&event.body)) {
        line = fmt::format("phase {}", to_string(phase->phase));
    } else if (const auto* step = std::get_if<event::StepStarted>(&event.body)) {
        line = fmt::format("layer {} step {}/{} {}: {}", step->layer, step->step, step->of, step->kind, step->summary);
    } else if (const auto* ended = std::get_if<event::StepFinished>(&event.body)) {
        line = fmt::format("layer {} step {}/{} {}, status {}, {:.1f} s{}", ended->layer, ended->step, ended->of,
                           to_string(ended->state), ended->status, ended->seconds,
                           ended->reason.empty() ? "" : ": " + ended->reason);
    } else if (const auto* note = std::get_if<event::Note>(&event.body)) {
        line = note->text;
    } else if (const auto* check = std::get_if<event::CheckFinished>(&event.body)) {
        line = check_line(check->result);
    } else if (const auto* finished = std::get_if<event::VmFinished>(&event.body)) {
        line = fmt::format("{} after {:.1f} s{}", to_string(finished->outcome), finished->seconds,
                           finished->reason.empty() ? "" : ": " + finished->reason);
    }
    if (line.empty()) return;
    if (!at_line_start) stream << '\n';
    at_line_start = true;
    stream << fmt::format("[{}] {}\n", format_time(event.time), line);
    // Kept readable while it grows, and complete if this process is killed; the end of a machine frees its descriptor.
    stream.flush();
    if (!stream && problem_.empty()) problem_ = fmt::format("cannot write {}", path_of(event.vm));
    if (std::holds_alternative<event::VmFinished>(event.body)) files_.erase(event.vm);
}

}  // namespace ov
