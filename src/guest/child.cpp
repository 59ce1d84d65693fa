#include "guest/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ov/error.hpp"

namespace ov::guest {

namespace {

using Pipe = std::array<int, 2>;

Pipe make_pipe() {
    Pipe ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(Errc::io, std::string("pipe: ") + std::strerror(errno));
    return ends;
}

bool take(int descriptor, std::string& into) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && errno == EINTR);
}

}  // namespace

Finished run(const std::vector<std::string>& words, const std::string& input) {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    pid_t pid = 0;
    const int failure = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    for (const int end : {in[0], out[1], err[1]}) ::close(end);
    Finished result;
    if (failure != 0) {
        for (const int end : {in[1], out[0], err[0]}) ::close(end);
        if (failure != ENOENT) throw Error(Errc::io, words.front() + ": " + std::strerror(failure));
        result.status = 127;
        result.err = words.front() + ": not installed";
        return result;
    }
    // What is written here is a secret of a line or two: it fits into the pipe.
    std::string problem;
    if (!input.empty() && ::write(in[1], input.data(), input.size()) != static_cast<ssize_t>(input.size()))
        problem = words.front() + ": its input could not be written";
    ::close(in[1]);
    bool more_out = true, more_err = true;
    while (more_out || more_err) {
        pollfd ends[2] = {{more_out ? out[0] : -1, POLLIN, 0}, {more_err ? err[0] : -1, POLLIN, 0}};
        if (::poll(ends, 2, -1) < 0 && errno != EINTR) break;
        if (ends[0].revents != 0) more_out = take(out[0], result.out);
        if (ends[1].revents != 0) more_err = take(err[0], result.err);
    }
    ::close(out[0]);
    ::close(err[0]);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!problem.empty()) throw Error(Errc::io, problem);
    return result;
}

Finished must(const std::vector<std::string>& words, const std::string& what) {
    Finished done = run(words);
    if (!done.ok()) throw Error(Errc::step_failed, fmt::format("{}: exit status {}: {}", what, done.status, done.words()));
    return done;
}

std::string Finished::words() const {
    return trimmed(err.empty() ? out : err);
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    return text;
}

}  // namespace ov::guest
