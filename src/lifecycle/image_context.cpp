#include "lifecycle/image_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/sha256.hpp"
#include "ov/error.hpp"

namespace ov {

namespace fs = std::filesystem;

namespace {

/// Of a file its bytes, of a directory the names and bytes of what is in it; nothing when it is missing. Blocks.
std::string digest_of(const std::string& source, bool tree) {
    if (!fs::exists(source)) return {};
    if (!tree) return sha256_hex(read_context_file(source));
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(source))
        if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(source).string());
    std::sort(names.begin(), names.end());
    Sha256 digest;
    for (const std::string& name : names) digest.update(name + '\0' + sha256_hex(read_context_file(source + "/" + name)));
    return digest.hex();
}

void lay_out_data(const BuildContext::Data& data, const fs::path& target) {
    fs::create_directories(target);
    if (fs::is_directory(data.source))
        fs::copy(data.source, target, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    else if (fs::exists(data.source))
        fs::copy(data.source, target / fs::path(data.source).filename());
    else
        throw Error(Errc::not_found, fmt::format("{}: a layer has it as data of a volume and it is missing", data.source));
}

}  // namespace

std::string read_context_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(Errc::not_found, fmt::format("{}: cannot be read", path));
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_context_file(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) throw Error(Errc::io, fmt::format("{}: cannot be written", path));
}

std::map<std::string, std::string> context_digests(const std::vector<InstallPlan>& plans) {
    std::map<std::string, std::string> digests;
    for (const Upload& upload : build_uploads(plans)) digests[upload.source] = digest_of(upload.source, upload.tree);
    for (const InstallPlan& plan : plans)
        for (const Step& step : plan.steps)
            if (const auto* build = std::get_if<BuilderStep>(&step.body); build != nullptr && !build->layer_dir.empty())
                digests[build->layer_dir] = digest_of(build->layer_dir, true);
    return digests;
}

void lay_out_context(const BuildContext& context, const std::string& directory) {
    const fs::path place = directory;
    for (const BuildContext::Script& script : context.scripts)
        write_context_file((place / "ov" / script.path).string(), script.text);
    fs::create_directories(place / "ov");
    for (const Upload& upload : context.uploads) {
        const fs::path target = place / "ov" / upload.staged;
        if (fs::exists(target)) continue;
        if (!fs::exists(upload.source))
            throw Error(Errc::not_found, fmt::format("{}: a layer copies it and it is missing", upload.source));
        fs::copy(upload.source, target, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    }
    for (const BuildContext::Data& data : context.data) lay_out_data(data, place / "ov" / data.path);
    write_context_file((place / "Containerfile").string(), context.containerfile);
}

}  // namespace ov
