// Rules of install-plan.md about plans as values: enumerations, what every kind of step answers, its reverse operations,
// batches, and the printed forms. One row a rule.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ov/plan_output.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

using namespace ov;

namespace {

TaskStep task(TaskVerb verb, const std::string& user = "0") {
    TaskStep step;
    step.verb = verb;
    step.resolved_user = user;
    step.path = "/etc/x";
    return step;
}

SystemPackagesStep packages(Phase phase) {
    SystemPackagesStep step;
    step.format = "rpm";
    step.phase = phase;
    return step;
}

/// "kind scope venue gate".
std::string answers(const Step& step) {
    return std::string(step.kind()) + " " + std::string(to_string(step.scope())) + " " + std::string(to_string(step.venue())) +
           " " + std::string(to_string(step.gate()));
}

std::string reverse_of(const Step& step) {
    std::string text;
    for (const ReverseOp& op : reverse_ops(step)) text += (text.empty() ? "" : " ") + to_json(op).dump();
    return text;
}

}  // namespace

TEST_CASE("install-plan 2 enumerations: printed texts") {
    struct Row {
        const char* rule;
        std::string_view printed, expected;
    };
    const Row rows[] = {{"scope system", to_string(Scope::system), "system"},
                        {"scope user", to_string(Scope::user), "user"},
                        {"scope user-profile", to_string(Scope::user_profile), "user-profile"},
                        {"venue host-native", to_string(Venue::host_native), "host-native"},
                        {"venue container-builder", to_string(Venue::container_builder), "container-builder"},
                        {"venue skip", to_string(Venue::skip), "skip"},
                        {"phase prepare", to_string(Phase::prepare), "prepare"},
                        {"phase install", to_string(Phase::install), "install"},
                        {"phase cleanup", to_string(Phase::cleanup), "cleanup"},
                        {"no gate is empty", to_string(Gate::none), ""},
                        {"gate of repositories", to_string(Gate::allow_repo_changes), "allow-repo-changes"},
                        {"gate of root tasks", to_string(Gate::allow_root_tasks), "allow-root-tasks"},
                        {"gate of services", to_string(Gate::with_services), "with-services"},
                        {"out of range", to_string(static_cast<Scope>(9)), "unknown"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(row.printed == row.expected);
    }
}

TEST_CASE("install-plan 2 enumerations: the system path test") {
    struct Row {
        const char *rule, *path;
        bool system;
    };
    const Row rows[] = {{"/etc/", "/etc/x", true},
                        {"/usr/", "/usr/x", true},
                        {"/var/", "/var/x", true},
                        {"/opt/", "/opt/x", true},
                        {"/root/", "/root/x", true},
                        {"/boot/", "/boot/x", true},
                        {"/srv/", "/srv/x", true},
                        {"/run/", "/run/x", true},
                        {"/lib/", "/lib/x", true},
                        {"/sbin/", "/sbin/x", true},
                        {"/bin/", "/bin/x", true},
                        {"/tmp is not one", "/tmp/x", false},
                        {"relative", "etc/x", false},
                        {"empty", "", false},
                        {"home token", "{{.Home}}/x", false},
                        {"look-alike", "/etcx", false},
                        {"the tree itself", "/etc", false}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(is_system_path(row.path) == row.system);
    }
}

TEST_CASE("install-plan 3 step kinds: kind, scope, venue and gate") {
    SystemPackagesStep repos = packages(Phase::prepare), copr = repos, modules = repos;
    repos.repos = {{{"name", "x"}}};
    copr.copr = {"a/b"};
    modules.modules = {"n:1"};
    struct Row {
        const char* rule;
        Step step;
        const char* answers;
    };
    const Row rows[] = {
        {"3.1 install has no gate", {packages(Phase::install)}, "SystemPackages system host-native "},
        {"3.1 prepare without changes has none", {packages(Phase::prepare)}, "SystemPackages system host-native "},
        {"3.1 prepare with repositories", {repos}, "SystemPackages system host-native allow-repo-changes"},
        {"3.1 prepare with copr", {copr}, "SystemPackages system host-native allow-repo-changes"},
        {"3.1 prepare with modules", {modules}, "SystemPackages system host-native allow-repo-changes"},
        {"3.2 aur is a system builder",
         {BuilderStep{"aur", {}, {}, {}, {}, {}, {}, {}, {}}},
         "Builder system container-builder "},
        {"3.2 the others are the user's",
         {BuilderStep{"npm", {}, {}, {}, {}, {}, {}, {}, {}}},
         "Builder user container-builder "},
        {"3.3 cmd as root", {task(TaskVerb::cmd)}, "Task system host-native allow-root-tasks"},
        {"3.3 cmd as user", {task(TaskVerb::cmd, "1000")}, "Task user host-native "},
        {"3.3 user empty", {task(TaskVerb::mkdir, "")}, "Task system host-native "},
        {"3.3 user root", {task(TaskVerb::mkdir, "root")}, "Task system host-native "},
        {"3.3 user 0:0", {task(TaskVerb::mkdir, "0:0")}, "Task system host-native "},
        {"3.3 other verbs as root have no gate", {task(TaskVerb::write)}, "Task system host-native "},
        {"3.4 file in a system path", {FileStep{"s", "/etc/x", {}, {}}}, "File system host-native "},
        {"3.4 file elsewhere", {FileStep{"s", "{{.Home}}/x", {}, {}}}, "File user host-native "},
        {"3.5 packaged service",
         {ServicePackagedStep{"a.service", Scope::user, true, {}, {}, {}}},
         "ServicePackaged user host-native with-services"},
        {"3.6 custom service",
         {ServiceCustomStep{"ov-a-b", "t", "/p", Scope::system, true, {}}},
         "ServiceCustom system host-native with-services"},
        {"3.7 shell hook", {ShellHookStep{"web", {}, {}, {}}}, "ShellHook user-profile host-native "},
        {"3.8 snippet at home",
         {ShellSnippetStep{"web", "bash", "x", "{{.Home}}/.bashrc", "web", {}, false, 0}},
         "ShellSnippet user-profile host-native "},
        {"3.8 snippet in a system path",
         {ShellSnippetStep{"web", "bash", "x", "/etc/profile.d/x.sh", "web", {}, true, 0}},
         "ShellSnippet system host-native "},
        {"3.9 repository file",
         {RepoChangeStep{"deb", "/f", "c", {}, "web"}},
         "RepoChange system host-native allow-repo-changes"},
        {"3.10 apk", {ApkInstallStep{}}, "ApkInstall system host-native "},
        {"3.11 reboot", {RebootStep{"web"}}, "Reboot system host-native "},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(answers(row.step) == row.answers);
        CHECK_FALSE(row.step.summary().empty());
    }
}

TEST_CASE("install-plan 4 reverse operations: kind, targets and which keys are left out") {
    SystemPackagesStep install = packages(Phase::install), copr = packages(Phase::prepare), list = copr;
    install.packages = {"a", "b"};
    copr.copr = {"o/p", "q/r"};
    list.repos = {{{"name", "n"}, {"url", "https://x/y"}}};
    BuilderStep aur{"aur", {}, {}, {}, {"p"}, {}, {}, {}, {}}, pixi{"pixi", {}, "web", {}, {}, {}, {}, {}, "default"},
        cargo{"cargo", {}, {}, {}, {}, {}, {}, {"bin"}, {}}, npm{"npm", {}, {}, {}, {"p"}, {}, {}, {}, {}};
    TaskStep download = task(TaskVerb::download), uninstall = download;
    uninstall.uninstall = {"/usr/bin/t"};
    struct Row {
        const char* rule;
        Step step;
        const char* reverse;
    };
    const Row rows[] = {
        {"package-remove", {install}, R"({"format":"rpm","kind":"package-remove","targets":["a","b"]})"},
        {"an install of nothing leaves nothing", {packages(Phase::install)}, ""},
        {"copr-disable, one each",
         {copr},
         R"({"format":"rpm","kind":"copr-disable","targets":["o/p"]} {"format":"rpm","kind":"copr-disable","targets":["q/r"]})"},
        {"remove-repo-file (W3)",
         {list},
         R"({"extra":{"format":"rpm"},"kind":"remove-repo-file","targets":["/etc/yum.repos.d/n.repo"]})"},
        {"aur: packages of pacman", {aur}, R"({"format":"pac","kind":"package-remove","targets":["p"]})"},
        {"pixi-env-remove", {pixi}, R"({"extra":{"layer":"web"},"kind":"pixi-env-remove","scope":1,"targets":["default"]})"},
        {"cargo-uninstall", {cargo}, R"({"kind":"cargo-uninstall","scope":1,"targets":["bin"]})"},
        {"npm-uninstall-g", {npm}, R"({"kind":"npm-uninstall-g","scope":1,"targets":["p"]})"},
        {"write: rm-file-system, scope 0 left out", {task(TaskVerb::write)}, R"({"kind":"rm-file-system","targets":["/etc/x"]})"},
        {"write as user: rm-file-user",
         {task(TaskVerb::write, "1000")},
         R"({"kind":"rm-file-user","scope":1,"targets":["/etc/x"]})"},
        {"copy", {task(TaskVerb::copy)}, R"({"kind":"rm-file-system","targets":["/etc/x"]})"},
        {"link", {task(TaskVerb::link)}, R"({"kind":"rm-file-system","targets":["/etc/x"]})"},
        {"download: to", {download}, R"({"kind":"rm-file-system","targets":["/etc/x"]})"},
        {"download: uninstall if non-empty", {uninstall}, R"({"kind":"rm-file-system","targets":["/usr/bin/t"]})"},
        {"mkdir has none", {task(TaskVerb::mkdir)}, ""},
        {"cmd has none", {task(TaskVerb::cmd)}, ""},
        {"setcap has none", {task(TaskVerb::setcap)}, ""},
        {"build has none", {task(TaskVerb::build)}, ""},
        {"file", {FileStep{"s", "/etc/f", {}, {}}}, R"({"kind":"rm-file-system","targets":["/etc/f"]})"},
        {"packaged service, enabled, with drop-in",
         {ServicePackagedStep{"a.service", Scope::system, true, "t", "/d/ov.conf", {}}},
         R"({"kind":"service-disable","targets":["a.service"]} {"kind":"remove-dropin","targets":["/d/ov.conf"]})"},
        {"packaged service, not enabled", {ServicePackagedStep{"a.service", Scope::system, false, {}, {}, {}}}, ""},
        {"custom service: disable before remove",
         {ServiceCustomStep{"ov-a-b", "t", "/u", Scope::user, true, {}}},
         R"({"kind":"service-disable","scope":1,"targets":["ov-a-b"]} {"kind":"service-remove","scope":1,"targets":["/u"]})"},
        {"custom service, not enabled: always service-remove",
         {ServiceCustomStep{"ov-a-b", "t", "/u", Scope::system, false, {}}},
         R"({"kind":"service-remove","targets":["/u"]})"},
        {"shell hook: remove-envd-file",
         {ShellHookStep{"web", {}, {}, "/h/web.env"}},
         R"({"extra":{"layer":"web"},"kind":"remove-envd-file","scope":2,"targets":["/h/web.env"]})"},
        {"shell hook without file", {ShellHookStep{"web", {}, {}, {}}}, ""},
        {"snippet as whole file",
         {ShellSnippetStep{"web", "fish", "x", "/h/f.fish", "web", {}, true, 0}},
         R"({"extra":{"layer":"web","shell":"fish"},"kind":"rm-file-user","scope":2,"targets":["/h/f.fish"]})"},
        {"snippet as block",
         {ShellSnippetStep{"web", "bash", "x", "/h/.bashrc", "web", {}, false, 0}},
         R"({"extra":{"layer":"web","marker":"web","shell":"bash"},"kind":"remove-managed-block","scope":2,"targets":["/h/.bashrc"]})"},
        {"repository file",
         {RepoChangeStep{"deb", "/f", "c", {}, "web"}},
         R"({"extra":{"format":"deb","layer":"web"},"kind":"remove-repo-file","targets":["/f"]})"},
        {"apk has none", {ApkInstallStep{}}, ""},
        {"reboot has none", {RebootStep{"web"}}, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(reverse_of(row.step) == row.reverse);
    }
}

TEST_CASE("install-plan 6 compile rules: steps come in this order, whatever the order of keys") {
    Layer layer = ov::test::layer_of(R"(layer:
  reboot: true
  apk: [{package: a}]
  shell: {init: x}
  service: [{name: s, exec: /bin/s}, {use_packaged: p}]
  task: [{cmd: "true"}, {mkdir: /x}]
  distro: {arch: {package: [q], aur: {package: [y]}}}
  path_append: [/p]
  package: [r]
  env: {A: b}
)");
    layer.manifests = {"package.json", "Cargo.toml", "pixi.toml"};
    std::string kinds;
    for (const Step& step : compile(layer, ov::test::target("arch")).steps) kinds += std::string(step.kind()) + " ";
    CHECK(kinds ==
          "ShellHook SystemPackages Builder Builder Builder Builder Task Task ServiceCustom ServicePackaged ShellSnippet "
          "ShellSnippet ShellSnippet ShellSnippet ApkInstall Reboot ");
}

TEST_CASE("install-plan 7 home token: replaced in exactly these fields, a second call changes nothing") {
    TaskStep copy = task(TaskVerb::copy);
    copy.path = copy.path_text = "{{.Home}}/c";
    copy.cmd = copy.content = "{{.Home}}";
    InstallPlan plan;
    plan.steps = {{ShellHookStep{"web", {{"A", "{{.Home}}/a"}}, {"{{.Home}}/p"}, "{{.Home}}/e"}},
                  {ShellSnippetStep{"web", "bash", "{{.Home}}/s", "{{.Home}}/.bashrc", "web", {"{{.Home}}/q"}, false, 0}},
                  {FileStep{"{{.Home}}/source", "{{.Home}}/f", {}, {}}},
                  {ServiceCustomStep{"n", "{{.Home}}/u", "{{.Home}}/v", Scope::user, true, {}}},
                  {copy},
                  {BuilderStep{"npm", {}, {}, "{{.Home}}/l", {}, {}, {}, {}, {}}},
                  {RepoChangeStep{"deb", "{{.Home}}/r", "{{.Home}}", {}, {}}}};
    const nlohmann::json before = to_json(plan);
    resolve_home(plan, "");
    CHECK(to_json(plan) == before);
    resolve_home(plan, "/home/u");
    const nlohmann::json once = to_json(plan);
    struct Row {
        const char *rule, *pointer, *value;
    };
    const Row rows[] = {{"ShellHook EnvVars", "/Steps/0/EnvVars/A", "/home/u/a"},
                        {"ShellHook PathAdd", "/Steps/0/PathAdd/0", "/home/u/p"},
                        {"ShellHook EnvFile", "/Steps/0/EnvFile", "/home/u/e"},
                        {"ShellHook reverse", "/Steps/0/Reverse/0/targets/0", "/home/u/e"},
                        {"ShellSnippet Snippet", "/Steps/1/Snippet", "/home/u/s"},
                        {"ShellSnippet Destination", "/Steps/1/Destination", "/home/u/.bashrc"},
                        {"ShellSnippet PathAppend", "/Steps/1/PathAppend/0", "/home/u/q"},
                        {"File Dest", "/Steps/2/Dest", "/home/u/f"},
                        {"File Source is not touched", "/Steps/2/Source", "{{.Home}}/source"},
                        {"ServiceCustom UnitText", "/Steps/3/UnitText", "/home/u/u"},
                        {"ServiceCustom UnitPath", "/Steps/3/UnitPath", "/home/u/v"},
                        {"Task To", "/Steps/4/To", "/home/u/c"},
                        {"Task bodies are not touched", "/Steps/4/Task/Content", "{{.Home}}"},
                        {"Builder is not touched", "/Steps/5/LayerDir", "{{.Home}}/l"},
                        {"RepoChange is not touched", "/Steps/6/File", "{{.Home}}/r"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(once.at(nlohmann::json::json_pointer(row.pointer)) == row.value);
    }
    resolve_home(plan, "/home/other");
    CHECK(to_json(plan) == once);
}

TEST_CASE("install-plan 10 batches: maximal runs of equal scope and venue, in the order of the plan") {
    InstallPlan plan;
    CHECK(steps_by_venue(plan).empty());
    plan.steps = {{ShellHookStep{"web", {}, {}, {}}},
                  {packages(Phase::install)},
                  {packages(Phase::install)},
                  {BuilderStep{"cargo", {}, {}, {}, {}, {}, {}, {}, {}}},
                  {task(TaskVerb::cmd)},
                  {task(TaskVerb::cmd, "1000")}};
    std::string text;
    for (const VenueRun& batch : steps_by_venue(plan))
        text += std::string(to_string(batch.scope)) + "/" + std::string(to_string(batch.venue)) + "/" +
                std::to_string(batch.count) + " ";
    CHECK(text ==
          "user-profile/host-native/1 system/host-native/2 user/container-builder/1 system/host-native/1 user/host-native/1 ");
}

TEST_CASE("install-plan 5 the plan: its keys, and the texts that 12 adds to every step") {
    const InstallPlan empty;
    const nlohmann::json none = to_json(empty);
    InstallPlan plan = compile(ov::test::layer_of("layer: {version: 2026.1.2, env: {A: b}, task: [{cmd: 'a < b && c > d'}]}"),
                               ov::test::target("fedora:43"));
    plan.deploy_id = "0123456789abcdef";
    const nlohmann::json json = to_json(plan);
    struct Row {
        const char *rule, *pointer;
        nlohmann::json value;
    };
    const Row rows[] = {{"DeployID", "/DeployID", "0123456789abcdef"},
                        {"Image", "/Image", "vm-adhoc"},
                        {"Version", "/Version", "2026.1.2"},
                        {"Distro is the most specific tag", "/Distro", "fedora:43"},
                        {"Layer", "/Layer", "web"},
                        {"LayersIncluded", "/LayersIncluded", {"web"}},
                        {"an absent list is null", "/AddLayers", nullptr},
                        {"BuilderImage is empty", "/BuilderImage", ""},
                        {"Meta is null", "/Meta", nullptr},
                        {"Kind (I10)", "/Steps/0/Kind", "ShellHook"},
                        {"Scope as text (I10)", "/Steps/0/Scope", "user-profile"},
                        {"Venue as text (I10)", "/Steps/0/Venue", "host-native"},
                        {"Gate as text (I10)", "/Steps/1/Gate", "allow-root-tasks"},
                        {"Reverse (I10)", "/Steps/0/Reverse/0/kind", "remove-envd-file"},
                        {"the task as authored", "/Steps/1/Task/Cmd", "a < b && c > d"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(json.at(nlohmann::json::json_pointer(row.pointer)) == row.value);
    }
    CHECK(none.at("Steps").is_null());
}

TEST_CASE("install-plan 9 and decision 52: what a plan digest depends on") {
    const char* text = "layer: {version: 1.1.1, env: {A: b}, task: [{cmd: x, env: {K: v}}, {copy: f, to: /etc/f}]}";
    const auto digest = [&](auto change, const std::string& file_digest = "d") {
        InstallPlan plan = compile(ov::test::layer_of(text), ov::test::target("arch"));
        change(plan);
        return plan_digest(plan, {{"/layers/web/f", file_digest}});
    };
    const auto unchanged = digest([](InstallPlan&) {});
    struct Row {
        const char* rule;
        void (*change)(InstallPlan&);
        bool same;
    };
    const Row rows[] = {
        {"the deploy's identity does not count", [](InstallPlan& p) { p.deploy_id = "x"; }, true},
        {"what else the deploy adds does not count", [](InstallPlan& p) { p.add_layers = {"other"}; }, true},
        {"the layer's place on the operator's machine does not count",
         [](InstallPlan& p) {
             for (Step& step : p.steps)
                 if (auto* t = std::get_if<TaskStep>(&step.body)) t->layer_dir = "/elsewhere";
         },
         true},
        {"the home counts",
         [](InstallPlan& p) { resolve_home(p, "/home/u"), std::get<ShellHookStep>(p.steps[0].body).env_vars["A"] = "c"; }, false},
        {"a value that the deploy's env gives to tasks counts",
         [](InstallPlan& p) { std::get<TaskStep>(p.steps[1].body).env["DEPLOY"] = "1"; }, false},
        {"the version counts", [](InstallPlan& p) { p.version = "2.2.2"; }, false},
        {"the distribution counts", [](InstallPlan& p) { p.distro = "fedora"; }, false},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK((digest(row.change) == unchanged) == row.same);
    }
    CHECK(digest([](InstallPlan&) {}, "other bytes") != unchanged);
}
