#include "deploy/check_probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "base/shell_quote.hpp"
#include "deploy/check_system.hpp"
#include "deploy/check_text.hpp"

namespace ov {
namespace {

using namespace check_text;

std::string without_zeros(std::string_view mode) {
    const std::size_t first = mode.find_first_not_of('0');
    return first == std::string_view::npos ? "0" : std::string(mode.substr(first));
}

// --- file -------------------------------------------------------------------------------------------------------------

std::string file_type(const std::string& words_of_stat) {
    static constexpr std::pair<std::string_view, const char*> types[] = {
        {"regular", "file"}, {"directory", "directory"}, {"symbolic link", "symlink"}, {"character", "character"},
        {"block", "block"},  {"fifo", "fifo"},           {"socket", "socket"}};
    for (const auto& [part, name] : types)
        if (words_of_stat.find(part) != std::string::npos) return name;
    return words_of_stat;
}

CheckVerdict judge_file(const Check& check, const CommandResult& result) {
    std::string_view rest = result.out;
    const std::string line = take_line(rest);
    const std::vector<std::string> fields = split(line, '|');
    if (result.status != 0 || fields.size() < 7)
        return failed(fmt::format("unexpected answer (exit {}): {}", result.status, preview(result.out + result.err)));
    const bool exists = fields[0] == "exists=1", wanted = check.flag("exists", true);
    if (exists != wanted) return failed(fmt::format("exists={}, want {}", yes_no(exists), yes_no(wanted)));
    if (!exists) return passed("file absent (as expected)");
    if (const std::string mode = check.text("mode"); !mode.empty() && without_zeros(mode) != without_zeros(fields[2]))
        return failed(fmt::format("mode={}, want {}", fields[2], mode));
    const auto name_or_id = [&](const char* key, const char* shown, std::size_t name, std::size_t id) {
        const std::string want = check.text(key);
        const std::string& seen = is_number(want) ? fields[id] : fields[name];
        return want.empty() || seen == want ? std::string() : fmt::format("{}={}, want {}", shown, seen, want);
    };
    if (const std::string wrong = name_or_id("owner", "owner", 3, 5); !wrong.empty()) return failed(wrong);
    if (const std::string wrong = name_or_id("group_of", "group", 4, 6); !wrong.empty()) return failed(wrong);
    if (const std::string type = check.text("filetype"); !type.empty() && file_type(fields[1]) != type)
        return failed(fmt::format("filetype={}, want {}", file_type(fields[1]), type));
    const std::string digest_line = take_line(rest), content_line = take_line(rest);
    const auto unreadable = [](const std::string& answer) { return answer.size() > 1 && answer.front() == '!'; };
    if (!check.matching("contains").empty()) {
        if (unreadable(content_line)) return failed("read for contains: " + content_line.substr(1));
        if (const auto wrong = mismatch(check.matching("contains"), rest)) return failed("contains: " + *wrong);
    }
    if (const std::string want = check.text("sha256"); !want.empty()) {
        if (unreadable(digest_line)) return failed("read for sha256: " + digest_line.substr(1));
        if (digest_line != want) return failed(fmt::format("sha256={}, want {}", digest_line, want));
    }
    return passed("ok");
}

std::string file_script(const Check& check) {
    const std::string path = shell_quote(check.subject);
    std::string script =
        fmt::format("if [ -e {0} ] || [ -L {0} ]; then\n  printf 'exists=1|'\n  stat -c '%F|%a|%U|%G|%u|%g' {0} || exit\n", path);
    // An error is one line that begins with "!".
    if (check.has("sha256"))
        script += fmt::format(
            "  if ov_sum=$(sha256sum <{0} 2>&1); then echo \"${{ov_sum%% *}}\"; else echo \"!${{ov_sum//$'\\n'/ }}\"; fi\n",
            path);
    else
        script += "  echo\n";
    if (!check.matching("contains").empty())
        script += fmt::format(
            "  if ov_sum=$(cat {0} 2>&1 >/dev/null); then echo; cat {0}; else echo \"!${{ov_sum//$'\\n'/ }}\"; fi\n", path);
    return script + "else\n  printf 'exists=0||||||\\n'\nfi\n";
}

// --- package ----------------------------------------------------------------------------------------------------------

std::string package_script(const std::string& name) {
    return fmt::format(R"sh(ov_any=
if command -v rpm >/dev/null 2>&1; then ov_any=1
  if rpm -q {0} >/dev/null 2>&1; then printf 'has %s\n' "$(rpm -q --qf '%{{VERSION}}' {0})"; exit 0; fi
fi
if command -v dpkg-query >/dev/null 2>&1; then ov_any=1
  ov_s=$(dpkg-query -W -f '${{Status}}|${{Version}}\n' {0} 2>/dev/null)
  case $ov_s in *'install ok installed|'*) printf 'has %s\n' "${{ov_s##*|}}"; exit 0 ;; esac
fi
if command -v pacman >/dev/null 2>&1; then ov_any=1
  if ov_s=$(pacman -Q {0} 2>/dev/null); then printf 'has %s\n' "${{ov_s#* }}"; exit 0; fi
fi
if [ -z "$ov_any" ]; then echo none; else echo absent; fi
)sh",
                       shell_quote(name));
}

CheckVerdict judge_package(const Check& check, const CommandResult& result) {
    const std::string answer(trimmed(result.out));
    if (answer == "none") return failed("no package manager found (rpm, dpkg or pacman)");
    const bool installed = answer.starts_with("has");
    if (!installed && answer != "absent")
        return failed(fmt::format("unexpected answer (exit {}): {}", result.status, preview(result.out + result.err)));
    const bool wanted = check.flag("installed", true);
    if (installed != wanted) return failed(fmt::format("installed={}, want {}", yes_no(installed), yes_no(wanted)));
    if (!installed) return passed("absent (as expected)");
    const auto versions = check.list("version");
    const std::string version = answer.size() > 4 ? answer.substr(4) : std::string();
    if (!versions.empty() && std::ranges::find(versions, version) == versions.end()) {
        std::string list;
        for (const std::string& one : versions) list += (list.empty() ? "" : " ") + one;
        return failed(fmt::format("version \"{}\" not in [{}]", version, list));
    }
    return passed("installed");
}

// --- service, process, port ---------------------------------------------------------------------------------------------

std::string service_script(const std::string& subject) {
    const bool user = subject.starts_with("user:");
    const std::string unit = shell_quote(user ? subject.substr(5) : subject);
    std::string script = user ? "export XDG_RUNTIME_DIR=\"${XDG_RUNTIME_DIR:-/run/user/$(id -u)}\"\n" : "";
    const char* scope = user ? " --user" : "";
    return script + fmt::format(R"sh(ov_any= ov_s=
if command -v supervisorctl >/dev/null 2>&1; then ov_any=1
  ov_s=$(supervisorctl status {0} 2>/dev/null | awk -v unit={0} '$1 == unit {{ print $2; exit }}')
fi
if command -v systemctl >/dev/null 2>&1; then ov_any=1; fi
if [ -z "$ov_any" ]; then echo none; exit 0; fi
if [ "$ov_s" = RUNNING ] || systemctl{1} is-active --quiet {0} 2>/dev/null; then echo true; else echo false; fi
case $ov_s in RUNNING | STARTING | STOPPED) echo true ;; *) if systemctl{1} is-enabled --quiet {0} 2>/dev/null; then echo true; else echo false; fi ;; esac
)sh",
                                unit, scope);
}

CheckVerdict judge_service(const Check& check, const CommandResult& result) {
    std::string_view rest = result.out;
    const std::string running = take_line(rest), enabled = take_line(rest);
    if (running == "none") return failed("neither systemctl nor supervisorctl on the machine");
    if (enabled.empty()) return failed(fmt::format("unexpected answer (exit {}): {}", result.status, preview(result.err)));
    const bool neither = !check.has("running") && !check.has("enabled");
    const std::string want_running = check.text("running", neither ? "true" : "");
    if (!want_running.empty() && running != want_running)
        return failed(fmt::format("running={}, want {}", running, want_running));
    if (check.has("enabled") && enabled != check.text("enabled"))
        return failed(fmt::format("enabled={}, want {}", enabled, check.text("enabled")));
    return passed("ok");
}

std::string port_script(const std::string& port) {
    return fmt::format(R"sh(if command -v ss >/dev/null 2>&1; then ov_s=$(ss -tlnH) || exit
elif command -v netstat >/dev/null 2>&1; then ov_s=$(netstat -tln) || exit
else echo none; exit 0
fi
printf '%s\n' "$ov_s" | awk '{{ print $4 }}' | grep -qE ':{}$' && echo true || echo false
)sh",
                       port);
}

CheckVerdict judge_port(const Check& check, const CommandResult& result) {
    const std::string seen(trimmed(result.out));
    if (seen == "none") return failed("neither ss nor netstat on the machine");
    if (seen != "true" && seen != "false")
        return failed(fmt::format("unexpected answer (exit {}): {}", result.status, preview(result.out + result.err)));
    const std::string want = yes_no(check.flag("listening", true));
    if (seen != want) return failed(fmt::format("listening={}, want {} (on port {})", seen, want, check.subject));
    return passed(fmt::format("port {} listening={}", check.subject, seen));
}

std::string pattern_quote(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view(".[]()*+?{}|^$\\").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

std::string process_script(const std::string& name) {
    // The kernel keeps 15 characters of a name; longer ones are looked for in the command line's first word.
    const std::string pattern = pattern_quote(name);
    if (name.size() <= 15) return "pgrep -x -- " + shell_quote(pattern) + " >/dev/null\n";
    return "pgrep -f -- " + shell_quote("^([^ ]*/)?" + pattern + "( |$)") + " >/dev/null\n";
}

CheckVerdict judge_process(const Check& check, const CommandResult& result) {
    if (result.status != 0 && result.status != 1)
        return failed(fmt::format("pgrep failed (exit {}): {}", result.status, preview(result.err)));
    const bool running = result.status == 0, wanted = check.flag("running", true);
    if (running != wanted) return failed(fmt::format("running={}, want {}", yes_no(running), yes_no(wanted)));
    return passed(fmt::format("running={}", yes_no(running)));
}

using Judge = CheckVerdict (*)(const Check&, const CommandResult&);
struct Words {
    std::string script;
    Judge judge;
};

Words words_for(const Check& check, std::span<const std::string> tags) {
    const std::string& verb = check.verb;
    const std::string quoted = shell_quote(check.subject);
    if (verb == "file") return {file_script(check), judge_file};
    if (verb == "package") {
        std::string name = check.subject;
        for (const std::string& tag : tags)
            if (const auto found = check.package_map.find(tag); found != check.package_map.end() && !found->second.empty()) {
                name = found->second;
                break;
            }
        return {package_script(name), judge_package};
    }
    if (verb == "service") return {service_script(check.subject), judge_service};
    if (verb == "port") return {port_script(check.subject), judge_port};
    if (verb == "process") return {process_script(check.subject), judge_process};
    if (verb == "user") return {fmt::format("getent passwd {0} && id -nG -- {0}\n", quoted), judge_user};
    if (verb == "group") return {fmt::format("getent group {}\n", quoted), judge_group};
    if (verb == "interface")
        return {fmt::format("ip -o link show dev {0} && ip -o addr show dev {0}\n", quoted), judge_interface};
    if (verb == "kernel-param") return {fmt::format("sysctl -n {}\n", quoted), judge_kernel_parameter};
    if (verb == "mount") return {fmt::format("findmnt -n -o SOURCE,FSTYPE,OPTIONS {}\n", quoted), judge_mount};
    // A comment or here-document at the end of the text must not swallow the brace.
    return {"{ " + check.subject + "\n} </dev/null\n", judge_command};
}

}  // namespace

CheckVerdict passed(std::string message) {
    return {CheckStatus::pass, std::move(message)};
}

CheckVerdict failed(std::string message) {
    return {CheckStatus::fail, std::move(message)};
}

std::string preview(std::string_view text) {
    text = trimmed(text);
    std::size_t characters = 0, at = 0;
    for (; at < text.size(); ++at)
        if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U && characters++ == 200) break;
    return std::string(text.substr(0, at)) + (at < text.size() ? "…" : "");
}

CheckVerdict judge_command(const Check& check, const CommandResult& result) {
    int wanted = 0;
    const std::string status = check.text("exit_status", "0");
    std::from_chars(status.data(), status.data() + status.size(), wanted);
    if (result.status != wanted)
        return failed(fmt::format("exit={}, want {} (stderr: {})", result.status, wanted, preview(result.err)));
    if (const auto wrong = mismatch(check.matching("stdout"), result.out))
        return failed(fmt::format("stdout: {} (got: {})", *wrong, preview(result.out)));
    if (const auto wrong = mismatch(check.matching("stderr"), result.err))
        return failed(fmt::format("stderr: {} (got: {})", *wrong, preview(result.err)));
    return passed(fmt::format("exit={}", result.status));
}

GuestProbe guest_probe(const Check& check, std::span<const std::string> tags) {
    GuestProbe probe;
    Words found = words_for(check, tags);
    // The author's own commands keep the environment of a login.
    if (check.verb == "command")
        probe.script = "export LC_ALL=C\n" + std::move(found.script);
    else
        probe.script = "export LC_ALL=C PATH=\"$PATH:/usr/sbin:/sbin\"\n" + std::move(found.script);
    probe.limit = std::chrono::seconds(check.verb == "command" ? 300 : 60);
    probe.judge = [check, judge = found.judge](const CommandResult& result) { return judge(check, result); };
    return probe;
}

}  // namespace ov
