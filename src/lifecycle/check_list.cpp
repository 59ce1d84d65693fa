#include "lifecycle/check_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ov/load.hpp"
#include "spec/check_schema.hpp"
#include "spec/decode_check.hpp"

namespace ov {
namespace {

/// "[address:]host:guest[/tcp|udp]" as guest port -> host port.
std::pair<std::string, std::string> forwarded(std::string text) {
    text = text.substr(0, text.find('/'));
    const std::size_t last = text.rfind(':');
    if (last == std::string::npos) return {};
    const std::string guest = text.substr(last + 1);
    const std::string rest = text.substr(0, last);
    return {guest, rest.substr(rest.rfind(':') + 1)};
}

void raise_if_any(std::vector<Diagnostic>& findings) {
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (findings.empty()) return;
    throw SpecError(std::move(findings));
}

}  // namespace

void check_choice(const CheckChoice& choice) {
    if (!choice.section.empty() && choice.section != "layer" && choice.section != "image" && choice.section != "deploy")
        throw Error(Errc::usage, fmt::format("--section: unknown section {}; there are layer, image, deploy", choice.section));
    for (const std::string& verb : choice.verbs) {
        if (spec::check_verb(verb) != nullptr) continue;
        std::string known;
        for (const spec::VerbRow& row : spec::check_verbs()) known += (known.empty() ? "" : " ") + std::string(row.name);
        throw Error(Errc::usage, fmt::format("--filter: unknown verb {}; there are {}", verb, known));
    }
}

std::vector<Check> checks_of(const Project& project, const DeployTarget& target, const PlanInputs& inputs,
                             const CheckChoice& choice, std::vector<std::string>& notes) {
    std::vector<Diagnostic> findings;
    std::vector<Check> checks;
    const std::string entity = "vm:" + target.machine.entity;
    for (const YamlPtr& list : {target.entity.eval, target.entity.deploy_eval})
        merge_checks(checks, spec::decode_checks(list, {target.entity.where.file, entity, entity, CheckScope::deploy}, findings));
    for (const std::string& ref : inputs.add_layers) {
        const Layer* layer = nullptr;
        try {
            layer = &find_layer(project, ref);
        } catch (const Error& error) {
            notes.push_back(fmt::format("the checks of layer {} are left out: {}", ref, error.what()));
            continue;
        }
        std::vector<Check> own = spec::decode_checks(
            layer->eval, {layer->where.file, "layer " + layer->key, "layer:" + layer->name, CheckScope::build}, findings);
        std::erase_if(own, [](const Check& check) { return check.scope != CheckScope::deploy; });
        merge_checks(checks, std::move(own));
    }
    const DeployNode& node = target.node;
    const std::string deploy = "deploy " + target.key;
    merge_checks(checks, spec::decode_checks(node.eval, {node.where.file, deploy, "deploy-local", CheckScope::deploy}, findings));
    merge_checks(checks, spec::decode_checks(node.overlay_eval, {node.overlay_file, deploy, "deploy-local", CheckScope::deploy},
                                             findings));
    raise_if_any(findings);
    std::erase_if(checks, [&choice](const Check& check) {
        const bool of_node = check.origin == "deploy-local";
        if (choice.section == "image" || (choice.section == "layer" && of_node) || (choice.section == "deploy" && !of_node))
            return true;
        return !choice.verbs.empty() && std::ranges::find(choice.verbs, check.verb) == choice.verbs.end();
    });
    return checks;
}

CheckVariables check_variables(const DeployTarget& target, int port, const std::string& user) {
    CheckVariables variables{{"IMAGE", target.machine.entity},
                             {"DEPLOY_NAME", target.key},
                             {"INSTANCE", target.machine.instance},
                             {"CONTAINER_NAME", target.machine.domain()},
                             {"CONTAINER_IP", "127.0.0.1"},
                             {"HOST_PORT:22", std::to_string(port)},
                             {"USER", user},
                             {"VM_HOSTDEV_COUNT", "0"}};
    if (target.entity.external()) variables["CONTAINER_IP"] = target.entity.ssh.host;
    if (!target.entity.spec) return variables;
    for (const std::string& text : target.entity.spec->network.port_forwards)
        if (const auto [guest, host] = forwarded(text); !guest.empty()) variables["HOST_PORT:" + guest] = host;
    variables["VM_HOSTDEV_COUNT"] = std::to_string(target.entity.spec->libvirt.devices.hostdevs.size());
    return variables;
}

}  // namespace ov
