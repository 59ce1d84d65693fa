#include "lifecycle/pod_place.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "async/runtime.hpp"
#include "base/sha256.hpp"
#include "deploy/guest_program.hpp"
#include "lifecycle/pod_commands.hpp"
#include "ov/error.hpp"
#include "ov_config.hpp"

namespace ov::pods {

namespace {

// What the machine has of what pods take. One line an answer.
constexpr const char* look_script = R"sh(printf '%s\n' "$(id -un)" "$HOME"
if [[ -e /var/lib/systemd/linger/$(id -un) ]]; then echo yes; else echo no; fi
if [[ -x $HOME/.cache/ov/ov-guest ]]; then sha256sum <"$HOME/.cache/ov/ov-guest" | head -c 64; echo; else echo none; fi
if ! nvidia-smi >/dev/null 2>&1; then echo none
elif [[ -e /etc/cdi/nvidia.yaml || -e /var/run/cdi/nvidia.yaml ]]; then echo there
elif command -v nvidia-ctk >/dev/null; then echo wanted
else echo impossible; fi
)sh";

std::string digest_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Errc::not_found, fmt::format("{}: cannot be read", path));
    return sha256_hex(std::string{std::istreambuf_iterator<char>(file), {}});
}

}  // namespace

asio::awaitable<Place> look_at_place(Executor& machine, Deadline deadline) {
    const CommandResult result = co_await ask(machine, RunAs::user, look_script, "look at what pods need", deadline);
    Place place;
    std::istringstream lines(result.out);
    for (std::string* field : {&place.user, &place.home, &place.linger, &place.digest, &place.gpu}) std::getline(lines, *field);
    if (!result.ok() || place.gpu.empty())
        throw Error(Errc::step_failed,
                    fmt::format("{}: cannot tell what is there for pods: {}", machine.venue(), words_of(result)));
    co_return place;
}

asio::awaitable<std::string> bring_program(Executor& machine, Runtime& runtime, Place place, std::string found, Deadline deadline,
                                           EmitEvent events) {
    if (found.empty()) {
        GuestProgramRequest request;
        request.strategy = "auto";
        request.version = OV_VERSION;
        found = co_await ensure_guest_program(machine, std::move(request), deadline, events);
    }
    if (found.starts_with('/')) co_return found;
    const std::string program = guest_program_path();
    auto hash = [program] { return digest_of_file(program); };
    const std::string digest = co_await runtime.pool.run(deadline, std::move(hash));
    PutTarget target;
    target.path = place.home + "/.cache/ov/ov-guest";
    target.mode = 0755;
    target.sha256 = digest;
    std::string path = target.path;
    if (place.digest != digest) {
        auto source = bytes_of_file(program);
        co_await machine.put(std::move(source), std::move(target), deadline);
    }
    co_return path;
}

}  // namespace ov::pods
