// Keeps a write to a pipe whose reader has gone from killing the process, without touching the program's signal handlers.
#pragma once

#include <csignal>
#include <ctime>

namespace ov {

/// While it lives, SIGPIPE is blocked in this thread; one that a write raised meanwhile is taken away before it is unblocked.
class SigpipeGuard {
public:
    SigpipeGuard() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    SigpipeGuard(const SigpipeGuard&) = delete;
    SigpipeGuard& operator=(const SigpipeGuard&) = delete;
    ~SigpipeGuard() {
        const timespec now{};
        while (sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_, before_;
};

}  // namespace ov
