"""A loopback machine with a system of its own: sshd in a mount namespace in which /usr, /etc, /var and /opt are overlays.

What is changed there is seen by nobody else, can be listed against this host, and is gone with the namespace.
"""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess

from rig import Failed, Skip, wait_for

OVERLAID = ("/usr", "/etc", "/var", "/opt")
# What package managers keep for themselves.
BOOKKEEPING = ("/var/lib/apt", "/var/lib/dpkg", "/var/cache", "/var/log", "/etc/ld.so.cache")


def free_port(address="127.1.0.1"):
    with socket.socket() as place:
        place.bind((address, 0))
        return place.getsockname()[1]


class Space:
    """Machine 1 of `fleet`. `prepare` is bash that runs inside before sshd starts; `size` bounds what the machine can hold."""

    def __init__(self, fleet, name, prepare="", size="400m", own_home=False):
        self.fleet, self.name, self.dir = fleet, name, fleet.dir / f"space-{name}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir()
        self.pid, self.port = self.dir / "sshd.pid", free_port()
        self.boot_file = self.dir / "boot_id"
        self.boot_file.write_text(pathlib.Path("/proc/sys/kernel/random/uuid").read_text())
        (self.dir / "prepare").write_text(prepare)
        lines = ["mount --make-rprivate /", f"mkdir -p {self.dir}/over", f"mount -t tmpfs -o size={size},nr_inodes=12000 tmpfs {self.dir}/over"]
        for top in OVERLAID:
            own = f"{self.dir}/over{top}"
            lines += [f"mkdir -p {own}/up {own}/work", f"mount -t overlay overlay -o lowerdir={top},upperdir={own}/up,workdir={own}/work {top}"]
        if own_home:
            lines += [f"cp -a {fleet.home()} {self.dir}/over/home", f"mount --bind {self.dir}/over/home {fleet.home()}"]
        lines += [f"mount --bind {self.boot_file} /proc/sys/kernel/random/boot_id", "mkdir -p /run/sshd", f". {self.dir}/prepare",
                  f"setsid sleep infinity > /dev/null 2>&1 < /dev/null & echo $! > {self.dir}/holder"]
        done = subprocess.run(["unshare", "-m", "bash", "-ec", "\n".join(lines)], capture_output=True, text=True)
        if done.returncode:
            raise Skip(f"no system of its own: {done.stderr.strip()[-300:]}")
        self.holder = int((self.dir / "holder").read_text())
        # The process's view of the file system, from outside.
        self.root = pathlib.Path(f"/proc/{self.holder}/root")
        self.start_sshd()
        path, hosts = fleet.project / "overthink.yml", fleet.dir / "known_hosts"
        text = path.read_text()
        old = re.search(r"port: (\d+)", text).group(1)
        path.write_text(text.replace(f"port: {old}", f"port: {self.port}"))
        hosts.write_text(hosts.read_text().replace(f"]:{old} ", f"]:{self.port} "))

    def enter(self, *command):
        # The root too: the namespace alone would lead out of a chroot.
        return ["nsenter", "-t", str(self.holder), "-m", "-r", *command]

    def run(self, command, check_status=True):
        """As root inside."""
        done = subprocess.run(self.enter("bash", "-c", command), capture_output=True, text=True, errors="replace")
        if check_status and done.returncode:
            raise Failed(f"{command}: {done.stderr}")
        return done.stdout

    # --- sshd --------------------------------------------------------------------------------------------------------

    def start_sshd(self):
        self.pid.unlink(missing_ok=True)
        subprocess.run(self.enter("/usr/sbin/sshd", "-f", f"{self.fleet.dir}/sshd_config", "-o", f"PidFile={self.pid}",
                                  "-o", f"ListenAddress=127.1.0.1:{self.port}", "-E", f"{self.dir}/log"), check=True)
        wait_for(lambda: self.pid.exists() and self.pid.read_text().strip(), 5, "sshd")

    def stop_sshd(self):
        """The listener; sessions go on, as when systemd restarts ssh.service."""
        os.kill(int(self.pid.read_text()), signal.SIGTERM)
        wait_for(lambda: not self.pid.exists(), 5, "end of sshd")

    def cut_sessions(self):
        """The connections go; what was started over them stays."""
        for pid in subprocess.run(["pgrep", "-f", f"^sshd: {self.fleet.user()}(@|$| )"], capture_output=True, text=True).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop(self):
        if self.pid.exists():
            os.kill(int(self.pid.read_text()), signal.SIGTERM)
        self.cut_sessions()
        subprocess.run(["pkill", "-KILL", "-u", self.fleet.user()])
        try:
            os.kill(self.holder, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def processes(self):
        """Processes of sessions on the machine, whoever owns them; sshd's own are not among them."""
        mark, found = f"OV_LOOPBACK={self.fleet.dir}".encode(), []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0") and (folder / "stat").read_text().rpartition(") ")[2][0] != "Z":
                    found.append(folder.name + " " + (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return [line for line in found if " sshd: " not in line]

    # --- what was changed --------------------------------------------------------------------------------------------

    def changed(self):
        """Paths below the overlaid trees that differ from this host, with type, mode, owner and digest; bookkeeping left out."""
        rows = {}
        for top in OVERLAID:
            upper = self.root / str(self.dir)[1:] / f"over{top}/up"
            for folder, directories, names in os.walk(upper):
                for name in directories + names:
                    path = os.path.join(folder, name)
                    shown = top + path[len(str(upper)):]
                    if shown.startswith(BOOKKEEPING) or shown.endswith("-") and top == "/etc":
                        continue
                    row = row_of(path)
                    if row != (row_of(shown) if os.path.lexists(shown) else None):
                        rows[shown] = row
        return rows

    def packages(self):
        return self.run("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n'")

    def home(self):
        """The same of everything in the user's home."""
        top = self.root / str(self.fleet.home())[1:]
        return {"~" + str(path)[len(str(top)):]: row_of(path) for path in [top, *sorted(top.rglob("*"))]}

    def manifest(self):
        rows = {**self.home(), **self.changed()}
        rows.update({"package " + line: () for line in self.packages().splitlines()})
        return rows

    def fill(self):
        """Not a byte and not a file more."""
        script = "import os,sys\nf=open(sys.argv[1]+'/full','wb',0)\ntry:\n  while 1: f.write(bytes(65536))\nexcept OSError: pass\n" \
                 "try:\n  while 1: f.write(bytes(1))\nexcept OSError: pass\nos.mkdir(sys.argv[1]+'/files')\ni=0\n" \
                 "try:\n  while 1: i+=1; open(f'{sys.argv[1]}/files/{i}','x').close()\nexcept OSError: pass\n"
        done = subprocess.run(self.enter("python3", "-c", script, f"{self.dir}/over"), capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"cannot fill the disk: {done.stderr[-300:]}")

    def drain(self):
        self.run(f"rm -rf {self.dir}/over/full {self.dir}/over/files")


def row_of(path):
    try:
        info = os.lstat(path)
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                seen = hashlib.sha256(file.read()).hexdigest()
        else:
            seen = os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
    except FileNotFoundError:
        return None
    return stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, seen
