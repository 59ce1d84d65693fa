// The guest's journal (decisions 50): what was meant, how to undo it, how it ended; and its fold into layer records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/ledger_record.hpp"

namespace ov {

enum class JournalState { intent, undo, ok, failed, cancelled };

struct JournalLine {
    std::string run, layer, digest, kind, at;
    std::int64_t seq = 0;
    int step = 0, status = 0;
    JournalState state = JournalState::intent;
    LedgerJson op;    ///< undo
    LedgerJson line;  ///< everything, unknown keys included
};

struct Journal {
    std::vector<JournalLine> lines;
    std::vector<std::string> notes;  ///< lines that a power cut tore apart
};

Journal parse_journal(std::string_view text);

/// How one step of an unfinished run ended.
enum class RecordedState { unknown, ok, failed, cancelled };

/// What the last run that touched (layer, digest) knows about the step with this index; nothing: it was never begun.
std::optional<RecordedState> state_of(const Journal& journal, std::string_view layer, std::string_view digest, int step);

}  // namespace ov
