// Checks that are made from the operator's machine: TCP, HTTP, names, commands (`checks.md` 8).
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "async/process.hpp"
#include "async/runtime.hpp"
#include "deploy/check_probe.hpp"
#include "ov/check_run.hpp"

namespace ov {

class HostChecks {
public:
    HostChecks(Runtime& runtime, std::string directory, DomainMethod domain = {})
        : runtime_(runtime), directory_(std::move(directory)), domain_(std::move(domain)) {}

    /// One attempt of a check that `on_host()`. The check has no reference left.
    asio::awaitable<CheckVerdict> run(Check check, Deadline deadline);
    /// Ends what `background` started.
    asio::awaitable<void> close();

private:
    asio::awaitable<CheckVerdict> reach(Check check, std::string host, std::string port, Deadline deadline);
    asio::awaitable<CheckVerdict> dns(Check check, Deadline deadline);
    asio::awaitable<CheckVerdict> command(Check check, Deadline deadline);
    asio::awaitable<CheckVerdict> method(Check check, Deadline deadline);
    CheckVerdict background(const Check& check);
    CheckVerdict kill(const Check& check) const;

    Runtime& runtime_;
    std::string directory_;
    DomainMethod domain_;
    std::vector<Process> background_;
};

}  // namespace ov
