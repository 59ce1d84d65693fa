// Findings about files that people write: each one points at file, line and column, and all of them are reported at once.
#pragma once

#include <string>
#include <vector>

#include "ov/error.hpp"

namespace ov {

/// A place in a text file. Line and column count from 1; 0 means "the file as a whole".
struct SourcePosition {
    std::string file;
    int line = 0;
    int column = 0;

    bool operator==(const SourcePosition&) const = default;
    auto operator<=>(const SourcePosition&) const = default;
};

enum class Severity { error, warning, note };

/// One finding. `path` is the dotted path of the value inside its document ("layer.task[2].mode"); `message` says what is
/// wrong and what was expected.
struct Diagnostic {
    SourcePosition where;
    std::string path;
    std::string message;
    Severity severity = Severity::error;

    /// "file:line:column: path: message"; parts that are unknown are left out.
    std::string str() const;
};

/// Sorts by position, keeping the order of findings at one place.
void sort_by_position(std::vector<Diagnostic>& findings);

/// Thrown when at least one finding is an error. `what()` shows the first and counts the rest.
class SpecError : public Error {
public:
    explicit SpecError(std::vector<Diagnostic> findings);
    const std::vector<Diagnostic>& findings() const noexcept { return findings_; }

private:
    std::vector<Diagnostic> findings_;
};

}  // namespace ov
