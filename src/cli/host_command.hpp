// `ov host facts`, and the facts that other verbs work with.
#pragma once

#include <string>

#include "cli/app_context.hpp"
#include "ov/host_facts.hpp"

namespace ov::cli {

void add_host_commands(CLI::App& app, AppContext& context);

/// Facts from a file, or with an empty name those of this host; why a part is missing goes to stderr. `connect`: libvirt URI,
/// empty for the default.
HostFacts host_facts(const std::string& file, const std::string& connect, AppContext& to);

}  // namespace ov::cli
