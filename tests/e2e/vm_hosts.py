"""Operators with machines of their own: on this host with QEMU, and as an ordinary user under libvirt 11.3 in a root of its own."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import rig
from rig import ROOT, SUPPORT, Failed, Skip, check, equal

PAIR = pathlib.Path(os.environ.get("OV_LIBVIRT_PAIR", rig.build_folder() / "libvirt-11"))


def scratch(prefix):
    """Below /tmp, which both roots see."""
    place = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    place.chmod(0o755)
    return place


def guest_image(place, release=None):
    """A copy of the image of a Debian with cloud-init that OV_GUEST_IMAGE names, else of the one that is built (or kept) for it."""
    given = os.environ.get("OV_GUEST_IMAGE" if release is None else f"OV_GUEST_IMAGE_{release}")
    if not given:
        made = subprocess.run([str(SUPPORT / "guest_image"), str(rig.build_folder() / "images")], stdout=subprocess.PIPE, text=True, check=True)
        given = made.stdout.strip()
    image = place / "base.qcow2"
    shutil.copy(given, image)
    image.chmod(0o644)
    return image


def need(*programs):
    """Leaves with the status of a skipped test when one is missing."""
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: no {program}")
            sys.exit(77)


class Here:
    """ov on this machine with a home and a project of its own."""
    backend = "qemu"

    def __init__(self, place):
        self.dir = place / self.backend
        (self.dir / "project/layers").mkdir(parents=True, exist_ok=True)
        (self.dir / "home").mkdir(exist_ok=True)
        shutil.copy(rig.ov_binary(), self.dir / "ov")
        self.state = self.dir / "home/.local/share/ov/vm"
        self.deploy_file = self.dir / "home/.config/ov/deploy.yml"

    def project(self, text):
        (self.dir / "project/overthink.yml").write_text("version: 2026.144.1443\ndiscover: {layer: [layers]}\n" + text)

    def layer(self, name, body):
        folder = self.dir / "project/layers" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "layer.yml").write_text(f"layer:\n  name: {name}\n  version: 2026.1.1\n{body}")

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OV_")}
        return {**kept, "HOME": str(self.dir / "home"), "XDG_CONFIG_HOME": str(self.dir / "home/.config")}

    def wrap(self, words):
        return words, self.environment()

    def run(self, *words, expect=0, timeout=600, more={}):
        command, environment = self.wrap([str(word) for word in words])
        done = subprocess.run(command, env={**environment, **more}, cwd=self.dir / "project", text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        if expect is not None:
            check(done.returncode == expect, f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def ov(self, *words, **more):
        return self.run(self.dir / "ov", "-C", self.dir / "project", *words, **more)

    def guest(self, name, script, **more):
        return self.ov("vm", "ssh", name, script, **more).stdout.strip()

    def up(self, name, limit=900, pause=2.0):
        """Seconds until the machine lets us in."""
        started = time.monotonic()
        while time.monotonic() - started < limit:
            try:
                if self.ov("vm", "ssh", name, "true", expect=None, timeout=40).returncode == 0:
                    return time.monotonic() - started
            except subprocess.TimeoutExpired:
                pass
            time.sleep(pause)
        tail = self.state / f"ov-{name}/console.log"
        raise Failed(f"{name} let nobody in for {limit} s; its console:\n{tail.read_text(errors='replace')[-2000:] if tail.exists() else ''}")

    def make(self, name):
        self.ov("vm", "build", name)
        self.ov("vm", "create", name)
        return self.up(name)

    def drop(self, name):
        self.ov("vm", "destroy", name, "--force", "--disk")


class Session(Here):
    """The same as an ordinary user under libvirt 11.3. Not a chroot: there passt may make no user namespace."""
    backend, user = "libvirt", 1000

    def __init__(self, place):
        super().__init__(place)
        if subprocess.run([ROOT / "tests/judges/chroot_pair", PAIR]).returncode != 0:
            raise Skip("no chroot with libvirt 11.3")
        if not (PAIR / ".session").exists():
            shutil.copy("/etc/resolv.conf", PAIR / "etc/resolv.conf")
            packages = "libvirt-daemon openssh-client libssh2-1 libyaml-cpp0.7 libspdlog1.10 libfmt9 libpugixml1v5 libre2-9 libarchive13 libcurl4 iproute2"
            subprocess.run(["chroot", PAIR, "sh", "-ec", f"export DEBIAN_FRONTEND=noninteractive; apt-get -qq install -y --no-install-recommends {packages} > /dev/null; "
                            f"id -u tester > /dev/null 2>&1 || useradd -m -u 1000 tester"], check=True, stderr=subprocess.DEVNULL)
            (PAIR / ".session").touch()
        if not (PAIR / "etc/hosts").exists():
            shutil.copy("/etc/hosts", PAIR / "etc/hosts")
        (self.dir / "run").mkdir(mode=0o700, exist_ok=True)
        self.own()

    def own(self):
        """What was written by root meanwhile belongs to the user."""
        subprocess.run(["chown", "-R", f"{self.user}:{self.user}", self.dir], check=True)

    def wrap(self, words):
        inside = ('set -e; mount --bind "$0" "$0"; cd "$0"; for d in proc dev sys tmp; do mount --rbind /$d $d; done; mkdir -p .old; '
                  "pivot_root . .old; cd /; umount -l /.old; cd \"$1\"; shift; exec setpriv --reuid=%d --regid=%d --clear-groups \"$@\"" % (self.user, self.user))
        environment = ["env", "-i", f"HOME={self.dir}/home", f"XDG_RUNTIME_DIR={self.dir}/run", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8"]
        return ["unshare", "--mount", "--propagation", "private", "bash", "-c", inside, str(PAIR), str(self.dir / "project"), *environment, *words], dict(os.environ)


class System(Session):
    """The same as root under the system daemon of libvirt 11.3."""
    user = 0

    def __init__(self, place):
        super().__init__(place)
        (PAIR / "etc/libvirt").mkdir(exist_ok=True)
        (PAIR / "etc/libvirt/qemu.conf").write_text('user = "root"\ngroup = "root"\nsecurity_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n'
                                                    'stdio_handler = "file"\n')
        # passt of Debian 12 becomes nobody when root starts it, and writes its pid file after that.
        passt = PAIR / "run/libvirt/qemu/passt"
        passt.mkdir(parents=True, exist_ok=True)
        passt.chmod(0o1777)
        # It lives in a mount namespace of its own; its sockets are in the root's own /run.
        self.daemon = subprocess.Popen(self.wrap(["libvirtd"])[0], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(100):
            if self.run("virsh", "-q", "-c", "qemu:///system", "list", expect=None).returncode == 0:
                return
            time.sleep(0.2)
        raise Skip("no system daemon answers in the root with libvirt 11.3")

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(20)


def consumed_seed(host, name, instance_id):
    """The guest took from its seed the user, the key, the host name, the packages (with `tree` among them) and the host key."""
    status = host.guest(name, "cloud-init status --wait --long; cloud-init --version 2>&1; . /etc/os-release; echo $PRETTY_NAME", expect=None, timeout=1800)
    print("        " + status.replace("\n", "\n        "))
    check("status: done" in status, status)
    equal(host.guest(name, "cat /etc/hostname; id -un"), f"{name}\ndebian", "hostname and user")
    key = (host.state / f"ov-{name}/id_ed25519.pub").read_text().split()[1]
    check(key in host.guest(name, "cat ~/.ssh/authorized_keys"), "authorized_keys")
    equal(host.guest(name, "sudo cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub"), " ".join((host.state / f"ov-{name}/ssh_host_ed25519_key.pub").read_text().split()[:2]), "host key")
    equal(host.guest(name, "for p in openssh-server curl tar tree; do dpkg-query -W -f '${Status}\\n' $p; done"), "\n".join(["install ok installed"] * 4), "packages")
    print("        " + host.guest(name, "tree --version; grep -h ' install tree:' /var/log/dpkg.log"))
    equal(host.guest(name, "sudo cat /var/lib/cloud/data/instance-id"), instance_id, "instance id")
