#include "deploy/shell_block.hpp"

#include <fmt/format.h>

#include "base/shell_quote.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

std::string posix_body(std::string_view home, std::string_view glob) {
    return fmt::format("for f in {}/.config/overthink/env.d/{}; do [ -r \"$f\" ] && . \"$f\"; done", shell_quote_lazy(home),
                       glob);
}

std::string fish_body(std::string_view home) {
    return fmt::format("for f in {}/.config/overthink/env.d/*.env\n  if test -r $f\n    source $f\n  end\nend",
                       shell_quote_lazy(home));
}

std::string block(std::string_view home, std::string_view file, std::string_view where, std::string_view body,
                  std::string_view shell) {
    return script_call("ov_block", {std::string(home) + "/" + std::string(file), "", where, body, shell});
}

}  // namespace

std::string shell_block_script(std::string_view login_shell, std::string_view home) {
    const std::string_view shell = login_shell.substr(login_shell.rfind('/') + 1);
    const std::string body = posix_body(home, "*.env");
    // zsh ends a start file at a glob that matches nothing, unless told otherwise.
    if (shell == "zsh") return block(home, ".zshenv", "end", posix_body(home, "*.env(N)"), shell);
    if (shell == "fish") return block(home, ".config/fish/conf.d/overthink.fish", "end", fish_body(home), shell);
    if (shell == "sh" || shell == "dash" || shell == "ksh" || shell == "mksh") return block(home, ".profile", "end", body, shell);
    return all_of({block(home, ".bashrc", "top", body, "bash"),
                   fmt::format("for ov_file in .bash_profile .bash_login .profile; do [[ ! -e {0}/$ov_file ]] || break; done &&\n"
                               "ov_block {0}/\"$ov_file\" '' end {1} bash",
                               script_word(home), script_word(body))});
}

std::string shell_block_strip_script() {
    return R"(for ov_file in .bashrc .bash_profile .bash_login .profile .zshenv; do
    ov_unblock "$HOME/$ov_file" '' end no no || exit
done
ov_unblock "$HOME/.config/fish/conf.d/overthink.fish" '' end yes no
)";
}

}  // namespace ov
