#include "image/pod_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "image/image_names.hpp"
#include "image/pod_label_reader.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

using nlohmann::json;
using Labels = PodLabelReader;

std::optional<int> port_number(std::string_view text) {
    int number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size() || number < 1 || number > 65535)
        return std::nullopt;
    return number;
}

/// The text of an address that ports stand behind.
std::string bracketed(const std::string& address) {
    return address.find(':') == std::string::npos || address.starts_with('[') ? address : "[" + address + "]";
}

/// "P", "H:C", "IP:H:C", "[v6]:H:C", each with "/tcp" or "/udp".
struct Port {
    std::string address, protocol;
    int host = 0, container = 0;
    /// What two texts for the same port have in common.
    std::string inside() const { return std::to_string(container) + (protocol == "/udp" ? protocol : std::string()); }
    std::string str() const { return fmt::format("{}:{}:{}{}", bracketed(address), host, container, protocol); }
};

std::optional<Port> parse_port(std::string text) {
    Port port;
    const std::size_t slash = text.find('/');
    if (slash != std::string::npos) {
        port.protocol = text.substr(slash);
        if (port.protocol != "/tcp" && port.protocol != "/udp") return std::nullopt;
        text.resize(slash);
    }
    const std::size_t last = text.rfind(':');
    const auto container = port_number(std::string_view(text).substr(last == std::string::npos ? 0 : last + 1));
    if (!container) return std::nullopt;
    port.container = port.host = *container;
    if (last == std::string::npos) return port;
    text.resize(last);
    const std::size_t before = text.rfind(':');
    const bool bracket = text.ends_with(']');
    const auto host =
        bracket ? std::nullopt : port_number(std::string_view(text).substr(before == std::string::npos ? 0 : before + 1));
    if (!host) return std::nullopt;
    port.host = *host;
    if (before != std::string::npos) port.address = text.substr(0, before);
    return port;
}

/// The image's ports, those that were asked for in their place; one that the image does not know comes after them.
std::vector<std::string> ports_of(const Labels& labels, const PodOptions& options) {
    std::map<std::string, Port> overrides;
    std::vector<std::string> order;
    for (const std::string& text : options.ports) {
        const auto port = parse_port(text);
        if (!port) throw Error(Errc::usage, fmt::format("-p {}: expected [ADDRESS:]HOST:CONTAINER, ports from 1 to 65535", text));
        const std::string inside = port->inside();
        if (!overrides.contains(inside)) order.push_back(inside);
        overrides[inside] = *port;
    }
    std::vector<std::string> all;
    for (const std::string& text : labels.words("ports")) {
        auto port = parse_port(text);
        if (!port) {
            all.push_back(bracketed(options.bind) + ":" + text);
            continue;
        }
        const std::string inside = port->inside();
        if (const auto own = overrides.find(inside); own != overrides.end()) {
            port->host = own->second.host;
            if (!own->second.address.empty()) port->address = own->second.address;
            std::erase(order, inside);
        }
        if (port->address.empty()) port->address = options.bind;
        all.push_back(port->str());
    }
    for (const std::string& inside : order) {
        Port& port = overrides[inside];
        if (port.address.empty()) port.address = options.bind;
        all.push_back(port.str());
    }
    return all;
}

void set_env(std::vector<std::string>& env, const std::string& assignment, bool replace) {
    const std::string key = assignment.substr(0, assignment.find('='));
    for (std::string& known : env) {
        if (known.substr(0, known.find('=')) != key) continue;
        if (replace) known = assignment;
        return;
    }
    env.push_back(assignment);
}

std::vector<std::string> env_of(const Labels& labels, const PodOptions& options, const PodDevices& devices) {
    std::vector<std::string> env;
    for (std::string assignment : labels.words("env")) {
        if (assignment.find('=') == std::string::npos) Labels::malformed("env", fmt::format("{} is no KEY=VALUE", assignment));
        set_env(env, assignment, true);
    }
    for (const std::string& assignment : options.env) {
        if (assignment.find('=') == std::string::npos || assignment.starts_with("="))
            throw Error(Errc::usage, fmt::format("-e {}: expected KEY=VALUE", assignment));
        set_env(env, assignment, true);
    }
    for (std::string& assignment : env)
        if (assignment.starts_with("NO_PROXY=") || assignment.starts_with("no_proxy="))
            std::replace(assignment.begin(), assignment.end(), ';', ',');
    std::string missing;
    for (const json& wanted : labels.list("env_requires")) {
        const std::string name = label_member(wanted, "name", "env_requires");
        const bool there =
            std::any_of(env.begin(), env.end(), [&](const std::string& known) { return known.starts_with(name + "="); });
        if (!there) missing += (missing.empty() ? "" : ", ") + name;
    }
    if (!missing.empty())
        throw Error(Errc::not_found,
                    fmt::format("the image requires these variables: {}; give them with -e NAME=VALUE", missing));
    if (!devices.amd_gfx_version.empty()) set_env(env, "HSA_OVERRIDE_GFX_VERSION=" + devices.amd_gfx_version, false);
    if (!devices.render_node.empty()) {
        set_env(env, "DRINODE=" + devices.render_node, false);
        set_env(env, "DRI_NODE=" + devices.render_node, false);
    }
    return env;
}

void add_volumes(PodUnit& unit, const Labels& labels, const PodOptions& options, const ImageDefaults& image) {
    for (const json& volume : labels.list("volumes")) {
        const std::string name = label_member(volume, "name", "volumes"), path = label_member(volume, "path", "volumes");
        if (name.empty() || path.empty()) Labels::malformed("volumes", "name and path are required");
        if (options.binds.contains(name))
            unit.binds.push_back(bind_directory(options, unit.container, name) + ":" + path);
        else
            unit.volumes.push_back(unit.container + "-" + name + ":" + path);
        if (name == "workspace") unit.working_dir = path;
    }
    if (unit.working_dir.empty()) unit.working_dir = labels.text("home");
    if (unit.working_dir.empty()) unit.working_dir = image.working_dir.empty() ? "/" : image.working_dir;
    // The container's user owns what it writes there as the machine's user.
    if (!unit.binds.empty()) unit.keep_id = {labels.number("uid").value_or(0), labels.number("gid").value_or(0)};
}

void add_security(PodUnit& unit, const Labels& labels, const PodDevices& devices) {
    const json security = labels.object("security");
    const auto text = [&](const char* key) { return label_member(security, key, "security"); };
    const auto flag = security.find("privileged");
    if (flag != security.end() && !flag->is_boolean()) Labels::malformed("security", "privileged must be true or false");
    unit.privileged = flag != security.end() && flag->get<bool>();
    unit.cap_add = label_members(security, "cap_add", "security");
    unit.devices = label_members(security, "devices", "security");
    unit.security_opt = label_members(security, "security_opt", "security");
    unit.groups = label_members(security, "group_add", "security");
    unit.mounts = label_members(security, "mounts", "security");
    unit.cgroupns = text("cgroupns");
    unit.ipc = text("ipc_mode");
    unit.shm_size = text("shm_size");
    unit.memory_max = text("memory_max");
    unit.memory_high = text("memory_high");
    unit.memory_swap_max = text("memory_swap_max");
    unit.cpus = text("cpus");
    if (unit.privileged) return;
    for (const std::string& node : devices.nodes)
        if (std::find(unit.devices.begin(), unit.devices.end(), node) == unit.devices.end()) unit.devices.push_back(node);
    // podman refuses keep-groups beside other groups (W7).
    if (devices.amd && unit.groups.empty()) unit.groups.emplace_back("keep-groups");
}

void add_secrets(PodPlan& plan, const Labels& labels) {
    for (const json& secret : labels.list("secrets")) {
        PodSecret wanted;
        const std::string name = label_member(secret, "name", "secrets");
        if (name.empty()) Labels::malformed("secrets", "name is required");
        wanted.name = plan.unit.container + "-" + name;
        wanted.env = label_member(secret, "env", "secrets");
        wanted.target = label_member(secret, "target", "secrets");
        if (wanted.env.empty() && wanted.target.empty()) wanted.target = "/run/secrets/" + name;
        plan.secrets.push_back({wanted.name, wanted.env.empty() ? name : wanted.env});
        plan.unit.secrets.push_back(std::move(wanted));
    }
}

void check_name(const std::string& name) {
    const bool good = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos &&
                      std::string("._-").find(name.front()) == std::string::npos;
    if (!good) throw Error(Errc::usage, fmt::format("'{}' is no name for a pod: [a-z0-9][a-z0-9._-]*", name));
}

}  // namespace

std::string default_pod_name(const std::string& ref) {
    return last_segment(ref);
}

std::string bind_directory(const PodOptions& options, const std::string& container, const std::string& volume) {
    const auto found = options.binds.find(volume);
    const std::string given = found == options.binds.end() ? std::string() : found->second;
    if (given.empty()) return options.volumes + "/" + container + "/" + volume;
    return given.starts_with("~/") ? options.home + given.substr(1) : given;
}

PodPlan plan_pod(const std::map<std::string, std::string>& all, const PodOptions& options, const PodDevices& devices,
                 const ImageDefaults& image) {
    const Labels labels(all);
    if (labels.text("version").empty())
        throw Error(
            Errc::unsupported,
            fmt::format("{} has no embedded metadata (label org.overthinkos.version): it was not built by `ov image build`",
                        options.ref));
    labels.check_rest();
    check_name(options.name);
    if (!options.instance.empty()) check_name(options.instance);
    PodPlan plan;
    PodUnit& unit = plan.unit;
    unit.name = options.name;
    unit.instance = options.instance;
    unit.container = "ov-" + options.name + (options.instance.empty() ? "" : "-" + options.instance);
    unit.image = options.ref;
    unit.status = labels.text("status");
    unit.info = labels.text("info");
    unit.network = labels.text("network").empty() ? "ov" : labels.text("network");
    unit.nvidia = devices.nvidia;
    // The host's network publishes nothing, and podman refuses the pair.
    if (unit.network != "host") unit.ports = ports_of(labels, options);
    add_volumes(unit, labels, options, image);
    plan.seeds = volume_seeds(all, unit.container);
    for (const auto& [volume, directory] : options.binds)  // a directory of the machine has what its owner put there
        std::erase_if(plan.seeds, [&](const VolumeSeed& seed) { return seed.volume == unit.container + "-" + volume; });
    add_security(unit, labels, devices);
    add_secrets(plan, labels);
    unit.env = env_of(labels, options, devices);
    unit.own_command = labels.text("init") == "image" && image.has_command;
    if (labels.text("init") == "supervisord") unit.entrypoint = {"supervisord", "-n", "-c", "/etc/supervisord.conf"};
    const json hooks = labels.object("hooks");
    plan.post_enable = label_member(hooks, "post_enable", "hooks");
    plan.pre_remove = label_member(hooks, "pre_remove", "hooks");
    return plan;
}

}  // namespace ov
