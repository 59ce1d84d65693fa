#include "guest/from_image.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "guest/child.hpp"
#include "guest/pod_devices.hpp"
#include "guest/pod_files.hpp"
#include "guest/user_manager.hpp"
#include "image/pod_overlay.hpp"
#include "ov/error.hpp"
#include "spec/yaml_document.hpp"

namespace ov::guest {

namespace {

namespace fs = std::filesystem;
constexpr PodmanVersion quadlet_since{4, 4};

struct Image {
    std::string id;
    std::map<std::string, std::string> labels;
    ImageDefaults defaults;
};

Image image_at(const std::string& ref, bool may_pull) {
    const bool is_here = run({"podman", "image", "exists", ref}).ok();
    if (!is_here && !may_pull)
        throw Error(Errc::not_found, fmt::format("image {} is not in podman's storage, and a dry run pulls nothing", ref));
    if (!is_here) must({"podman", "pull", "--quiet", ref}, fmt::format("image {} is not in storage, and podman pull", ref));
    const Finished done = must({"podman", "image", "inspect", "--", ref}, fmt::format("podman image inspect {}", ref));
    const nlohmann::json facts = nlohmann::json::parse(done.out).at(0);
    Image image;
    image.id = facts.at("Id").get<std::string>();
    if (const auto found = facts.find("Labels"); found != facts.end() && found->is_object())
        for (const auto& [key, value] : found->items()) image.labels[key] = value.get<std::string>();
    const nlohmann::json config = facts.value("Config", nlohmann::json::object());
    image.defaults.working_dir = config.value("WorkingDir", "");
    for (const char* key : {"Cmd", "Entrypoint"})
        if (const auto words = config.find(key); words != config.end() && words->is_array() && !words->empty())
            image.defaults.has_command = true;
    return image;
}

void ensure_network(const std::string& network) {
    if (network != "ov" || run({"podman", "network", "inspect", "ov"}).ok()) return;
    const Finished made = run({"podman", "network", "create", "ov"});
    if (!made.ok() && !run({"podman", "network", "inspect", "ov"}).ok())
        throw Error(Errc::step_failed, fmt::format("podman network create ov: {}", made.words()));
}

/// A secret that podman has is kept; else the variable of its name is the value. None: an error (W5), never the unit's text
/// (W12).
void ensure_secrets(const PodPlan& plan) {
    std::string missing;
    for (const PodPlan::WantedSecret& secret : plan.secrets) {
        if (run({"podman", "secret", "inspect", secret.podman_name}).ok()) continue;
        const std::string value = variable(secret.variable.c_str());
        if (value.empty()) {
            missing += fmt::format("{}{} (podman secret {})", missing.empty() ? "" : ", ", secret.variable, secret.podman_name);
            continue;
        }
        const Finished made = run({"podman", "secret", "create", secret.podman_name, "-"}, value);
        if (!made.ok())
            throw Error(Errc::step_failed, fmt::format("podman secret create {}: {}", secret.podman_name, made.words()));
    }
    if (!missing.empty())
        throw Error(Errc::not_found,
                    fmt::format("these secrets have no value: {}; set the variable, or create the podman secret", missing));
}

/// Volumes of the image that nobody wrote to begin with its data (W5).
void seed_volumes(const PodPlan& plan, const std::string& image, std::ostream& out) {
    for (const VolumeSeed& seed : plan.seeds) {
        const Finished done =
            must(seed_words(seed, image, ::geteuid() != 0), fmt::format("fill volume {} from the image's data", seed.volume));
        if (done.out.find("seeded") != std::string::npos) out << seed.volume << " has the image's data\n";
    }
}

/// What the deploy.yml of this user says of the pod.
void apply_overlay(std::map<std::string, std::string>& labels, PodOptions& options, std::ostream& out) {
    const std::string data = variable("XDG_DATA_HOME"), volumes = variable("OV_VOLUMES_PATH");
    options.home = variable("HOME");
    options.volumes = volumes.empty() ? (data.starts_with("/") ? data : options.home + "/.local/share") + "/ov/volumes" : volumes;
    const std::string file = config_directory() + "/ov/deploy.yml";
    if (!fs::exists(file)) return;
    std::vector<Diagnostic> findings;
    const std::vector<YamlPtr> documents = spec::parse_yaml(spec::read_text_file(file), file, findings);
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (!findings.empty()) throw SpecError(std::move(findings));
    const YamlNode* entry = documents.empty() ? nullptr : pod_entry(*documents.front(), options);
    if (entry == nullptr) return;
    std::vector<std::string> notes;
    overlay_pod(*entry, file, labels, options, notes);
    for (const std::string& note : notes) out << "note: " << note << '\n';
}

/// The directories of ov's own are made. One that the operator names must be there: it may be a disk that is not mounted.
void ensure_binds(const PodOptions& options, const std::string& container) {
    for (const auto& [volume, given] : options.binds) {
        const std::string directory = bind_directory(options, container, volume);
        if (given.empty()) fs::create_directories(directory);
        if (!fs::is_directory(directory))
            throw Error(Errc::not_found, fmt::format("volume {}: {} is no directory of this machine", volume, directory));
    }
}

std::string unit_text_by_podman(PodUnit unit, const PodFiles& files) {
    unit.env_file = files.environment;
    write(files.environment, env_file_text(unit));
    std::vector<std::string> words = create_words(unit);
    words.insert(words.begin(), {"podman", "create"});
    must(words, fmt::format("podman create {}", unit.container));
    const Finished text = must({"podman", "generate", "systemd", "--new", "--name", "--no-header", "--restart-policy", "always",
                                "--start-timeout", "900", "--container-prefix", "", "--separator", "", unit.container},
                               fmt::format("podman generate systemd {}", unit.container));
    must({"podman", "rm", "--force", unit.container}, fmt::format("podman rm {}", unit.container));
    return text.out;
}

/// Before 4.4 podman writes a unit that creates the container anew at each start. The user's own units hide those of the quadlet
/// generator: one of a former podman goes.
void write_unit(const PodUnit& unit, const std::string& quadlet, const PodFiles& files, PodmanVersion podman) {
    if (podman < quadlet_since) {
        write(files.generated, unit_text_by_podman(unit, files));
    } else {
        if (fs::exists(files.generated)) must({"systemctl", "--user", "disable", files.service}, "disable " + files.service);
        fs::remove(files.generated);
        fs::remove(files.environment);
        write(files.quadlet, quadlet);
    }
    must({"systemctl", "--user", "daemon-reload"}, "systemctl --user daemon-reload");
    if (podman < quadlet_since) must({"systemctl", "--user", "enable", files.service}, fmt::format("enable {}", files.service));
}

/// Two deploys with a child of one name would take the pod from each other at every run.
void take_ownership(const PodUnit& unit, const std::string& owner, const PodFiles& files) {
    const std::string before = files.owner_deploy();
    if (!before.empty() && before != owner && files.has_unit())
        throw Error(Errc::busy, fmt::format("pod {} is deploy {}'s on this machine: take it down there first, or give this one "
                                            "another name",
                                            unit.container, before));
    write(files.owner, fmt::format("{}\n{}{}{}\n", owner, unit.name, unit.instance.empty() ? "" : "/", unit.instance));
}

void keep_hook(const std::string& hook, const std::string& path) {
    if (hook.empty())
        fs::remove(path);
    else
        write(path, hook);
}

std::string running_image(const std::string& container) {
    const Finished asked = run({"podman", "container", "inspect", "--format", "{{.Image}}", container});
    return asked.ok() ? trimmed(asked.out) : std::string();
}

}  // namespace

void deploy_from_image(PodOptions options, bool dry_run, std::ostream& out) {
    if (options.ref.empty()) throw Error(Errc::usage, "an image reference is required");
    if (options.name.empty()) options.name = default_pod_name(options.ref);
    const Finished version = run({"podman", "--version"});
    if (!version.ok()) throw Error(Errc::unsupported, "podman is not installed on this machine");
    const PodmanVersion podman = parse_podman_version(version.out);
    Image image = image_at(options.ref, !dry_run);
    apply_overlay(image.labels, options, out);
    const PodPlan plan = plan_pod(image.labels, options, find_devices("", run({"nvidia-smi"}).ok()), image.defaults);
    const PodUnit& unit = plan.unit;
    const PodFiles files(unit.container);
    const std::string text = quadlet_text(unit, podman);
    if (podman < quadlet_since) env_file_text(unit);  // refuses what it cannot hold before anything is stopped
    if (dry_run) {
        out << "# " << files.quadlet
            << (podman < quadlet_since ? " (podman before 4.4: `podman generate systemd` makes the unit instead)" : "") << '\n'
            << text;
        return;
    }
    require_user_manager();
    take_ownership(unit, options.owner, files);
    ensure_network(unit.network);
    ensure_secrets(plan);
    ensure_binds(options, unit.container);
    // podman's generated text needs a container of the name: what it is made from is compared.
    const bool same = running_image(unit.container) == image.id && files.has_unit() && read(files.made_from) == text;
    const bool active = run({"systemctl", "--user", "is-active", "--quiet", files.service}).ok();
    if (same && active) {
        out << unit.container << " is running already\n";
        return;
    }
    // Until the pod is up with the new unit it counts as made from nothing: a run that ends on the way is made good by the next.
    fs::remove(files.made_from);
    if (podman < quadlet_since && active) stop_unit(files.service);
    seed_volumes(plan, image.id, out);
    write_unit(unit, text, files, podman);
    keep_hook(plan.pre_remove, files.pre_remove);
    if (!plan.post_enable.empty()) must({"sh", "-c", plan.post_enable}, "the image's post_enable hook");
    must({"systemctl", "--user", "restart", files.service},
         fmt::format("start {} (see `journalctl --user -u {}`)", files.service, files.service));
    write(files.made_from, text);
    out << unit.container << " is up\n";
}

}  // namespace ov::guest
