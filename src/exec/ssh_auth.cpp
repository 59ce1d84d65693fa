#include "exec/ssh_auth.hpp"

#include <fmt/format.h>

#include <asio/co_spawn.hpp>
#include <cstring>
#include <fstream>
#include <iterator>

#include "exec/ssh_agent.hpp"
#include "exec/ssh_key.hpp"
#include "exec/ssh_library.hpp"

namespace ov {

namespace {

/// Servers close after six failures (MaxAuthTries); stop before they do.
constexpr std::size_t most_tries = 5;

std::string read_key(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool refused(int code) {
    return code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
}

/// libssh2 frees a signature with the allocator of its session.
int hand_over(LIBSSH2_SESSION* session, std::string_view blob, unsigned char** signature, size_t* length) {
    auto* copy = static_cast<unsigned char*>(SshSession::of(session).memory().allocate(blob.size()));
    if (copy == nullptr) return LIBSSH2_ERROR_ALLOC;
    std::memcpy(copy, blob.data(), blob.size());
    *signature = copy;
    *length = blob.size();
    return 0;
}

int sign_with_key(LIBSSH2_SESSION* session, unsigned char** signature, size_t* length, const unsigned char* data,
                  size_t data_length, void** abstract) {
    try {
        const auto& key = *static_cast<const SshKey*>(*abstract);
        return hand_over(session, key.sign({reinterpret_cast<const char*>(data), data_length}), signature, length);
    } catch (const Error&) {
        return LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    }
}

/// A signature that the agent makes while libssh2 asks again and again (its callback may answer EAGAIN).
struct AgentSignature {
    std::shared_ptr<SshAgent> agent;  ///< shared: a signature may still be on its way when the caller gave up
    AgentKey key;
    std::string signature;
    std::exception_ptr failure;
    bool asked = false, answered = false;
    std::shared_ptr<SshSession> session;
    Deadline deadline;
};

asio::awaitable<void> ask_agent(std::shared_ptr<AgentSignature> request, std::string data) {
    try {
        request->signature = co_await request->agent->sign(request->key, std::move(data), request->deadline);
    } catch (const Error&) {
        request->failure = std::current_exception();
    }
    request->answered = true;
    request->session->kick();
}

int sign_with_agent(LIBSSH2_SESSION* session, unsigned char** signature, size_t* length, const unsigned char* data,
                    size_t data_length, void** abstract) {
    const auto& request = *static_cast<std::shared_ptr<AgentSignature>*>(*abstract);
    if (!request->asked) {
        request->asked = true;
        std::string bytes(reinterpret_cast<const char*>(data), data_length);
        asio::co_spawn(request->session->executor(), ask_agent(request, std::move(bytes)), [](std::exception_ptr) {});
    }
    if (!request->answered) return LIBSSH2_ERROR_EAGAIN;
    if (request->failure) return LIBSSH2_ERROR_AUTHENTICATION_FAILED;
    // The agent answers with {type, blob}; libssh2 wants the blob alone.
    std::string_view wire = request->signature;
    const auto skip = [&wire]() -> std::string_view {
        if (wire.size() < 4) return {};
        std::size_t size = 0;
        for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(wire[i]);
        const std::string_view part = wire.substr(4, size);
        wire = wire.size() < 4 + size ? std::string_view{} : wire.substr(4 + size);
        return part;
    };
    skip();
    return hand_over(session, skip(), signature, length);
}

/// libssh2 calls a connection that ended in the middle of a login a refusal.
void require_connection(SshSession& session) {
    if (session.alive()) return;
    throw Error(Errc::unreachable, fmt::format("{}: the connection ended during the login", session.name()));
}

/// One try with one key file; true when the server let us in.
asio::awaitable<bool> try_file(std::shared_ptr<SshSession> session, std::string user, std::string path, std::string& note,
                               Deadline deadline) {
    const std::string key = read_key(path);
    if (key.empty()) {
        note += fmt::format("; {}: not there or not readable", path);
        co_return false;
    }
    auto own = std::make_shared<std::optional<SshKey>>(SshKey::parse(key));
    auto abstract = std::make_shared<void*>(*own ? &**own : nullptr);
    auto step = [session, user, key, own, abstract] {
        if (*own)
            return libssh2_userauth_publickey(session->raw(), user.c_str(),
                                              reinterpret_cast<const unsigned char*>((*own)->blob().data()),
                                              (*own)->blob().size(), &sign_with_key, abstract.get());
        return libssh2_userauth_publickey_frommemory(session->raw(), user.data(), user.size(), nullptr, 0, key.data(), key.size(),
                                                     nullptr);
    };
    const int code = co_await session->perform(step, deadline);
    if (code == 0) co_return true;
    require_connection(*session);
    if (refused(code))
        note += fmt::format("; {}: refused by the server", path);
    else if (code == LIBSSH2_ERROR_FILE || code == LIBSSH2_ERROR_METHOD_NONE)
        note += fmt::format(
            "; {}: cannot be used ({}): with a passphrase it must be in the agent, and libssh2 before 1.11 knows no RSA "
            "key that current servers take",
            path, ssh_error_text(session->raw(), code));
    else
        throw Error(Errc::unreachable,
                    fmt::format("{}: authentication: {}", session->name(), ssh_error_text(session->raw(), code)));
    co_return false;
}

asio::awaitable<bool> try_agent_key(std::shared_ptr<SshSession> session, std::string user, std::shared_ptr<SshAgent> agent,
                                    AgentKey key, std::string& note, Deadline deadline) {
    auto request = std::make_shared<AgentSignature>(AgentSignature{agent, key, {}, nullptr, false, false, session, deadline});
    // libssh2 keeps the pointer across EAGAIN: it must stay where it is until the operation is over.
    auto holder = std::make_shared<std::shared_ptr<AgentSignature>>(request);
    auto abstract = std::make_shared<void*>(holder.get());
    auto step = [session, user, key, holder, abstract] {
        return libssh2_userauth_publickey(session->raw(), user.c_str(), reinterpret_cast<const unsigned char*>(key.blob.data()),
                                          key.blob.size(), &sign_with_agent, abstract.get());
    };
    const int code = co_await session->perform(step, deadline);
    if (code == 0) co_return true;
    require_connection(*session);
    note += fmt::format("; agent key {}: {}", key.comment, refused(code) ? "refused" : ssh_error_text(session->raw(), code));
    co_return false;
}

}  // namespace

asio::awaitable<void> authenticate(std::shared_ptr<SshSession> session, SshDestination destination, Deadline deadline) {
    std::string note;
    std::size_t tries = 0;
    for (const std::string& path : destination.identities) {
        if (++tries > most_tries) break;
        const bool accepted = co_await try_file(session, destination.user, path, note, deadline);
        if (accepted) co_return;
    }
    if (!destination.agent_socket.empty()) {
        std::shared_ptr<SshAgent> agent;
        std::vector<AgentKey> keys;
        try {
            agent = co_await SshAgent::connect(destination.agent_socket, deadline);
            keys = co_await agent->keys(deadline);
        } catch (const Error& error) {
            if (error.code() != Errc::io) throw;
            note += fmt::format("; {}", error.what());
        }
        for (const AgentKey& key : keys) {
            if (++tries > most_tries) break;
            const bool accepted = co_await try_agent_key(session, destination.user, agent, key, note, deadline);
            if (accepted) co_return;
        }
    }
    if (note.empty()) note = "; no key to offer";
    throw Error(Errc::auth_failed, fmt::format("{}: authentication as {} failed{}", session->name(), destination.user, note));
}

}  // namespace ov
