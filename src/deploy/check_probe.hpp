// What a check asks a guest, as one script, and what the answer means (`checks.md` 8). Pure.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>

#include "ov/check.hpp"
#include "ov/executor.hpp"

namespace ov {

struct CheckVerdict {
    CheckStatus status = CheckStatus::pass;
    std::string message;
};
CheckVerdict passed(std::string message);
CheckVerdict failed(std::string message);

struct GuestProbe {
    std::string script;
    std::chrono::seconds limit{60};
    std::function<CheckVerdict(const CommandResult&)> judge;
};

/// `tags`: the machine's distro tags, most specific first. The check has no reference left.
GuestProbe guest_probe(const Check& check, std::span<const std::string> tags);

/// At most 200 characters of the trimmed text, then "…".
std::string preview(std::string_view text);

/// Exit status, standard output and error of a command against the check's expectations (`checks.md` 8.6).
CheckVerdict judge_command(const Check& check, const CommandResult& result);

}  // namespace ov
