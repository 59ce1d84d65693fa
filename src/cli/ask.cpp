#include "cli/ask.hpp"

#include <unistd.h>

#include <iostream>

namespace ov::cli {

bool at_terminal() {
    return ::isatty(STDIN_FILENO) == 1;
}

bool person_agrees(const std::string& question) {
    std::cerr << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace ov::cli
