// Facts of hosts as recorded in tests/data/hosts.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "ov/host_facts.hpp"

namespace ov::test {

inline std::string recorded_facts_text(const std::string& name) {
    const char* data = std::getenv("OV_TEST_DATA");
    std::ifstream file(std::string(data ? data : "tests") + "/data/hosts/" + name + ".yml");
    REQUIRE_MESSAGE(file, "no recorded facts called " << name << " (OV_TEST_DATA points at tests/)");
    return {std::istreambuf_iterator<char>(file), {}};
}

inline HostFacts recorded_facts(const std::string& name) {
    std::vector<Diagnostic> findings;
    HostFacts facts = parse_host_facts(recorded_facts_text(name), name + ".yml", findings);
    for (const Diagnostic& finding : findings) FAIL(finding.str());
    return facts;
}

}  // namespace ov::test
