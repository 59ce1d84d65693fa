#include "plan/undo_script.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

std::string extra(const ReverseOp& op, const std::string& key, const std::string& otherwise = {}) {
    const auto found = op.extra.find(key);
    return found == op.extra.end() ? otherwise : found->second;
}

/// Records of older programs hold `~/x`, `$HOME/x` and `${HOME}/x`.
std::string path_of(std::string_view target, std::string_view home) {
    for (const std::string_view spelling : {"~", "$HOME", "${HOME}", home_token})
        if (target.starts_with(spelling) && (target.size() == spelling.size() || target[spelling.size()] == '/'))
            return std::string(home) + std::string(target.substr(spelling.size()));
    return std::string(target);
}

RunAs by_scope(const ReverseOp& op) {
    return op.scope == Scope::system ? RunAs::root : RunAs::user;
}
std::string_view scope_word(const ReverseOp& op) {
    return op.scope == Scope::system ? "system" : "user";
}

/// One line per target.
template <class Line>
UndoScript each(const ReverseOp& op, RunAs as, GuestPart part, Line line) {
    UndoScript out;
    out.as = as;
    out.library = {part};
    for (const std::string& target : op.targets) out.text += line(target);
    if (!out.text.empty()) out.text = "set -e\n" + out.text;
    return out;
}

UndoScript remove_files(const ReverseOp& op, std::string_view home, RunAs as) {
    return each(op, as, GuestPart::undo, [&](const std::string& target) {
        return script_call("ov_rm_file", {extra(op, "digest"), path_of(target, home)});
    });
}

UndoScript remove_packages(const ReverseOp& op) {
    if (op.format != "deb" && op.format != "rpm" && op.format != "pac")
        throw Error(Errc::unsupported, fmt::format("package-remove: unknown package format '{}'", op.format));
    UndoScript out;
    out.library = {GuestPart::packages};
    if (op.targets.empty()) {
        const std::string before = extra(op, "before");
        if (!before.empty() && extra(op, "complete").empty())
            out.text = "set -e\n" + script_call("ov_remove_added_packages", {op.format, before});
        return out;
    }
    out.text = "set -e\nov_remove_packages " + op.format;
    for (const std::string& name : op.targets) out.text += " " + script_word(name);
    out.text += "\n";
    return out;
}

/// Tools that builders put into the home are not on a plain PATH.
UndoScript home_tool(const ReverseOp& op, std::string_view tool) {
    UndoScript out;
    out.as = RunAs::user;
    out.library = {GuestPart::journal};
    if (op.targets.empty()) return out;
    out.text = fmt::format("set -e\nov_env\nexport PATH=\"$HOME/.cargo/bin:$HOME/.npm-global/bin:$PATH\"\n{}", tool);
    for (const std::string& name : op.targets) out.text += " " + script_word(name);
    out.text += "\n";
    return out;
}

UndoScript service(UndoScript script, int pass) {
    script.kept_by = KeptBy::keep_services;
    script.may_fail = true;
    script.pass = pass;
    return script;
}

UndoScript unit_file(const ReverseOp& op, std::string_view home, bool with_dir) {
    UndoScript out = service(each(op, by_scope(op), GuestPart::undo,
                                  [&](const std::string& target) {
                                      const std::string path = path_of(target, home);
                                      std::string text = script_call("ov_rm_file", {extra(op, "digest"), path});
                                      if (with_dir) text += script_call("ov_rmdir", {path.substr(0, path.rfind('/'))});
                                      return text;
                                  }),
                             2);
    out.reloads_units = true;
    return out;
}

using Renderer = std::function<UndoScript(const ReverseOp&, std::string_view home)>;

const std::map<std::string, Renderer, std::less<>>& renderers() {
    static const std::map<std::string, Renderer, std::less<>> table = {
        {"package-remove", [](const ReverseOp& op, std::string_view) { return remove_packages(op); }},
        {"cargo-uninstall", [](const ReverseOp& op, std::string_view) { return home_tool(op, "cargo uninstall"); }},
        {"npm-uninstall-g", [](const ReverseOp& op, std::string_view) { return home_tool(op, "npm uninstall -g"); }},
        {"pixi-env-remove",
         [](const ReverseOp& op, std::string_view) {
             return each(op, RunAs::user, GuestPart::undo, [](const std::string& name) {
                 return fmt::format("ov_rm_tree \"$HOME\"/.pixi/envs/{}\n", script_word(name));
             });
         }},
        {"rm-file-system", [](const ReverseOp& op, std::string_view home) { return remove_files(op, home, RunAs::root); }},
        {"rm-file-user", [](const ReverseOp& op, std::string_view home) { return remove_files(op, home, RunAs::user); }},
        {"rm-dir-recursive",
         [](const ReverseOp& op, std::string_view home) {
             return each(op, by_scope(op), GuestPart::undo,
                         [&](const std::string& target) { return script_call("ov_rm_tree", {path_of(target, home)}); });
         }},
        {"rmdir-if-empty",
         [](const ReverseOp& op, std::string_view home) {
             return each(op, by_scope(op), GuestPart::undo,
                         [&](const std::string& target) { return script_call("ov_rmdir", {path_of(target, home)}); });
         }},
        {"restore-file",
         [](const ReverseOp& op, std::string_view home) {
             UndoScript out = each(op, by_scope(op), GuestPart::undo, [&](const std::string& target) {
                 return script_call("ov_restore_file", {extra(op, "backup"), path_of(target, home), extra(op, "digest")});
             });
             out.reloads_units = extra(op, "unit") == "yes";
             return out;
         }},
        {"restore-mode",
         [](const ReverseOp& op, std::string_view home) {
             return each(op, by_scope(op), GuestPart::undo, [&](const std::string& target) {
                 return script_call("ov_restore_mode", {extra(op, "mode"), extra(op, "owner"), path_of(target, home)});
             });
         }},
        {"service-disable",
         [](const ReverseOp& op, std::string_view) {
             return service(each(op, by_scope(op), GuestPart::services,
                                 [&](const std::string& unit) {
                                     return script_call("ov_disable", {scope_word(op), unit});
                                 }),
                            1);
         }},
        {"service-remove", [](const ReverseOp& op, std::string_view home) { return unit_file(op, home, false); }},
        {"remove-dropin", [](const ReverseOp& op, std::string_view home) { return unit_file(op, home, true); }},
        {"restore-enabled",
         [](const ReverseOp& op, std::string_view) {
             return service(each(op, by_scope(op), GuestPart::services,
                                 [&](const std::string& unit) {
                                     return script_call("ov_restore_unit", {scope_word(op), unit, extra(op, "enabled", "yes"),
                                                                            extra(op, "active", "yes")});
                                 }),
                            3);
         }},
        {"linger-disable",
         [](const ReverseOp& op, std::string_view) {
             return service(each(op, RunAs::root, GuestPart::undo,
                                 [](const std::string& user) { return script_call("ov_undo_linger", {user}); }),
                            2);
         }},
        {"remove-envd-file",
         [](const ReverseOp& op, std::string_view home) {
             UndoScript out = remove_files(op, home, RunAs::user);
             out.may_fail = true;
             return out;
         }},
        {"remove-repo-file",
         [](const ReverseOp& op, std::string_view home) {
             UndoScript out = remove_files(op, home, RunAs::root);
             out.kept_by = KeptBy::keep_repo_changes;
             return out;
         }},
        {"copr-disable",
         [](const ReverseOp& op, std::string_view) {
             UndoScript out = each(op, RunAs::root, GuestPart::journal, [](const std::string& name) {
                 return script_call("dnf", {"-y", "copr", "disable", name});
             });
             out.kept_by = KeptBy::keep_repo_changes;
             out.may_fail = true;
             return out;
         }},
        {"remove-managed-block",
         [](const ReverseOp& op, std::string_view home) {
             return each(op, by_scope(op), GuestPart::blocks, [&](const std::string& target) {
                 return script_call("ov_unblock", {path_of(target, home), extra(op, "marker"), extra(op, "position", "end"),
                                                   extra(op, "created", "no"), extra(op, "no_final_newline", "no")});
             });
         }},
    };
    return table;
}

}  // namespace

UndoScript render_undo(const ReverseOp& op, std::string_view home) {
    const auto found = renderers().find(op.kind);
    if (found == renderers().end()) throw Error(Errc::unsupported, fmt::format("unknown reverse operation '{}'", op.kind));
    return found->second(op, home);
}

}  // namespace ov
