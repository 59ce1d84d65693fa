#include "cli/become_program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

#include "ov/error.hpp"

namespace ov::cli {

void become_program(std::vector<std::string> argv) {
    // It shall end by a closed pipe as programs do; an ignored signal would be inherited.
    std::signal(SIGPIPE, SIG_DFL);
    std::vector<char*> words;
    for (std::string& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    std::cout.flush();
    std::cerr.flush();
    ::execvp(words[0], words.data());
    throw Error(Errc::not_found, fmt::format("cannot run {}: {}", argv[0], std::strerror(errno)));
}

}  // namespace ov::cli
