#include "exec/ssh_connect.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "exec/ssh_auth.hpp"
#include "exec/ssh_dial.hpp"

namespace ov {

Semaphore& SshContext::starting(const std::string& address) {
    constexpr std::size_t most = 8;
    return starting_.try_emplace(address, runtime.io.get_executor(), most).first->second;
}

const KnownHosts& SshContext::known_hosts(const std::string& path) {
    const auto found = known_hosts_.find(path);
    if (found != known_hosts_.end()) return found->second;
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return known_hosts_.emplace(path, parse_known_hosts(text)).first->second;
}

SshConnection::~SshConnection() {
    if (session_) session_->abort("closed");
}

asio::awaitable<void> SshConnection::close(Deadline deadline) {
    const auto session = session_;
    co_await session->close(deadline);
    if (outer_) co_await outer_->close(deadline);
}

namespace {

std::string lookup_name(const SshDestination& destination) {
    return destination.host_key_alias.empty() ? destination.host : destination.host_key_alias;
}

/// OpenSSH files an alias without the port.
int lookup_port(const SshDestination& destination) {
    return destination.host_key_alias.empty() ? destination.port : 22;
}

/// The folders above the file, for their owner alone. What cannot be made shows when the file is opened.
void make_folders(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        ::mkdir(path.substr(0, slash).c_str(), 0700);
}

/// Appends under O_APPEND: several programs may pin at once.
void pin(const std::string& path, const std::string& line) {
    make_folders(path);
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const bool written =
        file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
    const int problem = errno;
    if (file >= 0) ::close(file);
    if (!written) throw Error(Errc::io, fmt::format("cannot record the host key in {}: {}", path, std::strerror(problem)));
}

void verify_host_key(SshContext& context, const SshDestination& destination, SshSession& session, const NoteSink& note) {
    const HostKey key = session.host_key();
    const std::string name = lookup_name(destination);
    const int port = lookup_port(destination);
    std::string files;
    for (const std::string& path : destination.known_hosts) {
        const KnownHosts& known = context.known_hosts(path);
        const HostKeyCheck check = check_host_key(known, name, port, key);
        if (check.verdict == HostKeyVerdict::match) return;
        if (check.verdict == HostKeyVerdict::revoked)
            throw Error(Errc::host_key, fmt::format("{}: the host key {} is revoked at {}:{}", destination.name,
                                                    key.fingerprint(), path, check.line));
        if (check.verdict == HostKeyVerdict::mismatch)
            throw Error(Errc::host_key,
                        fmt::format("{}: the host key changed: {}:{} has another {} key than the one shown now ({}); if the "
                                    "machine was made anew, remove that line: ssh-keygen -R '{}' -f {}",
                                    destination.name, path, check.line, key.type, key.fingerprint(),
                                    port == 22 ? name : fmt::format("[{}]:{}", name, port), path));
        if (known.authorities > 0 && note)
            note(fmt::format("{}: {} has @cert-authority lines, which are not understood; plain keys are compared only",
                             destination.name, path));
        files += (files.empty() ? "" : ", ") + path;
    }
    if (destination.policy == HostKeyPolicy::strict || destination.known_hosts.empty())
        throw Error(Errc::host_key,
                    fmt::format("{}: no host key for it in {}; it shows {} {}", destination.name,
                                files.empty() ? "any known_hosts file (none is named)" : files, key.type, key.fingerprint()));
    pin(destination.known_hosts.front(), known_host_line(name, port, key));
    context.forget_known_hosts(destination.known_hosts.front());
    if (note)
        note(fmt::format("{}: pinned host key {} {} in {}", destination.name, key.type, key.fingerprint(),
                         destination.known_hosts.front()));
}

std::vector<std::string> pinned_types(SshContext& context, const SshDestination& destination) {
    std::vector<std::string> types;
    for (const std::string& path : destination.known_hosts)
        for (std::string& type : known_key_types(context.known_hosts(path), lookup_name(destination), lookup_port(destination)))
            types.push_back(std::move(type));
    return types;
}

}  // namespace

asio::awaitable<std::unique_ptr<SshConnection>> connect_once(SshContext& context, SshDestination destination,
                                                             ConnectLimits limits, NoteSink note, Deadline deadline) {
    std::unique_ptr<SshConnection> outer;
    if (!destination.jumps.empty() && destination.proxy_command.empty()) {
        SshDestination hop = destination.jumps.back();
        hop.jumps.assign(destination.jumps.begin(), destination.jumps.end() - 1);
        outer = co_await connect_once(context, std::move(hop), limits, note, deadline);
    }
    const std::string address = fmt::format("{}:{}", destination.host, destination.port);
    Semaphore& starting = context.starting(address);
    const Semaphore::Place place = co_await starting.acquire(deadline);
    std::shared_ptr<SshSession> through;
    if (outer) through = outer->session();
    auto stream = co_await dial(context, destination, through, limits.connect, deadline);
    SshSessionOptions options;
    options.name = destination.name == destination.host ? address : fmt::format("{} ({})", destination.name, address);
    options.host_key_types = pinned_types(context, destination);
    options.banner_limit = limits.banner;
    auto session = co_await SshSession::open(std::move(stream), std::move(options), deadline);
    auto connection = std::make_unique<SshConnection>(session, std::move(outer));
    verify_host_key(context, destination, *session, note);
    const Deadline login = deadline.child(std::chrono::seconds(60), "authentication");
    co_await authenticate(session, destination, login);
    co_return connection;
}

asio::awaitable<std::unique_ptr<SshConnection>> connect_when_ready(SshContext& context, SshDestination destination,
                                                                   ReadyOptions options, Deadline deadline) {
    Backoff backoff(options.backoff, context.runtime.next_seed());
    ConnectLimits limits;
    int auth_failures = 0;
    for (int tries = 1;; ++tries) {
        std::optional<Error> last;
        try {
            auto connection = co_await connect_once(context, destination, limits, options.note, deadline);
            co_return connection;
        } catch (const Error& error) {
            last = error;
        }
        if (last->code() == Errc::cancelled || deadline.cancelled()) throw *last;
        if (last->code() == Errc::host_key || last->code() == Errc::io || last->code() == Errc::not_found) throw *last;
        if (last->code() == Errc::auth_failed && auth_failures++ >= options.auth_retries) throw *last;
        if (options.on_retry) options.on_retry(tries, *last);
        // A slow machine answers late rather than never: be more patient each time.
        limits.banner = std::min(limits.banner * 3 / 2, std::chrono::milliseconds(15000));
        // OpenSSH 9.8 and later punish addresses that fail to authenticate for five seconds.
        const std::chrono::milliseconds least{last->code() == Errc::auth_failed ? 5000 : 0};
        const auto pause = backoff.next(least);
        if (deadline.left() <= pause)
            throw Error(Errc::unreachable, fmt::format("{}; not ready after {} tries", last->what(), tries));
        co_await sleep_for(pause, deadline);
    }
}

}  // namespace ov
