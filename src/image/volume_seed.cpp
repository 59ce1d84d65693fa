#include "image/volume_seed.hpp"

#include <algorithm>
#include <set>

#include "image/pod_label_reader.hpp"

namespace ov {

namespace {

// Nothing of the image is run: it may have no shell. No link in the image or from an earlier part leads anywhere: the
// user's files are there.
constexpr const char* seed_script = R"sh(image=$1 volume=$2 owner=$3
shift 3
podman volume exists "$volume" || podman volume create "$volume" >/dev/null || exit
at=$(podman volume inspect --format '{{.Mountpoint}}' "$volume") || exit
begun=$at/.ov-seeding
[ -d "$begun" ] || [ -z "$(ls -A "$at")" ] || exit 0
mkdir -p "$begun" || exit
root=$(podman image mount "$image") || exit
trap 'podman image unmount "$image" >/dev/null' EXIT
root=$(realpath -e "$root") || exit
while [ $# -gt 1 ]; do
    from=$(realpath -e "$root/$1") || exit
    case $from in "$root"/*) ;; *) echo "$1 leads out of the image" >&2; exit 1 ;; esac
    to=$at rest=$2/
    while [ "${rest#/}" ]; do
        to=$to/${rest%%/*} rest=${rest#*/}
        [ ! -L "$to" ] || { echo "$2 leads out of volume $volume: ${to#"$at"/} is a link" >&2; exit 1; }
        [ -d "$to" ] || { mkdir "$to" && chown "$owner" "$to"; } || exit
    done
    cp -dR --remove-destination --preserve=mode,ownership,timestamps,links "$from/." "$to/" || exit
    shift 2
done
chown "$owner" "$at" && rmdir "$begun" && echo seeded
)sh";

bool leaves(const std::string& path) {
    return ("/" + path + "/").find("/../") != std::string::npos;
}

}  // namespace

std::vector<VolumeSeed> volume_seeds(const std::map<std::string, std::string>& all, const std::string& container) {
    const PodLabelReader labels(all);
    std::set<std::string> declared;
    for (const nlohmann::json& volume : labels.list("volumes")) declared.insert(label_member(volume, "name", "volumes"));
    const std::string owner =
        std::to_string(labels.number("uid").value_or(0)) + ":" + std::to_string(labels.number("gid").value_or(0));
    std::vector<VolumeSeed> seeds;
    for (const nlohmann::json& entry : labels.list("data")) {
        const std::string name = label_member(entry, "volume", "data"), staging = label_member(entry, "staging", "data");
        const std::string dest = label_member(entry, "dest", "data");
        if (name.empty() || staging.empty()) PodLabelReader::malformed("data", "volume and staging are required");
        if (leaves(staging) || leaves(dest)) PodLabelReader::malformed("data", "'..' in a path");
        if (!declared.contains(name)) continue;
        const std::string volume = container + "-" + name;
        auto seed = std::find_if(seeds.begin(), seeds.end(), [&](const VolumeSeed& known) { return known.volume == volume; });
        if (seed == seeds.end()) seed = seeds.insert(seeds.end(), {volume, owner, {}});
        seed->parts.emplace_back(staging, dest);
    }
    return seeds;
}

std::vector<std::string> seed_words(const VolumeSeed& seed, const std::string& image, bool rootless) {
    std::vector<std::string> words{"sh", "-c", seed_script, "-", image, seed.volume, seed.owner};
    if (rootless) words.insert(words.begin(), {"podman", "unshare"});
    for (const auto& [staging, dest] : seed.parts) {
        words.push_back(staging);
        words.push_back(dest);
    }
    return words;
}

}  // namespace ov
