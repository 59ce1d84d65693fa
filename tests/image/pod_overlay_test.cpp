// The machine's deploy.yml over the labels of an image: each rule has a row.
#include "image/pod_overlay.hpp"

#include <doctest/doctest.h>

#include "spec/yaml_document.hpp"

using namespace ov;

namespace {

std::map<std::string, std::string> image_labels() {
    return {{"org.overthinkos.version", "2026.150.1200"},
            {"org.overthinkos.uid", "1000"},
            {"org.overthinkos.gid", "100"},
            {"org.overthinkos.home", "/home/user"},
            {"org.overthinkos.ports", R"(["8080:8080"])"},
            {"org.overthinkos.env", R"(["MODE=server","LEVEL=1"])"},
            {"org.overthinkos.volumes", R"([{"name":"data","path":"/data"},{"name":"workspace","path":"/workspace"}])"},
            {"org.overthinkos.data", R"([{"volume":"data","staging":"/data/data/seed","dest":""}])"},
            {"org.overthinkos.security", R"({"cap_add":["SYS_NICE"],"shm_size":"1g"})"}};
}

struct Applied {
    std::string unit, error;
    std::vector<std::string> notes;
    std::size_t seeds = 0;
};

Applied applied(const std::string& entry, const std::string& instance = {}, std::vector<std::string> ports = {}) {
    Applied result;
    try {
        std::vector<Diagnostic> findings;
        const YamlPtr file = spec::parse_yaml("deploy:\n  " + entry + "\n", "deploy.yml", findings).at(0);
        REQUIRE(findings.empty());
        PodOptions options{"localhost/ov-x:latest", "x", instance, "127.0.0.1", {}, std::move(ports)};
        options.home = "/home/me";
        options.volumes = "/srv/volumes";
        auto labels = image_labels();
        if (const YamlNode* found = pod_entry(*file, options)) overlay_pod(*found, "deploy.yml", labels, options, result.notes);
        const PodPlan plan = plan_pod(labels, options, {});
        result.seeds = plan.seeds.size();
        result.unit = quadlet_text(plan.unit, {5, 4});
    } catch (const Error& error) {
        result.error = error.what();
    }
    return result;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("pod overlay: what an entry says stands in place of the label") {
    struct Row {
        const char *rule, *entry;
        std::vector<std::string> there, gone;
    };
    const Row rows[] = {
        {"no entry of that name", "y: {env: [MODE=desk]}", {"Environment=MODE=server", "Environment=LEVEL=1"}, {}},
        {"a VM of that name", "x: {target: vm, env: [MODE=desk]}", {"Environment=MODE=server"}, {}},
        {"env as a whole", "x: {target: pod, env: [MODE=desk]}", {"Environment=MODE=desk"}, {"Environment=LEVEL=1"}},
        {"an empty list replaces nothing", "x: {env: []}", {"Environment=LEVEL=1"}, {}},
        {"port", "x: {port: ['9090:80']}", {"PublishPort=127.0.0.1:9090:80"}, {"PublishPort=127.0.0.1:8080:8080"}},
        {"resolved_port first", "x: {port: ['1:80'], resolved_port: ['2:80']}", {"PublishPort=127.0.0.1:2:80"}, {}},
        {"network", "x: {network: none}", {"Network=none"}, {"Network=ov"}},
        {"status and info",
         "x: {description: {status: broken, info: ours}}",
         {"# Status: broken", "# Info: ours"},
         {"# Status: testing"}},
        {"security field by field",
         "x: {security: {shm_size: 2g, cpus: 2}}",
         {"ShmSize=2g", "AddCapability=SYS_NICE", "CPUQuota=200%"},
         {"ShmSize=1g"}},
        {"a list of security as a whole",
         "x: {security: {cap_add: [NET_ADMIN]}}",
         {"AddCapability=NET_ADMIN"},
         {"AddCapability=SYS_NICE"}},
        {"privileged", "x: {security: {privileged: true}}", {"PodmanArgs=--privileged"}, {"AddCapability=SYS_NICE"}},
        {"a bind of the operator's directory",
         "x: {volume: [{name: data, type: bind, host: ~/notes}]}",
         {"Volume=/home/me/notes:/data", "Volume=ov-x-workspace:/workspace", "UserNS=keep-id:uid=1000,gid=100"},
         {"Volume=ov-x-data:/data"}},
        {"a bind of a directory that is made",
         "x: {volume: [{name: workspace, type: bind}]}",
         {"Volume=/srv/volumes/ov-x/workspace:/workspace", "WorkingDir=/workspace", "Volume=ov-x-data:/data"},
         {"Volume=ov-x-workspace:/workspace"}},
        {"a named volume stays one", "x: {volume: [{name: data, type: volume}]}", {"Volume=ov-x-data:/data"}, {}},
        {"engine podman", "x: {engine: podman}", {"Network=ov"}, {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const Applied result = applied(row.entry);
        CHECK(result.error == "");
        CAPTURE(result.unit);
        for (const std::string& line : row.there) CHECK_MESSAGE(has_line(result.unit, line), line);
        for (const std::string& line : row.gone) CHECK_FALSE_MESSAGE(has_line(result.unit, line), line);
    }
}

TEST_CASE("pod overlay: an instance has an entry of its own, a flag comes after it, a bind is not filled") {
    CHECK(has_line(applied("x/two: {network: none}", "two").unit, "Network=none"));
    CHECK(has_line(applied("x: {network: none}", "two").unit, "Network=ov"));
    CHECK(has_line(applied("x: {port: ['9090:80']}", {}, {"7070:80"}).unit, "PublishPort=127.0.0.1:7070:80"));
    CHECK(applied("x: {}").seeds == 1);
    CHECK(applied("x: {volume: [{name: data, type: bind}]}").seeds == 0);
    const Applied noted = applied("x: {tunnel: tailscale}");
    REQUIRE(noted.notes.size() == 1);
    CHECK(noted.notes.front() == "deploy.yml: tunnel is not applied to a pod from an image");
}

TEST_CASE("pod overlay: what is wrong is named with its place") {
    struct Row {
        const char *entry, *error;
    };
    const Row rows[] = {
        {"x: {env: MODE=desk}", "deploy.yml:2:12: env: expected a list of texts, got a text"},
        {"x: {port: [[1]]}", "deploy.yml:2:14: port: expected a text, got a list"},
        {"x: {network: [a]}", "network: expected a text, got a list"},
        {"x: {security: [a]}", "security: expected a mapping, got a list"},
        {"x: {security: {cap_drop: [a]}}", "security.cap_drop: no field of security"},
        {"x: {security: {privileged: yes}}", "security.privileged: expected true or false, got 'yes'"},
        {"x: {engine: docker}", "engine: a pod runs under podman, not docker"},
        {"x: {volume: {name: data}}", "volume: expected a list, got a mapping"},
        {"x: {volume: [{type: bind}]}", "volume.name: a volume needs a name"},
        {"x: {volume: [{name: other, type: bind}]}", "volume.name: the image has no volume 'other'"},
        {"x: {volume: [{name: data, type: encrypted}]}", "volume.type: encrypted volumes are not mounted by ov"},
        {"x: {volume: [{name: data, type: nfs}]}", "volume.type: expected volume or bind, got 'nfs'"},
        {"x: {volume: [{name: data, host: /a}]}", "volume.host: only a bind has a directory of the machine"},
        {"x: {volume: [{name: data, type: bind, host: a}]}", "volume.host: expected an absolute path or ~/..., got 'a'"},
        {"x: {volume: [{name: data, type: bind, host: '/a:b'}]}", "volume.host: podman takes no ':'"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.entry);
        const std::string error = applied(row.entry).error;
        CHECK_MESSAGE(error.find(row.error) != std::string::npos, error);
    }
}
