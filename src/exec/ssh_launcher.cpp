#include "exec/ssh_launcher.hpp"

#include <fmt/format.h>

#include "exec/ssh_channel.hpp"

namespace ov {

std::string SshLauncher::venue() const {
    return fmt::format("ssh://{}@{}{}", destination_.user, destination_.host,
                       destination_.port == 22 ? std::string() : fmt::format(":{}", destination_.port));
}

asio::awaitable<std::unique_ptr<RemoteProcess>> SshLauncher::launch(std::string command, RunAs, Deadline deadline) {
    auto channel = co_await SshChannel::exec(connection_->session(), std::move(command), deadline);
    std::unique_ptr<RemoteProcess> process = std::make_unique<SshProcess>(std::move(channel));
    co_return process;
}

asio::awaitable<void> SshLauncher::close(Deadline deadline) {
    return connection_->close(deadline);
}

}  // namespace ov
