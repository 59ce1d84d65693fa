// Reads overthink.yml, what it imports and what it discovers. One namespace at a time: the importing file wins.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ov/project.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

class ProjectLoader {
public:
    explicit ProjectLoader(std::string directory) : directory_(std::move(directory)) {}

    /// Findings are appended to `findings`; the project holds what could be read.
    Project load(std::vector<Diagnostic>& findings);

private:
    struct DiscoverRoot {
        std::string kind;  ///< "layer", "image" or "deploy"
        std::string path;  ///< absolute
        bool recursive = true;
        SourcePosition where;
    };

    void visit(const std::string& file, int depth, const SourcePosition& imported_at);
    void read_document(const Cursor& document, const std::string& file);
    void read_collection(const Cursor& document, const std::string& file);
    void read_entity(const Cursor& document, const std::string& kind);
    void read_imports(const Cursor& list, const std::string& file);
    void read_discover(const Cursor& value, const std::string& file);
    void read_defaults(const Cursor& value);
    void read_layer_entry(const std::string& name, const Cursor& value, const std::string& file);
    void add_named(const std::string& kind, const std::string& name, const Cursor& value, const std::string& file);
    void discover_layers();
    void discover_entities();
    void read_discovered_entity(const std::string& kind, const std::string& directory);
    std::vector<std::string> directories_of(const DiscoverRoot& root);
    void scan_for_retired_files();
    void add_layer_directory(const std::string& directory, const std::string& name, const SourcePosition& where);
    void check_version(const std::string& file);
    void report(Severity severity, const SourcePosition& where, std::string message);
    std::string absolute(const std::string& path, const std::string& base_file) const;

    struct Import {
        std::string file;
        SourcePosition where;
    };

    std::string directory_;
    Project project_;
    std::vector<Diagnostic>* findings_ = nullptr;
    std::vector<Import> pending_imports_;  ///< of the file that is being read
    std::vector<std::string> open_files_;  ///< the chain of imports, for cycles
    std::set<std::string> visited_;
    std::map<std::string, std::string> namespaces_;  ///< alias -> target
    std::vector<DiscoverRoot> discover_;
    std::map<std::string, std::set<std::string>> defaults_seen_;
    std::vector<std::string> bed_names_;
};

}  // namespace ov::spec
