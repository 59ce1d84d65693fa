// Every row of the support table has a document that is accepted and rendered, or a reason why not, and one that is refused.
#include "support/vm_cases.hpp"

#include <cstdio>
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

TEST_CASE("the findings of every document on four hosts, side by side") {
    const std::vector<std::string> hosts{"libvirt-9.0", "libvirt-9.0-debian", "libvirt-10.0", "libvirt-11.3"};
    std::printf("%-44s", "document");
    for (const std::string& host : hosts) std::printf(" %-19s", host.c_str());
    std::printf("\n");
    std::map<std::string, int> refused;
    for (const VmCase& one : all_cases(data_directory() / "data", "/lab")) {
        if (one.kind != VmCase::Kind::ok) continue;
        std::vector<std::string> cells, words;
        for (const std::string& host : hosts) {
            const VmCaseInput input = input_of(one, data_directory() / "data" / "facts" / (host + ".yml"), "/lab");
            const auto findings = findings_of(input, ov::Backend::libvirt);
            const auto notes = ov::render_notes(input.spec, input.facts, input.runtime);
            cells.push_back(!findings.empty() ? "refused" : notes.empty() ? "ok" : "ok, with a note");
            refused[host] += findings.empty() ? 0 : 1;
            for (const auto* list : {&findings, &notes})
                if (!list->empty()) words.push_back(host + ": " + list->front().path + ": " + list->front().message);
        }
        // Every document has an SSH forward: the note about passt would stand in every line.
        if (std::all_of(words.begin(), words.end(), [](const std::string& w) { return w.find("refuses passt, so") != w.npos; }))
            continue;
        std::printf("%-44.44s", one.name.c_str());
        for (const std::string& cell : cells) std::printf(" %-19s", cell.c_str());
        std::printf("\n");
        if (std::find(cells.begin(), cells.end(), "refused") == cells.end()) continue;
        for (const std::string& text : words) std::printf("    %s\n", text.c_str());
    }
    std::printf("refused:");
    for (const std::string& host : hosts) std::printf(" %s %d", host.c_str(), refused[host]);
    std::printf("\n");
    CHECK(refused["libvirt-9.0-debian"] > refused["libvirt-9.0"]);
    CHECK(refused["libvirt-9.0"] > refused["libvirt-10.0"] - 1);
    CHECK(refused["libvirt-10.0"] > refused["libvirt-11.3"]);
}
