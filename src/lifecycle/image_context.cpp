#include "lifecycle/image_context.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "deploy/tree_digest.hpp"
#include "ov/error.hpp"

namespace ov {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what, const std::error_code& why) {
    throw Error(Errc::io, fmt::format("{}: {}: {}", path.string(), what, why.message()));
}

bool is_there(const fs::path& path) {
    std::error_code failure;
    const bool there = fs::exists(path, failure);
    if (failure) fail(path, "cannot be looked at", failure);
    return there;
}

void make_directories(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) fail(path, "cannot be made", failure);
}

void copy_into(const std::string& source, const fs::path& target, fs::copy_options options) {
    std::error_code failure;
    fs::copy(source, target, options, failure);
    if (failure) fail(source, "cannot be copied into the build context", failure);
}

constexpr auto whole_tree = fs::copy_options::recursive | fs::copy_options::copy_symlinks;

/// Nothing when it is missing. Blocks.
std::string digest_of(const std::string& source) {
    return is_there(source) ? tree_digest(source) : std::string();
}

void lay_out_data(const BuildContext::Data& data, const fs::path& target) {
    make_directories(target);
    if (!is_there(data.source))
        throw Error(Errc::not_found, fmt::format("{}: a layer has it as data of a volume and it is missing", data.source));
    std::error_code unknown;
    if (fs::is_directory(data.source, unknown))
        copy_into(data.source, target, whole_tree);
    else
        copy_into(data.source, target / fs::path(data.source).filename(), fs::copy_options::none);
}

}  // namespace

std::string read_context_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Errc::not_found, fmt::format("{}: cannot be read", path));
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_context_file(const std::string& path, const std::string& text) {
    make_directories(fs::path(path).parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw Error(Errc::io, fmt::format("{}: cannot be written", path));
}

std::map<std::string, std::string> context_digests(const std::vector<InstallPlan>& plans) {
    std::map<std::string, std::string> digests;
    for (const Upload& upload : build_uploads(plans)) digests[upload.source] = digest_of(upload.source);
    for (const InstallPlan& plan : plans)
        for (const Step& step : plan.steps)
            if (const auto* build = std::get_if<BuilderStep>(&step.body); build != nullptr && !build->layer_dir.empty())
                digests[build->layer_dir] = digest_of(build->layer_dir);
    return digests;
}

void lay_out_context(const BuildContext& context, const std::string& directory) {
    const fs::path place = directory;
    for (const BuildContext::Script& script : context.scripts)
        write_context_file((place / "ov" / script.path).string(), script.text);
    make_directories(place / "ov");
    for (const Upload& upload : context.uploads) {
        const fs::path target = place / "ov" / upload.staged;
        if (is_there(target)) continue;
        if (!is_there(upload.source))
            throw Error(Errc::not_found, fmt::format("{}: a layer copies it and it is missing", upload.source));
        copy_into(upload.source, target, whole_tree);
    }
    for (const BuildContext::Data& data : context.data) lay_out_data(data, place / "ov" / data.path);
    write_context_file((place / "Containerfile").string(), context.containerfile);
}

}  // namespace ov
