// What bringing pods up and taking them down share: commands on the machine, and the program there that knows its pods.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "ov/executor.hpp"

namespace ov::pods {

/// Begins a script: `guest` is the program, empty without one.
extern const char* const find_program;

struct Listed {
    std::vector<std::string> names;
    bool program = true;  ///< false: there are pods, and the program that removes them is not there any more
};
/// The owner's pods on the machine, all of them with an empty one. Throws Error{step_failed} naming it.
asio::awaitable<Listed> list_pods(Executor& machine, std::string owner, Deadline deadline);

/// What a command that failed said.
std::string words_of(const CommandResult& result);

asio::awaitable<CommandResult> ask(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline);
/// Throws Error{step_failed} naming machine and label.
asio::awaitable<void> must(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline);

}  // namespace ov::pods
