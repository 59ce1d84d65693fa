// References to layers: plain names and remote ones (`layer-format.md` 15).
#pragma once

#include <string>
#include <string_view>

namespace ov {

struct RemoteRef {
    std::string repository;  ///< "github.com/acme/infra"
    std::string path;        ///< below the repository: "layers/agents"; may be empty
    std::string version;     ///< tag or branch; empty: the default branch
    std::string bare() const { return path.empty() ? repository : repository + "/" + path; }
    std::string name() const;
};

/// `@HOST/ORG/REPO[/SUB/PATH][:VERSION]`, or `HOST/ORG/REPO/SUB@VERSION` for the four well-known hosts.
bool is_remote_ref(std::string_view text) noexcept;

/// Throws Error{spec_invalid} naming the text when it has fewer than three path segments.
RemoteRef parse_remote_ref(std::string_view text);

/// Directory that a path reference means, relative to `base` (absolute).
std::string layer_directory(std::string_view ref, const std::string& base);

/// Key in the layer map: the text itself for a plain name, the bare reference for a remote one.
std::string layer_key(std::string_view text);

}  // namespace ov
