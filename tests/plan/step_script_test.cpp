#include "plan/step_script.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "ov/error.hpp"
#include "plan/script_text.hpp"
#include "plan/task_script.hpp"

using namespace ov;

namespace {

TaskStep task(TaskVerb verb, std::string user = "0") {
    TaskStep step;
    step.verb = verb;
    step.layer = "web";
    step.layer_dir = "/layers/web";
    step.run_as_deploy_user = user == "1000";
    step.resolved_user = std::move(user);
    return step;
}

SystemPackagesStep packages(const char* format, Phase phase) {
    SystemPackagesStep step;
    step.format = format;
    step.phase = phase;
    if (phase == Phase::install) step.packages = {"ripgrep", "a b"};
    return step;
}

struct Row {
    std::string name;
    StepBody body;
};

std::vector<Row> rows() {
    std::vector<Row> all;
    for (const char* format : {"deb", "rpm", "pac"}) {
        SystemPackagesStep install = packages(format, Phase::install);
        all.push_back({std::string("packages ") + format, install});
        install.options = {"--setopt=install_weak_deps=False"};
        install.exclude = {"nano"};
        all.push_back({std::string("packages with options ") + format, install});
    }
    SystemPackagesStep deb = packages("deb", Phase::prepare);
    deb.repos = {{{"name", "docker"},
                  {"url", "https://download.docker.com/linux/debian"},
                  {"key", "https://download.docker.com/gpg"},
                  {"suite", "bookworm"},
                  {"components", "stable"}}};
    all.push_back({"repository deb", deb});
    SystemPackagesStep rpm = packages("rpm", Phase::prepare);
    rpm.repos = {{{"name", "vscode"},
                  {"url", "https://packages.microsoft.com/yumrepos/vscode"},
                  {"gpgkey", "https://packages.microsoft.com/keys/microsoft.asc"}},
                 {{"name", "gh"}, {"url", "https://cli.github.com/packages/rpm/gh-cli.repo"}}};
    rpm.copr = {"atim/starship"};
    rpm.modules = {"nodejs:20"};
    all.push_back({"repository rpm", rpm});
    SystemPackagesStep pac = packages("pac", Phase::prepare);
    pac.repos = {{{"name", "chaotic"}, {"server", "https://cdn/$repo/$arch"}}};
    all.push_back({"repository pac", pac});
    SystemPackagesStep cleanup = packages("rpm", Phase::cleanup);
    cleanup.copr = {"atim/starship"};
    all.push_back({"clean-up rpm", cleanup});

    for (const char* user : {"0", "1000", "postgres"}) {
        TaskStep cmd = task(TaskVerb::cmd, user);
        cmd.cmd = "install -m0755 /ctx/run.sh \"$HOME/it's\"\necho done";
        cmd.layer_vars = {{"TONE", "soft"}};
        cmd.env = {{"KEY", "two words"}};
        all.push_back({std::string("cmd as ") + user, cmd});
        TaskStep write = task(TaskVerb::write, user);
        write.path = "/srv/two words/file";
        write.content = "it's\n$HOME\n";
        all.push_back({std::string("write as ") + user, write});
    }
    TaskStep mkdir = task(TaskVerb::mkdir);
    mkdir.path = "/srv/data/";
    all.push_back({"mkdir", mkdir});
    mkdir.mode = 0750;
    mkdir.resolved_user = "postgres";
    all.push_back({"mkdir with mode and owner", mkdir});
    TaskStep copy = task(TaskVerb::copy);
    copy.path = "/etc/app.conf";
    copy.source = "files/app.conf";
    all.push_back({"copy", copy});
    TaskStep link = task(TaskVerb::link, "1000");
    link.path = "/home/u/bin/x";
    link.source = "../-x";
    all.push_back({"link", link});
    TaskStep download = task(TaskVerb::download);
    download.path = "/usr/local/bin/k";
    download.source = "https://dl.k8s.io/v1/bin/linux/${ARCH}/kubectl";
    download.checksum = "sha256:00";
    all.push_back({"download", download});
    download.extract = "tar.gz";
    download.strip_components = 1;
    download.include = {"bin/tool"};
    all.push_back({"download archive", download});
    download.extract = "sh";
    download.uninstall = {"/usr/local/bin/k3s"};
    all.push_back({"download installer", download});
    TaskStep setcap = task(TaskVerb::setcap);
    setcap.path = "/usr/bin/dumpcap";
    setcap.caps = "cap_net_raw+ep";
    all.push_back({"setcap", setcap});
    setcap.caps.clear();
    all.push_back({"setcap without caps", setcap});
    all.push_back({"build", task(TaskVerb::build)});

    all.push_back({"file", FileStep{"/tmp/data", "/etc/data", "", "web", 0600}});
    all.push_back({"packaged service", ServicePackagedStep{"sshd.service", Scope::system, true, "", "", "web"}});
    all.push_back(
        {"packaged service with drop-in", ServicePackagedStep{"sshd.service", Scope::system, true, "[Service]\nNice=5\n",
                                                              "/etc/systemd/system/sshd.service.d/ov-web.conf", "web"}});
    all.push_back({"custom service", ServiceCustomStep{"ov-web-api", "[Service]\nExecStart=/bin/x\n",
                                                       "/etc/systemd/system/ov-web-api.service", Scope::system, true, "web"}});
    all.push_back({"custom user service, not enabled",
                   ServiceCustomStep{"ov-web-api", "[Service]\n", "/home/u/.config/systemd/user/ov-web-api.service", Scope::user,
                                     false, "web"}});
    all.push_back({"shell hook", ShellHookStep{"nodeset",
                                               {{"GREETING", "it's on"}, {"NPM_CONFIG_PREFIX", "/home/arch/.npm-global"}},
                                               {"/home/arch/.npm-global/bin", "/home/arch/.local/bin"},
                                               "/home/arch/.config/overthink/env.d/nodeset.env"}});
    all.push_back({"snippet as block", ShellSnippetStep{"web", "bash", "alias x=y\n\n", "/home/u/.bashrc", "web", {}, false, 0}});
    all.push_back({"snippet as drop-in",
                   ShellSnippetStep{"web", "fish", "set x y", "/home/u/.config/fish/conf.d/ov-web.fish", "web", {}, true, 0}});
    all.push_back({"repository file", RepoChangeStep{"deb", "/etc/apt/sources.list.d/x.list", "deb x\n", "", "web"}});
    all.push_back({"apk", ApkInstallStep{}});
    BuilderStep builder;
    builder.builder = "npm";
    all.push_back({"builder", builder});
    all.push_back({"reboot", RebootStep{"web"}});
    return all;
}

std::string printed(const Row& row) {
    const Step step{row.body};
    const GuestStep script = render_step(step, {});
    constexpr const char* actions[] = {"run", "skip", "build", "reboot"};
    std::string text = "=== " + row.name + ": " + actions[static_cast<int>(script.action)] + " as " +
                       (script.as == RunAs::root ? "root" : "user") + (script.note.empty() ? "" : " (" + script.note + ")") +
                       "\n";
    for (const Upload& upload : script.uploads)
        text += "upload " + upload.source + (upload.tree ? "/ -> " : " -> ") + upload.staged + "\n";
    return text + script.text;
}

}  // namespace

TEST_CASE("install-plan 13 each step renders to the script in the golden file") {
    const char* data = std::getenv("OV_TEST_DATA");
    REQUIRE(data);
    const std::filesystem::path golden = std::filesystem::path(data) / "golden/step_script/all.txt";
    std::string text;
    for (const Row& row : rows()) text += printed(row) + "\n";
    if (std::getenv("OV_UPDATE_GOLDEN")) {
        std::filesystem::create_directories(golden.parent_path());
        std::ofstream(golden, std::ios::binary) << text;
    }
    std::ifstream in(golden, std::ios::binary);
    CHECK(text == std::string(std::istreambuf_iterator<char>(in), {}));
}

TEST_CASE("layer-format 5.4 /ctx is replaced (W7) only where it begins a path of its own") {
    struct Row {
        const char *in, *out;
    };
    for (const Row& row : {Row{"cp /ctx/a /ctx/b", "cp /R/a /R/b"}, Row{"cd /ctx && ls", "cd /R && ls"},
                           Row{"\"/ctx\"", "\"/R\""}, Row{"x=/ctx", "x=/R"}, Row{"/srv/ctx/a", "/srv/ctx/a"},
                           Row{"/ctxt", "/ctxt"}, Row{"/ctx-old", "/ctx-old"}, Row{"$HOME/ctx/", "$HOME/ctx/"}, Row{"", ""}}) {
        CAPTURE(row.in);
        CHECK(replace_ctx(row.in, "/R") == row.out);
    }
}

TEST_CASE("a path that is not absolute is an error naming layer and task") {
    TaskStep step = task(TaskVerb::mkdir);
    step.path = "relative/dir";
    step.index = 2;
    try {
        render_step({step}, {});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(std::string(error.what()) == "layer web: task 3: mkdir: not an absolute path: 'relative/dir'");
    }
}

TEST_CASE("layer-format 5.3 paths are normalised and words quoted only when a shell could misread them") {
    CHECK(absolute_path("//srv//a/./b/../c//") == "/srv/a/c");
    CHECK(absolute_path("/") == "/");
    CHECK(script_word("/etc/a-b_c.d:1@2+3,4=5%") == "/etc/a-b_c.d:1@2+3,4=5%");
    for (const char* word : {"", "~", "a b", "$x", "a\nb", "#x", "{a,b}", "a;b"}) CHECK(script_word(word).front() == '\'');
}

TEST_CASE("layer-format 11 secrets reach (W15) the tasks of their own layer only") {
    StepContext context;
    context.secrets = {{"web", {{"TOKEN", "s3cret"}}}, {"db", {{"OTHER", "hidden"}}}};
    TaskStep step = task(TaskVerb::cmd);
    step.cmd = "true";
    const std::string text = render_step({step}, context).text;
    CHECK(text.find("export TOKEN=s3cret\n") != std::string::npos);
    CHECK(text.find("hidden") == std::string::npos);
}
