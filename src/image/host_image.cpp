#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "async/task_group.hpp"
#include "image/host_podman.hpp"
#include "image/image_names.hpp"
#include "ov/image.hpp"

namespace ov {

namespace {

using Words = std::vector<std::string>;

asio::awaitable<nlohmann::json> podman_json(Words words, Deadline deadline) {
    const std::string what = fmt::format("podman {}", fmt::join(words, " "));
    const ProcessOutput output = co_await host_podman(std::move(words), deadline);
    if (output.status != 0) throw Error(Errc::io, fmt::format("{}: exit status {}: {}", what, output.status, output.err));
    nlohmann::json answer = nlohmann::json::parse(output.out, nullptr, false);
    if (answer.is_discarded()) throw Error(Errc::io, fmt::format("{}: the answer is no JSON", what));
    co_return answer;
}

std::string bare_digest(const std::string& digest) {
    return digest.starts_with("sha256:") ? digest.substr(std::string_view("sha256:").size()) : digest;
}

asio::awaitable<std::string> resolve(std::string name, Deadline deadline) {
    const Words all{"images", "--format", "json"};
    const nlohmann::json list = co_await podman_json(all, deadline);
    std::vector<LocalImage> images;
    for (const auto& entry : list) {
        LocalImage image;
        if (entry.contains("Names") && entry["Names"].is_array()) image.refs = entry["Names"].get<std::vector<std::string>>();
        if (entry.contains("Labels") && entry["Labels"].is_object())
            image.labels = entry["Labels"].get<std::map<std::string, std::string>>();
        images.push_back(std::move(image));
    }
    co_return choose_image(name, images);
}

/// What podman says about an image: its facts and its history, asked at the same time.
struct Told {
    ProcessOutput facts, history;
};

asio::awaitable<Told> ask_about(std::string ref, Deadline deadline) {
    Told told;
    const auto store = [&told, deadline](Words words, bool history) -> asio::awaitable<void> {
        ProcessOutput output = co_await host_podman(std::move(words), deadline);
        (history ? told.history : told.facts) = std::move(output);
    };
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        Words inspect{"image", "inspect", "--", ref};
        Words past{"history", "--no-trunc", "--human=false", "--format", "json", "--", ref};
        group.spawn(store(std::move(inspect), false));
        group.spawn(store(std::move(past), true));
        co_return;
    };
    co_await with_task_group(deadline, body);
    co_return told;
}

nlohmann::json parsed(const ProcessOutput& output, const std::string& what) {
    if (output.status != 0) throw Error(Errc::io, fmt::format("{}: exit status {}: {}", what, output.status, output.err));
    nlohmann::json answer = nlohmann::json::parse(output.out, nullptr, false);
    if (answer.is_discarded()) throw Error(Errc::io, fmt::format("{}: the answer is no JSON", what));
    return answer;
}

/// Sizes of the layers from the history: entries without a layer of their own are marked in the config.
std::vector<std::uint64_t> layer_sizes(const nlohmann::json& config_history, const nlohmann::json& history, std::size_t layers) {
    std::vector<std::uint64_t> sizes;
    if (!config_history.is_array() || config_history.size() != history.size()) return {};
    for (std::size_t i = 0; i < config_history.size(); ++i)
        if (!config_history[i].value("empty_layer", false))
            sizes.push_back(history[history.size() - 1 - i].value("size", std::uint64_t{0}));
    return sizes.size() == layers ? sizes : std::vector<std::uint64_t>();
}

}  // namespace

asio::awaitable<HostImage> find_host_image(std::string name, Deadline deadline) {
    if (name.empty()) throw Error(Errc::usage, "an image reference is required");
    HostImage image;
    image.ref = name;
    Told told = co_await ask_about(name, deadline);
    if (told.facts.status != 0) {
        // No such reference: a short name, or an error that names both.
        image.ref = co_await resolve(name, deadline);
        told = co_await ask_about(image.ref, deadline);
    }
    const nlohmann::json all = parsed(told.facts, "podman image inspect " + image.ref);
    const nlohmann::json& facts = all.at(0);
    image.id = bare_digest(facts.at("Id").get<std::string>());
    image.size = facts.value("Size", std::uint64_t{0});
    for (const auto& layer : facts.at("RootFS").at("Layers")) image.layers.push_back(bare_digest(layer.get<std::string>()));
    // `podman save` by ID would lose the name, and a short name may be another image in the machine.
    const auto& tags = facts.value("RepoTags", nlohmann::json::array());
    if (tags.is_array() && !tags.empty() && std::find(tags.begin(), tags.end(), image.ref) == tags.end())
        image.ref = choose_ref(image.ref, tags.get<std::vector<std::string>>());
    const nlohmann::json history = parsed(told.history, "podman history " + image.ref);
    image.layer_sizes = layer_sizes(facts.value("History", nlohmann::json()), history, image.layers.size());
    co_return image;
}

}  // namespace ov
