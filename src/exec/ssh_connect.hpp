// From a destination to an authenticated session: lookup, connect (or jump, or ProxyCommand), handshake, host key, keys.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "async/backoff.hpp"
#include "async/runtime.hpp"
#include "async/semaphore.hpp"
#include "exec/known_hosts.hpp"
#include "exec/ssh_destination.hpp"
#include "exec/ssh_session.hpp"

namespace ov {

/// Shared by all connections of one engine. Belongs to the loop's thread.
class SshContext {
public:
    explicit SshContext(Runtime& engine) : runtime(engine), lookups(engine.io.get_executor(), 2) {}

    Runtime& runtime;
    Semaphore lookups;  ///< name look-ups in the blocking pool (decisions 44)

    /// At most eight unauthenticated connections to one address: sshd's MaxStartups is 10:30:100.
    Semaphore& starting(const std::string& address);
    /// Parsed once per process and file; a file that is not there is empty.
    const KnownHosts& known_hosts(const std::string& path);
    void forget_known_hosts(const std::string& path) { known_hosts_.erase(path); }

private:
    std::map<std::string, Semaphore> starting_;
    std::map<std::string, KnownHosts> known_hosts_;
};

/// A session together with the sessions it tunnels through. Destroying it closes all of them at once.
class SshConnection {
public:
    SshConnection(std::shared_ptr<SshSession> session, std::unique_ptr<SshConnection> outer)
        : outer_(std::move(outer)), session_(std::move(session)) {}
    SshConnection(const SshConnection&) = delete;
    SshConnection& operator=(const SshConnection&) = delete;
    ~SshConnection();
    const std::shared_ptr<SshSession>& session() const noexcept { return session_; }
    asio::awaitable<void> close(Deadline deadline);

private:
    std::unique_ptr<SshConnection> outer_;
    std::shared_ptr<SshSession> session_;
};

struct ConnectLimits {
    std::chrono::milliseconds connect{5000};
    std::chrono::milliseconds banner{2000};
};

using NoteSink = std::function<void(const std::string&)>;

/// One try. Throws Error{unreachable}, {host_key} or {auth_failed}.
asio::awaitable<std::unique_ptr<SshConnection>> connect_once(SshContext& context, SshDestination destination,
                                                             ConnectLimits limits, NoteSink note, Deadline deadline);

struct ReadyOptions {
    BackoffOptions backoff;
    /// How often a refused key is tried again: keys may be written after sshd starts (first boot). At least 5 s apart.
    int auth_retries = 1;
    NoteSink note;
    std::function<void(int tries, const Error& last)> on_retry;
};

/// The ladder: tries again with back-off until the machine lets us in. A host key mismatch ends it at once. When the deadline
/// ends first, throws Error{unreachable} with the last reason and the number of tries; Error{cancelled} when cancelled.
asio::awaitable<std::unique_ptr<SshConnection>> connect_when_ready(SshContext& context, SshDestination destination,
                                                                   ReadyOptions options, Deadline deadline);

}  // namespace ov
