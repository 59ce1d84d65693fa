// `service` (`layer-format.md` 8, W20, W21).
#include <array>

#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

constexpr std::array<std::pair<std::string_view, Scope>, 2> scopes{{{"system", Scope::system}, {"user", Scope::user}}};
/// Keys of container inits that systemd has no setting for.
constexpr std::string_view without_effect[] = {"kind", "event", "auto_start", "start_retry", "start_sec", "priority"};

std::vector<std::string> one_or_many(MapReader& reader, std::string_view key) {
    const auto value = reader.take(key);
    if (!value || value->node().is_null()) return {};
    if (value->node().is_scalar()) return {value->text()};
    return value->text_list();
}

ServiceOverrides decode_overrides(const Cursor& value) {
    ServiceOverrides overrides;
    MapReader reader(value);
    overrides.env = reader.text_map("env");
    overrides.after = reader.text_list("after");
    overrides.exec = reader.text("exec");
    reader.finish();
    return overrides;
}

Service decode_service(MapReader& reader) {
    Service service;
    service.where = reader.cursor().where();
    service.name = reader.text("name");
    service.use_packaged = reader.text("use_packaged");
    service.exec = reader.text("exec");
    service.env = reader.text_map("env");
    service.restart = reader.text("restart");
    service.working_directory = reader.text("working_directory");
    service.user = reader.text("user");
    service.stop_timeout = reader.text("stop_timeout");
    service.stop_signal = reader.text("stop_signal");
    service.stdout_target = reader.text("stdout");
    service.exit_codes = one_or_many(reader, "exit_code");
    service.after = reader.text_list("after");
    service.before = reader.text_list("before");
    service.wanted_by = reader.text_list("wanted_by");
    if (const auto scope = reader.take("scope"); scope && !scope->node().is_null())
        service.scope = scope->one_of(scopes).value_or(Scope::system);
    service.enable = reader.boolean("enable");
    if (const auto overrides = reader.take("overrides")) service.overrides = decode_overrides(*overrides);
    for (const std::string_view key : without_effect) reader.ignore(key);
    return service;
}

}  // namespace

std::vector<Service> decode_services(const Cursor& list) {
    return decode_each<Service>(list, decode_service);
}

}  // namespace ov::spec
