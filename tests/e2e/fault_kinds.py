"""The rows and columns of fault_matrix: how each kind of step is written, where it is stopped, what each fault must lead to."""
import dataclasses
import pathlib
import subprocess

HOLD = """#!/bin/bash
# Stops once, at the call whose words hold the given text.
here={here} word={word} when={when}
if [[ -e $here/armed && " $* " == *"$word"* ]] && rm "$here/armed" 2>/dev/null; then
    if [[ $when == after ]]; then {real} "$@"; status=$?; fi
    touch "$here/at"
    while [[ ! -e $here/go ]]; do sleep 0.03; done
    if [[ $when == after ]]; then exit "$status"; fi
fi
exec {real} "$@"
"""
# While a step is to be held, names of files are left to programs: those can be.
PERL = """
if [ -e /usr/bin/perl ]; then
    mv /usr/bin/perl /usr/bin/perl.own
    printf '#!/bin/sh\\ncase $2 in *symlink*) [ ! -e {here}/armed ] || exit 1 ;; esac\\nexec /usr/bin/perl.own "$@"\\n' > /usr/bin/perl
    chmod 0755 /usr/bin/perl
fi
"""
# A systemctl whose state is files; a reboot is told to the suite by one more.
SYSTEMCTL = """
state=/var/lib/ov-matrix-units scope=system
if [[ $1 == --user ]]; then scope=user; shift; fi
verb=$1; shift
now= units=()
for word; do case $word in --now) now=1 ;; -*|UnitFileState|ActiveState) ;; *) units+=("${word%.service}") ;; esac; done
case $verb in
    reboot) : >"$OV_LOOPBACK/hold/reboot"; exit 0 ;;
    is-system-running|daemon-reload|try-restart) exit 0 ;;
esac
for unit in "${units[@]}"; do
    file=$state/$scope.$unit
    case $verb in
        enable) : >>"$file.enabled" || exit ;;
        disable) rm -f "$file.enabled"; if [[ $now ]]; then rm -f "$file.active"; fi ;;
        start) : >>"$file.active" || exit ;;
        stop) rm -f "$file.active" ;;
        is-enabled) [[ -e $file.enabled ]] || exit 1 ;;
        is-active) [[ -e $file.active ]] || exit 3 ;;
        show)
            if [[ -e $file.enabled ]]; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi
            if [[ -e $file.active ]]; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
    esac
done
exit 0
"""
LOGINCTL = """
for user; do :; done
case $1 in
    enable-linger) : >>"/var/lib/systemd/linger/$user" ;;
    disable-linger) rm -f "/var/lib/systemd/linger/$user" ;;
esac
"""
# Inside the machine, before its sshd starts: what was there before any deploy.
MACHINE = """
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists
mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial /var/lib/systemd/linger /var/lib/ov-matrix-units /opt
echo 'deb [trusted=yes] file:{repo} ./' > /etc/apt/sources.list
apt-get -qq update
apt-get -qq -y install ovm-before > /dev/null
chmod 0777 /var/lib/ov-matrix-units
: > /var/lib/ov-matrix-units/system.before.enabled
echo 'kept = 1' > /etc/ovm-kept.conf
chmod 0640 /etc/ovm-kept.conf
cp /bin/true /opt/ovm-capable
"""
# podman of the operator: an image that is there, and a build that leaves one program in the guest's home.
OPERATOR_PODMAN = """#!/bin/bash
case "$1 $2" in
    'image exists') exit 0 ;;
    'image inspect') echo "0123456789abcdef $(dpkg --print-architecture)"; exit 0 ;;
esac
cat >/dev/null
while (($#)); do
    if [[ $1 == -v && $2 == *:rw ]]; then stage=${2%%:*}; fi
    shift
done
mkdir -p "$stage/.npm-global/lib/node_modules/tool" "$stage/.npm-global/bin"
printf '#!/bin/sh\\necho built\\n' >"$stage/.npm-global/lib/node_modules/tool/tool"
chmod 0755 "$stage/.npm-global/lib/node_modules/tool/tool"
ln -s ../lib/node_modules/tool/tool "$stage/.npm-global/bin/tool"
"""


def packages_of_matrix(repo):
    """A repository of three small packages, in `repo`."""
    repo.mkdir(exist_ok=True)
    for name, more in (("ovm-tool", "Depends: ovm-library\n"), ("ovm-library", ""), ("ovm-before", "")):
        top = repo / "build" / name
        (top / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (top / "opt" / name).mkdir(parents=True, exist_ok=True)
        (top / "opt" / name / "file").write_text(name)
        (top / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n{more}Description: a test\n")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(top), str(repo / f"{name}_1.0_all.deb")], check=True, capture_output=True)
    index = ""
    for path in sorted(repo.glob("*.deb")):
        text = subprocess.run(["dpkg-deb", "-f", str(path)], check=True, capture_output=True, text=True).stdout
        index += text + f"Filename: ./{path.name}\nSize: {path.stat().st_size}\nSHA256: {subprocess.run(['sha256sum', str(path)], capture_output=True, text=True).stdout.split()[0]}\n\n"
    (repo / "Packages").write_text(index)


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    status: int
    outcome: str
    words: tuple
    ends: tuple             # what the journal may say of the step; "-": no end
    ends_well: bool = False
    torn: bool = False      # a half line may stand at the journal's end


@dataclasses.dataclass
class Kind:
    name: str
    layer: str              # what stands below `layer:`; {web}: the port of a web server
    at: tuple               # program and a word of its arguments at which the step is held
    proof: tuple = ()       # commands as root and what they print after a run that went well
    guest_proof: tuple = ()  # the same where systemd is real
    full_at: tuple = ()     # for a full disk: a program before the first byte is written
    files: dict = dataclasses.field(default_factory=dict)
    undoes: bool = True     # there are reverse operations
    one_moment: bool = False
    last: bool = False      # after all layers' steps
    before_steps: bool = False  # nothing has begun on the machine yet
    podman: bool = False
    reboot: bool = False
    status: dict = dataclasses.field(default_factory=dict)
    outcome: dict = dataclasses.field(default_factory=dict)
    words: dict = dataclasses.field(default_factory=dict)
    ends: dict = dataclasses.field(default_factory=dict)
    without: dict = dataclasses.field(default_factory=dict)

    def ends_well(self, fault):
        return fault.ends_well or self.status.get(fault.name) == 0

    def body(self, place):
        return self.layer.replace("{web}", place.web_address())


FAULTS = (
    Fault("connection cut", 1, "unreachable", ("connection lost", "lost", "closed"), ("ok", "-")),
    Fault("sshd restart", 0, "ok", (), (), ends_well=True),
    Fault("disk full", 1, "failed", ("No space left", "no space left"), ("failed", "-"), torn=True),
    Fault("kill -9", -9, "", (), ("ok", "-")),
    Fault("SIGINT", 130, "cancelled", (), ("cancelled",)),
    Fault("step deadline", 1, "timed_out", ("longer than its limit of 2 s",), ("failed", "cancelled")),
    Fault("power cut", 1, "unreachable", (), ("ok", "-"), torn=True),
)
HEAD = ("ov-head", "")
AS_USER = "user: ${USER}\n"
KINDS = (
    # A program that speaks to a terminal that is gone ends: dpkg is set right by the next run.
    Kind("packages", "package: [ovm-tool, ovm-before]\n", ("apt-get", " install "), (("cat /opt/ovm-tool/file /opt/ovm-library/file", "ovm-toolovm-library"),),
         ends={"connection cut": ("ok", "failed"), "kill -9": ("ok", "failed")}),
    Kind("package repository", "distro:\n    debian:\n        repo:\n            - {name: ovm, url: \"http://{web}/apt\", key: \"http://{web}/key\"}\n",
         ("mv", "/etc/apt/sources.list.d"), (("cat /etc/apt/keyrings/ovm.gpg", "not a key, but bytes"),), full_at=("curl", "")),
    Kind("builder npm, on the guest", "env: {A: b}\n", ("tar", ".ov-"), (("~/.npm-global/bin/tool", "built"),), files={"package.json": b'{"dependencies": {"tool": "*"}}'}, podman=True),
    Kind("builder npm, on the host", "env: {A: c}\n", ("podman", " run "), (("~/.npm-global/bin/tool", "built"),), files={"package.json": b'{"dependencies": {"tool": "1"}}'}, podman=True,
         before_steps=True, one_moment=True, undoes=False, without={"disk full": "(as on the guest)", "step deadline": "(not a step yet)", "sshd restart": "(no step yet)", "power cut": "(nothing begun there)"}),
    Kind("task cmd, user", "task:\n    - cmd: ov-cell; head -c 50000 /dev/zero > \"$HOME/cell\" || { rm \"$HOME/cell\"; exit 1; }; rm \"$HOME/cell\"\n      " + AS_USER, ("ov-cell", ""),
         undoes=False),
    Kind("task cmd, root", "task:\n    - cmd: ov-cell; head -c 50000 /dev/zero > /opt/cell || { rm /opt/cell; exit 1; }; rm /opt/cell\n", ("ov-cell", ""), undoes=False),
    Kind("task mkdir", "task:\n    - mkdir: /opt/ovm/a/b\n      mode: \"0750\"\n", ("mkdir", "/opt/ovm"), (("stat -c %a /opt/ovm/a/b", "750"),)),
    Kind("task copy, new", "task:\n    - copy: blob\n      to: ${HOME}/cell/copy\n      " + AS_USER, ("mv", "cell/copy"), (("wc -c < ~/cell/copy", "100000"),), full_at=("mkdir", "/cell"),
         files={"blob": b"x" * 100000}),
    Kind("task write, replacing", "task:\n    - write: /etc/ovm-kept.conf\n      mode: \"0600\"\n      content: replaced\n", ("mv", "/etc/ovm-kept.conf"),
         (("stat -c %a /etc/ovm-kept.conf; cat /etc/ovm-kept.conf", "600\nreplaced"),), full_at=("cp", "/etc/ovm-kept.conf")),
    Kind("task link", "task:\n    - link: /opt/ovm-link/here\n      target: /etc/hostname\n", ("ln", "/opt/ovm-link"), (("readlink /opt/ovm-link/here", "/etc/hostname"),)),
    Kind("task download", "task:\n    - download: http://{web}/blob\n      to: /opt/ovm-blob/file\n      mode: \"0640\"\n", ("mv", "/opt/ovm-blob"),
         (("stat -c '%a %s' /opt/ovm-blob/file", "640 102400"),), full_at=("mkdir", "/opt/ovm-blob")),
    Kind("task download, archive", "task:\n    - download: http://{web}/tree.tar.gz\n      to: /opt/ovm-tree\n      strip_components: 1\n", ("tar", "/opt/ovm-tree"),
         (("cat /opt/ovm-tree/one /opt/ovm-tree/sub/two", "one\ntwo"),)),
    Kind("task setcap", "task:\n    - setcap: /opt/ovm-capable\n      caps: cap_net_raw+ep\n", ("setcap", ""), undoes=False, without={"disk full": "(writes no byte)"}),
    Kind("service, packaged", "service:\n    - {name: before, use_packaged: before, enable: true}\n", ("systemctl", " enable "),
         (("ls /var/lib/ov-matrix-units", "system.before.active\nsystem.before.enabled"),), (("systemctl is-enabled before", "enabled"),), full_at=HEAD),
    Kind("service, own", "service:\n    - {name: own, exec: /bin/true, enable: true}\n", ("systemctl", " enable "),
         (("ls /var/lib/ov-matrix-units", "system.before.enabled\nsystem.ov-cell-own.active\nsystem.ov-cell-own.enabled"),), (("systemctl is-enabled ov-cell-own", "enabled"),)),
    Kind("service, of the user", "service:\n    - {name: own, exec: /bin/true, enable: true, scope: user}\n", ("systemctl", " enable "),
         (("ls /var/lib/ov-matrix-units", "system.before.enabled\nuser.ov-cell-own.active\nuser.ov-cell-own.enabled"),),
         (("XDG_RUNTIME_DIR=/run/user/$(id -u ov) runuser -u ov -- systemctl --user is-enabled ov-cell-own; ls /var/lib/systemd/linger", "enabled\nov"),)),
    Kind("shell hook (env)", "env: {CELL: yes}\n", ("mv", "env.d/cell.env"), (("grep -c CELL= ~/.config/overthink/env.d/cell.env", "1"),), full_at=HEAD),
    Kind("shell snippet", "shell:\n    bash: {init: alias cell=true}\n", ("mv", ".bashrc"), (("grep -c 'alias cell=true' ~/.bashrc", "1"),), full_at=("cp", ".bashrc")),
    Kind("shell start file", "env: {CELL: yes}\n", ("mv", ".bashrc"), (("grep -c env.d/ ~/.bashrc", "1"),), full_at=("cp", ".bashrc"), last=True),
    Kind("reboot", "reboot: true\n", ("systemctl", " reboot"), one_moment=True, undoes=False, reboot=True, without={"disk full": "(writes no byte)"},
         status={"connection cut": 0, "power cut": 0}, outcome={"connection cut": "ok", "power cut": "ok"}, words={"connection cut": (), "step deadline": ("did not go down within",)},
         ends={"kill -9": ("-",), "SIGINT": ("-", "cancelled"), "step deadline": ("-", "failed")}),
)
# One cell a kind, every fault at least twice: what .ci/run has time for.
_ORDER = [fault.name for fault in FAULTS if fault.name != "power cut"]
SHORT = set()
for _number, _kind in enumerate(KINDS):
    _possible = [name for name in _ORDER if name not in _kind.without]
    SHORT.add((_kind.name, _possible[_number % len(_possible)]))
