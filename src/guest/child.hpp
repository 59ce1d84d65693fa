// Runs one program and takes what it prints; no shell.
#pragma once

#include <string>
#include <vector>

namespace ov::guest {

struct Finished {
    int status = 0;  ///< 128+n: ended by signal n; 127: there is no such program
    std::string out, err;
    bool ok() const noexcept { return status == 0; }
    /// What it said of its failure, without the line's end.
    std::string words() const;
};

/// `input` is written to the program's standard input. Throws Error{io} when nothing can be started.
Finished run(const std::vector<std::string>& words, const std::string& input = {});

/// Throws Error{step_failed} naming `what`, the status and the words when the program fails.
Finished must(const std::vector<std::string>& words, const std::string& what);

/// Without the white space at its end.
std::string trimmed(std::string text);

}  // namespace ov::guest
