#include <algorithm>

#include "ov/install_plan.hpp"

namespace ov {

namespace {

class HomeResolver {
public:
    explicit HomeResolver(std::string_view home) : home_(home) {}

    void operator()(ShellHookStep& step) const {
        for (auto& [key, value] : step.env_vars) replace(value);
        replace(step.path_add);
        replace(step.env_file);
    }
    void operator()(ShellSnippetStep& step) const {
        replace(step.snippet);
        replace(step.destination);
        replace(step.path_append);
    }
    void operator()(FileStep& step) const { replace(step.dest); }
    void operator()(ServicePackagedStep& step) const {
        replace(step.overrides_text);
        replace(step.overrides_path);
    }
    void operator()(ServiceCustomStep& step) const {
        replace(step.unit_text);
        replace(step.unit_path);
    }
    void operator()(TaskStep& step) const {
        replace(step.path);
        if (step.verb == TaskVerb::link || step.verb == TaskVerb::copy) replace(step.source);
        replace(step.uninstall);
    }
    template <class Other>
    void operator()(Other&) const {}

private:
    void replace(std::string& text) const {
        const std::string_view token = home_token;
        for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at + home_.size()))
            text.replace(at, token.size(), home_);
    }
    void replace(std::vector<std::string>& texts) const {
        for (std::string& text : texts) replace(text);
    }

    std::string_view home_;
};

}  // namespace

void resolve_home(InstallPlan& plan, std::string_view home) {
    if (home.empty()) return;
    while (home.size() > 1 && home.ends_with('/')) home.remove_suffix(1);
    for (Step& step : plan.steps) std::visit(HomeResolver(home), step.body);
}

}  // namespace ov
