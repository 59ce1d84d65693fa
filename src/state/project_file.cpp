#include "state/project_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "model/yaml_writer.hpp"
#include "ov/diagnostic.hpp"
#include "ov/error.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

YamlPtr root_of(std::string_view text, const std::string& file) {
    std::vector<Diagnostic> findings;
    const std::vector<YamlPtr> documents = spec::parse_yaml(text, file, findings);
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (!findings.empty()) throw SpecError(std::move(findings));
    if (documents.size() > 1) throw Error(Errc::unsupported, fmt::format("{}: several documents in one file", file));
    return documents.empty() ? nullptr : documents.front();
}

const YamlEntry* entry_of(const YamlNode* map, std::string_view key) {
    if (map == nullptr || !map->is_map()) return nullptr;
    for (const YamlEntry& entry : map->entries)
        if (entry.key == key) return &entry;
    return nullptr;
}

/// The first line (from 0) behind `from` at which another entry of the map begins, else the end.
std::size_t next_entry(const YamlNode& map, int from, std::size_t end) {
    for (const YamlEntry& entry : map.entries)
        if (entry.line > from) end = std::min(end, static_cast<std::size_t>(entry.line - 1));
    return end;
}

/// Blank lines and comments above the next entry belong to that one.
std::size_t without_tail(const std::vector<std::string>& lines, std::size_t begin, std::size_t end) {
    const auto is_tail = [&](const std::string& line) {
        const std::size_t first = line.find_first_not_of(" \t\r");
        return first == std::string::npos || line[first] == '#';
    };
    while (end > begin && is_tail(lines[end - 1])) --end;
    return end;
}

std::vector<std::string> block_for(const std::string& name, const YamlNode& body, int indent) {
    const YamlPtr whole = yaml_map({{name, std::make_shared<const YamlNode>(body)}});
    std::vector<std::string> lines = lines_of(write_yaml(*whole));
    for (std::string& line : lines)
        if (!line.empty()) line.insert(0, static_cast<std::size_t>(indent), ' ');
    return lines;
}

/// The edit must have changed what it was meant to change, whatever the file looked like.
void verify(const std::string& text, const YamlNode* before, const std::string& name, const YamlNode& body,
            const std::string& file) {
    const auto failed = [&] {
        return Error(Errc::unsupported,
                     fmt::format("{}: vm.{} cannot be written into it without changing something else; write it by hand:\n{}",
                                 file, name, write_yaml(body)));
    };
    YamlPtr root;
    try {
        root = root_of(text, file);
    } catch (const SpecError&) {
        throw failed();
    }
    const YamlEntry* vms = entry_of(root.get(), "vm");
    const YamlEntry* made = vms != nullptr ? entry_of(vms->value.get(), name) : nullptr;
    if (made == nullptr || !equal_values(*made->value, body)) throw failed();
    if (before == nullptr) return;
    for (const YamlEntry& entry : before->entries) {
        const YamlEntry* same = entry_of(root.get(), entry.key);
        if (same == nullptr || (entry.key != "vm" && !equal_values(*same->value, *entry.value))) throw failed();
        if (entry.key != "vm" || !entry.value->is_map()) continue;
        for (const YamlEntry& vm : entry.value->entries) {
            const YamlEntry* kept = entry_of(vms->value.get(), vm.key);
            if (vm.key != name && (kept == nullptr || !equal_values(*kept->value, *vm.value))) throw failed();
        }
    }
}

}  // namespace

std::string with_vm_entity(std::string_view text, const std::string& name, const YamlNode& body, EntityEdit edit,
                           const std::string& file) {
    const YamlPtr root = root_of(text, file);
    if (root && !root->is_map() && !root->is_null())
        throw Error(Errc::spec_invalid, fmt::format("{}: expected a mapping, got a {}", file, kind_name(*root)));
    std::vector<std::string> lines = lines_of(text);
    const YamlEntry* vms = entry_of(root.get(), "vm");
    const YamlEntry* old = vms != nullptr ? entry_of(vms->value.get(), name) : nullptr;
    if (old != nullptr && edit == EntityEdit::add)
        throw Error(Errc::usage, fmt::format("{}:{}: there is already a VM {}", file, old->line, name));
    if (old == nullptr && edit == EntityEdit::replace) throw Error(Errc::usage, fmt::format("{}: there is no VM {}", file, name));
    const auto insert = [&lines](std::size_t at, const std::vector<std::string>& block) {
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), block.begin(), block.end());
    };
    if (vms == nullptr) {
        lines.emplace_back("vm:");
        insert(lines.size(), block_for(name, body, 4));
    } else if (vms->value->is_map() && !vms->value->entries.empty()) {
        const YamlEntry& first = vms->value->entries.front();
        if (first.line == vms->line)
            throw Error(
                Errc::unsupported,
                fmt::format("{}:{}: `vm:` is written in braces; write its entries on lines of their own", file, vms->line));
        std::size_t end = next_entry(*root, vms->line, lines.size());
        std::size_t at = without_tail(lines, static_cast<std::size_t>(vms->line), end);
        if (old != nullptr) {
            end = next_entry(*vms->value, old->line, end);
            at = static_cast<std::size_t>(old->line - 1);
            end = without_tail(lines, at, end);
            lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at), lines.begin() + static_cast<std::ptrdiff_t>(end));
        }
        insert(at, block_for(name, body, first.column - 1));
    } else {
        const std::size_t at = static_cast<std::size_t>(vms->line - 1);
        lines[at] = "vm:";
        insert(at + 1, block_for(name, body, 4));
    }
    std::string after;
    for (const std::string& line : lines) after += line + "\n";
    verify(after, root.get(), name, body, file);
    return after;
}

void write_vm_entity(const std::string& file, const std::string& name, const YamlNode& body, EntityEdit edit) {
    const FileLock lock = FileLock::acquire(file + ".lock");
    const auto text = read_file(file);
    if (!text)
        throw Error(Errc::not_found,
                    fmt::format("{}: no such file; run this in a project, or name one with -C (a project file is `version: "
                                "2026.144.1443` and a `vm:` map)",
                                file));
    const std::string after = with_vm_entity(*text, name, body, edit, file);
    write_file(file, after, 0644);
}

YamlPtr vm_entity_in(const std::string& file, const std::string& name) {
    const auto text = read_file(file);
    if (!text) return nullptr;
    const YamlPtr root = root_of(*text, file);
    const YamlEntry* vms = entry_of(root.get(), "vm");
    const YamlEntry* entity = vms != nullptr ? entry_of(vms->value.get(), name) : nullptr;
    return entity != nullptr ? entity->value : nullptr;
}

}  // namespace ov::state
