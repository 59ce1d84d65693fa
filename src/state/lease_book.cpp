#include "state/lease_book.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "model/yaml_writer.hpp"
#include "ov/diagnostic.hpp"
#include "ov/error.hpp"
#include "spec/yaml_document.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

std::vector<std::string> texts_of(const YamlPtr& map, const char* key) {
    std::vector<std::string> texts;
    if (const YamlPtr list = yaml_entry(map, key))
        for (const YamlPtr& item : list->items) texts.push_back(item->text);
    return texts;
}

YamlPtr list_of(std::vector<YamlPtr> items) {
    auto list = std::make_shared<YamlNode>();
    list->kind = YamlNode::Kind::sequence;
    list->items = std::move(items);
    return list;
}

YamlPtr yaml_of(const Lease& lease) {
    std::vector<YamlPtr> preempted;
    for (const Preempted& one : lease.preempted)
        preempted.push_back(
            yaml_map({{"addr", yaml_text(one.address)}, {"holds", yaml_list(one.holds)}, {"restore", yaml_text(one.restore)}}));
    std::vector<std::pair<std::string, YamlPtr>> claim{
        {"name", yaml_text(lease.claimant)}, {"target", yaml_text("vm")}, {"vm", yaml_text(lease.entity)}};
    if (!lease.instance.empty()) claim.emplace_back("instance", yaml_text(lease.instance));
    return yaml_map({{"claimant", yaml_text(lease.claimant)},
                     {"claim", yaml_map(std::move(claim))},
                     {"tokens", yaml_list(lease.tokens)},
                     {"transient", yaml_boolean(false)},
                     {"preempted", list_of(std::move(preempted))},
                     {"created", yaml_text(lease.created)},
                     {"pid", yaml_integer(lease.pid)}});
}

Lease lease_of(const YamlPtr& map) {
    Lease lease;
    const YamlPtr claim = yaml_entry(map, "claim");
    lease.claimant = yaml_entry_text(map, "claimant");
    lease.entity = yaml_entry_text(claim, "vm");
    lease.instance = yaml_entry_text(claim, "instance");
    lease.tokens = texts_of(map, "tokens");
    lease.created = yaml_entry_text(map, "created");
    lease.pid = std::atoll(yaml_entry_text(map, "pid").c_str());
    if (const YamlPtr list = yaml_entry(map, "preempted"))
        for (const YamlPtr& item : list->items) {
            Preempted one{yaml_entry_text(item, "addr"), texts_of(item, "holds"), yaml_entry_text(item, "restore")};
            if (one.restore.empty()) one.restore = "always";
            lease.preempted.push_back(std::move(one));
        }
    return lease;
}

}  // namespace

std::vector<Lease> load_leases(const std::string& file) {
    std::vector<Lease> leases;
    const auto text = read_file(file);
    if (!text) return leases;
    std::vector<Diagnostic> findings;
    const std::vector<YamlPtr> documents = spec::parse_yaml(*text, file, findings);
    const YamlPtr list = documents.empty() ? nullptr : yaml_entry(documents.front(), "leases");
    const auto damaged = [&](const std::string& why) {
        return Error(Errc::spec_invalid,
                     fmt::format("{}: not a book of leases ({}); move it away to go on without it", file, why));
    };
    for (const Diagnostic& finding : findings)
        if (finding.severity == Severity::error) throw damaged(finding.str());
    if (!documents.empty() && !list) throw damaged("no leases:");
    if (list)
        for (const YamlPtr& item : list->items) leases.push_back(lease_of(item));
    return leases;
}

void update_leases(const std::string& file, const std::function<void(std::vector<Lease>&)>& edit,
                   const std::function<bool()>& cancelled) {
    const FileLock lock = FileLock::acquire(file + ".lock", std::chrono::seconds(30), cancelled);
    std::vector<Lease> leases = load_leases(file);
    const std::vector<Lease> before = leases;
    edit(leases);
    if (leases == before) return;
    if (leases.empty()) {
        remove_file(file);
        return;
    }
    std::vector<YamlPtr> items;
    for (const Lease& lease : leases) items.push_back(yaml_of(lease));
    write_file(file, write_yaml(*yaml_map({{"leases", list_of(std::move(items))}})), 0600);
}

}  // namespace ov::state
