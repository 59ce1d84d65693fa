// What bringing pods up and taking them down share: commands on the machine, and the program there that knows its pods.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "ov/executor.hpp"

namespace ov::pods {

/// Begins a script: `guest` is the program; without one the script ends, there never was a pod.
extern const char* const find_program;

/// Names of the owner's pods, one a line.
std::string list_script(const std::string& owner);

/// What a command that failed said.
std::string words_of(const CommandResult& result);

asio::awaitable<CommandResult> ask(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline);
/// Throws Error{step_failed} naming machine and label.
asio::awaitable<void> must(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline);

}  // namespace ov::pods
