// Which verbs checks have and which modifiers each of them takes, as tables.
#pragma once

#include <span>
#include <string_view>

namespace ov::spec {

enum class VerbKind {
    guest_or_host,  ///< specified verb of a machine
    protocol,       ///< method of a domain: libvirt, spice, vnc
    container,      ///< needs a container or a cluster; its modifiers are kept, not looked at
};

struct VerbRow {
    std::string_view name;
    VerbKind kind = VerbKind::guest_or_host;
};
std::span<const VerbRow> check_verbs();
const VerbRow* check_verb(std::string_view name);

enum class ModifierKind { text, boolean, integer, natural, octal, list, texts_by_tag, contains, matchers, duration, pattern };

struct ModifierRow {
    std::string_view key;
    ModifierKind kind = ModifierKind::text;
    std::string_view verbs;   ///< space separated; "*": all
    std::string_view values;  ///< space separated; empty: any
    std::string_view alias;   ///< the key in JSON labels when it differs
};
std::span<const ModifierRow> check_modifiers();

struct MethodRow {
    std::string_view verb, method;
    std::string_view required;  ///< space separated modifiers
};
std::span<const MethodRow> check_methods();

/// Whether `word` is one of the space separated `words`.
bool among(std::string_view words, std::string_view word);

}  // namespace ov::spec
