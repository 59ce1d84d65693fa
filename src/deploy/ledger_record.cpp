#include "deploy/ledger_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "ov/error.hpp"

namespace ov {
namespace {

/// Operations with the same group and target undo the same thing.
std::string_view group_of(std::string_view kind) {
    for (const std::string_view file : {"rm-file-system", "rm-file-user", "restore-file", "service-remove", "remove-dropin",
                                        "remove-envd-file", "remove-repo-file"})
        if (kind == file) return "file";
    return kind;
}

std::string text_of(const LedgerJson& op, const char* key) {
    return op.contains(key) && op[key].is_string() ? op[key].get<std::string>() : "";
}

std::string extra_of(const LedgerJson& op, const char* key) {
    return op.contains("extra") ? text_of(op["extra"], key) : "";
}

std::string target_of(const LedgerJson& op) {
    const auto targets = string_list(op, "targets");
    return targets.size() == 1 ? targets.front() : "";
}

}  // namespace

std::string ledger_text(const LedgerJson& record) {
    const std::string plain = record.dump(2, ' ', false, LedgerJson::error_handler_t::replace);
    std::string text;
    text.reserve(plain.size() + 1);
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::string_view rest = std::string_view(plain).substr(i);
        if (plain[i] == '<' || plain[i] == '>' || plain[i] == '&') {
            text += fmt::format("\\u{:04x}", static_cast<unsigned>(plain[i]));
        } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
            text += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            text += plain[i];
        }
    }
    return text + '\n';
}

std::vector<std::string> string_list(const LedgerJson& record, std::string_view key) {
    const auto found = record.find(std::string(key));
    std::vector<std::string> list;
    if (found == record.end() || !found->is_array()) return list;
    for (const LedgerJson& item : *found)
        if (item.is_string()) list.push_back(item.get<std::string>());
    return list;
}

bool add_to_list(LedgerJson& record, std::string_view key, const std::string& word) {
    LedgerJson& list = record[std::string(key)];
    if (!list.is_array()) list = LedgerJson::array();
    if (std::ranges::find(list, LedgerJson(word)) != list.end()) return false;
    list.push_back(word);
    return true;
}

void remove_from_list(LedgerJson& record, std::string_view key, std::string_view word) {
    LedgerJson kept = LedgerJson::array();
    for (const std::string& item : string_list(record, key))
        if (item != word) kept.push_back(item);
    record[std::string(key)] = std::move(kept);
}

ReverseOp reverse_op_of(const LedgerJson& json) {
    try {
        ReverseOp op;
        op.kind = json.at("kind").get<std::string>();
        op.format = json.value("format", "");
        op.targets = string_list(json, "targets");
        const int scope = json.value("scope", 0);
        if (scope < 0 || scope > 2)
            throw Error(Errc::ledger_corrupt, fmt::format("reverse operation {}: scope {}", op.kind, scope));
        op.scope = static_cast<Scope>(scope);
        if (json.contains("extra") && json["extra"].is_object())
            for (const auto& [key, value] : json["extra"].items())
                if (value.is_string()) op.extra[key] = value.get<std::string>();
        return op;
    } catch (const nlohmann::json::exception& error) {
        throw Error(Errc::ledger_corrupt, fmt::format("not a reverse operation: {}", error.what()));
    }
}

OpMerger::OpMerger(LedgerJson& record) : record_(record) {
    if (!ops().is_array()) ops() = LedgerJson::array();
    origins_.resize(ops().size());
}

LedgerJson* OpMerger::find(std::string_view group, const std::string& target) {
    for (LedgerJson& op : ops())
        if (group_of(text_of(op, "kind")) == group && target_of(op) == target) return &op;
    return nullptr;
}

void OpMerger::add(const LedgerJson& op, const OpOrigin& origin) {
    const std::string kind = text_of(op, "kind"), target = target_of(op);
    const std::string_view group = group_of(kind);
    if (kind == "package-remove") return add_packages(op);
    if (kind == "restore-enabled") {
        // Only the first deploy of a unit saw the state from before: a later one finds what the first one made.
        const LedgerJson* disable = find("service-disable", target);
        if (disable && origins_.size() > static_cast<std::size_t>(disable - &ops()[0]) && origins_[disable - &ops()[0]] != origin)
            return;
    }
    if (kind == "remove-managed-block") {
        const auto same = [&](const LedgerJson& known) {
            return text_of(known, "kind") == kind && target_of(known) == target &&
                   extra_of(known, "marker") == extra_of(op, "marker");
        };
        if (std::ranges::any_of(ops(), same)) return;
    } else if (!target.empty()) {
        if (LedgerJson* known = find(group, target)) {
            if (const std::string digest = extra_of(op, "digest"); !digest.empty()) (*known)["extra"]["digest"] = digest;
            return;
        }
    } else if (std::ranges::find(ops(), op) != ops().end()) {
        return;
    }
    ops().push_back(op);
    origins_.push_back(origin);
}

void OpMerger::add_packages(const LedgerJson& op) {
    const std::string before = extra_of(op, "before");
    if (!before.empty()) {
        // The second line of a step names what its first line could not know yet.
        for (std::size_t i = 0; i < ops().size(); ++i) {
            if (text_of(ops()[i], "kind") != "package-remove" || extra_of(ops()[i], "before") != before) continue;
            ops().erase(i);
            origins_.erase(origins_.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        }
    }
    std::set<std::string> known;
    for (const LedgerJson& other : ops())
        if (text_of(other, "kind") == "package-remove" && text_of(other, "format") == text_of(op, "format"))
            for (const std::string& name : string_list(other, "targets")) known.insert(name);
    LedgerJson fresh = op, names = LedgerJson::array();
    for (const std::string& name : string_list(op, "targets"))
        if (!known.contains(name)) names.push_back(name);
    const bool pending = !before.empty() && extra_of(op, "complete").empty();
    if (names.empty() && !pending) return;
    if (!pending) {
        fresh["targets"] = std::move(names);
        if (!before.empty()) fresh.erase("extra");
    }
    ops().push_back(std::move(fresh));
    origins_.push_back({});
}

}  // namespace ov
