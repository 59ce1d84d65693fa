// Floor for the fleet benchmark: bare libssh2 and poll, all machines at once, each running one script through `bash -s`.
// No retries, no ledger, no known_hosts: the least work that yields the same effects. It verifies the end marker and the status.
//
// usage: floor_libssh2 MACHINES SCRIPT PRIVATE_KEY      MACHINES: lines "address port user"; SCRIPT is sent to each machine
#include <libssh2.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr const char* marker = "floor-end-7d1f";

enum class Phase { connect, handshake, auth, open, exec, send, send_eof, receive, close, done, failed };

struct Machine {
    std::string address, user;
    int port = 0, fd = -1;
    LIBSSH2_SESSION* session = nullptr;
    LIBSSH2_CHANNEL* channel = nullptr;
    Phase phase = Phase::connect;
    std::size_t sent = 0;
    std::string output, error;
};

struct Job {
    std::string script, key, public_key;
};

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        std::cerr << "cannot read " << path << "\n";
        std::exit(1);
    }
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void fail(Machine& machine, const std::string& why) {
    machine.error = why;
    machine.phase = Phase::failed;
}

void start(Machine& machine) {
    machine.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(machine.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<std::uint16_t>(machine.port));
    ::inet_pton(AF_INET, machine.address.c_str(), &peer.sin_addr);
    if (::connect(machine.fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0 && errno != EINPROGRESS)
        fail(machine, "connect");
}

// One step of the machine's life; false if libssh2 wants to wait for the socket.
bool advance(Machine& machine, const Job& job) {
    int rc = 0;
    switch (machine.phase) {
        case Phase::connect: {
            int problem = 0;
            socklen_t size = sizeof problem;
            ::getsockopt(machine.fd, SOL_SOCKET, SO_ERROR, &problem, &size);
            if (problem) return fail(machine, "connect"), true;
            machine.session = libssh2_session_init();
            libssh2_session_set_blocking(machine.session, 0);
            libssh2_session_method_pref(machine.session, LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org");
            libssh2_session_method_pref(machine.session, LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519");
            machine.phase = Phase::handshake;
            return true;
        }
        case Phase::handshake:
            rc = libssh2_session_handshake(machine.session, machine.fd);
            if (rc == 0) machine.phase = Phase::auth;
            break;
        case Phase::auth:
            rc = libssh2_userauth_publickey_frommemory(machine.session, machine.user.data(), machine.user.size(),
                                                       job.public_key.data(), job.public_key.size(), job.key.data(),
                                                       job.key.size(), nullptr);
            if (rc == 0) machine.phase = Phase::open;
            break;
        case Phase::open:
            machine.channel = libssh2_channel_open_session(machine.session);
            if (machine.channel)
                machine.phase = Phase::exec;
            else
                rc = libssh2_session_last_errno(machine.session);
            break;
        case Phase::exec:
            rc = libssh2_channel_exec(machine.channel, "bash -s");
            if (rc == 0) machine.phase = Phase::send;
            break;
        case Phase::send: {
            const auto count =
                libssh2_channel_write(machine.channel, job.script.data() + machine.sent, job.script.size() - machine.sent);
            if (count >= 0)
                machine.sent += static_cast<std::size_t>(count);
            else
                rc = static_cast<int>(count);
            if (machine.sent == job.script.size()) machine.phase = Phase::send_eof;
            break;
        }
        case Phase::send_eof:
            rc = libssh2_channel_send_eof(machine.channel);
            if (rc == 0) machine.phase = Phase::receive;
            break;
        case Phase::receive: {
            char buffer[16384];
            const auto count = libssh2_channel_read(machine.channel, buffer, sizeof buffer);
            if (count > 0)
                machine.output.append(buffer, static_cast<std::size_t>(count));
            else if (count == 0 && libssh2_channel_eof(machine.channel))
                machine.phase = Phase::close;
            else
                rc = count < 0 ? static_cast<int>(count) : LIBSSH2_ERROR_EAGAIN;
            break;
        }
        case Phase::close:
            rc = libssh2_channel_close(machine.channel);
            if (rc == 0) {
                const int status = libssh2_channel_get_exit_status(machine.channel);
                const bool marked = machine.output.find(marker) != std::string::npos;
                if (status != 0 || !marked)
                    return fail(machine, "script ended with " + std::to_string(status) + (marked ? "" : ", no end marker")), true;
                machine.phase = Phase::done;
            }
            break;
        case Phase::done:
        case Phase::failed:
            return false;
    }
    if (rc == LIBSSH2_ERROR_EAGAIN) return false;
    if (rc < 0) {
        char* text = nullptr;
        libssh2_session_last_error(machine.session, &text, nullptr, 0);
        fail(machine, text ? text : "ssh");
    }
    return true;
}

short wanted_events(const Machine& machine) {
    if (machine.phase == Phase::connect) return POLLOUT;
    const int directions = libssh2_session_block_directions(machine.session);
    short events = (directions & LIBSSH2_SESSION_BLOCK_INBOUND) || machine.phase == Phase::receive ? POLLIN : 0;
    if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) events |= POLLOUT;
    return events ? events : POLLIN;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: floor_libssh2 MACHINES SCRIPT PRIVATE_KEY\n";
        return 1;
    }
    Job job{read_file(argv[2]) + "\nprintf '%s\\n' " + marker + "\n", read_file(argv[3]),
            read_file(std::string(argv[3]) + ".pub")};
    std::vector<Machine> machines;
    std::ifstream list(argv[1]);
    for (std::string line; std::getline(list, line);) {
        Machine machine;
        std::istringstream(line) >> machine.address >> machine.port >> machine.user;
        if (!machine.user.empty()) machines.push_back(machine);
    }
    libssh2_init(0);
    for (auto& machine : machines) start(machine);
    for (;;) {
        std::vector<pollfd> waits;
        std::vector<Machine*> owners;
        for (auto& machine : machines)
            if (machine.phase != Phase::done && machine.phase != Phase::failed) {
                waits.push_back({machine.fd, wanted_events(machine), 0});
                owners.push_back(&machine);
            }
        if (waits.empty()) break;
        if (::poll(waits.data(), waits.size(), 120'000) <= 0) break;
        for (std::size_t i = 0; i < waits.size(); ++i) {
            if (!waits[i].revents) continue;
            while (advance(*owners[i], job)) {
            }
            if (owners[i]->phase == Phase::done) ::close(owners[i]->fd);
        }
    }
    int failed = 0;
    for (const auto& machine : machines)
        if (machine.phase != Phase::done) {
            ++failed;
            std::cerr << machine.user << ": " << (machine.error.empty() ? "no answer" : machine.error) << "\n";
        }
    std::cerr << machines.size() - failed << " of " << machines.size() << " ok\n";
    return failed ? 1 : 0;
}
