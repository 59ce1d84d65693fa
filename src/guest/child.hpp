// Runs one program and takes what it prints; no shell.
#pragma once

#include <string>
#include <vector>

namespace ov::guest {

struct Finished {
    int status = 0;  ///< 128+n: ended by signal n; 127: there is no such program
    std::string out, err;
    bool ok() const noexcept { return status == 0; }
};

/// `input` is written to the program's standard input. Throws Error{io} when nothing can be started.
Finished run(const std::vector<std::string>& words, const std::string& input = {});

}  // namespace ov::guest
