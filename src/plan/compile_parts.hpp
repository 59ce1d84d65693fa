// The compilers of single step families, shared by compile.cpp only.
#pragma once

#include <string>
#include <vector>

#include "ov/compile.hpp"
#include "ov/diagnostic.hpp"

namespace ov::plan {

/// What one compile reads, and where it reports.
struct Compilation {
    const Layer& layer;
    const CompileContext& context;
    std::vector<Diagnostic> findings;

    void error(const SourcePosition& where, std::string path, std::string message) {
        findings.push_back({where, std::move(path), std::move(message), Severity::error});
    }
};

/// The packages of one layer for one distribution: the overlay of W1.
struct PackageSelection {
    bool matched = false;  ///< a block of the layer, or its lack of blocks, speaks of this distribution
    std::vector<std::string> packages, options, exclude, copr, modules;
    std::vector<RepoEntry> repos;
    AurBlock aur;
    SourcePosition where;

    bool empty() const noexcept {
        return packages.empty() && repos.empty() && copr.empty() && modules.empty() && aur.packages.empty();
    }
};
PackageSelection select_packages(const Layer& layer, const Distro& distro);

void compile_packages(Compilation& c, std::vector<Step>& steps);
void compile_builders(Compilation& c, std::vector<Step>& steps);
void compile_tasks(Compilation& c, std::vector<Step>& steps);
void compile_services(Compilation& c, std::vector<Step>& steps);
void compile_shell(Compilation& c, std::vector<Step>& steps);

/// "0755", "0o755": permission bits; nullopt when it is no octal text.
std::optional<unsigned> octal_mode(std::string_view text) noexcept;

}  // namespace ov::plan
