#include "deploy/guest_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

LedgerJson parse_record(const std::string& file, std::string_view text) {
    try {
        LedgerJson json = LedgerJson::parse(text);
        if (json.is_object()) return json;
    } catch (const nlohmann::json::exception&) {
    }
    throw Error(Errc::ledger_corrupt,
                fmt::format("the guest's ledger file {} is no JSON record; repair it or move it away, then run again", file));
}

/// Every step once: a later run of the same layer replaces the entries. The intent says what the step was.
void add_step(LedgerJson& record, const JournalLine& line, const LedgerJson& intent) {
    LedgerJson& steps = record["steps"];
    if (!steps.is_array()) steps = LedgerJson::array();
    LedgerJson entry = {{"kind", line.kind}};
    for (const char* key : {"scope", "venue"})
        if (intent.contains(key) && intent[key] != 0) entry[key] = intent[key];
    entry["summary"] = intent.value("summary", line.kind);
    entry["completed_at"] = line.at;
    entry["extra"] = {{"step", std::to_string(line.step)}};
    for (LedgerJson& known : steps) {
        if (!known.contains("extra") || known["extra"].value("step", "") != std::to_string(line.step)) continue;
        known = std::move(entry);
        return;
    }
    steps.push_back(std::move(entry));
}

/// Empty optional keys are left out.
LedgerJson tidy(LedgerJson record) {
    for (const char* key : {"version", "steps", "reverse_ops"})
        if (record.contains(key) && (record[key].is_null() || record[key].empty() || record[key] == "")) record.erase(key);
    return record;
}

}  // namespace

bool is_ledger_name(std::string_view name) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return !name.empty() && name.front() != '.' && name.find_first_not_of(allowed) == std::string_view::npos;
}

LedgerJson& GuestLedger::claim(const std::string& layer, const std::string& deploy_id, std::string_view now) {
    if (!is_ledger_name(layer))
        throw Error(Errc::spec_invalid, fmt::format("layer name '{}': only letters, digits, '.', '_', '-'", layer));
    LedgerJson& record = layers[layer];
    if (record.is_null())
        record = {{"layer", layer},     {"version", ""},    {"deployed_by", nullptr},
                  {"deployed_at", now}, {"steps", nullptr}, {"reverse_ops", nullptr}};
    add_to_list(record, "deployed_by", deploy_id);
    return record;
}

void GuestLedger::fold(const std::string& deploy_id, std::string_view now) {
    const auto journal = journals.find(deploy_id);
    if (journal == journals.end()) return;
    for (const std::string& note : journal->second.notes) notes.push_back(note);
    std::map<std::string, OpMerger> mergers;
    std::map<std::pair<std::string, std::int64_t>, const LedgerJson*> intents;
    for (const JournalLine& line : journal->second.lines) {
        if (line.state == JournalState::intent) intents[{line.run, line.seq}] = &line.line;
        if (line.layer.empty()) {
            if (line.state != JournalState::undo) continue;
            if (global.is_null()) global = LedgerJson::object();
            OpMerger(global).add(line.op, {line.run, line.seq});
            continue;
        }
        if (line.state == JournalState::undo) {
            LedgerJson& record = claim(line.layer, deploy_id, now);
            mergers.try_emplace(line.layer, record).first->second.add(line.op, {line.run, line.seq});
        }
        if (line.state == JournalState::ok) {
            const auto intent = intents.find({line.run, line.seq});
            add_step(claim(line.layer, deploy_id, now), line, intent == intents.end() ? line.line : *intent->second);
        }
        if (line.state != JournalState::intent)
            if (const auto deploy = deploys.find(deploy_id); deploy != deploys.end())
                add_to_list(deploy->second, "layer", line.layer);
    }
    share_block_origins();
}

void GuestLedger::share_block_origins() {
    std::vector<LedgerJson*> blocks;
    const auto collect = [&blocks](LedgerJson& record) {
        if (!record.is_object() || !record.contains("reverse_ops") || !record["reverse_ops"].is_array()) return;
        for (LedgerJson& op : record["reverse_ops"])
            if (op.value("kind", "") == "remove-managed-block" && op.contains("extra") && op["extra"].is_object())
                blocks.push_back(&op);
    };
    collect(global);
    for (auto& [name, record] : layers) collect(record);
    for (const char* key : {"created", "no_final_newline"})
        for (const LedgerJson* from : blocks) {
            if ((*from)["extra"].value(key, "") != "yes") continue;
            for (LedgerJson* to : blocks)
                if ((*to)["targets"] == (*from)["targets"]) (*to)["extra"][key] = "yes";
        }
}

void GuestLedger::fold_all(std::string_view now) {
    for (const auto& [id, journal] : journals) fold(id, now);
}

std::vector<std::string> GuestLedger::deploys_of(std::string_view target, std::string_view key) const {
    std::vector<std::string> ids;
    for (const auto& [id, record] : deploys) {
        if (record.value("target", "") != target) continue;
        const std::string own = record.value("key", "");
        if (key.empty() || own.empty() || own == key) ids.push_back(id);
    }
    std::ranges::stable_sort(ids, {}, [&](const std::string& id) { return deploys.at(id).value("deployed_at", ""); });
    return ids;
}

void GuestLedger::supersede(const std::string& deploy_id, LedgerJson& record) {
    for (const std::string& old : deploys_of(record.value("target", ""), record.value("key", ""))) {
        if (old == deploy_id) continue;
        const std::vector<std::string> listed = string_list(record, "layer");
        for (const std::string& layer : string_list(deploys[old], "layer")) {
            const auto claimed = layers.find(layer);
            if (claimed == layers.end()) continue;
            remove_from_list(claimed->second, "deployed_by", old);
            add_to_list(claimed->second, "deployed_by", deploy_id);
            if (std::ranges::find(listed, layer) != listed.end()) continue;
            add_to_list(record, "layer", layer);
            notes.push_back(fmt::format("layer {} is no longer listed; it stays installed until this deploy is deleted", layer));
        }
        deploys.erase(old);
        // Its journal is folded already; folded again it would claim the layers once more.
        journals.erase(old);
    }
}

std::set<std::string> GuestLedger::needed_backups() const {
    std::set<std::string> needed;
    for (const auto& [name, record] : layers) {
        if (!record.contains("reverse_ops") || !record["reverse_ops"].is_array()) continue;
        for (const LedgerJson& op : record["reverse_ops"]) {
            if (!op.contains("extra") || !op["extra"].is_object()) continue;
            for (const char* key : {"backup", "before"}) {
                const std::string path = op["extra"].value(key, "");
                const std::size_t end = path.rfind('/'), start = end == std::string::npos ? end : path.rfind('/', end - 1);
                if (end != std::string::npos && start != std::string::npos)
                    needed.insert(path.substr(start + 1, end - start - 1));
            }
        }
    }
    return needed;
}

std::string ledger_dump_script() {
    return R"(ov__dump() {
local LC_ALL=C file text root=$HOME/.config/overthink/installed
[[ -d $root && -x $root ]] || return 0
printf 'ov-file . 0\n\n'
for file in "$root"/global.json "$root"/{deploys,layers}/*.json "$root"/journal/*.jsonl; do
[[ -e $file ]] || continue
if IFS= read -r -d '' text <"$file"; then text='holds a NUL byte'; elif [[ ! -r $file ]]; then echo "ov: cannot read $file" >&2; return 1; fi
printf 'ov-file %s %d\n%s\n' "${file#"$root/"}" "${#text}" "$text"
done
}
ov__dump
)";
}

GuestLedger parse_ledger_dump(std::string_view dump) {
    GuestLedger ledger;
    const auto broken = [] { return Error(Errc::ledger_corrupt, "the guest's answer about its ledger is incomplete"); };
    while (!dump.empty()) {
        const std::size_t end = dump.find('\n');
        std::string_view head = dump.substr(0, end);
        if (end == std::string_view::npos || !head.starts_with("ov-file ")) throw broken();
        head.remove_prefix(8);
        const std::size_t space = head.rfind(' ');
        if (space == std::string_view::npos) throw broken();
        std::size_t length = 0;
        const std::string_view digits = head.substr(space + 1);
        if (std::from_chars(digits.data(), digits.data() + digits.size(), length).ptr != digits.data() + digits.size())
            throw broken();
        if (dump.size() < end + 1 + length + 1) throw broken();
        const std::string file(head.substr(0, space));
        const std::string_view text = dump.substr(end + 1, length);
        dump.remove_prefix(end + 1 + length + 1);
        ledger.exists = true;
        if (file == ".") continue;
        if (file == "global.json") {
            ledger.global = parse_record(file, text);
            continue;
        }
        const std::size_t slash = file.find('/'), dot = file.rfind('.');
        if (slash == std::string::npos || dot == std::string::npos || dot < slash) throw broken();
        const std::string name = file.substr(slash + 1, dot - slash - 1);
        if (file.starts_with("deploys/")) ledger.deploys[name] = parse_record(file, text);
        if (file.starts_with("layers/")) ledger.layers[name] = parse_record(file, text);
        if (file.starts_with("journal/") && !text.empty()) ledger.journals[name] = parse_journal(text);
    }
    return ledger;
}

std::string ledger_commit_script(const GuestLedger& before, const GuestLedger& after, const std::set<std::string>& done) {
    std::string save, remove;
    const auto compare = [&](const char* room, const std::map<std::string, LedgerJson>& old,
                             const std::map<std::string, LedgerJson>& fresh) {
        for (const auto& [name, record] : fresh) {
            const auto known = old.find(name);
            if (known != old.end() && known->second == record) continue;
            save += fmt::format(" {}/{}.json {}", room, name, script_word(ledger_text(tidy(record))));
        }
        for (const auto& [name, record] : old)
            if (!fresh.contains(name)) remove += fmt::format(" {}/{}.json", room, name);
    };
    if (after.global != before.global && after.global.is_object())
        save += " global.json " + script_word(ledger_text(after.global));
    compare("layers", before.layers, after.layers);
    compare("deploys", before.deploys, after.deploys);
    std::string folded;
    for (const auto& [id, journal] : before.journals)
        if (!after.journals.contains(id) && !done.contains(id)) remove += fmt::format(" journal/{}.jsonl", id);
    for (const std::string& id : done) {
        if (after.deploys.contains(id))
            folded += " " + id;
        else
            remove += fmt::format(" journal/{}.jsonl", id);
    }
    return all_of({save.empty() ? "" : "ov_save" + save + "\n", folded.empty() ? "" : "ov_folded" + folded + "\n",
                   remove.empty() ? "" : "ov_forget" + remove + "\n"});
}

}  // namespace ov
