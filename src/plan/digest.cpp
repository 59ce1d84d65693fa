#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/sha256.hpp"
#include "ov/plan_output.hpp"
#include "plan/plan_json.hpp"

namespace ov {

namespace {

/// `/ctx` or `/ctx/...`, not `/ctxfoo` and not `x/ctx`.
bool names_context(std::string_view script) noexcept {
    constexpr std::string_view prefix = "/ctx";
    for (std::size_t at = script.find(prefix); at != std::string_view::npos; at = script.find(prefix, at + 1)) {
        const auto part_of_word = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        };
        const std::size_t end = at + prefix.size();
        const bool starts = at == 0 || (!part_of_word(script[at - 1]) && script[at - 1] != '/');
        const bool ends = end == script.size() || !part_of_word(script[end]);
        if (starts && ends) return true;
    }
    return false;
}

}  // namespace

std::vector<std::string> referenced_files(const InstallPlan& plan) {
    std::set<std::string> files;
    for (const Step& step : plan.steps) {
        if (const auto* task = std::get_if<TaskStep>(&step.body)) {
            if (task->verb == TaskVerb::copy) files.insert(task->layer_dir + "/" + task->source);
            if (task->verb == TaskVerb::cmd && names_context(task->cmd)) files.insert(task->layer_dir + "/");
        } else if (const auto* file = std::get_if<FileStep>(&step.body)) {
            files.insert(file->source);
        } else if (const auto* builder = std::get_if<BuilderStep>(&step.body)) {
            files.insert(builder->layer_dir + "/");
        }
    }
    return {files.begin(), files.end()};
}

std::string plan_digest(const InstallPlan& plan, const std::map<std::string, std::string>& file_digests) {
    // Not in it: the deploy's identity, so that a layer that two deploys share is the same; and where the operator keeps the
    // layer, whose files come in by content.
    nlohmann::json steps = nlohmann::json::array();
    for (const Step& step : plan.steps) {
        nlohmann::json fields = plan::step_json(step);
        for (const char* key : {"LayerDir", "CtxPath"}) fields.erase(key);
        steps.push_back(std::move(fields));
    }
    nlohmann::json files = nlohmann::json::array();
    for (const auto& [path, digest] : file_digests) files.push_back(digest);
    const nlohmann::json whole = {{"Layer", plan.layer}, {"Version", plan.version}, {"Distro", plan.distro},
                                  {"Image", plan.image}, {"Steps", steps},          {"Files", files}};
    return sha256_hex(whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace ov
