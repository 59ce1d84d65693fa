#include "state/lease_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

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

YamlPtr list_entry(const YamlPtr& map, const char* key) {
    const YamlPtr list = yaml_entry(map, key);
    return list ? list : list_of({});
}

Preempted preempted_of(const YamlPtr& map) {
    Preempted one{yaml_entry_text(map, "addr"), texts_of(map, "holds"), yaml_entry_text(map, "restore")};
    if (one.restore.empty()) one.restore = "always";
    return one;
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
    for (const YamlPtr& item : list_entry(map, "preempted")->items) lease.preempted.push_back(preempted_of(item));
    lease.as_read = map;
    return lease;
}

YamlPtr claim_of(const Lease& lease) {
    std::vector<std::pair<std::string, YamlPtr>> claim{
        {"name", yaml_text(lease.claimant)}, {"target", yaml_text("vm")}, {"vm", yaml_text(lease.entity)}};
    if (!lease.instance.empty()) claim.emplace_back("instance", yaml_text(lease.instance));
    return yaml_map(std::move(claim));
}

/// Holders that were there before keep their nodes.
YamlPtr yaml_of(const std::vector<Preempted>& preempted, const YamlPtr& before) {
    std::vector<YamlPtr> items;
    for (const Preempted& one : preempted) {
        const auto same = [&](const YamlPtr& item) { return preempted_of(item) == one; };
        const auto old = std::find_if(before->items.begin(), before->items.end(), same);
        const YamlPtr fresh =
            yaml_map({{"addr", yaml_text(one.address)}, {"holds", yaml_list(one.holds)}, {"restore", yaml_text(one.restore)}});
        items.push_back(old != before->items.end() ? *old : fresh);
    }
    return list_of(std::move(items));
}

/// Only what differs from what was read is written anew: the rest is another program's as much as ours.
YamlPtr yaml_of(const Lease& lease) {
    const bool fresh = !lease.as_read;
    const Lease was = fresh ? Lease{} : lease_of(lease.as_read);
    YamlNode node = fresh ? YamlNode{} : *lease.as_read;
    node.kind = YamlNode::Kind::map;
    const auto put = [&](bool differs, const char* key, const YamlPtr& value) {
        if (fresh || differs) set_yaml_entry(node, key, value);
    };
    put(lease.claimant != was.claimant, "claimant", yaml_text(lease.claimant));
    put(lease.entity != was.entity || lease.instance != was.instance, "claim", claim_of(lease));
    put(lease.tokens != was.tokens, "tokens", yaml_list(lease.tokens));
    put(false, "transient", yaml_boolean(false));
    put(lease.preempted != was.preempted, "preempted", yaml_of(lease.preempted, list_entry(lease.as_read, "preempted")));
    put(lease.created != was.created, "created", yaml_text(lease.created));
    put(lease.pid != was.pid, "pid", yaml_integer(lease.pid));
    return std::make_shared<const YamlNode>(std::move(node));
}

struct Book {
    YamlNode root;
    std::vector<Lease> leases;
};

Book load_book(const std::string& file) {
    Book book;
    book.root.kind = YamlNode::Kind::map;
    const auto text = read_file(file);
    if (!text) return book;
    std::vector<Diagnostic> findings;
    const std::vector<YamlPtr> documents = spec::parse_yaml(*text, file, findings);
    const auto damaged = [&](const std::string& why) {
        return Error(Errc::spec_invalid,
                     fmt::format("{}: not a book of leases ({}); move it away to go on without it", file, why));
    };
    for (const Diagnostic& finding : findings)
        if (finding.severity == Severity::error) throw damaged(finding.str());
    if (documents.empty()) return book;
    const YamlPtr list = yaml_entry(documents.front(), "leases");
    if (!list) throw damaged("no leases:");
    if (!list->is_sequence() && !list->is_null()) throw damaged("leases: is no list");
    book.root = *documents.front();
    for (const YamlPtr& item : list->items) book.leases.push_back(lease_of(item));
    return book;
}

}  // namespace

bool Lease::operator==(const Lease& other) const {
    return std::tie(claimant, entity, instance, tokens, preempted, created, pid) ==
           std::tie(other.claimant, other.entity, other.instance, other.tokens, other.preempted, other.created, other.pid);
}

std::vector<Lease> load_leases(const std::string& file) {
    return load_book(file).leases;
}

void update_leases(const std::string& file, const std::function<void(std::vector<Lease>&)>& edit,
                   const std::function<bool()>& cancelled) {
    const FileLock lock = FileLock::acquire(file + ".lock", std::chrono::seconds(30), cancelled);
    Book book = load_book(file);
    const std::vector<Lease> before = book.leases;
    edit(book.leases);
    if (book.leases == before) return;
    if (book.leases.empty() && book.root.entries.size() <= 1) {
        remove_file(file);
        return;
    }
    std::vector<YamlPtr> items;
    for (const Lease& lease : book.leases) items.push_back(yaml_of(lease));
    set_yaml_entry(book.root, "leases", list_of(std::move(items)));
    write_file(file, write_yaml(book.root), 0600);
}

}  // namespace ov::state
