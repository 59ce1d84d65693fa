// Labels and devices to units: the worked examples are goldens, each rule has a row.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "image/pod_labels.hpp"
#include "ov/error.hpp"

using ov::PodDevices;
using ov::PodOptions;

namespace {

using Labels = std::map<std::string, std::string>;

Labels labels(std::initializer_list<std::pair<std::string, std::string>> own) {
    Labels all{{"org.overthinkos.version", "2026.150.1200"}};
    for (const auto& [key, value] : own) all["org.overthinkos." + key] = value;
    return all;
}

std::string golden(const std::string& name) {
    const char* data = std::getenv("OV_TEST_DATA");
    std::ifstream file(std::string(data ? data : "tests") + "/golden/quadlet/" + name + ".container");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string unit_of(const Labels& all, PodOptions options = {}, const PodDevices& devices = {},
                    ov::PodmanVersion podman = {5, 4}) {
    if (options.ref.empty()) options.ref = "localhost/ov-x:latest";
    if (options.name.empty()) options.name = "x";
    return ov::quadlet_text(ov::plan_pod(all, options, devices).unit, podman);
}

std::string problem_of(const Labels& all, PodOptions options = {}) {
    try {
        unit_of(all, std::move(options));
        return {};
    } catch (const ov::Error& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("8.1 a pod with volumes, limits and a virtual render node") {
    const Labels all =
        labels({{"image", "notes"},
                {"uid", "1000"},
                {"gid", "1000"},
                {"home", "/home/user"},
                {"ports", R"(["8080:8080","9000"])"},
                {"volumes", R"([{"name":"data","path":"/home/user/.notes"},{"name":"workspace","path":"/workspace"}])"},
                {"security", R"({"cap_add":["SYS_NICE"],"shm_size":"1g","memory_max":"6g","cpus":"1.5"})"},
                {"env", R"(["NOTES_MODE=server","TITLE=My Notes"])"},
                {"init", "supervisord"},
                {"status", "working"}});
    PodDevices devices;
    devices.nodes = {"/dev/dri/renderD128", "/dev/fuse"};
    devices.render_node = "/dev/dri/renderD128";
    CHECK(unit_of(all, {"localhost/ov-pad:latest", "pad", {}, "127.0.0.1", {}, {}}, devices) == golden("pad"));
}

TEST_CASE("8.2 a desktop with a passed-through GPU") {
    const Labels all = labels(
        {{"home", "/home/user"},
         {"ports", R"(["3000:3000"])"},
         {"volumes", R"([{"name":"config","path":"/home/user/.config/kde"}])"},
         {"status", "testing"},
         {"info", "needs a GPU"},
         {"init", "supervisord"},
         {"security",
          R"({"security_opt":["label=disable","seccomp=unconfined"],"ipc_mode":"host","shm_size":"2g","mounts":["tmpfs:/run/udev:rw,size=1m"]})"},
         {"secrets", R"([{"name":"vnc-password","env":"VNC_PASSWORD"}])"}});
    PodDevices devices;
    devices.nodes = {"/dev/dri/renderD128", "/dev/dri/renderD129", "/dev/fuse"};
    devices.render_node = "/dev/dri/renderD129";
    devices.nvidia = true;
    CHECK(unit_of(all, {"localhost/ov-desk:latest", "desk", {}, "127.0.0.1", {}, {}}, devices) == golden("desk"));
}

TEST_CASE("8.3 a privileged sandbox on the host's network") {
    const Labels all = labels(
        {{"home", "/root"},
         {"network", "host"},
         {"security",
          R"({"privileged":true,"cgroupns":"host","devices":["/dev/fuse"],"security_opt":["label=disable","seccomp=unconfined"]})"}});
    CHECK(unit_of(all, {"localhost/ov-sandbox:latest", "sandbox", {}, "127.0.0.1", {}, {}}) == golden("sandbox"));
}

TEST_CASE("lines of a unit, by rule") {
    PodDevices amd;
    amd.amd = true;
    amd.amd_gfx_version = "10.3.0";
    const struct {
        const char* rule;
        Labels all;
        PodOptions options;
        PodDevices devices;
        ov::PodmanVersion podman;
        const char *there, *absent;
    } rows[] = {
        {"7 a bare port gets the bind address",
         labels({{"ports", R"(["8080"])"}}),
         {},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:8080:8080\n",
         nullptr},
        {"7 protocol kept",
         labels({{"ports", R"(["80:8000/udp"])"}}),
         {},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:80:8000/udp\n",
         nullptr},
        {"7 an own address is kept",
         labels({{"ports", R"(["[::1]:80:80"])"}}),
         {},
         {},
         {5, 4},
         "PublishPort=[::1]:80:80\n",
         nullptr},
        {"7 unparsable text is prefixed",
         labels({{"ports", R"(["99999"])"}}),
         {},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:99999\n",
         nullptr},
        {"7 -p replaces the host's port",
         labels({{"ports", R"(["8080:80"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"9090:80"}},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:9090:80\n",
         "8080"},
        {"W3 -p may name an address",
         labels({{"ports", R"(["8080:80"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"0.0.0.0:9090:80"}},
         {},
         {5, 4},
         "PublishPort=0.0.0.0:9090:80\n",
         "127.0.0.1"},
        {"7 -p of a port that the image does not name is published too",
         labels({{"ports", R"(["8080:80"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"9000:90/udp"}},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:8080:80\nPublishPort=127.0.0.1:9000:90/udp\n",
         nullptr},
        {"7 -p of a port whose label names tcp",
         labels({{"ports", R"(["80:80/tcp"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"9090:80"}},
         {},
         {5, 4},
         "Network=ov\nPublishPort=127.0.0.1:9090:80/tcp\n",
         ":80:80"},
        {"7 -p that names tcp of a port whose label does not",
         labels({{"ports", R"(["80:80"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"9090:80/tcp"}},
         {},
         {5, 4},
         "Network=ov\nPublishPort=127.0.0.1:9090:80\n",
         ":80:80"},
        {"7 udp is another port",
         labels({{"ports", R"(["80:80/udp"])"}}),
         {{}, {}, {}, "127.0.0.1", {}, {"9090:80"}},
         {},
         {5, 4},
         "PublishPort=127.0.0.1:80:80/udp\nPublishPort=127.0.0.1:9090:80\n",
         nullptr},
        {"W3 a bind address of version 6",
         labels({{"ports", R"(["8080","x"])"}}),
         {{}, {}, {}, "::1", {}, {}},
         {},
         {5, 4},
         "PublishPort=[::1]:8080:8080\nPublishPort=[::1]:x\n",
         nullptr},
        {"W3 a bind address of version 6 in brackets",
         labels({{"ports", R"(["8080"])"}}),
         {{}, {}, {}, "[::1]", {}, {}},
         {},
         {5, 4},
         "PublishPort=[::1]:8080:8080\n",
         nullptr},
        {"W11 line breaks in comments are spaces",
         labels({{"status", "broken\r\n[Service]"}, {"info", "one\nExecStartPre=/bin/false"}}),
         {},
         {},
         {5, 4},
         "# Status: broken  [Service]\n# Info: one ExecStartPre=/bin/false\n[Unit]\n",
         "\r"},
        {"W11 no value is a template of systemd's",
         labels({{"security", R"({"mounts":["/srv/100%h:/data"],"ipc_mode":"%h"})"}, {"home", "/%u"}}),
         {},
         {},
         {5, 4},
         "Volume=/srv/100%%h:/data\nPodmanArgs=--ipc=%%h\n",
         "=/%u"},
        {"8 line 29 a share of the memory stays one",
         labels({{"security", R"({"memory_max":"50%"})"}}),
         {},
         {},
         {5, 4},
         "MemoryMax=50%\n",
         nullptr},
        {"W11 a value for podman is one word",
         labels({{"security", R"({"ipc_mode":"host --privileged"})"}}),
         {},
         {},
         {5, 4},
         "PodmanArgs=\"--ipc=host --privileged\"\n",
         nullptr},
        {"W3 bind address",
         labels({{"ports", R"(["80"])"}}),
         {{}, {}, {}, "0.0.0.0", {}, {}},
         {},
         {5, 4},
         "PublishPort=0.0.0.0:80:80\n",
         nullptr},
        {"5 volumes carry the deployment's name",
         labels({{"volumes", R"([{"name":"d","path":"/d"}])"}}),
         {{}, "x", "two", "127.0.0.1", {}, {}},
         {},
         {5, 4},
         "Volume=ov-x-two-d:/d\n",
         nullptr},
        {"8 line 5 with an instance",
         labels({}),
         {{}, "x", "two", "127.0.0.1", {}, {}},
         {},
         {5, 4},
         "Description=Overthink x (two)\n",
         nullptr},
        {"7 -e wins and keeps the order",
         labels({{"env", R"(["A=1","B=2"])"}}),
         {{}, {}, {}, "127.0.0.1", {"A=3"}, {}},
         {},
         {5, 4},
         "Environment=A=3\nEnvironment=B=2\n",
         "A=1"},
        {"7 NO_PROXY takes commas",
         labels({{"env", R"(["NO_PROXY=a;b"])"}}),
         {},
         {},
         {5, 4},
         "Environment=NO_PROXY=a,b\n",
         nullptr},
        {"W11 percent and line breaks",
         labels({{"env", "[\"A=50%\\nx\"]"}}),
         {},
         {},
         {5, 4},
         "Environment=A=\"50%%\\nx\"\n",
         nullptr},
        {"6 AMD",
         labels({}),
         {},
         amd,
         {5, 4},
         "PodmanArgs=--group-add=keep-groups\nEnvironment=HSA_OVERRIDE_GFX_VERSION=10.3.0\n",
         nullptr},
        {"W7 keep-groups never beside other groups",
         labels({{"security", R"({"group_add":["video"]})"}}),
         {},
         amd,
         {5, 4},
         "GroupAdd=video\n",
         "keep-groups"},
        {"decisions 68 GroupAdd needs 5.1",
         labels({{"security", R"({"group_add":["video"]})"}}),
         {},
         {},
         {5, 0},
         "PodmanArgs=--group-add=video\n",
         "GroupAdd"},
        {"decisions 68 ShmSize needs 4.7",
         labels({{"security", R"({"shm_size":"1g"})"}}),
         {},
         {},
         {4, 6},
         "PodmanArgs=--shm-size=1g\n",
         "ShmSize"},
        {"8 line 23 no ShmSize with the host's ipc",
         labels({{"security", R"({"shm_size":"1g","ipc_mode":"host"})"}}),
         {},
         {},
         {5, 4},
         "PodmanArgs=--ipc=host\n",
         "ShmSize"},
        {"8 line 27 default entrypoint", labels({}), {}, {}, {5, 4}, "Exec=sleep infinity\n", nullptr},
        {"8 line 30 cpus", labels({{"security", R"({"cpus":0.25})"}}), {}, {}, {5, 4}, "CPUQuota=25%\n", nullptr},
        {"8 line 30 cpus that do not parse",
         labels({{"security", R"({"cpus":"many"})"}}),
         {},
         {},
         {5, 4},
         "TimeoutStartSec",
         "CPUQuota"},
        {"8 line 17 secret as a file",
         labels({{"secrets", R"([{"name":"k","target":"/run/k"}])"}}),
         {},
         {},
         {5, 4},
         "Secret=ov-x-k,target=/run/k\n",
         nullptr},
        {"7 network", labels({}), {}, {}, {5, 4}, "Network=ov\n", nullptr},
    };
    for (const auto& row : rows) {
        CAPTURE(row.rule);
        const std::string unit = unit_of(row.all, row.options, row.devices, row.podman);
        CAPTURE(unit);
        CHECK(unit.find(row.there) != std::string::npos);
        if (row.absent != nullptr) CHECK(unit.find(row.absent) == std::string::npos);
    }
}

TEST_CASE("11 errors name the label, the variable, the reference") {
    const struct {
        const char* rule;
        Labels all;
        PodOptions options;
        const char* words;
    } rows[] = {
        {"no metadata", {}, {}, "localhost/ov-x:latest has no embedded metadata"},
        {"malformed list", labels({{"ports", "8080"}}), {}, "org.overthinkos.ports"},
        {"malformed object", labels({{"security", "[]"}}), {}, "org.overthinkos.security"},
        {"malformed label that is not used", labels({{"eval", "{"}}), {}, "org.overthinkos.eval"},
        {"required variables", labels({{"env_requires", R"([{"name":"TOKEN"},{"name":"HOST"}])"}}), {}, "TOKEN, HOST"},
        {"a name with a slash", labels({}), {{}, "A/b", {}, "127.0.0.1", {}, {}}, "'A/b' is no name"},
        {"-e without a value", labels({}), {{}, {}, {}, "127.0.0.1", {"A"}, {}}, "-e A"},
        {"W11 a line break in a value",
         labels({{"network", "none\nExec=x"}}),
         {},
         "unit ov-x: Network takes no line break and no backslash at its end: \"none\\nExec=x\""},
        {"W11 the other line break",
         labels({{"security", R"({"mounts":["/a:/b\rX=y"]})"}}),
         {},
         "unit ov-x: Volume takes no line"},
        {"W11 a line that would go on", labels({{"home", "/a\\"}}), {}, "unit ov-x: WorkingDir takes no line break"},
        {"W11 a line break in a limit", labels({{"security", R"({"memory_max":"1g\nX=y"})"}}), {}, "unit ov-x: MemoryMax"},
        {"-p out of range", labels({}), {{}, {}, {}, "127.0.0.1", {}, {"80:99999"}}, "-p 80:99999"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.rule);
        const std::string problem = problem_of(row.all, row.options);
        CAPTURE(problem);
        CHECK(problem.find(row.words) != std::string::npos);
    }
}

TEST_CASE("W12 for podman before 4.4 variables are in a file, not among the words") {
    ov::PodUnit unit = ov::plan_pod(labels({{"env", R"(["TOKEN=s3cret","EMPTY="])"}}),
                                    {"localhost/ov-x:latest", "x", {}, "127.0.0.1", {}, {}}, {})
                           .unit;
    unit.env_file = "/home/me/x.env";
    const std::vector<std::string> words = ov::create_words(unit);
    CHECK(std::ranges::find(words, "--env-file") != words.end());
    CHECK(std::ranges::find(words, "/home/me/x.env") != words.end());
    CHECK(
        std::ranges::none_of(words, [](const std::string& word) { return word == "--env" || word.find("s3cret") != word.npos; }));
    CHECK(ov::env_file_text(unit) == "TOKEN=s3cret\nEMPTY=\n");
    for (const char* value : {"a\nb", "a\r"}) {
        unit.env = {"GOOD=1", std::string("KEY=") + value};
        CHECK_THROWS_WITH_AS(ov::env_file_text(unit), doctest::Contains("variable KEY has a line break"), ov::Error);
    }
}

TEST_CASE("9 limits as words for podman: its flag for swap counts the memory with it") {
    const struct {
        const char *memory, *swap, *flag, *value;
    } rows[] = {
        {"1g", "512m", "--memory-swap", "1610612736"}, {"1G", "0", "--memory-swap", "1073741824"},
        {"100", "1k", "--memory-swap", "1124"},        {"", "512m", "--cgroup-conf", "memory.swap.max=536870912"},
        {"1g", "half", "--memory-swap", "half"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.memory);
        CAPTURE(row.swap);
        ov::PodUnit unit;
        unit.memory_max = row.memory;
        unit.memory_swap_max = row.swap;
        const std::vector<std::string> words = ov::create_words(unit);
        const auto flag = std::ranges::find(words, row.flag);
        REQUIRE(flag != words.end());
        CHECK(*std::next(flag) == row.value);
    }
}

TEST_CASE("podman's version") {
    CHECK(ov::parse_podman_version("podman version 4.3.1") == ov::PodmanVersion{4, 3});
    CHECK(ov::parse_podman_version("5.4.2-dev") == ov::PodmanVersion{5, 4});
    CHECK(ov::parse_podman_version("none") == ov::PodmanVersion{});
}

TEST_CASE("a plain Containerfile's pod: its own command and directory, where the labels leave them to it") {
    struct Row {
        const char* rule;
        Labels labels;
        ov::ImageDefaults image;
        const char *directory, *command;
    };
    const Row rows[] = {
        {"its command and directory", labels({{"init", "image"}}), {"/srv", true}, "WorkingDir=/srv\n", ""},
        {"an image without a command sleeps",
         labels({{"init", "image"}}),
         {"/srv", false},
         "WorkingDir=/srv\n",
         "Exec=sleep infinity\n"},
        {"no directory", labels({{"init", "image"}}), {"", true}, "WorkingDir=/\n", ""},
        {"a home comes first", labels({{"init", "image"}, {"home", "/home/me"}}), {"/srv", true}, "WorkingDir=/home/me\n", ""},
        {"other images sleep, whatever their command", labels({}), {"/srv", true}, "WorkingDir=/srv\n", "Exec=sleep infinity\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const PodOptions options{"localhost/ov-x:latest", "x", {}, "127.0.0.1", {}, {}};
        const ov::PodUnit unit = ov::plan_pod(row.labels, options, {}, row.image).unit;
        const std::string text = ov::quadlet_text(unit, {5, 4});
        CHECK(text.find(row.directory) != std::string::npos);
        if (*row.command == '\0')
            CHECK(text.find("Exec=") == std::string::npos);
        else
            CHECK(text.find(row.command) != std::string::npos);
        CHECK((ov::create_words(unit).back() == "infinity") == (*row.command != '\0'));
    }
}
