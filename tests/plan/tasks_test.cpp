// layer-format.md 5 with W8, W9, W11, W13 and W30.
#include <doctest/doctest.h>

#include "ov/plan_output.hpp"
#include "plan/home_token.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

namespace {

ov::Layer with_task(const std::string& task, const std::string& more = "") {
    return ov::test::layer_of("layer: {" + more + "task: [" + task + "]}");
}

ov::TaskStep compiled(const std::string& task, ov::CompileContext context = ov::test::target("fedora:43")) {
    return ov::test::steps_of<ov::TaskStep>(ov::compile(with_task(task, "var: {V: val, DIR: sub/dir}, "), context)).at(0);
}

}  // namespace

TEST_CASE("layer-format 6 home spellings become the token, look-alikes stay (W30)") {
    struct Row {
        const char *in, *out;
    };
    const Row rows[] = {{"~", "{{.Home}}"},
                        {"~/x", "{{.Home}}/x"},
                        {"a/~/b", "a/~/b"},
                        {"~other/x", "~other/x"},
                        {"${HOME}/x:${HOME}/y", "{{.Home}}/x:{{.Home}}/y"},
                        {"$HOME/x", "{{.Home}}/x"},
                        {"$HOMEDIR/x", "$HOMEDIR/x"},
                        {"$HOME_X", "$HOME_X"},
                        {"${HOMEDIR}", "${HOMEDIR}"},
                        {"${HOME", "${HOME"},
                        {"x$HOME", "x{{.Home}}"},
                        {"", ""}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.in));
        CHECK(ov::plan::tokenise_home(row.in) == row.out);
    }
}

TEST_CASE("layer-format 5.2 users: who runs a task, in which scope") {
    struct Row {
        const char *rule, *user, *resolved;
        ov::Scope scope;
        bool deploy_user;
    };
    const Row rows[] = {
        {"absent is root", "", "0", ov::Scope::system, false},
        {"root", "root", "0", ov::Scope::system, false},
        {"zero", "0", "0", ov::Scope::system, false},
        {"0:0", "0:0", "0", ov::Scope::system, false},
        {"blanks are trimmed", "' root '", "0", ov::Scope::system, false},
        {"${USER} is the uid", "${USER}", "1000", ov::Scope::user, true},
        {"${UID}:${GID}", "${UID}:${GID}", "1000:1000", ov::Scope::user, true},
        {"the deploy user by name", "cloud", "cloud", ov::Scope::user, true},
        {"a third user (W8)", "postgres", "postgres", ov::Scope::user, false},
        {"a number", "1001", "1001", ov::Scope::user, false},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const std::string user = *row.user == '\0' ? "" : row.user[0] == '\'' ? row.user : "'" + std::string(row.user) + "'";
        const ov::TaskStep step = compiled("{cmd: 'true'" + (user.empty() ? "" : ", user: " + user) + "}");
        CHECK(step.resolved_user == row.resolved);
        CHECK(ov::Step{step}.scope() == row.scope);
        CHECK(step.run_as_deploy_user == row.deploy_user);
    }
}

TEST_CASE("layer-format 5.2 a deploy as root makes the deploy user's tasks system tasks") {
    ov::CompileContext context = ov::test::target("fedora:43");
    context.user = "root";
    context.uid = context.gid = 0;
    CHECK(ov::Step{compiled("{cmd: 'true', user: '${USER}'}", context)}.scope() == ov::Scope::system);
}

TEST_CASE("layer-format 18 W9 paths: variables and home are resolved at compile time") {
    struct Row {
        const char *rule, *task, *path;
    };
    const Row rows[] = {
        {"mkdir ~", "{mkdir: ~/x}", "{{.Home}}/x"},
        {"mkdir ${HOME}", "{mkdir: '${HOME}/x'}", "{{.Home}}/x"},
        {"mkdir var", "{mkdir: '/opt/${DIR}/y'}", "/opt/sub/dir/y"},
        {"write var without braces", "{write: /opt/$V, content: x}", "/opt/val"},
        {"download to", "{download: 'http://h/f', to: '${HOME}/${V}'}", "{{.Home}}/val"},
        {"link", "{link: ~/l, target: /t}", "{{.Home}}/l"},
        {"setcap", "{setcap: '/usr/bin/${V}'}", "/usr/bin/val"},
        {"copy to a directory", "{copy: a/b.txt, to: /etc/x/}", "/etc/x/b.txt"},
        {"user facts", "{mkdir: '/run/${USER}/${UID}/${GID}'}", "/run/cloud/1000/1000"},
        {"machine facts stay until the machine is known", "{mkdir: '/opt/${ARCH}/${BUILD_ARCH}'}", "/opt/${ARCH}/${BUILD_ARCH}"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(compiled(row.task).path == row.path);
    }
    ov::CompileContext arm = ov::test::target("fedora:43");
    arm.architecture = "aarch64";
    CHECK(compiled("{mkdir: '/opt/${ARCH}/${BUILD_ARCH}'}", arm).path == "/opt/arm64/aarch64");
    CHECK(compiled("{link: /l, to: ~/t}").source == "{{.Home}}/t");
}

TEST_CASE("layer-format 5.5 the format of a download follows its suffix") {
    struct Row {
        const char *url, *format;
    };
    const Row rows[] = {{"https://h/a.tar.gz", "tar.gz"}, {"https://h/a.tgz", "tar.gz"},
                        {"https://h/a.tar.xz", "tar.xz"}, {"https://h/a.tar.zst", "tar.zst"},
                        {"https://h/a.zip", "zip"},       {"https://h/a.sh", "sh"},
                        {"https://h/a", "none"},          {"https://h/a.gz", "none"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.url));
        CHECK(compiled("{download: '" + std::string(row.url) + "', to: /opt/x}").extract == row.format);
    }
    CHECK(compiled("{download: 'https://h/a.tar.gz', to: /opt/x, extract: none}").extract == "none");
    CHECK(compiled("{download: 'https://h/a.sh'}").path.empty());
}

TEST_CASE("layer-format 5.1 tasks that cannot be installed are findings of the compile, with their place") {
    struct Row {
        const char *rule, *task, *finding;
    };
    const Row rows[] = {
        {"W13 no verb", "{user: root}", "layer.task[0]: a task needs one of cmd, mkdir, copy"},
        {"W13 several verbs", "{cmd: x, mkdir: /y}", "a task has one verb, this one has 2: cmd, mkdir"},
        {"W13 build other than all", "{build: some}", "layer.task[0].build: expected all, got 'some'"},
        {"build all", "{build: all}", "compiled"},
        {"W11 copy leaves the layer", "{copy: ../x, to: /y}",
         "layer.task[0].copy: expected a file below the layer's directory, got '../x'"},
        {"W11 copy leaves in the middle", "{copy: a/../../x, to: /y}", "expected a file below the layer's directory"},
        {"W11 copy is absolute", "{copy: /etc/passwd, to: /y}", "expected a file below the layer's directory"},
        {"W11 dots inside a name are fine", "{copy: a..b, to: /y}", "compiled"},
        {"copy without to", "{copy: x}", "layer.task[0].to: a copy needs to:"},
        {"link without target", "{link: /l}", "layer.task[0].target: a link needs a target"},
        {"download without to", "{download: 'http://h/f'}", "layer.task[0].to: a download needs to:"},
        {"unknown extract", "{download: 'http://h/f', to: /x, extract: rar}", "layer.task[0].extract: expected one of tar.gz|"},
        {"mode that is none", "{mkdir: /x, mode: rwx}", "layer.task[0].mode: expected an octal mode"},
        {"relative mkdir", "{mkdir: x/y}", "layer.task[0].mkdir: expected an absolute path or one below the home"},
        {"another user's home", "{mkdir: ~postgres/y}", "layer.task[0].mkdir: expected an absolute path"},
        {"relative write", "{write: x, content: y}", "layer.task[0].write: expected an absolute path"},
        {"unknown variable in a path", "{mkdir: '/x/${NOPE}'}",
         "${NOPE} is neither in var nor one of USER UID GID HOME ARCH BUILD_ARCH"},
        {"empty cmd", "{cmd: ''}", "layer.task[0].cmd: expected a command, got nothing"},
        {"line break in a path", "{mkdir: \"/a\\nb\"}", "a path must be one line"},
        {"checksum that is none", "{download: 'http://h/f', to: /x, checksum: md5:1}",
         "layer.task[0].checksum: expected sha256:"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const std::string errors = ov::test::compile_errors(with_task(row.task));
        CAPTURE(errors);
        CHECK(errors.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("install-plan 3.3 reverse operations of tasks name resolved paths (W32)") {
    struct Row {
        const char *task, *kind, *target;
    };
    const Row rows[] = {
        {"{copy: f, to: ~/f, user: '${USER}'}", "rm-file-user", "{{.Home}}/f"},
        {"{copy: f, to: /etc/f}", "rm-file-system", "/etc/f"},
        {"{write: '/etc/${V}', content: x}", "rm-file-system", "/etc/val"},
        {"{link: /usr/bin/l, target: t}", "rm-file-system", "/usr/bin/l"},
        {"{download: 'http://h/f', to: /opt/f}", "rm-file-system", "/opt/f"},
        {"{download: 'http://h/f', to: /opt/f, uninstall: [~/g]}", "rm-file-system", "{{.Home}}/g"},
        {"{mkdir: /opt/x}", "", ""},
        {"{cmd: x}", "", ""},
        {"{setcap: /x}", "", ""},
        {"{build: all}", "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.task));
        const auto ops = ov::reverse_ops(ov::Step{compiled(row.task)});
        if (*row.kind == '\0') {
            CHECK(ops.empty());
            continue;
        }
        REQUIRE(ops.size() == 1);
        CHECK(ops[0].kind == row.kind);
        CHECK(ops[0].targets == std::vector<std::string>{row.target});
    }
}
