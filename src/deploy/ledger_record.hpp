// The JSON records of the guest's ledger (`ledger.md` section 3): read, changed and written with every unknown key kept.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ov/install_plan.hpp"

namespace ov {

/// Keys stay in the order in which they were read.
using LedgerJson = nlohmann::ordered_json;

/// Two-space indentation, a final newline, `<`, `>`, `&`, U+2028 and U+2029 escaped.
std::string ledger_text(const LedgerJson& record);

/// A list of strings under `key`; null, absent and [] are the same.
std::vector<std::string> string_list(const LedgerJson& record, std::string_view key);

/// Adds `word` to the list under `key` unless it is there. True when it was added.
bool add_to_list(LedgerJson& record, std::string_view key, const std::string& word);
void remove_from_list(LedgerJson& record, std::string_view key, std::string_view word);

/// Throws Error{ledger_corrupt} when the object is no reverse operation.
ReverseOp reverse_op_of(const LedgerJson& op);

/// Where an operation that is being recorded comes from: operations of one step belong together.
struct OpOrigin {
    std::string run;
    std::int64_t seq = -1;
    bool operator==(const OpOrigin&) const = default;
};

/// Collects the operations of one layer record so that applying a layer again does not make it grow (`ledger.md` 5):
/// the first operation on a path or unit knows what was there before the deploy, later ones only refresh its digest.
class OpMerger {
public:
    /// An absent or null `reverse_ops` becomes an empty list. The record must stay where it is while this lives.
    explicit OpMerger(LedgerJson& record);
    void add(const LedgerJson& op, const OpOrigin& origin);

private:
    void add_packages(const LedgerJson& op);
    LedgerJson* find(std::string_view group, const std::string& target);

    LedgerJson& ops() { return record_["reverse_ops"]; }

    LedgerJson& record_;
    std::vector<OpOrigin> origins_;  ///< of each operation; default for those of earlier runs
};

}  // namespace ov
