#include "image/guest_storage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/shell_quote.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::chrono::hours load_limit{6};

// A shell without a login has no runtime directory in its environment; rootless podman wants it.
constexpr const char* prelude =
    R"(if [[ -z ${XDG_RUNTIME_DIR-} && -d /run/user/$EUID ]]; then export XDG_RUNTIME_DIR=/run/user/$EUID; fi
)";

// Each call of podman costs 40 ms and more, `podman info` 350 ms: what a transfer asks before it begins is one script, and the
// place of the storage comes from what podman tells about its start (podman 1 to 5).
constexpr const char* look_script = R"(command -v podman >/dev/null || { echo absent; exit 0; }
said=$(podman --log-level=debug version --format '{{.Client.Version}}' 2>&1) || { grep -v level=debug <<<"$said" >&2; exit 1; }
grep -v ^time= <<<"$said" | sed 's/^/podman version /'
ids=$(podman images -aq --no-trunc | sort -u) || exit
if [[ -z $wanted || $ids != *"$wanted"* ]]; then
    spool=${TMPDIR:-/var/tmp}
    graph=${said#*Using graph root }
    graph=${graph%%\"*}
    [[ $graph == /* && -d $graph ]] || graph=$(podman info --format '{{.Store.GraphRoot}}') || exit
    printf 'graph %s\nspool %s\n' "$graph" "$spool"
    df -PB1 -- "$spool" "$graph" | while read -r device _ _ free _; do case $free in *[0-9]*) printf 'free %s %s\n' "$free" "$device" ;; esac; done
fi
[[ -n $ids ]] || exit 0
form='{{.Id}} {{json .RepoTags}} {{json .RootFS.Layers}}'
all=$(podman image inspect --format "$form" -- ${ids//sha256:/}) && printf '%s\n' "$all" && exit 0
# One image that cannot be read hides none of the others.
for id in $ids; do podman image inspect --format "$form" -- "${id#sha256:}"; done
exit 0
)";

// Mounting needs the directory of every layer; nothing of the image is run. Then the names, unless they are right already.
constexpr const char* settle_script =
    R"(if [[ $EUID == 0 ]]; then podman image mount -- "$id" >/dev/null && podman image unmount -- "$id" >/dev/null
else podman unshare sh -c 'podman image mount -- "$1" >/dev/null && podman image unmount -- "$1" >/dev/null' - "$id"; fi || exit 3
for name in "${names[@]}"; do
    podman tag "$id" "$name" || exit 4
    echo tagged
done
)";

// One transfer into a storage at a time. The spool directory carries our pid: one that a killed shell left is swept.
constexpr const char* load_script = R"(spool=${TMPDIR:-/var/tmp}
exec 9>>"$spool/.ov-image-$EUID.lock" && flock 9 || return
for old in "$spool"/ov-image-"$EUID".*; do
    [[ -d $old ]] || continue
    pid=${old#*/ov-image-"$EUID".}
    kill -0 "${pid%%.*}" 2>/dev/null || rm -rf -- "$old"
done
dir=$(mktemp -d -- "$spool/ov-image-$EUID.$$.XXXXXX") || return
trap 'rm -rf -- "$dir"' EXIT
TMPDIR=$dir podman load --quiet 9>&-
)";

std::string bare(const std::string& text) {
    return text.starts_with("sha256:") ? text.substr(7) : text;
}

std::optional<StoredImage> parse_image(const std::string& line) {
    std::istringstream words(line);
    std::string id, names, layers;
    words >> id >> names >> layers;
    StoredImage image;
    if (bare(id).size() != 64) return std::nullopt;
    try {
        image.id = bare(id);
        const auto list = nlohmann::json::parse(names);
        if (list.is_array()) image.names = list.get<std::vector<std::string>>();
        for (const auto& layer : nlohmann::json::parse(layers)) image.layers.push_back(bare(layer.get<std::string>()));
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;  // a word of podman's own
    }
    return image;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \n\r") + 1);
    return text;
}

/// "Loaded image: NAME" in lines of their own; podman before 3.3 writes "Loaded image(s): NAME,NAME".
std::vector<std::string> loaded_names(const std::string& out) {
    std::vector<std::string> names;
    std::istringstream lines(out);
    std::string line, name;
    while (std::getline(lines, line)) {
        const auto colon = line.find(": ");
        if (!line.starts_with("Loaded image") || colon == std::string::npos) continue;
        std::istringstream list(line.substr(colon + 2));
        while (std::getline(list, name, ',')) names.push_back(name);
    }
    return names;
}

}  // namespace

bool names_missing_layer(std::string words) {
    std::ranges::transform(words, words.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto says = [&words](const char* text) { return words.find(text) != std::string::npos; };
    if (says("no space left") || says("quota exceeded")) return false;
    return says("layer not known") || (says("no such file or directory") && (says("/overlay") || says("/vfs")));
}

asio::awaitable<CommandResult> GuestStorage::run(std::string script, std::string label, Deadline deadline) {
    Command command;
    command.script = prelude + std::move(script);
    command.as = as_;
    command.label = std::move(label);
    auto result = co_await machine_->run(std::move(command), deadline);
    co_return result;
}

asio::awaitable<void> GuestStorage::look(std::string wanted, Deadline deadline) {
    std::string script = fmt::format("wanted={}\n{}", shell_quote(wanted), look_script);
    const CommandResult result = co_await run(std::move(script), "look at the image storage", deadline);
    if (result.out == "absent\n")
        throw Error(Errc::unsupported, fmt::format("{}: podman is not installed there", machine_->venue()));
    if (!result.ok())
        throw Error(Errc::step_failed, fmt::format("{}: cannot read {}: {}", machine_->venue(), whose(), trimmed(result.err)));
    std::istringstream lines(result.out);
    std::string line;
    images_.clear();
    space_ = {};
    std::vector<std::string> devices;
    while (std::getline(lines, line)) {
        if (line.starts_with("podman version ")) {
            const std::string number = line.substr(15);
            std::from_chars(number.data(), number.data() + number.size(), major_);
        } else if (line.starts_with("graph ")) {
            space_.graph = line.substr(6);
        } else if (line.starts_with("spool ")) {
            space_.spool = line.substr(6);
        } else if (line.starts_with("free ")) {
            std::istringstream words(line.substr(5));
            std::string device;
            words >> (devices.empty() ? space_.spool_free : space_.graph_free) >> device;
            devices.push_back(device);
        } else if (auto image = parse_image(line)) {
            images_.push_back(std::move(*image));
        }
    }
    space_.known = devices.size() == 2;
    space_.same_filesystem = space_.known && devices[0] == devices[1];
}

const StoredImage* GuestStorage::named(std::string_view name) const {
    for (const StoredImage& image : images_)
        if (std::find(image.names.begin(), image.names.end(), name) != image.names.end()) return &image;
    return nullptr;
}

const StoredImage* GuestStorage::with_id(std::string_view id) const {
    const auto found = std::find_if(images_.begin(), images_.end(), [&](const StoredImage& image) { return image.id == id; });
    return found == images_.end() ? nullptr : &*found;
}

std::set<std::string, std::less<>> GuestStorage::layers() const {
    std::set<std::string, std::less<>> all;
    for (const StoredImage& image : images_) all.insert(image.layers.begin(), image.layers.end());
    return all;
}

asio::awaitable<Settled> GuestStorage::settle(std::string id, std::vector<std::string> names, Deadline deadline) {
    std::string script = fmt::format("id={}\nnames=(", shell_quote(id));
    for (const std::string& name : names) script += shell_quote(name) + " ";
    script += ")\n";
    script += settle_script;
    const CommandResult result = co_await run(std::move(script), "mount and name the image", deadline);
    Settled settled;
    settled.tagged = result.out.find("tagged") != std::string::npos;
    if (result.status == 4)
        throw Error(Errc::step_failed, fmt::format("{}: cannot name the image {} {}: {}", machine_->venue(), id,
                                                   fmt::join(names, ", "), trimmed(result.err)));
    if (result.ok()) co_return settled;
    const std::string words = trimmed(result.err + result.out);
    if (!names_missing_layer(words))
        throw Error(Errc::step_failed,
                    fmt::format("{}: cannot mount the image {} in {}, it is left as it is: {}", machine_->venue(), id, whose(),
                                words.empty() ? fmt::format("exit status {}", result.status) : words));
    settled.torn = words;
    co_return settled;
}

asio::awaitable<void> GuestStorage::remove(std::string id, Deadline deadline) {
    const CommandResult result =
        co_await run(fmt::format("podman rmi --force -- {}\n", shell_quote(id)), "remove the torn image", deadline);
    if (!result.ok())
        throw Error(Errc::step_failed, fmt::format("{}: cannot remove the torn image {} from {}: {}", machine_->venue(), id,
                                                   whose(), trimmed(result.err)));
}

asio::awaitable<Loaded> GuestStorage::load(std::unique_ptr<ByteSource> archive, Deadline deadline) {
    Command command;
    command.script = prelude;
    command.script += load_script;
    command.as = as_;
    command.label = "podman load";
    command.limit = load_limit;
    const CommandResult result = co_await machine_->feed(std::move(command), std::move(archive), deadline);
    Loaded loaded;
    loaded.names = loaded_names(result.out);
    if (!result.ok()) loaded.refused = trimmed(result.err.empty() ? fmt::format("exit status {}", result.status) : result.err);
    co_return loaded;
}

}  // namespace ov
