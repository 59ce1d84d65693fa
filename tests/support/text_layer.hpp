// Layers and projects from text, for tests.
#pragma once

#include <string>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/layer.hpp"
#include "spec/decode_layer.hpp"

namespace ov::test {

/// Decodes `text` as the layer.yml of a layer called `name` in /layers/<name>. Throws SpecError on findings that are errors.
inline Layer layer_of(const std::string& text, const std::string& name = "web", std::vector<Diagnostic>* warnings = nullptr) {
    std::vector<Diagnostic> findings;
    Layer layer = spec::decode_layer_file(text, name + ".yml", name, "/layers/" + name, findings);
    std::vector<Diagnostic> errors;
    for (const Diagnostic& finding : findings) {
        if (finding.severity == Severity::error)
            errors.push_back(finding);
        else if (warnings != nullptr)
            warnings->push_back(finding);
    }
    if (!errors.empty()) throw SpecError(std::move(errors));
    return layer;
}

}  // namespace ov::test
