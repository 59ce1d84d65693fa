// A real sshd on a loopback port, for the user who runs the tests, with keys of its own in a temporary directory.
#pragma once

#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "exec/ssh_destination.hpp"

namespace ov::test {

class TestSshd {
public:
    /// `extra` is appended to sshd_config.
    explicit TestSshd(const std::string& extra = {}) {
        std::string pattern = "/tmp/ov-sshd-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        shell("ssh-keygen -q -t ed25519 -N '' -f " + directory_ + "/host_key");
        shell("ssh-keygen -q -t ed25519 -N '' -f " + directory_ + "/id");
        shell("ssh-keygen -q -t ed25519 -N '' -f " + directory_ + "/other");
        port_ = free_port();
        std::ofstream(directory_ + "/config")
            << "Port " << port_ << "\nListenAddress 127.0.0.1\nHostKey " << directory_ << "/host_key\nAuthorizedKeysFile "
            << directory_ << "/id.pub\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nUseDNS no\n"
            << "PermitRootLogin yes\nPidFile none\nMaxStartups 100:30:200\n"
            << extra;
        start();
    }
    TestSshd(const TestSshd&) = delete;
    TestSshd& operator=(const TestSshd&) = delete;
    ~TestSshd() {
        stop();
        std::filesystem::remove_all(directory_);
    }

    static bool available() {
        return ::access("/usr/sbin/sshd", X_OK) == 0 && std::system("command -v ssh-keygen >/dev/null") == 0;
    }

    /// Returns when it accepts connections.
    void start() {
        ::mkdir("/run/sshd", 0755);
        std::string program = "/usr/sbin/sshd", foreground = "-D", file = "-f", config = directory_ + "/config", to = "-E",
                    log = directory_ + "/log";
        char* argv[] = {program.data(), foreground.data(), file.data(), config.data(), to.data(), log.data(), nullptr};
        if (::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv, environ) != 0) std::abort();
        for (int tries = 0; tries < 200 && !listening(); ++tries) ::usleep(10000);
    }
    void stop() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    /// Ends every connection that is open now, as a crashing machine would; the listener stays.
    void cut() const { shell("pkill -KILL -P " + std::to_string(pid_)); }

    SshDestination destination() const {
        SshDestination to;
        to.name = "test";
        to.host = "127.0.0.1";
        to.port = port_;
        to.user = ::getpwuid(::geteuid())->pw_name;
        to.identities = {directory_ + "/id"};
        to.known_hosts = {directory_ + "/known_hosts"};
        return to;
    }
    const std::string& directory() const { return directory_; }
    int port() const { return port_; }
    std::string log() const {
        std::ifstream file(directory_ + "/log");
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static int free_port() {
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
        ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
        ::close(probe);
        return ntohs(address.sin_port);
    }

private:
    bool listening() const {
        const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool answered = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(probe);
        return answered;
    }
    static void shell(const std::string& line) {
        if (std::system(line.c_str()) != 0) std::fprintf(stderr, "failed: %s\n", line.c_str());
    }

    std::string directory_;
    int port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace ov::test
