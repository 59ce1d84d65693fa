#include "spec/vm_field_reader.hpp"

#include <algorithm>

#include "base/near_name.hpp"

namespace ov::spec {

namespace {

vm::TextMap read_text_map(const Cursor& value, FieldVisitor::Keys keys) {
    vm::TextMap map;
    if (value.node().is_null()) return map;
    if (!value.node().is_map()) {
        value.expected("a mapping");
        return map;
    }
    for (const auto& [key, item] : value.entries()) {
        const std::string text = item.text();
        if (keys.size() != 0 && std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
        if (!text.empty()) map.emplace(key, text);
    }
    if (keys.size() == 0) return map;
    const std::vector<std::string_view> known(keys);
    for (const YamlEntry& entry : value.node().entries)
        if (std::find(keys.begin(), keys.end(), entry.key) == keys.end())
            value.report().add(Severity::warning, entry.line, entry.column, join_path(value.path(), entry.key),
                               "unknown key, ignored" + did_you_mean(entry.key, std::span<const std::string_view>(known)));
    return map;
}

vm::Listener read_listener(const Cursor& value) {
    vm::Listener listener;
    if (value.node().is_scalar()) {
        listener.type = "address";
        listener.address = value.text();
        return listener;
    }
    MapReader reader(value);
    listener.type = reader.text("type");
    listener.address = reader.text("address");
    listener.network = reader.text("network");
    const bool names_socket = reader.has("socket");
    listener.socket = reader.text("socket");
    reader.finish();
    if (!listener.type.empty() || !value.node().is_map()) return listener;
    if (!listener.address.empty())
        listener.type = "address";
    else if (!listener.network.empty())
        listener.type = "network";
    else if (names_socket)
        listener.type = "socket";
    else
        value.error("a listener needs a type: address, network or socket");
    return listener;
}

}  // namespace

void FieldReader::text(std::string_view key, std::string& value) {
    value = open_.back().text(key);
}

void FieldReader::text_list(std::string_view key, std::vector<std::string>& value) {
    value = open_.back().text_list(key);
}

void FieldReader::text_or_list(std::string_view key, std::vector<std::string>& value) {
    const auto found = open_.back().take(key);
    if (found) value = found->node().is_scalar() ? std::vector{found->text()} : found->text_list();
}

void FieldReader::integer(std::string_view key, vm::Int& value) {
    if (const auto found = open_.back().take(key)) value = found->integer();
}

void FieldReader::boolean(std::string_view key, vm::Bool& value) {
    if (const auto found = open_.back().take(key)) value = found->boolean();
}

void FieldReader::flag(std::string_view key, bool& value) {
    value = open_.back().boolean(key, value);
}

void FieldReader::text_map(std::string_view key, vm::TextMap& value, Keys keys) {
    if (const auto found = open_.back().take(key)) value = read_text_map(*found, keys);
}

void FieldReader::text_maps(std::string_view key, std::vector<vm::TextMap>& value) {
    const auto found = open_.back().take(key);
    if (!found) return;
    for (const Cursor& item : found->items()) value.push_back(read_text_map(item, {}));
}

void FieldReader::listeners(std::string_view key, std::vector<vm::Listener>& value) {
    const auto found = open_.back().take(key);
    if (!found || found->node().is_null()) return;
    if (!found->node().is_sequence()) {
        if (!found->node().is_scalar() || !found->node().text.empty()) value.push_back(read_listener(*found));
        return;
    }
    for (const Cursor& item : found->items()) value.push_back(read_listener(item));
}

void FieldReader::any(std::string_view key, YamlPtr& value) {
    if (const auto found = open_.back().take(key); found && !found->node().is_null()) value = found->share();
}

bool FieldReader::enter(std::string_view key) {
    const auto found = open_.back().take(key);
    if (!found || found->node().is_null()) return false;
    open_.emplace_back(*found);
    return true;
}

void FieldReader::leave() {
    open_.back().finish();
    open_.pop_back();
}

std::size_t FieldReader::enter_list(std::string_view key) {
    const auto found = open_.back().take(key);
    lists_.push_back(found ? found->items() : std::vector<Cursor>());
    return lists_.back().size();
}

void FieldReader::enter_item(std::size_t index) {
    open_.emplace_back(lists_.back()[index]);
}

void FieldReader::leave_list() {
    lists_.pop_back();
}

}  // namespace ov::spec
