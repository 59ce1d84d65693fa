// `deploy del --purge`: state goes from the addressed entry alone.
#include "lifecycle/deploy_purge.hpp"

#include <doctest/doctest.h>

namespace {

const char* const text =
    "deploy:\n"
    "    mine:\n        target: vm\n        vm: web\n        env: [A=1]\n        vm_state: {ssh_port: 2301}\n"
    "    site:\n        target: vm\n        vm: web\n        vm_state: {ssh_port: 2301}\n"
    "    vm:web:\n        target: vm\n        vm: web\n        vm_state: {ssh_port: 2301}\n";

std::string purged(const std::string& key, const ov::DeployMap& project, bool had) {
    ov::state::DeployDocument document = ov::state::DeployDocument::parse(text, "deploy.yml");
    CHECK(ov::purge_entry(document, key, project) == had);
    return document.str();
}

}  // namespace

TEST_CASE("purge: the entry that only held state goes, what the operator wrote stays, others are not touched") {
    ov::DeployMap project;
    project["site"] = {};
    const std::string own = purged("mine", project, true);
    CHECK(own.find("A=1") != std::string::npos);
    CHECK(own.find("vm:web:\n        target: vm\n        vm: web\n        vm_state:") != std::string::npos);
    const std::string entity = purged("vm:web", project, true);
    CHECK(entity.find("vm:web:") == std::string::npos);
    CHECK(entity.find("site:") != std::string::npos);
    CHECK(purged("site", project, true).find("site:") == std::string::npos);
    // An operator's own entry of a deploy that the project does not have.
    CHECK(purged("site", {}, true).find("site:") != std::string::npos);
    CHECK(purged("other", project, false) == purged("other", {}, false));
}
