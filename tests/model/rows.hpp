// Tables of rules about VM entities: a row is a rule of the spec, a body, and what the finding must name.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/facts.hpp"
#include "ov/vm_validate.hpp"

namespace ov::test {

struct RuleRow {
    const char* rule;
    const char* body;       ///< below `source:`, which is a good one; a body that has its own replaces it
    const char* path;       ///< of the finding, below the entity; empty: there must be none
    const char* text = "";  ///< part of its message
    Severity severity = Severity::error;
};

/// The body of an entity that is all right but for what the row adds.
inline std::string whole_body(const std::string& body) {
    const bool own = body.starts_with("source:") || body.find("\nsource:") != std::string::npos;
    return own ? body : "source: {kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\"}\n" + body;
}

inline std::vector<Diagnostic> findings_of(const std::string& body, const HostFacts& facts, const ValidateOptions& options = {}) {
    std::vector<Diagnostic> findings;
    const VmSpec spec = parse_vm_spec(whole_body(body), "m", "vm.yml", findings);
    const std::vector<Diagnostic> more = validate(spec, facts, options);
    findings.insert(findings.end(), more.begin(), more.end());
    return findings;
}

template <std::size_t N>
void check_rows(const RuleRow (&rows)[N], const HostFacts& facts, const ValidateOptions& options = {}) {
    for (const RuleRow& row : rows) {
        CAPTURE(std::string(row.rule));
        CAPTURE(std::string(row.body));
        std::string all;
        bool found = false, any = false;
        for (const Diagnostic& finding : findings_of(row.body, facts, options)) {
            all += finding.str() + "\n";
            if (finding.severity != Severity::note) any = true;
            // Every finding points into the file.
            CHECK(finding.where.line > 0);
            found = found || (finding.severity == row.severity && finding.path == std::string("vm.m.") + row.path &&
                              finding.message.find(row.text) != std::string::npos);
        }
        CAPTURE(all);
        if (*row.path == '\0')
            CHECK_FALSE(any);
        else
            CHECK(found);
    }
}

}  // namespace ov::test
