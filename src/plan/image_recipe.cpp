#include "plan/image_recipe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/near_name.hpp"
#include "ov/error.hpp"
#include "ov/load.hpp"

namespace ov {

namespace {

[[noreturn]] void wrong(const std::string& image, std::string_view key, const std::string& why) {
    throw Error(Errc::spec_invalid, fmt::format("image.{}.{}: {}", image, key, why));
}

std::string text_of(const YamlNode& body, std::string_view key) {
    const YamlNode* value = body.find(key);
    return value != nullptr && value->is_scalar() ? value->text : std::string();
}

std::vector<std::string> words_of(const std::string& image, const YamlNode& body, std::string_view key) {
    std::vector<std::string> words;
    const YamlNode* list = body.find(key);
    if (list == nullptr || list->is_null()) return words;
    if (!list->is_sequence()) wrong(image, key, "expected a list");
    for (const YamlPtr& item : list->items) {
        if (!item->is_scalar()) wrong(image, key, "every item must be a text");
        words.push_back(item->text);
    }
    return words;
}

unsigned number_of(const std::string& image, const YamlNode& body, std::string_view key, unsigned otherwise) {
    const std::string text = text_of(body, key);
    if (text.empty()) return otherwise;
    unsigned number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) wrong(image, key, fmt::format("'{}' is no number", text));
    return number;
}

/// "2026.144.1443" by its numbers; anything else comes before all of them.
std::vector<long> calendar(const std::string& text) {
    std::vector<long> numbers;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at <= end) {
        long number = 0;
        const auto [next, failure] = std::from_chars(at, end, number);
        if (failure != std::errc()) return {};
        numbers.push_back(number);
        if (next == end) break;
        if (*next != '.') return {};
        at = next + 1;
    }
    return numbers.size() == 3 ? numbers : std::vector<long>();
}

const YamlNode& entry(const Project& project, const std::string& name) {
    const auto found = project.images.find(name);
    if (found != project.images.end() && found->second && found->second->is_map()) return *found->second;
    std::vector<std::string> names;
    for (const auto& [known, body] : project.images) names.push_back(known);
    throw Error(Errc::not_found, fmt::format("no image \"{}\" in the project{}", name, did_you_mean(name, names)));
}

/// The images from the one asked for down to the lowest of the project.
std::vector<std::string> chain_of(const Project& project, const std::string& name) {
    std::vector<std::string> chain{name};
    for (;;) {
        const std::string base = text_of(entry(project, chain.back()), "base");
        if (!project.images.contains(base)) return chain;
        if (std::find(chain.begin(), chain.end(), base) != chain.end())
            wrong(name, "base", fmt::format("{} stands on itself: {} -> {}", base, fmt::join(chain, " -> "), base));
        chain.push_back(base);
    }
}

void add_layers(ImageRecipe& recipe, const Project& project, const std::string& image, const YamlNode& body) {
    std::vector<std::string> requests, provided;
    for (const std::string& ref : words_of(image, body, "layer")) requests.push_back(find_layer(project, ref).key);
    for (const Layer* layer : recipe.layers) provided.push_back(layer->key);
    OrderOptions options;
    options.drop_container_init = false;
    options.provided = provided;
    for (const Layer* layer : order_layers(requests, project.layers, options))
        if (std::find(recipe.layers.begin(), recipe.layers.end(), layer) == recipe.layers.end()) recipe.layers.push_back(layer);
}

void set_user(ImageRecipe& recipe, const YamlNode& body) {
    if (const std::string user = text_of(body, "user"); !user.empty()) {
        recipe.user = user;
        recipe.uid = recipe.gid = user == "root" ? 0 : 1000;
        recipe.home.clear();
    }
    if (recipe.user.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != std::string::npos)
        wrong(recipe.name, "user", fmt::format("'{}' is no account name", recipe.user));
    recipe.uid = number_of(recipe.name, body, "uid", recipe.uid);
    recipe.gid = number_of(recipe.name, body, "gid", recipe.gid);
    if (const std::string home = text_of(body, "home"); !home.empty()) recipe.home = home;
    if (recipe.home.empty()) recipe.home = recipe.uid == 0 ? "/root" : "/home/" + recipe.user;
    if (!recipe.home.starts_with('/')) wrong(recipe.name, "home", "expected an absolute path");
}

void set_version(ImageRecipe& recipe, const Project& project, const YamlNode& body) {
    recipe.version = text_of(body, "version");
    if (!recipe.version.empty()) return;
    // Nothing that a clock says: the same files make the same image.
    recipe.version = project.version;
    for (const Layer* layer : recipe.layers)
        if (calendar(recipe.version) < calendar(layer->version)) recipe.version = layer->version;
    if (recipe.version.empty()) recipe.version = "latest";
}

}  // namespace

ImageRecipe image_recipe(const Project& project, const std::string& name) {
    ImageRecipe recipe;
    recipe.name = name;
    const std::vector<std::string> chain = chain_of(project, name);
    for (auto image = chain.rbegin(); image != chain.rend(); ++image) {
        const YamlNode& body = entry(project, *image);
        const std::string base = text_of(body, "base"), file = text_of(body, "containerfile");
        if (!file.empty() && *image != name) {
            // It is built by itself, and what stands on it starts there.
            const ImageRecipe below = image_recipe(project, *image);
            recipe.from = below.tag();
        } else if (!project.images.contains(base)) {
            recipe.from = base;
        }
        set_user(recipe, body);
        if (auto distro = words_of(*image, body, "distro"); !distro.empty()) recipe.distro = std::move(distro);
        if (const std::string registry = text_of(body, "registry"); !registry.empty()) recipe.registry = registry;
        if (file.empty()) add_layers(recipe, project, *image, body);
    }
    const YamlNode& body = entry(project, name);
    recipe.body = project.images.find(name)->second;
    recipe.containerfile = text_of(body, "containerfile");
    if (recipe.from.empty() && recipe.containerfile.empty())
        wrong(name, "base", "required: a reference, or an image of the project (or `containerfile:`)");
    set_version(recipe, project, body);
    recipe.env = words_of(name, body, "env");
    recipe.ports = words_of(name, body, "port");
    recipe.network = text_of(body, "network");
    recipe.status = text_of(body, "status");
    recipe.info = text_of(body, "info");
    const bool supervised =
        std::any_of(recipe.layers.begin(), recipe.layers.end(), [](const Layer* layer) { return layer->name == "supervisord"; });
    recipe.init = supervised ? "supervisord" : "";
    if (recipe.containerfile.empty()) return recipe;
    recipe.init = "image";
    const auto says = [&body](const char* key) { return body.find(key) != nullptr; };
    recipe.has_account = says("user") || says("uid") || says("gid") || says("home");
    return recipe;
}

CompileContext image_context(const Project& project, const ImageRecipe& recipe, const Distro& asked) {
    CompileContext context;
    context.distro = asked;
    if (!recipe.distro.empty()) {
        context.distro = distro_from_tag(recipe.distro.front());
        if (!std::equal(recipe.distro.begin(), recipe.distro.end(), context.distro.tags.begin(), context.distro.tags.end()))
            context.distro.tags = recipe.distro;
    }
    context.user = recipe.user;
    context.uid = recipe.uid;
    context.gid = recipe.gid;
    context.home = recipe.home;
    context.image = recipe.name;
    apply_definitions(context, project);
    context.builder_images = builder_images(project, context.distro.tags);
    return context;
}

}  // namespace ov
