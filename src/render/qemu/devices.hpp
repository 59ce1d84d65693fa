// The devices that QEMU's command line can say; all others are findings of `validate` with the backend QEMU.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "render/context.hpp"

namespace ov::render::qemu {

/// A command line in the making.
class Arguments {
public:
    void add(std::string option) { all_.push_back(std::move(option)); }
    void add(std::string option, std::string value) {
        all_.push_back(std::move(option));
        all_.push_back(std::move(value));
    }
    std::vector<std::string> take() { return std::move(all_); }

private:
    std::vector<std::string> all_;
};

void add_disks(Arguments& argv, const Context& context);
void add_rngs(Arguments& argv, const Context& context);
void add_memballoon(Arguments& argv, const Context& context);
/// The guest agent's channel, once.
void add_agent(Arguments& argv, const Context& context);

}  // namespace ov::render::qemu
