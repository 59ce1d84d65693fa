// `service` entries -> ServicePackaged and ServiceCustom steps, after the twin rule.
#include <fmt/format.h>

#include <algorithm>

#include "plan/compile_parts.hpp"
#include "plan/home_token.hpp"
#include "plan/unit_text.hpp"

namespace ov::plan {

namespace {

constexpr std::string_view name_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.\\-@";

bool is_unit_name(std::string_view name) {
    return !name.empty() && name.front() != '-' && name.front() != '.' && name.size() < 200 &&
           name.find_first_not_of(name_characters) == std::string_view::npos;
}

std::string unit_directory(Scope scope) {
    return scope == Scope::user ? std::string(home_token) + "/.config/systemd/user/" : "/etc/systemd/system/";
}

bool has_packaged_twin(const Layer& layer, const Service& custom) {
    return std::any_of(layer.services.begin(), layer.services.end(), [&](const Service& other) {
        return other.packaged() && !custom.name.empty() && other.name == custom.name;
    });
}

class ServiceCompiler {
public:
    ServiceCompiler(Compilation& c, const Service& service, std::size_t index)
        : c_(c), service_(service), path_(fmt::format("layer.service[{}]", index)) {}

    std::optional<Step> run() {
        std::optional<Step> step;
        if (service_.packaged())
            step = packaged();
        else if (!has_packaged_twin(c_.layer, service_))
            step = custom();
        for (const std::string& problem : problems_) c_.error(service_.where, path_, problem);
        return step;
    }

private:
    std::optional<Step> packaged() {
        if (!is_unit_name(service_.use_packaged)) {
            c_.error(service_.where, path_ + ".use_packaged", fmt::format("\"{}\" is no name of a unit", service_.use_packaged));
            return std::nullopt;
        }
        ServicePackagedStep step;
        step.unit = unit_name(service_.use_packaged);
        step.target_scope = service_.scope;
        step.enable = service_.enable;
        step.layer = c_.layer.name;
        step.overrides_text = dropin_text(service_.overrides, problems_);
        if (!step.overrides_text.empty())
            step.overrides_path = unit_directory(service_.scope) + step.unit + ".d/ov-" + c_.layer.name + ".conf";
        return Step{std::move(step)};
    }

    std::optional<Step> custom() {
        if (!is_unit_name(service_.name)) {
            c_.error(service_.where, path_ + ".name",
                     service_.name.empty() ? "a service needs a name"
                                           : fmt::format("\"{}\" cannot be part of a unit's name", service_.name));
            return std::nullopt;
        }
        if (service_.exec.empty() && service_.overrides.exec.empty()) {
            c_.error(service_.where, path_ + ".exec", fmt::format("service \"{}\" needs exec or use_packaged", service_.name));
            return std::nullopt;
        }
        Service resolved = service_;
        if (!c_.context.user.empty()) resolved.user = expand_variables(resolved.user, {{"USER", c_.context.user}});
        ServiceCustomStep step;
        step.name = fmt::format("ov-{}-{}", c_.layer.name, service_.name);
        step.unit_text = unit_text(c_.layer.name, resolved, problems_);
        step.unit_path = unit_directory(service_.scope) + step.name + ".service";
        step.target_scope = service_.scope;
        step.enable = service_.enable;
        step.layer = c_.layer.name;
        return Step{std::move(step)};
    }

    Compilation& c_;
    const Service& service_;
    std::string path_;
    std::vector<std::string> problems_;
};

}  // namespace

void compile_services(Compilation& c, std::vector<Step>& steps) {
    for (std::size_t i = 0; i < c.layer.services.size(); ++i)
        if (auto step = ServiceCompiler(c, c.layer.services[i], i).run()) steps.push_back(std::move(*step));
}

}  // namespace ov::plan
