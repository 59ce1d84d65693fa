// Every row of the support table has a document that is accepted and rendered, or a reason why not, and one that is refused.
#include "support/vm_cases.hpp"

#include <map>

#include "support/render_case.hpp"

namespace {

using namespace ov::test;

bool names(const std::vector<ov::Diagnostic>& findings, const std::string& path) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const ov::Diagnostic& d) { return d.path.find(path) != std::string::npos; });
}

}  // namespace

TEST_CASE("every row of the support table has a positive and a negative document") {
    std::map<std::string, std::pair<int, int>> rows;
    for (const VmCase& one : all_cases(data_directory() / "data", "/lab")) {
        auto& [positive, negative] = rows[one.row];
        (one.kind == VmCase::Kind::bad ? negative : positive) += 1;
    }
    CHECK(rows.size() == 46);
    for (const auto& [row, counts] : rows) {
        CAPTURE(row);
        CHECK(counts.first > 0);
        CHECK(counts.second > 0);
    }
}

TEST_CASE("documents of the support table are accepted or refused as they say, on every recorded host") {
    for (const std::string host : {"libvirt-9.0.yml", "libvirt-9.0-debian.yml", "libvirt-10.0.yml", "libvirt-11.3.yml"}) {
        for (const VmCase& one : all_cases(data_directory() / "data", "/lab")) {
            if (one.kind == VmCase::Kind::blank) continue;
            CAPTURE(host);
            CAPTURE(one.name);
            const VmCaseInput input = input_of(one, data_directory() / "data" / "facts" / host, "/lab");
            const auto findings = findings_of(input, ov::Backend::libvirt);
            CAPTURE(joined(findings));
            const bool no_passt = !input.facts.libvirt->passt && one.finding.ends_with("port_forwards");
            const bool too_old = one.kind == VmCase::Kind::ok && !one.since.empty() &&
                                 (no_passt || input.facts.libvirt->version < *ov::parse_version(one.since));
            if (one.kind == VmCase::Kind::bad || too_old) {
                CHECK(names(findings, one.finding));
            } else {
                CHECK(findings.empty());
                if (findings.empty()) CHECK(!ov::render_domain(input.spec, input.facts, input.runtime).empty());
            }
        }
    }
}
