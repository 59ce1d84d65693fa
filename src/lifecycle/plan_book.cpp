#include "lifecycle/plan_book.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "ov/load.hpp"

namespace ov {

std::vector<std::string> PlanBook::primary_layers(const PlanInputs& inputs) const {
    if (inputs.primary.empty()) return {};
    const auto image = project_->images.find(inputs.primary);
    if (image == project_->images.end()) return {find_layer(*project_, inputs.primary).key};
    std::vector<std::string> names;
    if (const YamlNode* list = image->second ? image->second->find("layer") : nullptr)
        for (const YamlPtr& item : list->items) names.push_back(find_layer(*project_, item->text).key);
    return names;
}

OrderedLayers PlanBook::layers_of(const PlanInputs& inputs) const {
    std::vector<std::string> requests = primary_layers(inputs);
    for (const std::string& ref : inputs.add_layers) requests.push_back(find_layer(*project_, ref).key);
    return order_layers(requests, project_->layers);
}

std::string PlanBook::deploy_id_of(const std::string& key, const PlanInputs& inputs) const {
    if (inputs.primary.empty() && inputs.add_layers.empty()) return {};
    std::vector<std::string> primary;
    if (!inputs.primary.empty())
        for (const Layer* layer : order_layers(primary_layers(inputs), project_->layers)) primary.push_back(layer->key);
    return deploy_id(key, primary, inputs.add_layers);
}

namespace {

/// `ov/secret` and the name, or what `key: a/b/c` says.
std::pair<std::string, std::string> place_of(const Dependency& secret) {
    const std::size_t slash = secret.key.rfind('/');
    if (slash == std::string::npos) return {"ov/secret", secret.name};
    return {secret.key.substr(0, slash), secret.key.substr(slash + 1)};
}

}  // namespace

std::map<std::string, std::map<std::string, std::string>> PlanBook::secrets_of(const PlanInputs& inputs,
                                                                               const state::SecretStore& store) const {
    std::map<std::string, std::map<std::string, std::string>> secrets;
    for (const Layer* layer : layers_of(inputs)) {
        for (const Dependency& secret : layer->secret_require) {
            const auto [service, key] = place_of(secret);
            const char* value = std::getenv(secret.name.c_str());
            if (value == nullptr) state::check_secret_backend();
            secrets[layer->name][secret.name] = value != nullptr ? value : store.get_or_make(service, key);
        }
        for (const Dependency& secret : layer->secret_accept) {
            const auto [service, key] = place_of(secret);
            const char* given = std::getenv(secret.name.c_str());
            std::optional<std::string> value;
            if (given != nullptr)
                value = given;
            else
                value = store.get(service, key);
            if (!value && !secret.fallback.empty()) value = secret.fallback;
            if (value) secrets[layer->name][secret.name] = *value;
        }
    }
    return secrets;
}

std::vector<InstallPlan> PlanBook::compile_all(const PlanInputs& inputs, CompileContext context) const {
    apply_definitions(context, *project_);
    context.builder_images = builder_images(*project_, context.distro.tags);
    context.builder_image = inputs.builder_image;
    context.skip_incompatible = inputs.skip_incompatible;
    context.add_layers = inputs.add_layers;
    if (inputs.on_host) context.image = "host-adhoc";
    std::vector<InstallPlan> plans;
    std::string unfit;
    const OrderedLayers layers = layers_of(inputs);
    std::string missing;
    for (const MissingVariable& variable : missing_environment(layers, inputs.env))
        missing +=
            fmt::format("{}{} (layer {}: {})", missing.empty() ? "" : ", ", variable.name, variable.layer, variable.description);
    if (!missing.empty()) throw Error(Errc::not_found, "the deploy's env lacks " + missing);
    for (const Layer* layer : layers) {
        InstallPlan plan = compile(*layer, context);
        // Decisions 57: a layer that has nothing at all for this system must not pass for done.
        if (plan.steps.empty() && lacks_packages_for(*layer, context.distro)) {
            if (!inputs.skip_incompatible) unfit += (unfit.empty() ? "" : ", ") + layer->key;
            continue;
        }
        for (Step& step : plan.steps)
            if (auto* task = std::get_if<TaskStep>(&step.body))
                for (const std::string& line : inputs.env) {
                    const std::size_t equals = line.find('=');
                    if (equals != std::string::npos) task->env.emplace(line.substr(0, equals), line.substr(equals + 1));
                }
        plans.push_back(std::move(plan));
    }
    if (!unfit.empty())
        throw Error(Errc::unsupported,
                    fmt::format("nothing for {} in: {}; leave them out with --skip-incompatible",
                                context.distro.tags.empty() ? "an unknown distribution" : context.distro.tags.front(), unfit));
    return plans;
}

std::shared_ptr<PlanCache> PlanBook::plans_for(const PlanInputs& inputs) {
    std::string name = inputs.primary + '\0' + inputs.builder_image + '\0' + (inputs.skip_incompatible ? "1" : "0") +
                       (inputs.on_host ? "h" : "v");
    for (const std::string& ref : inputs.add_layers) name += '\1' + ref;
    for (const std::string& line : inputs.env) name += '\2' + line;
    auto& cache = caches_[name];
    if (!cache)
        cache =
            std::make_shared<PlanCache>([this, inputs](const CompileContext& context) { return compile_all(inputs, context); });
    return cache;
}

}  // namespace ov
