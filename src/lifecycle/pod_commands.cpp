#include "lifecycle/pod_commands.hpp"

#include <fmt/format.h>

#include <sstream>

#include "base/shell_quote.hpp"
#include "ov/error.hpp"

namespace ov::pods {

// Any copy will do: an older one is removed when a newer one comes.
const char* const find_program = R"sh(guest=
for file in "$HOME"/.cache/ov/ov-*; do [[ ! -x $file ]] || guest=$file; done
)sh";

namespace {

// Caches are emptied: without the program the files that it keeps say what there is.
constexpr const char* list_script = R"sh(if [[ -n $guest ]]; then "$guest" deploy list --owner "$owner"; exit; fi
for file in "$HOME"/.config/ov/pods/*.owner; do
    [[ -e $file ]] || continue
    { read -r whose; read -r name; } <"$file"
    [[ -n $owner && $whose != "$owner" ]] || printf 'without program %s\n' "$name"
done
exit 0
)sh";

}  // namespace

asio::awaitable<Listed> list_pods(Executor& machine, std::string owner, Deadline deadline) {
    std::string script = fmt::format("owner={}\n{}{}", shell_quote(owner), find_program, list_script);
    const CommandResult result = co_await ask(machine, RunAs::user, std::move(script), "pods of this deploy", deadline);
    if (!result.ok())
        throw Error(Errc::step_failed, fmt::format("{}: cannot list the pods: {}", machine.venue(), words_of(result)));
    constexpr std::string_view without = "without program ";
    Listed listed;
    std::istringstream lines(result.out);
    for (std::string name; std::getline(lines, name);) {
        if (name.starts_with(without)) {
            listed.program = false;
            name.erase(0, without.size());
        }
        if (!name.empty()) listed.names.push_back(name);
    }
    co_return listed;
}

std::string words_of(const CommandResult& result) {
    std::string text = result.err.empty() ? result.out : result.err;
    text.erase(text.find_last_not_of(" \n\r") + 1);
    return text.empty() ? fmt::format("exit status {}", result.status) : text;
}

asio::awaitable<CommandResult> ask(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline) {
    Command command;
    command.script = std::move(script);
    command.as = as;
    command.label = std::move(label);
    auto result = co_await machine.run(std::move(command), deadline);
    co_return result;
}

asio::awaitable<void> must(Executor& machine, RunAs as, std::string script, std::string label, Deadline deadline) {
    const CommandResult result = co_await ask(machine, as, std::move(script), label, deadline);
    if (!result.ok()) throw Error(Errc::step_failed, fmt::format("{}: {}: {}", machine.venue(), label, words_of(result)));
}

}  // namespace ov::pods
