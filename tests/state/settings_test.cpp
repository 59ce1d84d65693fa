#include "state/settings.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "ov/diagnostic.hpp"
#include "state/state_file.hpp"
#include "support/temp_tree.hpp"

using ov::state::Settings;

namespace {

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const ov::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("a setting comes from the environment, else the file, else the default") {
    ov::test::TempTree tree;
    const std::string path = tree.path("config.yml");
    tree.write("config.yml", "vm: {backend: qemu, cpus: 4}\nunknown: kept\n");
    const Settings settings = Settings::load(path, {{"OV_VM_CPUS", "8"}});
    CHECK(settings.get("vm.cpus") == "8");
    CHECK(settings.value("vm.cpus").from == "OV_VM_CPUS");
    CHECK(settings.get("vm.backend") == "qemu");
    CHECK(settings.value("vm.backend").from == path);
    CHECK(settings.get("vm.ram") == "4G");
    CHECK(settings.value("vm.ram").from == "default");
    CHECK(settings.given("vm.ram").empty());
    CHECK(settings.given("vm.backend") == "qemu");
}

TEST_CASE("without a file every setting has its default") {
    ov::test::TempTree tree;
    CHECK(Settings::load(tree.path("none.yml"), {}).get("bind_address") == "127.0.0.1");
}

TEST_CASE("wrong settings are refused before anything is written") {
    ov::test::TempTree tree;
    const std::string path = tree.path("config.yml");
    struct Row {
        const char *key, *value, *says;
    };
    const Row rows[] = {
        {"vm.backend", "xen", "vm.backend: expected one of auto|libvirt|qemu, got 'xen'"},
        {"vm.ram", "lots", "vm.ram: expected a size such as 4G, 512M or 10 GiB, got 'lots'"},
        {"vm.ram", "", "vm.ram: expected a size"},
        {"vm.cpus", "0", "vm.cpus: expected an integer from 1 up, got '0'"},
        {"vm.cpus", "2x", "got '2x'"},
        {"vm.bakend", "qemu", "no setting vm.bakend; did you mean \"vm.backend\"?"},
        {"hosts.", "h", "no setting hosts."},
        {"hosts.lab", "-oProxyCommand=x", "hosts.lab: expected [user@]host[:port]"},
        {"hosts.a.b", "h", "no setting hosts.a.b"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.key);
        CAPTURE(row.value);
        const std::string said = error_of([&] { Settings::set(path, row.key, std::string(row.value)); });
        CHECK_MESSAGE(said.find(row.says) != std::string::npos, said);
        CHECK_FALSE(ov::state::read_file(path).has_value());
    }
}

TEST_CASE("a wrong value in environment or file names its place") {
    ov::test::TempTree tree;
    const std::string path = tree.path("config.yml");
    tree.write("config.yml", "vm: {cpus: none}\n");
    CHECK(error_of([&] { Settings::load(path, {{"OV_VM_BACKEND", "xen"}}).get("vm.backend"); }).starts_with("OV_VM_BACKEND: "));
    CHECK(error_of([&] { Settings::load(path, {}).get("vm.cpus"); }).starts_with(path + ": vm.cpus: "));
    const std::string list = tree.path("list.yml");
    tree.write("list.yml", "- a\n");
    CHECK(error_of([&] { Settings::load(list, {}); }).find("expected one mapping of settings") != std::string::npos);
}

TEST_CASE("set and reset keep what they were not asked about") {
    ov::test::TempTree tree;
    const std::string path = tree.path("config.yml");
    tree.write("config.yml", "engine:\n    build: podman\nvm:\n    ram: 8G\n");
    Settings::set(path, "vm.backend", "qemu");
    Settings::set(path, "hosts.lab", "ana@lab.example.net:2222");
    CHECK(Settings::load(path, {}).get("hosts.lab") == "ana@lab.example.net:2222");
    CHECK(Settings::load(path, {}).keys().back() == "hosts.lab");
    CHECK(Settings::load(path, {}).host("lab") == "ana@lab.example.net:2222");
    CHECK_FALSE(Settings::load(path, {}).host("other").has_value());
    Settings::set(path, "hosts.lab", std::nullopt);
    Settings::set(path, "vm.ram", std::nullopt);
    CHECK(*ov::state::read_file(path) == "engine:\n    build: podman\nvm:\n    backend: qemu\n");
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("the file goes with its last setting") {
    ov::test::TempTree tree;
    const std::string path = tree.path("config.yml");
    Settings::set(path, "vm.cpus", "3");
    CHECK(ov::state::read_file(path).has_value());
    Settings::set(path, "vm.cpus", std::nullopt);
    CHECK_FALSE(ov::state::read_file(path).has_value());
    Settings::set(path, "vm.cpus", "3");
    Settings::reset_all(path);
    CHECK_FALSE(ov::state::read_file(path).has_value());
}
