// The ledger of one guest as a value: read with one command, changed here, written back with one command.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/journal.hpp"

namespace ov {

class GuestLedger {
public:
    bool exists = false;                        ///< the machine has the directories, be they empty
    std::map<std::string, LedgerJson> deploys;  ///< by deploy id
    std::map<std::string, LedgerJson> layers;   ///< by layer name
    std::map<std::string, Journal> journals;    ///< by deploy id
    LedgerJson global;                          ///< what belongs to no layer: the shells' block, ~/.config; null: nothing
    std::vector<std::string> notes;             ///< what people should know: torn lines, moved claims

    /// Puts what the journal of `deploy_id` says into the layer records and lists its layers in the deploy record.
    /// Idempotent. `now` is the time for records that are new.
    void fold(const std::string& deploy_id, std::string_view now);
    /// All journals: what a crash left behind.
    void fold_all(std::string_view now);

    /// Adds the claim of `deploy_id`, creating the record when it is missing.
    LedgerJson& claim(const std::string& layer, const std::string& deploy_id, std::string_view now);

    /// An older record of the same target and key gives its claims to `deploy_id` (`cli-and-config.md` 7, decisions 53).
    /// `record` is the new deploy record with its layer list.
    void supersede(const std::string& deploy_id, LedgerJson& record);

    /// Ids of the deploys of `target`; with a key only those whose key is equal or absent. Sorted by time, oldest first.
    std::vector<std::string> deploys_of(std::string_view target, std::string_view key) const;

    /// A file that several blocks live in goes with the last of them if the first of them made it, whichever goes first.
    void share_block_origins();

    /// Deploy ids whose copies in backup/ some operation still needs.
    std::set<std::string> needed_backups() const;
};

/// A layer name that may become part of a path.
bool is_ledger_name(std::string_view name);

/// Prints every file of the ledger with its length; builtins of bash only.
std::string ledger_dump_script();

/// Throws Error{ledger_corrupt} naming the file that is no JSON; a ledger that is not there is an empty one.
GuestLedger parse_ledger_dump(std::string_view dump);

/// The difference between two states of the ledger as one script: new files whole or not at all, then the deletions.
/// Empty when nothing differs. `done` names the journals that are folded and finished.
std::string ledger_commit_script(const GuestLedger& before, const GuestLedger& after, const std::set<std::string>& done);

}  // namespace ov
