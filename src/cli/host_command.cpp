#include "cli/host_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>

#include "async/runtime.hpp"
#include "backend/host_probe.hpp"

namespace ov::cli {

namespace {

HostFacts probe(const std::string& connect, AppContext& to) {
    Runtime runtime(1);
    HostProbeResult result;
    std::exception_ptr failure;
    const Deadline deadline = Deadline::unlimited("host").child(std::chrono::minutes(1));
    HostProbe how;
    how.connect = connect;
    const auto work = [&result, how, deadline]() -> asio::awaitable<void> { result = co_await probe_host(how, deadline); };
    asio::co_spawn(runtime.io, work(), [&failure](std::exception_ptr error) { failure = error; });
    runtime.io.run();
    if (failure) std::rethrow_exception(failure);
    for (const std::string& note : result.notes) to.err << "ov: note: " << note << '\n';
    return std::move(result.facts);
}

HostFacts read(const std::string& path, AppContext& to) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Errc::io, fmt::format("cannot read {}", path));
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<Diagnostic> findings;
    HostFacts facts = parse_host_facts(text, path, findings);
    std::vector<Diagnostic> errors;
    for (const Diagnostic& finding : findings)
        if (finding.severity == Severity::error)
            errors.push_back(finding);
        else
            to.err << "ov: warning: " << finding.str() << '\n';
    if (!errors.empty()) throw SpecError(std::move(errors));
    return facts;
}

}  // namespace

HostFacts host_facts(const std::string& file, const std::string& connect, AppContext& to) {
    return file.empty() ? probe(connect, to) : read(file, to);
}

void add_host_commands(CLI::App& app, AppContext& context) {
    CLI::App* host = app.add_subcommand("host", "Look at this host");
    host->require_subcommand(1);
    auto connect = std::make_shared<std::string>();
    CLI::App* facts = host->add_subcommand("facts", "Print what the renderers assume about this host, as YAML");
    facts->add_option("--connect", *connect, "libvirt URI (default: qemu:///system for root, else qemu:///session)");
    facts->footer(
        "Examples:\n"
        "  ov host facts > this-host.yml                         for `ov vm render --facts` elsewhere\n"
        "  ov host facts --connect qemu+ssh://user@host/system   of a remote hypervisor");
    host->footer("Example:\n  ov host facts");
    facts->callback([connect, &context] {
        context.action = [connect, &context] { context.out << to_yaml(host_facts("", *connect, context)); };
    });
}

}  // namespace ov::cli
