#include "guest/from_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "guest/child.hpp"
#include "guest/pod_devices.hpp"
#include "image/pod_overlay.hpp"
#include "ov/error.hpp"
#include "spec/yaml_document.hpp"

namespace ov::guest {

namespace {

namespace fs = std::filesystem;
constexpr PodmanVersion quadlet_since{4, 4};

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    return text;
}

Finished must(const std::vector<std::string>& words, const std::string& what) {
    Finished done = run(words);
    if (!done.ok())
        throw Error(Errc::step_failed,
                    fmt::format("{}: exit status {}: {}", what, done.status, trimmed(done.err.empty() ? done.out : done.err)));
    return done;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string config_directory() {
    const std::string xdg = variable("XDG_CONFIG_HOME");
    if (xdg.starts_with("/")) return xdg;
    const std::string home = variable("HOME");
    if (!home.starts_with("/")) throw Error(Errc::io, "HOME is not set");
    return home + "/.config";
}

/// A shell without a login has no runtime directory in its environment. Right after lingering was enabled the manager needs a
/// moment (W4).
void require_user_manager() {
    const std::string runtime = "/run/user/" + std::to_string(::geteuid());
    if (variable("XDG_RUNTIME_DIR").empty()) ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
    const std::string manager = variable("XDG_RUNTIME_DIR") + "/systemd";
    for (int tries = 0; tries < 600 && !fs::is_directory(manager); ++tries) ::usleep(100 * 1000);
    if (!fs::is_directory(manager))
        throw Error(Errc::unsupported,
                    fmt::format("no systemd user manager ({} is missing after a minute): a pod needs one to come back "
                                "after a reboot; `sudo loginctl enable-linger {}`",
                                manager, variable("USER")));
}

std::map<std::string, std::string> labels_of(const std::string& ref, std::string& id) {
    if (!run({"podman", "image", "exists", ref}).ok())
        must({"podman", "pull", "--quiet", ref}, fmt::format("image {} is not in storage, and podman pull", ref));
    const Finished done = must({"podman", "image", "inspect", "--", ref}, fmt::format("podman image inspect {}", ref));
    const nlohmann::json facts = nlohmann::json::parse(done.out).at(0);
    id = facts.at("Id").get<std::string>();
    std::map<std::string, std::string> labels;
    if (const auto found = facts.find("Labels"); found != facts.end() && found->is_object())
        for (const auto& [key, value] : found->items()) labels[key] = value.get<std::string>();
    return labels;
}

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Temporary file beside it, 0600, fsync, rename. True when the content changed.
bool write(const std::string& path, const std::string& text) {
    if (fs::exists(path) && read(path) == text) return false;
    fs::create_directories(fs::path(path).parent_path());
    const std::string temporary = path + ".tmp";
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = file >= 0 && ::fchmod(file, 0600) == 0;
    good = good && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    const int problem = errno;
    if (file >= 0) ::close(file);
    if (!good || ::rename(temporary.c_str(), path.c_str()) != 0) {
        ::unlink(temporary.c_str());
        throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(good ? errno : problem)));
    }
    return true;
}

void ensure_network(const std::string& network) {
    if (network != "ov" || run({"podman", "network", "inspect", "ov"}).ok()) return;
    const Finished made = run({"podman", "network", "create", "ov"});
    if (!made.ok() && !run({"podman", "network", "inspect", "ov"}).ok())
        throw Error(Errc::step_failed, fmt::format("podman network create ov: {}", trimmed(made.err)));
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
            throw Error(Errc::step_failed, fmt::format("podman secret create {}: {}", secret.podman_name, trimmed(made.err)));
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

struct Files {
    std::string unit, text, service;
    bool generated = false;  ///< by podman itself, for one without quadlet
};

Files quadlet_files(const PodUnit& unit, PodmanVersion podman) {
    return {config_directory() + "/containers/systemd/" + unit.container + ".container", quadlet_text(unit, podman),
            unit.container + ".service", false};
}

/// Before 4.4 podman writes a unit that creates the container anew at each start.
Files generated_files(const PodUnit& unit) {
    std::vector<std::string> words = create_words(unit);
    words.insert(words.begin(), {"podman", "create"});
    must(words, fmt::format("podman create {}", unit.container));
    const Finished text = must({"podman", "generate", "systemd", "--new", "--name", "--no-header", "--restart-policy", "always",
                                "--start-timeout", "900", "--container-prefix", "", "--separator", "", unit.container},
                               fmt::format("podman generate systemd {}", unit.container));
    must({"podman", "rm", "--force", unit.container}, fmt::format("podman rm {}", unit.container));
    return {config_directory() + "/systemd/user/" + unit.container + ".service", text.out, unit.container + ".service", true};
}

std::string pods_directory() {
    return config_directory() + "/ov/pods";
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
    std::string image;
    auto labels = labels_of(options.ref, image);
    apply_overlay(labels, options, out);
    const PodPlan plan = plan_pod(labels, options, find_devices("", run({"nvidia-smi"}).ok()));
    const PodUnit& unit = plan.unit;
    if (dry_run) {
        const Files files = quadlet_files(unit, podman);
        out << "# " << files.unit
            << (podman < quadlet_since ? " (podman before 4.4: `podman generate systemd` makes the unit instead)" : "") << '\n'
            << files.text;
        return;
    }
    require_user_manager();
    ensure_network(unit.network);
    ensure_secrets(plan);
    ensure_binds(options, unit.container);
    const bool same_image = running_image(unit.container) == image;
    const std::string digest_file = pods_directory() + "/" + unit.container + ".unit";
    const std::string full_name = unit.instance.empty() ? unit.name : unit.name + "/" + unit.instance;
    write(pods_directory() + "/" + unit.container + ".owner", options.owner + "\n" + full_name + "\n");
    // podman's generated text needs a container of the name: it is only asked for when what it is made from has changed.
    const bool changed = write(digest_file, quadlet_text(unit, podman));
    const bool active = run({"systemctl", "--user", "is-active", "--quiet", unit.container + ".service"}).ok();
    if (!changed && same_image && active) {
        out << unit.container << " is running already\n";
        return;
    }
    if (podman < quadlet_since && active)
        must({"systemctl", "--user", "stop", unit.container + ".service"}, "stop " + unit.container);
    seed_volumes(plan, image, out);
    const Files files = podman < quadlet_since ? generated_files(unit) : quadlet_files(unit, podman);
    write(files.unit, files.text);
    must({"systemctl", "--user", "daemon-reload"}, "systemctl --user daemon-reload");
    if (files.generated) must({"systemctl", "--user", "enable", files.service}, fmt::format("enable {}", files.service));
    if (!plan.post_enable.empty()) must({"sh", "-c", plan.post_enable}, "the image's post_enable hook");
    must({"systemctl", "--user", "restart", files.service},
         fmt::format("start {} (see `journalctl --user -u {}`)", files.service, files.service));
    out << unit.container << " is up\n";
}

void list_pods(const std::string& owner, std::ostream& out) {
    std::set<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(pods_directory(), missing)) {
        if (entry.path().extension() != ".owner") continue;
        std::ifstream file(entry.path());
        std::string whose, name;
        std::getline(file, whose);
        std::getline(file, name);
        if (!name.empty() && (owner.empty() || whose == owner)) names.insert(name);
    }
    for (const std::string& name : names) out << name << '\n';
}

void delete_pod(const std::string& name, const std::string& instance, std::ostream& out) {
    const std::string container = "ov-" + name + (instance.empty() ? "" : "-" + instance);
    require_user_manager();
    const std::string quadlet = config_directory() + "/containers/systemd/" + container + ".container";
    const std::string generated = config_directory() + "/systemd/user/" + container + ".service";
    if (!fs::exists(quadlet) && !fs::exists(generated)) {
        fs::remove(pods_directory() + "/" + container + ".owner");
        out << container << ": nothing to remove\n";
        return;
    }
    must({"systemctl", "--user", "stop", container + ".service"}, "stop " + container);
    if (fs::exists(generated)) must({"systemctl", "--user", "disable", container + ".service"}, "disable " + container);
    for (const std::string& file :
         {quadlet, generated, pods_directory() + "/" + container + ".unit", pods_directory() + "/" + container + ".owner"})
        fs::remove(file);
    must({"systemctl", "--user", "daemon-reload"}, "systemctl --user daemon-reload");
    out << container << " is removed\n";
}

}  // namespace ov::guest
