// `env_require` (W16): values that the deploy must bring.
#include <algorithm>

#include "ov/compile.hpp"

namespace ov {

std::vector<MissingVariable> missing_environment(std::span<const Layer* const> layers, std::span<const std::string> env) {
    const auto given = [&](const std::string& name) {
        return std::any_of(env.begin(), env.end(), [&](const std::string& line) {
            return line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=';
        });
    };
    std::vector<MissingVariable> missing;
    for (const Layer* layer : layers)
        for (const Dependency& variable : layer->env_require) {
            const bool own = layer->env.contains(variable.name) || !variable.fallback.empty();
            if (!own && !given(variable.name)) missing.push_back({layer->key, variable.name, variable.description});
        }
    return missing;
}

}  // namespace ov
