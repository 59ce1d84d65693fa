#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "ov/compile.hpp"

namespace ov {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 8> aliases{{{"archarm", "arch"},
                                       {"manjaro", "arch"},
                                       {"endeavouros", "arch"},
                                       {"almalinux", "fedora"},
                                       {"rocky", "fedora"},
                                       {"centos", "fedora"},
                                       {"rhel", "fedora"},
                                       {"arch", "arch"}}};
constexpr std::array<Pair, 11> formats{{{"fedora", "rpm"},
                                        {"rhel", "rpm"},
                                        {"centos", "rpm"},
                                        {"rocky", "rpm"},
                                        {"almalinux", "rpm"},
                                        {"debian", "deb"},
                                        {"ubuntu", "deb"},
                                        {"arch", "pac"},
                                        {"archarm", "pac"},
                                        {"manjaro", "pac"},
                                        {"endeavouros", "pac"}}};
/// ID_LIKE as these distributions ship it, for when there is no machine to ask.
constexpr std::array<Pair, 12> relatives{{{"ubuntu", "debian"},
                                          {"linuxmint", "ubuntu debian"},
                                          {"pop", "ubuntu debian"},
                                          {"raspbian", "debian"},
                                          {"rhel", "fedora"},
                                          {"centos", "rhel fedora"},
                                          {"rocky", "rhel centos fedora"},
                                          {"almalinux", "rhel centos fedora"},
                                          {"manjaro", "arch"},
                                          {"archarm", "arch"},
                                          {"endeavouros", "arch"},
                                          {"cachyos", "arch"}}};

template <std::size_t N>
std::string_view look_up(const std::array<Pair, N>& table, std::string_view key) noexcept {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Pair& row) { return row.first == key; });
    return found == table.end() ? std::string_view() : found->second;
}

std::vector<std::string> words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
}

/// Bare, single- or double-quoted.
std::string unquoted(std::string_view value) {
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t' || value.back() == '\r')) value.remove_suffix(1);
    if (value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\''))
        value = value.substr(1, value.size() - 2);
    return std::string(value);
}

Distro make_distro(std::string id, std::string version, const std::vector<std::string>& like) {
    Distro distro{std::move(id), std::move(version), {}, {}};
    const auto add = [&](std::string_view tag) {
        if (!tag.empty() && std::find(distro.tags.begin(), distro.tags.end(), tag) == distro.tags.end())
            distro.tags.emplace_back(tag);
    };
    if (!distro.id.empty() && !distro.version_id.empty()) add(distro.id + ":" + distro.version_id);
    add(distro.id);
    add(look_up(aliases, distro.id));
    for (const std::string& word : like) {
        add(word);
        add(look_up(aliases, word));
    }
    distro.format = look_up(formats, distro.id);
    for (const std::string& word : like)
        if (distro.format.empty()) distro.format = look_up(formats, word);
    return distro;
}

}  // namespace

Distro distro_from_os_release(std::string_view text) {
    std::string id, version, like;
    std::istringstream stream{std::string(text)};
    for (std::string line; std::getline(stream, line);) {
        const std::size_t begin = line.find_first_not_of(" \t");
        if (begin == std::string::npos || line[begin] == '#') continue;
        const std::size_t equals = line.find('=', begin);
        if (equals == std::string::npos) continue;
        const std::string key = line.substr(begin, equals - begin);
        const std::string value = unquoted(std::string_view(line).substr(equals + 1));
        if (key == "ID") id = value;
        if (key == "VERSION_ID") version = value;
        if (key == "ID_LIKE") like = value;
    }
    return make_distro(id, version, words(like));
}

Distro distro_from_tag(std::string_view tag) {
    const std::size_t colon = tag.find(':');
    const std::string id(tag.substr(0, colon));
    const std::string version(colon == std::string_view::npos ? std::string_view() : tag.substr(colon + 1));
    return make_distro(id, version, words(look_up(relatives, id)));
}

}  // namespace ov
