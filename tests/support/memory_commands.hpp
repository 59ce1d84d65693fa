// Definitions of QEMU machines kept in memory, and a command line that starts in a moment: no disk, no boot.
#pragma once

#include <map>

#include "backend/qemu_machines.hpp"

namespace ov::test {

class MemoryCommands : public CommandStore {
public:
    std::optional<std::vector<std::string>> load(const std::string& name) const override {
        const auto found = commands.find(name);
        return found == commands.end() ? std::nullopt : std::optional(found->second);
    }
    void save(const std::string& name, const std::vector<std::string>& argv) override { commands[name] = argv; }
    void remove(const std::string& name) override { commands.erase(name); }
    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const auto& [name, argv] : commands) all.push_back(name);
        return all;
    }
    std::map<std::string, std::vector<std::string>> commands;
};

/// A machine with a BIOS and nothing to boot, in `directory`. `extra` is appended.
inline std::vector<std::string> small_qemu(const std::string& directory, std::vector<std::string> extra = {}) {
    std::vector<std::string> argv{"qemu-system-x86_64",
                                  "-machine",
                                  "q35,accel=tcg",
                                  "-m",
                                  "32M",
                                  "-nodefaults",
                                  "-display",
                                  "none",
                                  "-qmp",
                                  "unix:" + directory + "/qmp.sock,server=on,wait=off",
                                  "-serial",
                                  "unix:" + directory + "/console.sock,server=on,wait=off",
                                  "-daemonize",
                                  "-pidfile",
                                  directory + "/qemu.pid"};
    argv.insert(argv.end(), extra.begin(), extra.end());
    return argv;
}

}  // namespace ov::test
