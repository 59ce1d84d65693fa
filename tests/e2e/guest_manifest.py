"""Runs inside a guest as root: prints one line per path (below the arguments, else everywhere), package and unit, for a diff of two moments."""
import hashlib
import os
import stat
import subprocess
import sys

SKIPPED = {"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/lost+found", "/boot", "/var/lib/apt", "/var/lib/dpkg", "/var/cache", "/var/log",
           "/var/lib/systemd/random-seed", "/var/lib/systemd/timers", "/var/lib/private", "/var/lib/cloud", "/etc/ld.so.cache",
           "/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-", "/var/lib/systemd/catalog"}
# The system's own programs are many and never edited in place: size and owner say enough, and hashing them is slow.
BY_SIZE = ("/usr/",)


def line(path, info):
    digest = ""
    if stat.S_ISLNK(info.st_mode):
        digest = os.readlink(path)
    elif stat.S_ISREG(info.st_mode):
        if path.startswith(BY_SIZE) and not path.startswith("/usr/local/"):
            digest = str(info.st_size)
        else:
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
    return f"path {path} {oct(info.st_mode)} {info.st_uid}:{info.st_gid} {digest}"


def walk(top):
    with os.scandir(top) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            path = os.path.join(top, entry.name)
            if path in SKIPPED or entry.name == "__pycache__" or path.endswith("/.cache"):
                continue
            info = entry.stat(follow_symlinks=False)
            try:
                print(line(path, info))
            except OSError:
                continue  # gone meanwhile
            if stat.S_ISDIR(info.st_mode) and not os.path.ismount(path):
                walk(path)


for top in sys.argv[1:] or ["/"]:
    walk(top)
for command in (["dpkg-query", "-W", "-f", "package ${Package} ${Version} ${db:Status-Status}\n"],
                ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain"],
                ["systemctl", "list-units", "--type=service,socket,timer", "--state=active", "--no-legend", "--no-pager", "--plain"]):
    for row in sorted(subprocess.run(command, capture_output=True, text=True).stdout.splitlines()):
        words = row.split()
        # Of running units only the name counts; sessions and one-shot jobs come and go by themselves.
        if command[1] == "list-units":
            if words[0].startswith(("user@", "user-runtime-dir@", "session-", "systemd-", "apt-", "dpkg-", "man-db", "e2scrub", "cloud-", "getty@")):
                continue
            row = "active " + words[0]
        elif command[1] == "list-unit-files":
            row = "unit " + " ".join(words[:2])
        print(row)
