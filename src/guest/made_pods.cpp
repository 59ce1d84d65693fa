#include "guest/made_pods.hpp"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>

#include "guest/child.hpp"
#include "guest/pod_files.hpp"
#include "guest/user_manager.hpp"

namespace ov::guest {

namespace fs = std::filesystem;

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

void delete_pod(const std::string& name, const std::string& instance, std::ostream& out, std::ostream& complaints) {
    const std::string container = "ov-" + name + (instance.empty() ? "" : "-" + instance);
    require_user_manager();
    const PodFiles files(container);
    if (!files.has_unit()) {
        files.remove();
        out << container << ": nothing to remove\n";
        return;
    }
    if (const std::string hook = read(files.pre_remove); !hook.empty()) {
        const Finished done = run({"sh", "-c", hook});
        if (!done.ok())
            complaints << container << ": the image's pre_remove hook: exit status " << done.status << ": " << done.words()
                       << '\n';
    }
    stop_unit(files.service);
    if (fs::exists(files.generated)) must({"systemctl", "--user", "disable", files.service}, "disable " + container);
    files.remove();
    must({"systemctl", "--user", "daemon-reload"}, "systemctl --user daemon-reload");
    run({"systemctl", "--user", "reset-failed", files.service});  // one that failed stays listed; one that did not is unknown
    out << container << " is removed\n";
}

}  // namespace ov::guest
