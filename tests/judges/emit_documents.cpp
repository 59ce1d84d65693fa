// Writes what the renderers make of every document of the support table on one host, for the judges:
//   emit_documents TESTS FACTS.yml FOLDER
// FOLDER/NNN.xml and NNN.argv (one word a line), and index.json: one object a case.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "support/vm_cases.hpp"

namespace {

using namespace ov::test;
using nlohmann::json;

std::string text_of(const std::vector<ov::Diagnostic>& findings) {
    std::string all;
    for (const ov::Diagnostic& finding : findings) all += (all.empty() ? "" : "; ") + finding.path + ": " + finding.message;
    return all;
}

json emit_case(const VmCase& one, const std::filesystem::path& facts, const std::string& folder, int number) {
    const std::string id = std::to_string(1000 + number).substr(1);
    json entry{{"row", one.row}, {"case", one.name}, {"id", id}, {"since", one.since}, {"skip", one.skip}};
    if (one.kind == VmCase::Kind::blank) {
        entry["state"] = "blank";
        entry["reason"] = one.reason;
        return entry;
    }
    VmCaseInput input = input_of(one, facts, folder);
    if (!input.runtime.nvram.empty()) input.runtime.nvram = folder + "/nvram-" + id + ".fd";
    input.runtime.qemu_paths = {{}, folder + "/" + id + ".qmp", folder + "/" + id + ".con", {}};
    const auto findings = findings_of(input, ov::Backend::libvirt);
    if (one.kind == VmCase::Kind::bad) {
        entry["state"] = "bad";
        entry["refused"] = !findings.empty();
        entry["reason"] = text_of(findings);
        return entry;
    }
    if (!findings.empty()) {
        entry["state"] = "finding";
        entry["reason"] = text_of(findings);
        return entry;
    }
    entry["state"] = "rendered";
    entry["name"] = input.runtime.name;
    entry["nvram"] = input.runtime.nvram;
    entry["vars"] = input.runtime.ovmf_vars_template;
    std::ofstream(folder + "/" + id + ".xml") << ov::render_domain(input.spec, input.facts, input.runtime);
    const auto for_qemu = findings_of(input, ov::Backend::qemu);
    entry["argv"] = for_qemu.empty();
    entry["argv_findings"] = text_of(for_qemu);
    if (!for_qemu.empty()) return entry;
    std::ofstream argv(folder + "/" + id + ".argv");
    for (const std::string& word : ov::render_argv(input.spec, input.facts, input.runtime)) argv << word << '\n';
    return entry;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: emit_documents TESTS FACTS.yml FOLDER\n";
        return 1;
    }
    const std::string folder = argv[3];
    json index = json::array();
    int number = 0;
    try {
        for (const char* cases : {"vm", "vm_examples"})
            for (const VmCase& one : all_cases(std::filesystem::path(argv[1]) / "data", folder, cases))
                index.push_back(emit_case(one, argv[2], folder, ++number));
    } catch (const std::exception& error) {
        std::cerr << "emit_documents: " << error.what() << '\n';
        return 1;
    }
    std::ofstream(folder + "/index.json") << index.dump(1) << '\n';
    return 0;
}
