// Deploys everything in a project; the first failure cancels the rest. Explained in docs/embedding.md.
#include <ov/fleet.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    ov::Engine engine;

    ov::FleetRequest request;
    request.project_directory = argc > 1 ? argv[1] : ".";
    request.all = true;
    request.jobs = 16;
    request.gates.assume_yes = true;

    const auto print = [&engine](const ov::DeployEvent& event) {
        if (const auto* end = std::get_if<ov::event::VmFinished>(&event.body)) {
            std::printf("%s: %s %s\n", event.vm.c_str(), std::string(to_string(end->outcome)).c_str(), end->reason.c_str());
            if (end->outcome == ov::Outcome::failed) engine.cancel();
        }
    };
    try {
        return engine.run(request, print).exit_code;
    } catch (const ov::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
