#include "image/guest_storage.hpp"

#include <fmt/format.h>

#include <algorithm>
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

constexpr const char* look_script = R"(command -v podman >/dev/null || { echo absent; exit 0; }
podman --version || exit
ids=$(podman images -aq --no-trunc | sort -u) || exit
[[ -n $ids ]] || exit 0
form='{{.Id}} {{json .RepoTags}} {{json .RootFS.Layers}}'
all=$(podman image inspect --format "$form" -- ${ids//sha256:/}) && printf '%s\n' "$all" && exit 0
# One image that cannot be read hides none of the others.
for id in $ids; do podman image inspect --format "$form" -- "${id#sha256:}"; done
exit 0
)";

constexpr const char* space_script = R"(spool=${TMPDIR:-/var/tmp}
graph=$(podman info --format '{{.Store.GraphRoot}}') || exit
printf '%s\n%s\n' "$spool" "$graph"
df -PB1 -- "$spool" "$graph" | while read -r device _ _ free _; do case $free in *[0-9]*) printf '%s %s\n' "$device" "$free" ;; esac; done
)";

// Mounting needs the directory of every layer; nothing of the image is run.
constexpr const char* mount_script =
    R"(if [[ $EUID == 0 ]]; then podman image mount -- "$id" >/dev/null && podman image unmount -- "$id" >/dev/null
else podman unshare sh -c 'podman image mount -- "$1" >/dev/null && podman image unmount -- "$1" >/dev/null' - "$id"; fi
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

}  // namespace

asio::awaitable<CommandResult> GuestStorage::run(std::string script, std::string label, Deadline deadline) {
    Command command;
    command.script = prelude + std::move(script);
    command.as = as_;
    command.label = std::move(label);
    auto result = co_await machine_->run(std::move(command), deadline);
    co_return result;
}

asio::awaitable<void> GuestStorage::look(Deadline deadline) {
    const CommandResult result = co_await run(look_script, "look at the image storage", deadline);
    if (result.out == "absent\n")
        throw Error(Errc::unsupported, fmt::format("{}: podman is not installed there", machine_->venue()));
    if (!result.ok())
        throw Error(Errc::step_failed, fmt::format("{}: cannot read {}: {}", machine_->venue(), whose(), trimmed(result.err)));
    std::istringstream lines(result.out);
    std::string line;
    images_.clear();
    while (std::getline(lines, line)) {
        if (line.starts_with("podman version ")) {
            const std::string number = line.substr(15);
            std::from_chars(number.data(), number.data() + number.size(), major_);
        } else if (auto image = parse_image(line)) {
            images_.push_back(std::move(*image));
        }
    }
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

asio::awaitable<StorageSpace> GuestStorage::space(Deadline deadline) {
    const CommandResult result = co_await run(space_script, "free space of the image storage", deadline);
    StorageSpace space;
    std::string device, other;
    std::istringstream lines(result.out);
    std::getline(lines, space.spool);
    std::getline(lines, space.graph);
    lines >> device >> space.spool_free >> other >> space.graph_free;
    if (!result.ok() || !lines)
        throw Error(Errc::step_failed,
                    fmt::format("{}: cannot tell the free space of {}: {}", machine_->venue(), whose(), trimmed(result.err)));
    space.same_filesystem = device == other;
    co_return space;
}

asio::awaitable<std::optional<std::string>> GuestStorage::why_torn(std::string id, Deadline deadline) {
    const CommandResult result =
        co_await run(fmt::format("id={}\n{}", shell_quote(id), mount_script), "mount the image", deadline);
    if (result.ok()) co_return std::nullopt;
    co_return trimmed(result.err.empty() ? fmt::format("exit status {}", result.status) : result.err);
}

asio::awaitable<void> GuestStorage::remove(std::string id, Deadline deadline) {
    const CommandResult result =
        co_await run(fmt::format("podman rmi --force -- {}\n", shell_quote(id)), "remove the torn image", deadline);
    if (!result.ok())
        throw Error(Errc::step_failed, fmt::format("{}: cannot remove the torn image {} from {}: {}", machine_->venue(), id,
                                                   whose(), trimmed(result.err)));
}

asio::awaitable<void> GuestStorage::tag(std::string id, std::string name, Deadline deadline) {
    const CommandResult result =
        co_await run(fmt::format("podman tag {} {}\n", shell_quote(id), shell_quote(name)), "name the image", deadline);
    if (!result.ok())
        throw Error(Errc::step_failed,
                    fmt::format("{}: cannot name the image {} {}: {}", machine_->venue(), id, name, trimmed(result.err)));
}

asio::awaitable<std::optional<std::string>> GuestStorage::load(std::unique_ptr<ByteSource> archive, Deadline deadline) {
    Command command;
    command.script = prelude;
    command.script += load_script;
    command.as = as_;
    command.label = "podman load";
    command.limit = load_limit;
    const CommandResult result = co_await machine_->feed(std::move(command), std::move(archive), deadline);
    if (result.ok()) co_return std::nullopt;
    co_return trimmed(result.err.empty() ? fmt::format("exit status {}", result.status) : result.err);
}

}  // namespace ov
