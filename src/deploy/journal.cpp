#include "deploy/journal.hpp"

#include <fmt/format.h>

#include <optional>

namespace ov {
namespace {

std::optional<JournalState> state_named(std::string_view word) {
    if (word == "intent") return JournalState::intent;
    if (word == "undo") return JournalState::undo;
    if (word == "ok") return JournalState::ok;
    if (word == "failed") return JournalState::failed;
    if (word == "cancelled") return JournalState::cancelled;
    return std::nullopt;
}

std::optional<JournalLine> parse_line(std::string_view text) {
    try {
        LedgerJson json = LedgerJson::parse(text);
        const auto state = state_named(json.at("state").get<std::string>());
        if (!state) return std::nullopt;
        JournalLine line;
        line.state = *state;
        line.run = json.value("run", "");
        line.layer = json.at("layer").get<std::string>();
        line.digest = json.value("digest", "");
        line.kind = json.value("kind", "");
        line.at = json.value("at", "");
        line.seq = json.value("seq", std::int64_t{0});
        line.step = json.value("step", 0);
        line.status = json.value("status", 0);
        if (*state == JournalState::undo) line.op = json.at("op");
        line.line = std::move(json);
        return line;
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

}  // namespace

Journal parse_journal(std::string_view text) {
    Journal journal;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty()) continue;
        if (auto parsed = parse_line(line))
            journal.lines.push_back(std::move(*parsed));
        else
            journal.notes.push_back(fmt::format("journal line {} is torn and was left out", number));
    }
    return journal;
}

std::optional<RecordedState> state_of(const Journal& journal, std::string_view layer, std::string_view digest, int step) {
    std::optional<RecordedState> state;
    for (const JournalLine& line : journal.lines) {
        if (line.layer != layer || line.digest != digest || line.step != step) continue;
        switch (line.state) {
            case JournalState::intent:
                state = RecordedState::unknown;
                break;
            case JournalState::undo:
                break;
            case JournalState::ok:
                state = RecordedState::ok;
                break;
            case JournalState::failed:
                state = RecordedState::failed;
                break;
            case JournalState::cancelled:
                state = RecordedState::cancelled;
                break;
        }
    }
    return state;
}

}  // namespace ov
