// Reads overthink.yml, what it imports and what it discovers. One namespace at a time: the importing file wins.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ov/load.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

/// A project by its file instead of its directory, which must exist.
Project load_project_file(const std::string& file, const LoadOptions& options);

class ProjectLoader {
public:
    /// `root`: absolute path of the project file. `checkouts` may be null: remote imports are errors then.
    ProjectLoader(const std::string& root, const Checkouts* checkouts);

    /// Findings are appended to `findings`; the project holds what could be read.
    Project load(std::vector<Diagnostic>& findings);

private:
    struct DiscoverRoot {
        std::string kind;  ///< "layer", "image", ...
        std::string path;  ///< absolute
        bool recursive = true;
        SourcePosition where;
    };

    void visit(const std::string& file, int depth, const SourcePosition& imported_at);
    void read_document(const Cursor& document, const std::string& file);
    void read_collection(const Cursor& document, const std::string& file);
    void read_entity(const Cursor& document, const std::string& kind);
    void read_imports(const Cursor& list, const std::string& file);
    void read_remote_import(const Cursor& item, const std::string& ref);
    void read_namespace(const Cursor& item, const std::string& file);
    void read_discover(const Cursor& value, const std::string& file);
    void read_defaults(const Cursor& value);
    void read_layer_entry(const std::string& name, const Cursor& value, const std::string& file);
    void add_named(const std::string& kind, const std::string& name, const Cursor& value, const std::string& file);
    void discover_layers();
    void discover_entities();
    void read_discovered_entity(const std::string& kind, const std::string& directory);
    std::vector<std::string> directories_of(const DiscoverRoot& root);
    void find_custom_manifests();
    void scan_for_retired_files();
    void add_layer_directory(const std::string& directory, const std::string& name, const SourcePosition& where);
    void check_beds();
    void check_version(const std::string& file);
    void report(Severity severity, const SourcePosition& where, std::string message);
    /// `path` as written in `base_file`, absolute; a finding and empty when it leaves the repository that the file is in.
    std::string resolve(const Cursor& at, const std::string& path, const std::string& base_file) const;

    struct Import {
        std::string file;
        SourcePosition where;
    };

    std::string root_, directory_;
    const Checkouts* checkouts_;
    Project project_;
    std::vector<Diagnostic>* findings_ = nullptr;
    std::vector<Import> pending_imports_;  ///< of the file that is being read
    std::vector<std::string> open_files_;  ///< the chain of imports, for cycles
    std::set<std::string> visited_;
    bool root_read_ = false;  ///< the project file is YAML
    std::set<std::string> checkouts_in_use_;
    std::vector<DiscoverRoot> discover_;
    std::vector<std::string> bed_names_;
};

}  // namespace ov::spec
