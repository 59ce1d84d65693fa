// The part of the loader that follows `import:` (`layer-format.md` 2.2): files, remote files, projects under an alias.
#include <algorithm>
#include <filesystem>

#include "model/layer_ref.hpp"
#include "ov/error.hpp"
#include "spec/project_loader.hpp"

namespace ov::spec {

namespace {

namespace fs = std::filesystem;

bool is_valid_alias(std::string_view alias) {
    if (alias.empty() || alias.front() == '-' || alias.back() == '-' || alias.find("--") != std::string_view::npos) return false;
    return std::all_of(alias.begin(), alias.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool lies_in(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && path.size() > directory.size() && path[directory.size()] == '/';
}

}  // namespace

std::string ProjectLoader::resolve(const Cursor& at, const std::string& path, const std::string& base_file) const {
    const std::string found = (fs::path(base_file).parent_path() / path).lexically_normal().string();
    // What was fetched may name its own files only: the rest of this machine is none of its business.
    for (const std::string& checkout : checkouts_in_use_)
        if (lies_in(base_file, checkout) && !lies_in(found, checkout)) {
            at.error(fmt::format("\"{}\" leads out of the fetched repository {}", path, checkout));
            return {};
        }
    return found;
}

void ProjectLoader::read_remote_import(const Cursor& item, const std::string& ref) {
    RemoteRef remote;
    try {
        remote = parse_remote_ref(ref);
    } catch (const Error& e) {
        return item.error(e.what());
    }
    if (checkouts_ == nullptr) return item.error(fmt::format("remote import \"{}\" is not fetched here", ref));
    const RepositoryAt wanted{remote.repository, remote.version};
    const auto checkout = checkouts_->find(wanted);
    if (checkout == checkouts_->end()) {
        project_.lacking.push_back(wanted);
        return;
    }
    checkouts_in_use_.insert(checkout->second.directory);
    const std::string path = remote.path.empty() ? "overthink.yml" : remote.path;
    pending_imports_.push_back({checkout->second.directory + "/" + path, item.where()});
}

void ProjectLoader::read_namespace(const Cursor& item, const std::string& file) {
    const auto [alias, target] = item.entries().front();
    if (!is_valid_alias(alias))
        item.error(fmt::format("alias \"{}\": expected lower-case letters, digits and single hyphens", alias));
    std::string ref = target.text();
    if (ref.empty()) return target.expected("a path or a remote reference");
    if (!is_remote_ref(ref)) {
        ref = resolve(target, ref, file);
        if (ref.empty()) return;
        if (!fs::exists(ref)) target.error(fmt::format("import cannot be read: {}: No such file or directory", ref));
    }
    // The project behind it is read when one of its entities is asked for, never to load this one.
    const auto [known, is_new] = project_.namespaces.emplace(alias, Namespace{ref, item.where()});
    if (!is_new && known->second.target != ref)
        item.error(fmt::format("alias \"{}\" is bound to {} and to {}", alias, known->second.target, ref));
}

void ProjectLoader::read_imports(const Cursor& list, const std::string& file) {
    for (const Cursor& item : list.items()) {
        if (item.node().is_scalar()) {
            const std::string ref = item.text();
            if (is_remote_ref(ref))
                read_remote_import(item, ref);
            else if (const std::string path = resolve(item, ref, file); !path.empty())
                pending_imports_.push_back({path, item.where()});
        } else if (item.node().is_map() && item.node().entries.size() == 1) {
            read_namespace(item, file);
        } else {
            item.expected("a path or a single {alias: ref}");
        }
    }
}

}  // namespace ov::spec
