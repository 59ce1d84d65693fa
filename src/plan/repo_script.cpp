#include "plan/repo_script.hpp"

#include <fmt/format.h>

#include "base/sha256.hpp"
#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;
using Repo = std::map<std::string, std::string>;

std::string value(const Repo& repo, const std::string& key, const std::string& otherwise = {}) {
    const auto found = repo.find(key);
    return found == repo.end() || found->second.empty() ? otherwise : found->second;
}

std::string required(const Repo& repo, const std::string& key) {
    if (auto text = value(repo, key); !text.empty()) return text;
    throw Error(Errc::spec_invalid, fmt::format("repository {}: '{}' is missing", value(repo, "name", "without a name"), key));
}

std::string repo_file(const std::string& path, const std::string& text) {
    return script_call("ov_repo_file", {path, sha256_hex(text), text});
}

bool is_no(const std::string& text) {
    return text == "false" || text == "no" || text == "0";
}

std::string rpm_repo(const Repo& repo) {
    if (const std::string package = value(repo, "rpm"); !package.empty())
        return script_call("ov_packages", {"rpm", "--", package});
    const std::string name = required(repo, "name"), url = required(repo, "url"), key = value(repo, "gpgkey");
    const std::string path = "/etc/yum.repos.d/" + name + ".repo";
    std::string text = key.empty() ? "" : script_call("rpm", {"--import", key});
    const bool unsigned_packages = is_no(value(repo, "gpgcheck"));
    if (url.ends_with(".repo")) return text + script_call("ov_repo_url", {path, url, name, unsigned_packages ? "0" : ""});
    return text + repo_file(path, fmt::format("[{0}]\nname={0}\nbaseurl={1}\nenabled=0\ngpgcheck={2}\n{3}", name, url,
                                              unsigned_packages ? 0 : 1, key.empty() ? "" : "gpgkey=" + key + "\n"));
}

std::string deb_repo(const Repo& repo) {
    if (const std::string ppa = value(repo, "ppa"); !ppa.empty()) return script_call("add-apt-repository", {"-y", "ppa:" + ppa});
    const std::string name = required(repo, "name"), url = required(repo, "url"), suite = value(repo, "suite", "stable");
    const std::string ring = value(repo, "signed_by", "/etc/apt/keyrings/" + name + ".gpg"), key = value(repo, "key");
    const std::string components = suite == "/" ? value(repo, "components") : value(repo, "components", "main");
    return (key.empty() ? "" : script_call("ov_apt_key", {ring, key})) +
           repo_file("/etc/apt/sources.list.d/" + name + ".list",
                     fmt::format("deb {}{} {}{}{}\n",
                                 key.empty() && value(repo, "signed_by").empty() ? "" : "[signed-by=" + ring + "] ", url, suite,
                                 components.empty() ? "" : " ", components));
}

std::string pac_repo(const Repo& repo) {
    return script_call("ov_pacman_repo", {required(repo, "name"), required(repo, "server"),
                                          value(repo, "siglevel", "Optional TrustAll"), value(repo, "key")});
}

std::string prepare_script(const SystemPackagesStep& step) {
    std::string text = "set -e\n";
    for (const Repo& repo : step.repos) {
        if (step.format == "rpm") text += rpm_repo(repo);
        if (step.format == "deb") text += deb_repo(repo);
        if (step.format == "pac") text += pac_repo(repo);
    }
    for (const std::string& key : step.keys)
        if (step.format == "rpm") text += script_call("rpm", {"--import", key});
    for (const std::string& copr : step.copr) text += script_call("ov_copr", {copr});
    for (const std::string& module : step.modules) {
        text += script_call("dnf", {"-y", "module", "reset", module.substr(0, module.find(':'))});
        text += script_call("dnf", {"-y", "module", "enable", module});
    }
    return text;
}

std::string install_script(const SystemPackagesStep& step) {
    std::string line = "set -e\nov_packages " + step.format;
    for (const std::string& option : step.options) line += " " + script_word(option);
    if (step.format == "rpm") {
        for (const std::string& name : step.exclude) line += " " + script_word("--exclude=" + name);
        for (const std::string& name : step.enable_repos) line += " " + script_word("--enablerepo=" + name);
    }
    line += " --";
    for (const std::string& package : step.packages) line += " " + script_word(package);
    return line + "\n";
}

std::string cleanup_script(const SystemPackagesStep& step) {
    std::string text = "set -e\n";
    for (const std::string& copr : step.copr) text += script_call("dnf", {"-y", "copr", "disable", copr});
    return text;
}

}  // namespace

GuestStep render_packages(const SystemPackagesStep& step) {
    if (step.format != "deb" && step.format != "rpm" && step.format != "pac")
        throw Error(Errc::spec_invalid, fmt::format("unknown package format '{}'", step.format));
    GuestStep out;
    out.as = RunAs::root;
    out.limit = 1800s;
    switch (step.phase) {
        case Phase::prepare:
            out.text = prepare_script(step);
            out.library = {GuestPart::repos, GuestPart::packages};
            break;
        case Phase::install:
            out.text = install_script(step);
            out.library = {GuestPart::packages};
            break;
        case Phase::cleanup:
            out.text = cleanup_script(step);
            break;
    }
    if ((step.phase == Phase::install && step.packages.empty()) || out.text == "set -e\n") {
        out.action = GuestAction::skip;
        out.note = "nothing to do";
    }
    return out;
}

}  // namespace ov
