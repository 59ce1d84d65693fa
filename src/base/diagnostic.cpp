#include "ov/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ov {

std::string Diagnostic::str() const {
    std::string text = where.file;
    if (where.line > 0) text += fmt::format(":{}:{}", where.line, where.column);
    if (!text.empty()) text += ": ";
    if (severity == Severity::warning) text += "warning: ";
    if (severity == Severity::note) text += "note: ";
    if (!path.empty()) text += path + ": ";
    return text + message;
}

void sort_by_position(std::vector<Diagnostic>& findings) {
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.where < b.where; });
}

namespace {

std::string headline(const std::vector<Diagnostic>& findings) {
    if (findings.empty()) return "invalid input";
    if (findings.size() == 1) return findings.front().str();
    return fmt::format("{} (and {} more findings)", findings.front().str(), findings.size() - 1);
}

}  // namespace

SpecError::SpecError(std::vector<Diagnostic> findings)
    : Error(Errc::spec_invalid, headline(findings)), findings_(std::move(findings)) {}

}  // namespace ov
