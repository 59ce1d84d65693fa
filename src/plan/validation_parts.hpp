// Rules of single families of keys, shared by validate_layer.cpp only.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/layer.hpp"

namespace ov::plan {

/// Where findings about one layer go; every message names the layer.
class Findings {
public:
    Findings(const Layer& layer, std::vector<Diagnostic>& all) : layer_(layer), all_(all) {}

    void error(const SourcePosition& where, std::string path, const std::string& message) {
        all_.push_back({where, std::move(path), fmt::format("layer {}: {}", layer_.key, message), Severity::error});
    }
    void warning(const SourcePosition& where, std::string path, const std::string& message) {
        all_.push_back({where, std::move(path), fmt::format("layer {}: {}", layer_.key, message), Severity::warning});
    }

private:
    const Layer& layer_;
    std::vector<Diagnostic>& all_;
};

void validate_tasks(const Layer& layer, Findings& findings);
void validate_variables(const Layer& layer, Findings& findings);
void validate_services(const Layer& layer, Findings& findings);
void validate_shell(const Layer& layer, Findings& findings);
void validate_packages(const Layer& layer, Findings& findings);
void validate_dependencies(const Layer& layer, Findings& findings);
void validate_apk(const Layer& layer, Findings& findings);

bool is_environment_name(std::string_view name) noexcept;

}  // namespace ov::plan
