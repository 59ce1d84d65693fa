#include "model/layer_ref.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::string_view known_hosts[] = {"github.com/", "gitlab.com/", "codeberg.org/", "bitbucket.org/"};

bool starts_with_known_host(std::string_view text) noexcept {
    return std::any_of(std::begin(known_hosts), std::end(known_hosts),
                       [&](std::string_view host) { return text.starts_with(host); });
}

}  // namespace

std::string RemoteRef::name() const {
    const std::string all = bare();
    return all.substr(all.rfind('/') + 1);
}

bool is_remote_ref(std::string_view text) noexcept {
    return text.starts_with('@') || starts_with_known_host(text);
}

RemoteRef parse_remote_ref(std::string_view text) {
    std::string_view rest = text;
    RemoteRef ref;
    if (rest.starts_with('@')) {
        rest.remove_prefix(1);
        if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
            ref.version = rest.substr(colon + 1);
            rest = rest.substr(0, colon);
        }
    } else if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        ref.version = rest.substr(at + 1);
        rest = rest.substr(0, at);
    }
    while (rest.ends_with('/')) rest.remove_suffix(1);
    std::size_t end = 0;
    for (int segment = 0; segment < 3; ++segment) {
        const std::size_t begin = segment == 0 ? 0 : end + 1;
        if (begin >= rest.size() || rest[begin] == '/')
            throw Error(Errc::spec_invalid,
                        fmt::format("\"{}\" is no layer reference: expected @HOST/ORG/REPO[/SUB/PATH][:VERSION]", text));
        end = std::min(rest.find('/', begin), rest.size());
    }
    ref.repository = rest.substr(0, end);
    if (end < rest.size()) ref.path = rest.substr(end + 1);
    for (std::string_view part : {std::string_view(ref.path), std::string_view(ref.repository)})
        if (part.find("..") != std::string_view::npos)
            throw Error(Errc::spec_invalid,
                        fmt::format("\"{}\" is no layer reference: \"..\" leads out of the repository", text));
    return ref;
}

std::string layer_directory(std::string_view ref, const std::string& base) {
    const std::filesystem::path path = (std::filesystem::path(base) / ref).lexically_normal();
    const bool file = ref.ends_with(".yml") || ref.ends_with(".yaml");
    const std::string directory = file || path.filename().empty() ? path.parent_path().string() : path.string();
    return directory;
}

std::string layer_key(std::string_view text) {
    if (!is_remote_ref(text)) return std::string(text);
    return parse_remote_ref(text).bare();
}

}  // namespace ov
