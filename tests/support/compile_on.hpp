// Contexts to compile for, in tests.
#pragma once

#include <string_view>

#include "ov/compile.hpp"

namespace ov::test {

inline CompileContext target(std::string_view tag) {
    CompileContext context;
    context.distro = distro_from_tag(tag);
    context.user = "cloud";
    return context;
}

/// The messages of a compile that must fail, one per line; "compiled" when it does not.
inline std::string compile_errors(const Layer& layer, std::string_view tag = "fedora:43") {
    try {
        compile(layer, target(tag));
        return "compiled";
    } catch (const SpecError& e) {
        std::string text;
        for (const Diagnostic& finding : e.findings()) text += finding.str() + "\n";
        return text;
    }
}

template <class T>
std::vector<T> steps_of(const InstallPlan& plan) {
    std::vector<T> found;
    for (const Step& step : plan.steps)
        if (const T* body = std::get_if<T>(&step.body)) found.push_back(*body);
    return found;
}

}  // namespace ov::test
