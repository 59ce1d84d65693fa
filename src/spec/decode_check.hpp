// `eval` lists: from YAML to checks, with every rule that can be told without running them (`checks.md` 2, 3 and 10).
#pragma once

#include <string>
#include <vector>

#include "ov/check.hpp"
#include "ov/yaml.hpp"

namespace ov::spec {

/// Where a list stands.
struct CheckOwner {
    std::string file;
    std::string name;                       ///< for messages: "layer jq", "deploy lab"
    std::string origin;                     ///< "layer:jq", "vm:lab", "deploy-local"
    CheckScope scope = CheckScope::deploy;  ///< of checks that do not say
};

/// Every finding names the owner, the check (its id, else its number from 1) and the key.
std::vector<Check> decode_checks(const YamlPtr& list, const CheckOwner& owner, std::vector<Diagnostic>& findings);

}  // namespace ov::spec
