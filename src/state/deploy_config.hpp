// The host's deploy.yml: read, edited under a lock, written back so that what an edit did not touch means the same.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "model/vm_identity.hpp"
#include "ov/project.hpp"
#include "ov/yaml.hpp"

namespace ov::state {

/// The document while it is edited. Values are shared; an edit replaces them.
class DeployDocument {
public:
    DeployDocument(DeployDocument&&) = default;
    DeployDocument& operator=(DeployDocument&&) = default;

    /// Throws SpecError with every finding. An empty text is an empty document.
    static DeployDocument parse(std::string_view text, const std::string& file);

    bool has(std::string_view key) const noexcept;
    std::vector<std::string> keys() const;
    /// The entry as a typed node; an empty node when there is none.
    DeployNode node(std::string_view key) const;

    /// Creates the entry if needed.
    void set_field(std::string_view key, std::string_view field, YamlPtr value);
    void remove_field(std::string_view key, std::string_view field);
    void remove_entry(std::string_view key);
    void clear();

    /// Keeps only these entries. Throws Error{not_found} naming the first that is not there.
    void keep_only(const std::vector<std::string>& keys);
    /// Per entry and field: what is set in `above` (`disposable` also as false) replaces what is here as a whole, everything else
    /// stays (`cli-and-config.md` 5.5). Not empty `only`: nothing but that entry.
    void lay_over(const DeployDocument& above, std::string_view only = {});

    /// Entries sorted by key, fields in the order of the schema, unknown ones after them. Empty when nothing is left.
    std::string str() const;

    const YamlNode& root() const noexcept { return *root_; }

private:
    DeployDocument() = default;
    const YamlNode* deploy() const noexcept;
    const YamlNode* entry(std::string_view key) const noexcept;
    void replace_entry(std::string_view key, YamlPtr value);
    void set_member(const std::string& key, YamlPtr value);

    std::string file_;
    std::shared_ptr<YamlNode> root_;
};

/// Locks, reads, edits, validates and writes. Returns false, and writes nothing, when the edit changed nothing. Any finding
/// before or after the edit leaves the file as it is. Blocks.
bool update_deploy_file(const std::string& path, const std::function<void(DeployDocument&)>& edit,
                        const std::function<bool()>& cancelled = {});

/// Fields of `state` that are set go over what the entry `primary_key` (or whichever entry `find_vm_state` names) has; every
/// other entry of the same machine that has state gets the same, its own ephemeral block kept. `target: vm` and `vm:` are
/// added to the primary entry when absent. `project` helps to tell which machine an entry means.
void record_vm_state(DeployDocument& document, std::string_view primary_key, const VmIdentity& machine, const VmState& state,
                     const DeployMap& project = {});

/// `vm destroy`: drops the state of the machine everywhere, and with it the entries that were made only to hold it.
void drop_vm_state(DeployDocument& document, const VmIdentity& machine, const DeployMap& project = {});

/// `vm_state` as YAML, set fields only, in the order of the schema.
YamlPtr vm_state_yaml(const VmState& state);

}  // namespace ov::state
