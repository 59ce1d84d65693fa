#include "fleet/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fleet/report.hpp"
#include "fleet/text_table.hpp"

namespace ov {

namespace {

using namespace std::chrono_literals;

// Above this many machines the plain form names only what ended, else a log of 50 machines is unreadable.
constexpr std::size_t few = 4;

std::string_view word_of(Severity severity) {
    return severity == Severity::error ? "error: " : severity == Severity::warning ? "warning: " : "";
}

}  // namespace

Progress::Progress(ProgressMode mode, Clock clock, Write write, std::function<Size()> size)
    : mode_(mode),
      clock_(std::move(clock)),
      write_(std::move(write)),
      size_(std::move(size)),
      started_(clock_()),
      drawn_at_(started_) {}

std::string Progress::elapsed(std::chrono::steady_clock::time_point since) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_() - since).count();
    return seconds < 60 ? fmt::format("{}s", seconds) : fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
}

void Progress::on_event(const DeployEvent& event) {
    if (mode_ == ProgressMode::none) return;
    if (mode_ == ProgressMode::quiet) {
        const auto* note = std::get_if<event::Note>(&event.body);
        if (note != nullptr && note->severity != Severity::note) say_note(event.vm, *note);
        return;
    }
    if (const auto* run = std::get_if<event::RunStarted>(&event.body)) {
        selected_ = run->vms.size();
        started_ = clock_();
    } else if (std::holds_alternative<event::VmStarted>(event.body)) {
        working_[event.vm] = {clock_(), "starting"};
    } else if (const auto* phase = std::get_if<event::PhaseStarted>(&event.body)) {
        working_[event.vm].doing = to_string(phase->phase);
        if (mode_ == ProgressMode::plain && selected_ <= few) say(fmt::format("{}: {}", event.vm, to_string(phase->phase)));
    } else if (const auto* step = std::get_if<event::StepStarted>(&event.body)) {
        working_[event.vm].doing = fmt::format("{} {}/{}: {}", step->layer, step->step, step->of, step->summary);
        if (mode_ == ProgressMode::plain && selected_ <= few) say(event.vm + ": " + working_[event.vm].doing);
    } else if (const auto* transfer = std::get_if<event::Transfer>(&event.body)) {
        working_[event.vm].doing = transfer->total && *transfer->total
                                       ? fmt::format("{}: {}%", transfer->what, transfer->bytes * 100 / *transfer->total)
                                       : fmt::format("{}: {} KiB", transfer->what, transfer->bytes / 1024);
    } else if (const auto* note = std::get_if<event::Note>(&event.body)) {
        say_note(event.vm, *note);
    } else if (const auto* finished = std::get_if<event::VmFinished>(&event.body)) {
        working_.erase(event.vm);
        totals_.add(finished->outcome);
        // The reason of a single machine is the last line of the run.
        const std::string reason = selected_ > 1 ? own_words(event.vm, {}, finished->reason) : std::string();
        say(fmt::format("{}: {} after {:.1f} s{}", event.vm, to_string(finished->outcome), finished->seconds,
                        reason.empty() ? "" : ": " + reason));
    } else if (std::holds_alternative<event::RunFinished>(event.body)) {
        clear();
        return;
    }
    if (clock_() - drawn_at_ >= 100ms) draw();
}

std::vector<std::string> Progress::lines(Size size) const {
    const auto columns = static_cast<std::size_t>(std::max(size.columns - 1, 20));
    const auto room = static_cast<std::size_t>(std::max(size.rows - 3, 1));
    std::vector<std::pair<std::chrono::steady_clock::time_point, std::string>> order;
    for (const auto& [vm, state] : working_) order.emplace_back(state.since, vm);
    // The longest at work come first: they are the ones worth seeing when not all fit.
    std::sort(order.begin(), order.end());
    std::vector<std::string> text;
    for (const auto& [since, vm] : order) {
        if (text.size() == room) break;
        text.push_back(cut_text(fmt::format("{:>6}  {}  {}", elapsed(since), vm, working_.at(vm).doing), columns));
    }
    if (order.size() > text.size()) text.push_back(fmt::format("        and {} more at work", order.size() - text.size()));
    std::string totals = fmt::format("{} of {} done", totals_.sum(), selected_);
    if (totals_.sum() != totals_.ok) totals += fmt::format(", {} not ok", totals_.sum() - totals_.ok);
    text.push_back(cut_text(fmt::format("{}, {} at work, {}", totals, working_.size(), elapsed(started_)), columns));
    return text;
}

void Progress::say_note(const std::string& vm, const event::Note& note) {
    say((vm.empty() ? "" : vm + ": ") + std::string(word_of(note.severity)) + note.text);
}

void Progress::say(const std::string& line) {
    if (mode_ == ProgressMode::tty) clear();
    write_(line + "\n");
}

void Progress::clear() {
    if (drawn_ > 0) write_(fmt::format("\x1b[{}A\r\x1b[J", drawn_));
    drawn_ = 0;
}

void Progress::draw() {
    if (mode_ != ProgressMode::tty) return;
    std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", drawn_) : "";
    const auto now = lines(size_());
    for (const auto& line : now) text += line + "\n";
    drawn_ = static_cast<int>(now.size());
    drawn_at_ = clock_();
    write_(text);
}

void Progress::refresh() {
    if (mode_ == ProgressMode::tty) draw();
}

}  // namespace ov
