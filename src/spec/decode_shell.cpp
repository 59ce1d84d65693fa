// `shell` (`layer-format.md` 7). Unlike elsewhere an unknown key is an error: it would be a shell that gets nothing.
#include "base/near_name.hpp"
#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

constexpr std::string_view shells[] = {"bash", "zsh", "fish", "sh"};

void refuse_rest(const MapReader& reader, std::span<const std::string_view> known) {
    for (const auto& [entry, value] : reader.rest())
        value.report().add(Severity::error, entry.line, entry.column, value.path(),
                           "unknown key" + did_you_mean(entry.key, known));
}

ShellPart decode_part(MapReader& reader) {
    ShellPart part;
    part.init = reader.text("init");
    part.path_append = reader.text_list("path_append");
    part.path = reader.text("path");
    return part;
}

}  // namespace

ShellConfig decode_shell(const Cursor& value) {
    static constexpr std::string_view outer[] = {"init", "path_append", "path", "priority", "bash", "zsh", "fish", "sh"};
    static constexpr std::string_view inner[] = {"init", "path_append", "path"};
    ShellConfig shell;
    shell.where = value.where();
    MapReader reader(value);
    shell.generic = decode_part(reader);
    if (const auto priority = reader.take("priority")) shell.priority = static_cast<int>(priority->integer().value_or(0));
    for (const std::string_view name : shells) {
        const auto block = reader.take(name);
        if (!block || block->node().is_null()) continue;
        MapReader part(*block);
        shell.overrides.emplace(name, decode_part(part));
        refuse_rest(part, inner);
    }
    refuse_rest(reader, outer);
    return shell;
}

}  // namespace ov::spec
