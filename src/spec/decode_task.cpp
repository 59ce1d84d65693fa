// `task` (`layer-format.md` 5). Rules between fields are checked by the compiler and the validator, where all of them are.
#include <array>

#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

constexpr std::array<std::pair<std::string_view, TaskVerb>, 8> verbs{{{"cmd", TaskVerb::cmd},
                                                                      {"mkdir", TaskVerb::mkdir},
                                                                      {"copy", TaskVerb::copy},
                                                                      {"write", TaskVerb::write},
                                                                      {"link", TaskVerb::link},
                                                                      {"download", TaskVerb::download},
                                                                      {"setcap", TaskVerb::setcap},
                                                                      {"build", TaskVerb::build}}};

Task decode_task(MapReader& reader) {
    Task task;
    task.where = reader.cursor().where();
    for (const auto& [name, verb] : verbs)
        if (const auto value = reader.take(name)) task.verbs.emplace_back(verb, value->text());
    task.user = reader.text("user");
    task.mode = reader.text("mode");
    task.to = reader.text("to");
    task.target = reader.text("target");
    task.has_content = reader.has("content");
    task.content = reader.text("content");
    task.extract = reader.text("extract");
    task.include = reader.text_list("include");
    if (const auto strip = reader.take("strip_components")) task.strip_components = strip->integer();
    if (task.strip_components && (*task.strip_components < 0 || *task.strip_components > 64)) {
        reader.take("strip_components")->expected("a number of path segments from 0 to 64");
        task.strip_components.reset();
    }
    task.uninstall = reader.text_list("uninstall");
    task.env = reader.text_map("env");
    task.has_caps = reader.has("caps");
    task.caps = reader.text("caps");
    task.checksum = reader.text("checksum");
    if (const auto cache = reader.take("cache")) {
        // Image builds only; a text or a list of directories.
        if (cache->node().is_sequence())
            for (const std::string& dir : cache->text_list()) task.cache += (task.cache.empty() ? "" : ",") + dir;
        else
            task.cache = cache->text();
    }
    task.comment = reader.text("comment");
    return task;
}

}  // namespace

std::vector<Task> decode_tasks(const Cursor& list) {
    return decode_each<Task>(list, decode_task);
}

std::optional<unsigned> parse_mode(std::string_view text) noexcept {
    if (text.starts_with("0o")) text.remove_prefix(2);
    if (text.empty() || text.size() > 5 || text.find_first_not_of("01234567") != std::string_view::npos) return std::nullopt;
    unsigned mode = 0;
    for (const char digit : text) mode = mode * 8 + static_cast<unsigned>(digit - '0');
    if (mode > 07777) return std::nullopt;
    return mode;
}

}  // namespace ov::spec
