// Starts programs on a machine over one SSH connection.
#pragma once

#include <memory>

#include "exec/remote_process.hpp"
#include "exec/ssh_connect.hpp"

namespace ov {

class SshLauncher final : public Launcher {
public:
    SshLauncher(std::unique_ptr<SshConnection> connection, SshDestination destination)
        : connection_(std::move(connection)), destination_(std::move(destination)) {}

    std::string venue() const override;
    bool is_root() const override { return destination_.user == "root"; }
    asio::awaitable<std::unique_ptr<RemoteProcess>> launch(std::string command, RunAs, Deadline deadline) override;
    asio::awaitable<void> close(Deadline deadline) override;

private:
    std::unique_ptr<SshConnection> connection_;
    SshDestination destination_;
};

}  // namespace ov
