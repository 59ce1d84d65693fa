// Services of layers as programs of supervisord, the init of containers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan/containerfile.hpp"
#include "plan/home_token.hpp"

namespace ov {

namespace {

constexpr const char* header =
    "[unix_http_server]\n"
    "file=/tmp/supervisor.sock\n"
    "\n"
    "[supervisord]\n"
    "nodaemon=true\n"
    "logfile=/dev/null\n"
    "logfile_maxbytes=0\n"
    "pidfile=/tmp/supervisord.pid\n"
    "\n"
    "[rpcinterface:supervisor]\n"
    "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
    "\n"
    "[supervisorctl]\n"
    "serverurl=unix:///tmp/supervisor.sock\n";

std::string at_home(std::string_view text, const std::string& home) {
    std::string out = plan::tokenise_home(text);
    for (std::size_t at = out.find(home_token); at != std::string::npos; at = out.find(home_token, at))
        out.replace(at, std::string_view(home_token).size(), home);
    return out;
}

/// A value ends at the line's end, and a `;` after a space would begin a comment.
std::string value_of(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c == '\n')
            out += ' ';
        else if (c == ';' && out.ends_with(' '))
            out += "\\;";
        else
            out += c;
    return out;
}

const YamlNode* raw_service(const Layer& layer, std::size_t index) {
    const YamlNode* list = layer.body ? layer.body->find("service") : nullptr;
    return list != nullptr && index < list->items.size() ? list->items[index].get() : nullptr;
}

std::string program(const Layer& layer, const Service& service, const YamlNode* raw, const std::string& home) {
    const auto extra = [raw](const char* key) {
        const YamlNode* value = raw == nullptr ? nullptr : raw->find(key);
        return value != nullptr && value->is_scalar() ? value->text : std::string();
    };
    const bool listener = extra("kind") == "eventlistener";
    std::string text = fmt::format("\n# layer {}\n[{}:{}]\n", layer.name, listener ? "eventlistener" : "program", service.name);
    const auto line = [&text](const char* key, const std::string& value) {
        if (!value.empty()) text += fmt::format("{}={}\n", key, value_of(value));
    };
    line("command", at_home(service.exec, home));
    if (const YamlNode* events = raw == nullptr ? nullptr : raw->find("event"); listener && events != nullptr) {
        std::vector<std::string> names;
        for (const YamlPtr& item : events->items) names.push_back(item->text);
        line("events", events->is_scalar() ? events->text : fmt::format("{}", fmt::join(names, ",")));
    }
    const std::string start = extra("auto_start");
    if (!start.empty() || !listener) line("autostart", start == "false" || start == "no" ? "false" : "true");
    if (!listener) line("autorestart", service.restart == "no" ? "false" : "true");
    line("startretries", extra("start_retry"));
    line("startsecs", extra("start_sec"));
    line("exitcodes", fmt::format("{}", fmt::join(service.exit_codes, ",")));
    line("stopsignal", service.stop_signal);
    line("stopwaitsecs", service.stop_timeout);
    line("priority", extra("priority"));
    line("directory", at_home(service.working_directory, home));
    line("user", service.user);
    std::string environment;
    for (const auto& [key, value] : service.env) {
        std::string quoted;
        for (const char c : at_home(value, home)) {
            if (c == '"' || c == '\\') quoted += '\\';
            quoted += c;
            if (c == '%') quoted += '%';
        }
        environment += fmt::format("{}{}=\"{}\"", environment.empty() ? "" : ",", key, quoted);
    }
    line("environment", environment);
    const bool file = service.stdout_target.starts_with('/');
    line("stdout_logfile", file ? service.stdout_target : "/dev/fd/1");
    line("stdout_logfile_maxbytes", "0");
    if (listener)
        text += "stderr_logfile=/dev/fd/2\nstderr_logfile_maxbytes=0\n";
    else
        text += "redirect_stderr=true\n";
    return text;
}

}  // namespace

std::string supervisord_text(const OrderedLayers& layers, const std::string& home, std::vector<std::string>& notes) {
    std::string text = header;
    for (const Layer* layer : layers)
        for (std::size_t i = 0; i < layer->services.size(); ++i) {
            const Service& service = layer->services[i];
            if (service.packaged())
                notes.push_back(fmt::format("layer {}: {} is a unit of systemd: nothing starts it in the container", layer->key,
                                            service.use_packaged));
            else
                text += program(*layer, service, raw_service(*layer, i), home);
        }
    return text;
}

}  // namespace ov
