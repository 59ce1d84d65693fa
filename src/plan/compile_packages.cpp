// Package sections of the target's distribution -> prepare, install and cleanup steps; manifests -> builder steps.
#include <fmt/format.h>

#include <algorithm>

#include "plan/compile_parts.hpp"

namespace ov::plan {

namespace {

void append_new(std::vector<std::string>& into, const std::vector<std::string>& names) {
    for (const std::string& name : names)
        if (std::find(into.begin(), into.end(), name) == into.end()) into.push_back(name);
}

/// The block of the first tag that has one. Versioned tags ("debian:13") and bare ones ("debian") are looked up apart.
const DistroBlock* first_block(const Layer& layer, const std::vector<std::string>& tags, bool versioned) {
    for (const std::string& tag : tags)
        for (const DistroBlock& block : layer.distros) {
            const bool block_versioned = block.stray || block.tag.find(':') != std::string::npos;
            if (block.tag == tag && block_versioned == versioned) return &block;
        }
    return nullptr;
}

template <class T>
T overlay(const DistroBlock* specific, const DistroBlock* bare, std::optional<T> DistroBlock::*field) {
    if (specific != nullptr && specific->*field) return *(specific->*field);
    if (bare != nullptr && bare->*field) return *(bare->*field);
    return {};
}

}  // namespace

PackageSelection select_packages(const Layer& layer, const Distro& distro) {
    PackageSelection selection;
    const DistroBlock* specific = first_block(layer, distro.tags, true);
    const DistroBlock* bare = first_block(layer, distro.tags, false);
    selection.matched = specific != nullptr || bare != nullptr || !layer.has_distro;
    if (!selection.matched) return selection;

    append_new(selection.packages, layer.packages);
    const bool specific_lists = specific != nullptr && specific->packages && !specific->packages->empty();
    const DistroBlock* lists = specific_lists ? specific : bare;
    if (lists != nullptr && lists->packages) append_new(selection.packages, *lists->packages);
    selection.options = overlay(specific, bare, &DistroBlock::options);
    selection.exclude = overlay(specific, bare, &DistroBlock::exclude);
    selection.copr = overlay(specific, bare, &DistroBlock::copr);
    selection.modules = overlay(specific, bare, &DistroBlock::modules);
    selection.repos = overlay(specific, bare, &DistroBlock::repos);
    if (distro.format == "pac" && bare != nullptr && bare->key == "arch" && bare->aur) selection.aur = *bare->aur;
    selection.where = specific != nullptr ? specific->where : bare != nullptr ? bare->where : layer.place_of("package");
    return selection;
}

namespace {

/// What the spec's table of repository entries asks of one entry; a finding when it asks for more.
void check_repo(Compilation& c, const RepoEntry& repo) {
    const std::string& format = c.context.distro.format;
    const auto has = [&](const char* key) { return repo.fields.contains(key) && !repo.fields.at(key).empty(); };
    const auto need = [&](std::initializer_list<const char*> keys) {
        for (const char* key : keys)
            if (!has(key)) c.error(repo.where, "repo", fmt::format("a {} repository needs {}", format, key));
    };
    if (format == "deb" && has("ppa")) {
        const auto& tags = c.context.distro.tags;
        if (std::find(tags.begin(), tags.end(), "ubuntu") == tags.end())
            c.error(repo.where, "repo.ppa",
                    fmt::format("a ppa works on Ubuntu only, not on {}", tags.empty() ? "this system" : tags.front()));
        return;
    }
    if (format == "rpm" && has("rpm")) return;
    if (format == "deb") return need({"name", "url", "key"});
    if (format == "rpm") return need({"name", "url"});
    if (format == "pac") return need({"name", "server"});
}

std::vector<std::string> words_of(const std::vector<RepoEntry>& repos, const char* key) {
    std::vector<std::string> all;
    for (const RepoEntry& repo : repos)
        if (const auto found = repo.fields.find(key); found != repo.fields.end() && !found->second.empty())
            all.push_back(found->second);
    return all;
}

}  // namespace

void compile_packages(Compilation& c, std::vector<Step>& steps) {
    const std::string& format = c.context.distro.format;
    if (format.empty()) return;
    const PackageSelection selection = select_packages(c.layer, c.context.distro);
    const bool rpm = format == "rpm";
    for (const RepoEntry& repo : selection.repos) check_repo(c, repo);

    SystemPackagesStep prepare;
    prepare.format = format;
    prepare.phase = Phase::prepare;
    for (const RepoEntry& repo : selection.repos) prepare.repos.push_back(repo.fields);
    prepare.keys = words_of(selection.repos, rpm ? "gpgkey" : "key");
    if (rpm) {
        prepare.copr = selection.copr;
        prepare.modules = selection.modules;
    }
    const bool prepares = !prepare.repos.empty() || !prepare.copr.empty() || !prepare.modules.empty();
    const std::vector<std::string> copr = prepare.copr;
    if (prepares) steps.push_back({std::move(prepare)});

    if (!selection.packages.empty()) {
        SystemPackagesStep install;
        install.format = format;
        install.packages = selection.packages;
        install.options = selection.options;
        if (rpm) {
            install.exclude = selection.exclude;
            for (const RepoEntry& repo : selection.repos)
                if (repo.fields.contains("name") && repo.fields.contains("url"))
                    install.enable_repos.push_back(repo.fields.at("name"));
        }
        steps.push_back({std::move(install)});
    }
    if (!copr.empty()) {
        SystemPackagesStep cleanup;
        cleanup.format = format;
        cleanup.phase = Phase::cleanup;
        cleanup.copr = copr;
        steps.push_back({std::move(cleanup)});
    }
}

void compile_builders(Compilation& c, std::vector<Step>& steps) {
    const auto has = [&](std::string_view manifest) {
        return std::find(c.layer.manifests.begin(), c.layer.manifests.end(), manifest) != c.layer.manifests.end();
    };
    const auto add = [&](std::string name) {
        BuilderStep step;
        step.builder = std::move(name);
        step.layer = c.layer.name;
        step.layer_dir = c.layer.dir;
        const auto known = c.context.builder_images.find(step.builder);
        if (!c.context.builder_image.empty())
            step.image = c.context.builder_image;
        else if (known != c.context.builder_images.end())
            step.image = known->second;
        return step;
    };
    const AurBlock aur = select_packages(c.layer, c.context.distro).aur;
    if (!aur.packages.empty()) {
        BuilderStep step = add("aur");
        step.packages = aur.packages;
        step.options = aur.options;
        step.replaces = aur.replaces;
        steps.push_back({std::move(step)});
    }
    for (const auto& [builder, files] : c.context.builders) {
        const auto file = std::find_if(files.begin(), files.end(), has);
        if (file == files.end()) continue;
        if (builder != "cargo" && builder != "npm" && builder != "pixi") {
            if (!c.context.skip_incompatible)
                c.error(c.layer.where, "layer",
                        fmt::format("layer {}: {} asks for the builder {}, which this program has no script for", c.layer.name,
                                    *file, builder));
            continue;
        }
        BuilderStep step = add(builder);
        if (builder == "pixi") step.env_name = "default";
        steps.push_back({std::move(step)});
    }
}

}  // namespace ov::plan
