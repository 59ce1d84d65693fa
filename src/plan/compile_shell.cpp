// `shell` -> one ShellSnippet step for each shell that gets one (`layer-format.md` 7).
#include "plan/compile_parts.hpp"
#include "plan/home_token.hpp"

namespace ov::plan {

namespace {

constexpr std::string_view shells[] = {"bash", "zsh", "fish", "sh"};

std::string with_shell_name(std::string text, std::string_view shell) {
    constexpr std::string_view placeholder = "${SHELL_NAME}";
    for (std::size_t at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder, at + shell.size()))
        text.replace(at, placeholder.size(), shell);
    return text;
}

/// Inside fish's single quotes only backslash and quote are special.
std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string snippet_text(const ShellPart& part, std::string_view shell) {
    std::string text = part.init;
    if (!part.path_append.empty() && !text.empty() && !text.ends_with('\n')) text += '\n';
    for (const std::string& entry : part.path_append) {
        const std::string path = tokenise_home(entry);
        text += shell == "fish" ? "fish_add_path -gP " + fish_quoted(path) + "\n" : "export PATH=\"$PATH:" + path + "\"\n";
    }
    return text;
}

std::string own_file(std::string_view shell, const std::string& layer) {
    const std::string home = home_token;
    if (shell == "bash") return home + "/.bashrc";
    if (shell == "zsh") return home + "/.zshrc";
    if (shell == "fish") return home + "/.config/fish/conf.d/ov-" + layer + ".fish";
    return home + "/.profile";
}

}  // namespace

void compile_shell(Compilation& c, std::vector<Step>& steps) {
    if (!c.layer.shell) return;
    const ShellConfig& config = *c.layer.shell;
    for (const std::string_view shell : shells) {
        const auto own = config.overrides.find(std::string(shell));
        ShellPart part = own != config.overrides.end() ? own->second : config.generic;
        if (own == config.overrides.end()) part.init = with_shell_name(std::move(part.init), shell);
        if (part.init.empty() && part.path_append.empty()) continue;

        ShellSnippetStep step;
        step.layer = step.marker = c.layer.name;
        step.shell = shell;
        step.snippet = snippet_text(part, shell);
        step.path_append = part.path_append;
        step.destination = part.path.empty() ? own_file(shell, c.layer.name) : tokenise_home(part.path);
        step.use_dropin = !part.path.empty() || shell == "fish";
        step.priority = config.priority;
        steps.push_back({std::move(step)});
    }
}

}  // namespace ov::plan
