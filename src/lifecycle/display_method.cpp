#include "lifecycle/display_method.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>

#include "backend/key_symbols.hpp"
#include "backend/rfb.hpp"
#include "backend/spice_link.hpp"

namespace ov {

namespace {

unsigned coordinate(const Check& check, std::string_view key, unsigned limit) {
    const std::string text = check.text(key);
    unsigned value = 0;
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, value).ptr != end || text.empty() || value >= limit)
        throw Error(Errc::usage, fmt::format("{} {}: {}={} is not on the screen (0 to {})", check.verb, check.subject, key, text,
                                             limit == 0 ? 0 : limit - 1));
    return value;
}

std::string size_text(const RfbServer& server) {
    return fmt::format("{}x{}", server.width, server.height);
}

/// All down, then all up, the last first.
asio::awaitable<void> press(RfbClient& client, std::vector<std::uint32_t> symbols, Deadline deadline) {
    for (const std::uint32_t symbol : symbols) co_await client.key(symbol, true, deadline);
    for (auto symbol = symbols.rbegin(); symbol != symbols.rend(); ++symbol) co_await client.key(*symbol, false, deadline);
}

asio::awaitable<std::string> save_screenshot(Runtime& runtime, RfbClient& client, std::string artifact, std::string directory,
                                             Deadline deadline) {
    ScreenImage image = co_await client.screenshot(deadline);
    const std::string said = fmt::format("{} {}x{}", artifact, image.width, image.height);
    const std::filesystem::path path = std::filesystem::path(directory) / artifact;
    auto writing = [image = std::move(image), path] {
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        file << encode_image(image, path.native());
        file.close();
        if (!file) throw Error(Errc::io, fmt::format("{}: it cannot be written", path.native()));
    };
    co_await runtime.pool.run(deadline, std::move(writing));
    co_return said;
}

asio::awaitable<std::string> vnc(Runtime& runtime, RfbClient& client, Check check, std::string directory, Deadline deadline) {
    const RfbServer& server = client.server();
    const std::string& method = check.subject;
    if (method == "status") co_return fmt::format("RFB {}, {}, {}", server.version, size_text(server), server.name);
    if (method == "rfb")
        co_return fmt::format("version={} securities={} size={} name={}", server.version, fmt::join(server.securities, ","),
                              size_text(server), server.name);
    if (method == "screenshot") {
        std::string said = co_await save_screenshot(runtime, client, check.text("artifact"), directory, deadline);
        co_return said;
    }
    std::string said;
    if (method == "click" || method == "mouse") {
        const unsigned x = coordinate(check, "x", server.width), y = coordinate(check, "y", server.height);
        co_await client.pointer(x, y, 0, deadline);
        if (method == "click") {
            co_await client.pointer(x, y, 1, deadline);
            co_await client.pointer(x, y, 0, deadline);
        }
        said = fmt::format("{} at {},{}", method == "click" ? "clicked" : "pointer", x, y);
    } else if (method == "type") {
        const auto all = typed_symbols(check.text("text"));
        for (const auto& symbols : all) co_await press(client, symbols, deadline);
        said = fmt::format("typed {} character{}", all.size(), all.size() == 1 ? "" : "s");
    } else {
        co_await press(client, key_symbols(check.text("key")), deadline);
        said = "pressed " + check.text("key");
    }
    co_await client.flush(deadline);
    co_return said;
}

}  // namespace

asio::awaitable<CommandResult> run_display_method(Runtime& runtime, DisplayPlace place, Check check, std::string directory,
                                                  Deadline deadline) {
    const bool is_spice = check.verb == "spice";
    if (is_spice && check.subject != "status")
        throw Error(Errc::unsupported,
                    fmt::format("spice {0}: of SPICE only the link is spoken here; `libvirt: screenshot` and `libvirt: send-key` "
                                "ask the hypervisor for the same, and a vnc display has {0}",
                                check.subject == "cursor" ? "screenshot" : check.subject));
    std::string password = place.password;
    DisplaySocket socket = co_await DisplaySocket::connect(std::move(place), deadline);
    std::string said;
    if (is_spice) {
        said = co_await spice_status(std::move(socket), deadline);
    } else {
        const auto client = co_await RfbClient::negotiate(std::move(socket), std::move(password), deadline);
        said = co_await vnc(runtime, *client, std::move(check), std::move(directory), deadline);
    }
    co_return CommandResult{0, said + "\n", ""};
}

}  // namespace ov
