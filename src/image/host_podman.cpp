#include "image/host_podman.hpp"

namespace ov {

asio::awaitable<ProcessOutput> host_podman(std::vector<std::string> words, Deadline deadline, bool console) {
    ProcessOptions options;
    options.argv = std::move(words);
    options.argv.insert(options.argv.begin(), "podman");
    if (console) options.err = Redirect::inherit;
    ProcessOutput output;
    bool missing = false;
    try {
        output = co_await run_process(std::move(options), deadline);
    } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        missing = true;
    }
    if (missing)
        throw Error(Errc::not_found,
                    "podman is not installed on this host: images are built and kept by it (Debian: apt-get install podman)");
    co_return output;
}

}  // namespace ov
