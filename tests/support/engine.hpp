// A runtime and a loop for one test body.
#pragma once

#include <asio/co_spawn.hpp>
#include <exception>
#include <functional>

#include "async/sigpipe_guard.hpp"

#include "async/runtime.hpp"

namespace ov::test {

/// Runs `body` with a fresh engine until everything it started has ended; rethrows what it throws.
inline void with_engine(std::function<asio::awaitable<void>(Runtime&)> body) {
    const SigpipeGuard pipes;
    Runtime runtime(1);
    std::exception_ptr failure;
    asio::co_spawn(runtime.io, body(runtime), [&](std::exception_ptr error) { failure = error; });
    runtime.io.run();
    if (failure) std::rethrow_exception(failure);
}

/// The code of the ov::Error that `work` throws; Errc{} when it throws none. The text goes to `message` when given.
template <class T>
asio::awaitable<Errc> code_of(asio::awaitable<T> work, std::string* message = nullptr) {
    Errc code{};
    try {
        co_await std::move(work);
    } catch (const Error& error) {
        code = error.code();
        if (message != nullptr) *message = error.what();
    }
    co_return code;
}

}  // namespace ov::test
