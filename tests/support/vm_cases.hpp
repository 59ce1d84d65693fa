// The documents of the support table, tests/data/vm/*.yml (its README says what the keys mean).
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/yaml_writer.hpp"
#include "ov/render.hpp"
#include "ov/vm_validate.hpp"
#include "spec/decode_vm_spec.hpp"
#include "spec/yaml_document.hpp"

namespace ov::test {

struct VmCase {
    enum class Kind { ok, bad, blank };
    Kind kind = Kind::ok;
    std::string row;   ///< "17-disk"
    std::string name;  ///< "17-disk: wwn on virtio"
    std::string finding, reason, since;
    std::map<std::string, std::string> skip;  ///< judge -> reason
    YamlPtr spec, runtime, facts;
};

inline std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string with_directory(std::string text, const std::string& directory) {
    for (std::size_t at; (at = text.find("@DIR@")) != std::string::npos;) text.replace(at, 5, directory);
    return text;
}

inline std::vector<VmCase> read_cases(const std::filesystem::path& file, const std::string& directory) {
    std::vector<Diagnostic> findings;
    const auto documents = spec::parse_yaml(with_directory(file_text(file), directory), file.string(), findings);
    if (!findings.empty() || documents.size() != 1) throw std::runtime_error(file.string() + ": not one YAML list");
    std::vector<VmCase> cases;
    for (const YamlPtr& item : documents.front()->items) {
        VmCase one;
        one.row = file.stem().string();
        for (const YamlEntry& entry : item->entries) {
            const std::string& text = entry.value->text;
            if (entry.key == "ok" || entry.key == "bad" || entry.key == "blank") {
                one.kind = entry.key == "ok" ? VmCase::Kind::ok : entry.key == "bad" ? VmCase::Kind::bad : VmCase::Kind::blank;
                one.name = one.row + ": " + text;
            }
            if (entry.key == "finding") one.finding = text;
            if (entry.key == "reason") one.reason = text;
            if (entry.key == "since") one.since = text;
            if (entry.key == "skip")
                for (const YamlEntry& judge : entry.value->entries) one.skip[judge.key] = judge.value->text;
            if (entry.key == "spec") one.spec = entry.value;
            if (entry.key == "runtime") one.runtime = entry.value;
            if (entry.key == "facts") one.facts = entry.value;
        }
        cases.push_back(std::move(one));
    }
    return cases;
}

/// Every case of every row, in order; folder "vm_examples": the worked examples of the specification.
inline std::vector<VmCase> all_cases(const std::filesystem::path& data, const std::string& directory, const char* folder = "vm") {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(data / folder))
        if (entry.path().extension() == ".yml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<VmCase> all;
    for (const auto& file : files)
        for (VmCase& one : read_cases(file, directory)) all.push_back(std::move(one));
    return all;
}

/// The mapping with the overlay's keys in place of its own.
inline YamlPtr overlaid(const YamlPtr& base, const YamlPtr& overlay) {
    auto map = std::make_shared<YamlNode>(*base);
    if (!overlay) return map;
    for (const YamlEntry& entry : overlay->entries) {
        std::erase_if(map->entries, [&](const YamlEntry& e) { return e.key == entry.key; });
        map->entries.push_back(entry);
    }
    return map;
}

/// A case on one host: the decoded spec, the facts with the case's own, the runtime of `vm create`.
struct VmCaseInput {
    VmSpec spec;
    HostFacts facts;
    VmRuntime runtime;
    std::vector<Diagnostic> decoding;
};

inline VmCaseInput input_of(const VmCase& one, const std::filesystem::path& facts_file, const std::string& directory) {
    VmCaseInput input;
    const YamlPtr source = yaml_map(
        {{"source", yaml_map({{"kind", yaml_text("cloud_image")}, {"url", yaml_text("https://mirror.invalid/x.qcow2")}})}});
    spec::Report report{"case.yml", input.decoding};
    input.spec = spec::decode_vm_spec("case", spec::Cursor(overlaid(source, one.spec), "vm.case", report));

    std::vector<Diagnostic> findings;
    const auto facts = spec::parse_yaml(file_text(facts_file), facts_file.string(), findings);
    input.facts = parse_host_facts(write_yaml(*overlaid(facts.front(), one.facts)), facts_file.string(), findings);
    const VmPlaces places{directory, directory, {}};
    VmRuntime runtime = default_runtime(input.spec, input.facts, places);
    runtime.disk.clear();
    if (input.facts.firmware.empty()) runtime.nvram.clear();
    if (one.runtime) runtime = parse_vm_runtime(write_yaml(*one.runtime), "runtime.yml", runtime, findings);
    input.runtime = runtime;
    if (!findings.empty()) throw std::runtime_error(one.name + ": " + findings.front().str());
    return input;
}

/// Decoding, validation and raw XML, as `ov vm validate` would report them; unknown keys count.
inline std::vector<Diagnostic> findings_of(const VmCaseInput& input, Backend backend) {
    std::vector<Diagnostic> findings = input.decoding;
    ValidateOptions rules;
    rules.backend = backend;
    for (const auto& more : {validate(input.spec, input.facts, rules), check_markup(input.spec, input.runtime)})
        for (const Diagnostic& finding : more)
            if (finding.severity == Severity::error) findings.push_back(finding);
    return findings;
}

}  // namespace ov::test
