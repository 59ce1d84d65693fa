#include "deploy/guest_facts.hpp"

#include <fmt/format.h>

#include <charconv>

#include "ov/error.hpp"

namespace ov {
namespace {

constexpr std::string_view ledger_mark = "ov-ledger\n";

unsigned number(std::string_view text) {
    unsigned value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

// cloud-init makes /run/cloud-init before the network comes up: a machine that lets us in without it has the package and does
// not boot by it, and nothing would ever end a wait for it.
std::string probe_script() {
    return R"(ov__facts() {
local LC_ALL=C text boot= cloud=absent name uid rest
[[ -r /etc/os-release ]] && IFS= read -r -d '' text </etc/os-release
[[ -n $text ]] || IFS= read -r -d '' text </usr/lib/os-release
printf 'os-release %d\n%s\n' "${#text}" "$text"
read -r boot </proc/sys/kernel/random/boot_id
case $HOSTTYPE in x86_64 | aarch64) text=$HOSTTYPE ;; *) text=$(uname -m) ;; esac
printf 'arch %s\nboot-id %s\nhome %d\n%s\n' "$text" "$boot" "${#HOME}" "$HOME"
if [[ -d /run/cloud-init && ! -e /etc/cloud/cloud-init.disabled && ! -e /run/cloud-init/disabled ]] && command -v cloud-init >/dev/null; then
if [[ ! -e /run/cloud-init/result.json ]]; then cloud=running
elif IFS= read -r -d '' text </run/cloud-init/result.json; [[ ${text//[[:space:]]/} == *'"errors":[]'* ]]; then cloud=done
else cloud=failed; fi
fi
printf 'cloud-init %s\npasswd ' "$cloud"
while IFS=: read -r name text uid rest; do
if [[ $uid == "$EUID" ]]; then printf '%s:x:%s:%s\n' "$name" "$uid" "$rest"; return; fi
done </etc/passwd
getent passwd "$EUID" || printf 'nobody:x:%d:%d:::\n' "$EUID" "${GROUPS[0]}"
}
ov__facts
echo ov-ledger
)" + ledger_dump_script();
}

Probe parse_probe(std::string_view answer) {
    Probe probe;
    GuestFacts& facts = probe.facts;
    const auto broken = [](std::string_view where) {
        return Error(Errc::internal, fmt::format("the machine's answer to the first question is incomplete near '{}'", where));
    };
    while (!answer.starts_with(ledger_mark)) {
        const std::size_t end = answer.find('\n');
        if (end == std::string_view::npos) throw broken(answer.substr(0, 40));
        const std::string_view line = answer.substr(0, end);
        answer.remove_prefix(end + 1);
        const std::size_t space = line.find(' ');
        const std::string_view word = line.substr(0, space), rest = space == std::string_view::npos ? "" : line.substr(space + 1);
        if (word == "os-release" || word == "home") {
            const std::size_t length = number(rest);
            if (answer.size() < length + 1) throw broken(line);
            (word == "home" ? facts.home : facts.os_release) = answer.substr(0, length);
            answer.remove_prefix(length + 1);
        } else if (word == "arch") {
            facts.arch = rest;
        } else if (word == "boot-id") {
            facts.boot_id = rest;
        } else if (word == "cloud-init") {
            using enum GuestFacts::CloudInit;
            facts.cloud_init = rest == "running" ? running : rest == "done" ? done : rest == "failed" ? failed : absent;
        } else if (word == "passwd") {
            std::vector<std::string> fields(1);
            for (const char c : rest) {
                if (c == ':')
                    fields.emplace_back();
                else
                    fields.back() += c;
            }
            if (fields.size() < 7) throw broken(line);
            facts.user = fields[0];
            facts.uid = number(fields[2]);
            facts.gid = number(fields[3]);
            facts.shell = fields[6];
        } else {
            throw broken(line);
        }
    }
    if (facts.home.empty() || facts.home.front() != '/')
        throw Error(Errc::not_found, fmt::format("the machine knows no home for user '{}'", facts.user));
    probe.ledger = parse_ledger_dump(answer.substr(ledger_mark.size()));
    return probe;
}

CompileContext compile_context(const GuestFacts& facts) {
    CompileContext context;
    context.distro = distro_from_os_release(facts.os_release);
    context.user = facts.user;
    context.uid = facts.uid;
    context.gid = facts.gid;
    context.architecture = facts.arch;
    return context;
}

Plans PlanCache::plans_for(const GuestFacts& facts) {
    const std::string kind = fmt::format("{}\n{}\n{}\n{}\n{}", facts.os_release, facts.user, facts.uid, facts.gid, facts.arch);
    Plans& plans = known_[kind];
    if (!plans) plans = std::make_shared<const std::vector<InstallPlan>>(compiler_(compile_context(facts)));
    return plans;
}

}  // namespace ov
