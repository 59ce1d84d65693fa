// `ov vm validate` and `ov vm gpu` as a person types them.
#include "cli/vm_command.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

struct Run {
    int status = 0;
    std::string out, err;
};

std::string facts(const std::string& name) {
    const char* data = std::getenv("OV_TEST_DATA");
    return std::string(data ? data : "tests") + "/data/hosts/" + name + ".yml";
}

Run ov_vm(const TempTree& tree, std::vector<std::string> words) {
    std::ostringstream out, err;
    Run run;
    ov::cli::AppContext context{tree.path(), out, err, 0, {}};
    CLI::App app("ov");
    ov::cli::add_vm_commands(app, context);
    std::reverse(words.begin(), words.end());  // CLI11 takes the words from the back
    words.push_back("vm");
    app.parse(words);
    context.action();
    run.status = context.exit_status;
    run.out = out.str();
    for (std::size_t at; (at = run.out.find(tree.path() + "/")) != std::string::npos;) run.out.erase(at, tree.path().size() + 1);
    run.err = err.str();
    return run;
}

}  // namespace

TEST_CASE("vm validate: every finding of the named VMs, unknown keys are errors, exit 1") {
    const TempTree tree({{"overthink.yml", R"(version: 2026.144.1443
vm:
  web:
    source: {kind: cloud_image, url: "https://mirror.invalid/x.qcow2"}
    network: {port_forward: ["80:80"]}
    libvirt:
      snippets: ["<rng"]
      devices: {sound: [{model: virtio}]}
  good: {source: {kind: bootc, image: i}}
  far: {source: {kind: external}, ssh: {host: h}}
)"}});
    const Run web = ov_vm(tree, {"validate", "web", "--facts", facts("libvirt-9.0")});
    CHECK(web.status == 1);
    CAPTURE(web.out);
    CHECK(web.out.find("overthink.yml:5:15: vm.web.network.port_forward: unknown key; did you mean \"port_forwards\"?\n") !=
          std::string::npos);
    CHECK(web.out.find("overthink.yml:7:18: vm.web.libvirt.snippets[0]: ") != std::string::npos);
    CHECK(web.out.find("overthink.yml:8:33: vm.web.libvirt.devices.sound[0].model: sound virtio needs libvirt 10.4, this host's "
                       "libvirt is 9.0\n") != std::string::npos);
    CHECK(web.err == "ov: error: 3 findings\n");
    const Run good = ov_vm(tree, {"validate", "good", "--facts", facts("libvirt-9.0")});
    CHECK(good.out == "");
    CHECK(good.err == "");
    CHECK(good.status == 0);
    CHECK(ov_vm(tree, {"validate", "--facts", facts("libvirt-11.3")}).status == 1);
    CHECK_THROWS_WITH(ov_vm(tree, {"validate", "wep", "--facts", facts("libvirt-11.3")}),
                      "the project has no VM wep; did you mean \"web\"?");
    CHECK_THROWS(ov_vm(tree, {"validate", "far", "--facts", facts("libvirt-11.3")}));
}

TEST_CASE("vm validate shows findings of loading and of validation together, once each") {
    const TempTree tree(
        {{"overthink.yml", "version: 2026.144.1443\nvm: {web: {source: {kind: cloud}, cpu: x, firmware: uefi}}\n"}});
    const Run run = ov_vm(tree, {"validate", "--facts", facts("libvirt-11.3")});
    CAPTURE(run.out);
    CHECK(std::count(run.out.begin(), run.out.end(), '\n') == 3);
    CHECK(run.err == "ov: error: 3 findings\n");
}

TEST_CASE("vm gpu list warns without an IOMMU and goes on") {
    const TempTree tree({{"sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n"},
                         {"sys/bus/pci/devices/0000:01:00.0/device", "0x2204\n"},
                         {"sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n"},
                         {"cmdline", "quiet\n"}});
    const Run list = ov_vm(tree, {"gpu", "list", "--sysfs", tree.path("sys"), "--cmdline", tree.path("cmdline")});
    CHECK(list.err.find("the IOMMU is off") != std::string::npos);
    CHECK(list.out.find("bus: \"0x01\"") != std::string::npos);
    const Run status = ov_vm(tree, {"gpu", "status", "--sysfs", tree.path("sys"), "--cmdline", tree.path("cmdline")});
    CHECK(status.status == 0);
    CHECK(status.out.find("IOMMU:    disabled") != std::string::npos);
}
