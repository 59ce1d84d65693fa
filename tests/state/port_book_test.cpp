#include "state/port_book.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "ov/error.hpp"
#include "ov/load.hpp"
#include "state/deploy_config.hpp"
#include "support/temp_tree.hpp"

using namespace ov::state;
using ov::test::TempTree;

namespace {

PortRequest request_in(const TempTree& tree, const std::string& entity, const std::string& instance = {}) {
    PortRequest request;
    request.lock_file = tree.path("ports.lock");
    request.deploy_file = tree.path("deploy.yml");
    request.machine = {entity, instance};
    request.key = request.machine.key();
    return request;
}

/// A listener on the port while it lives.
struct Listener {
    explicit Listener(int port) : descriptor(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(descriptor, 1) == 0;
    }
    ~Listener() { close(descriptor); }
    int descriptor;
    bool bound = false;
};

std::string error_of(const PortRequest& request) {
    try {
        reserve_ssh_port(request);
    } catch (const ov::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("an automatic port is stored before it is used, and kept (vm-lifecycle.md 9)") {
    const TempTree tree;
    const int port = reserve_ssh_port(request_in(tree, "web"));
    CHECK(port >= 20000);
    CHECK(port < 30000);
    std::vector<ov::Diagnostic> warnings;
    const auto deploys = ov::load_deploy_file(tree.path("deploy.yml"), warnings);
    CHECK(deploys.at("vm:web").vm_state->ssh_port == port);
    CHECK(deploys.at("vm:web").target == "vm");
    CHECK(reserve_ssh_port(request_in(tree, "web")) == port);
    SUBCASE("also while the machine itself listens there") {
        const Listener guest(port);
        REQUIRE(guest.bound);
        PortRequest running = request_in(tree, "web");
        running.running = true;
        CHECK(reserve_ssh_port(running) == port);
    }
    SUBCASE("a stranger that took it makes it another one (W18)") {
        const Listener stranger(port);
        REQUIRE(stranger.bound);
        CHECK(reserve_ssh_port(request_in(tree, "web")) != port);
    }
    SUBCASE("after it was released the one it had is preferred") {
        release_ssh_port(tree.path("deploy.yml"), {"web", ""});
        PortRequest again = request_in(tree, "web");
        again.preferred = 29999;
        CHECK(reserve_ssh_port(again) == 29999);
    }
}

TEST_CASE("a fixed port that is taken is an error that says by whom") {
    const TempTree tree;
    PortRequest fixed = request_in(tree, "one");
    fixed.fixed = 29871;
    CHECK(reserve_ssh_port(fixed) == 29871);
    PortRequest other = request_in(tree, "two");
    other.fixed = 29871;
    CHECK(error_of(other).find("is vm:one's") != std::string::npos);
    const Listener stranger(29872);
    REQUIRE(stranger.bound);
    other.fixed = 29872;
    CHECK(error_of(other).find("something listens on 127.0.0.1:29872") != std::string::npos);
    CHECK_FALSE(port_is_free(29872));
}

TEST_CASE("parallel processes never get one port twice") {
    const TempTree tree;
    std::vector<pid_t> children;
    for (int i = 0; i < 16; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            try {
                reserve_ssh_port(request_in(tree, "web", std::to_string(i)));
                _exit(0);
            } catch (...) {
                _exit(1);
            }
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    std::vector<ov::Diagnostic> warnings;
    std::set<int> ports;
    for (const auto& [key, node] : ov::load_deploy_file(tree.path("deploy.yml"), warnings))
        ports.insert(node.vm_state->ssh_port.value());
    CHECK(ports.size() == 16);
}
