"""The machine of fault_matrix --power-cut: a QEMU guest that is killed and booted again from its disk.

OV_GUEST_IMAGE names a Debian image with cloud-init; without it tests/support/guest_image makes one. OV_GUEST_PORT: its ssh, else any.
"""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time

from fault_kinds import HOLD, PERL, packages_of_matrix
from machine_space import free_port
from rig import ROOT, SUPPORT, Failed, Fleet, Skip, build_folder, check, wait_for

TOOL = str(SUPPORT / "guest")
TREES = ["/home", "/root", "/etc", "/opt", "/srv", "/usr/local", "/var/lib/systemd/linger", "/var/spool"]
HOLD_AT = "/var/lib/ovhold"
# In a chroot on the image's root file system: no cloud-init and little else, so that a boot without KVM takes half the time.
PREPARE = """
set -e
useradd -m -s /bin/bash ov
echo 'ov ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ov
chmod 0440 /etc/sudoers.d/ov
install -d -m 0700 -o ov -g ov /home/ov/.ssh
install -m 0600 -o ov -g ov /tmp/key.pub /home/ov/.ssh/authorized_keys
rm -f /etc/ssh/ssh_host_* /tmp/key.pub
install -m 0600 /tmp/host_key /etc/ssh/ssh_host_ed25519_key
rm -f /tmp/host_key
printf '[Match]\\nName=en*\\n[Network]\\nDHCP=yes\\n' > /etc/systemd/network/10-all.network
touch /etc/cloud/cloud-init.disabled
for unit in apparmor e2scrub_reap systemd-timesyncd systemd-networkd-wait-online systemd-pstore apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \\
    e2scrub_all.timer fstrim.timer man-db.timer getty@tty1 keyboard-setup console-setup; do systemctl -q mask "$unit" 2>/dev/null || true; done
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists
mkdir -p /etc/apt/sources.list.d /var/lib/apt/lists/partial
echo 'deb [trusted=yes] file:/var/lib/ovm-repo ./' > /etc/apt/sources.list
apt-get -qq update
apt-get -qq -y install ovm-before > /dev/null
printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/before.service
systemctl enable -q before
echo 'kept = 1' > /etc/ovm-kept.conf
chmod 0640 /etc/ovm-kept.conf
cp /bin/true /opt/ovm-capable
printf '#!/bin/sh\\nexit 0\\n' > /usr/local/bin/ov-head
chmod 0755 /usr/local/bin/ov-head
cp /usr/local/bin/ov-head /usr/local/bin/ov-cell
printf '# mine, no newline at the end' > /home/ov/.bashrc
printf '# login\\n\\n' > /home/ov/.profile
"""


class Project(Fleet):
    """A project with one external machine, which is the guest."""

    def __init__(self):
        self.count, self.prefix = 1, "guest"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ov-power."))
        self.project, self.operator = self.dir / "project", self.dir / "operator"
        (self.project / "layers").mkdir(parents=True)
        self.operator.mkdir()

    def __exit__(self, *ignored):
        if not os.environ.get("OV_E2E_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)


class Guest:
    seconds = 60

    def __init__(self, fleet):
        self.fleet, self.base = fleet, fleet.dir / "prepared.raw"
        self.guest, self.armed, self.lost = fleet.dir / "guest", None, ""
        self.port = int(os.environ.get("OV_GUEST_PORT", free_port("127.0.0.1")))

    def tool(self, *words, limit=900, check_status=True):
        done = subprocess.run([TOOL, words[0], str(self.guest), *words[1:]], capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL)
        if check_status and done.returncode:
            raise Failed(f"guest {' '.join(words)[:300]}: {done.stderr[-500:]}")
        return done.stdout

    def root(self, script, check_status=True):
        done = subprocess.run([TOOL, "ssh", str(self.guest), "sudo -n bash -s"], input=script, capture_output=True, text=True, timeout=300)
        if check_status and done.returncode:
            raise Failed(f"in the guest: {script[:200]!r}: {done.stderr[-400:]}")
        return done.stdout

    def prepare(self):
        image = os.environ.get("OV_GUEST_IMAGE") or subprocess.run([str(SUPPORT / "guest_image"), str(build_folder() / "images")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        # Its keys and its seed; the boot is of no use.
        self.tool("start", "--image", image, "--port", str(self.port), "--cpus", "1")
        self.tool("kill")
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, str(self.base)], check=True)
        partitions = json.loads(subprocess.run(["sfdisk", "-J", str(self.base)], check=True, capture_output=True).stdout)["partitiontable"]["partitions"]
        offset = max(partitions, key=lambda one: one["size"])["start"] * 512
        root = self.fleet.dir / "root"
        root.mkdir()
        done = subprocess.run(["mount", "-o", f"loop,offset={offset}", str(self.base), str(root)], capture_output=True, text=True)
        if done.returncode:
            self.base.unlink()
            raise Skip(f"cannot mount the guest's image: {done.stderr.strip()}")
        try:
            packages_of_matrix(root / "var/lib/ovm-repo")
            shutil.rmtree(root / "var/lib/ovm-repo/build")
            shutil.copy(self.guest / "id_ed25519.pub", root / "tmp/key.pub")
            shutil.copy(self.guest / "host_key", root / "tmp/host_key")
            done = subprocess.run(["chroot", str(root), "/bin/bash", "-s"], input=PREPARE + PERL.format(here=HOLD_AT), text=True, capture_output=True)
            check(done.returncode == 0, f"preparing the guest's image: {done.stderr[-400:]}")
        finally:
            subprocess.run(["umount", str(root)], check=True)

    def alive(self):
        try:
            os.kill(int((self.guest / "qemu.pid").read_text()), 0)
            return True
        except (OSError, ValueError):
            return False

    def fresh(self):
        if not self.base.exists():
            self.prepare()
        self.tool("kill", check_status=False)
        wait_for(lambda: not self.alive(), 20, "end of QEMU")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(self.base), "-F", "raw", str(self.guest / "overlay.qcow2")], check=True)
        self.describe()
        self.boot()
        # What a first run of a service leaves belongs to the machine.
        self.root("systemctl is-system-running --wait > /dev/null || true")

    def describe(self):
        """The project's one machine is this guest."""
        stanza = self.tool("stanza").strip()
        (self.fleet.project / "overthink.yml").write_text(
            "version: 2026.144.1443\ndiscover: {layer: [layers]}\nvm:\n    m001:\n        source: {kind: external, distro: \"debian:12\"}\n"
            f"        ssh: {stanza}\ndeploy:\n    m001: {{target: vm, vm: m001, add_layer: [none]}}\n")

    def boot(self):
        wait_for(lambda: not self.alive(), 20, "end of QEMU")
        self.tool("boot")
        started = time.monotonic()
        self.tool("wait")
        self.took = time.monotonic() - started

    def stop(self):
        self.tool("stop", check_status=False)

    def home_path(self):
        return "/home/ov"

    def proof(self, kind):
        return kind.guest_proof or kind.proof

    def web_address(self):
        return f"10.0.2.2:{self.web}"

    # --- holding a step ----------------------------------------------------------------------------------------------

    def arm(self, program, word, when, folder=None):
        real = next((f"{place}/{program}" for place in ("/usr/sbin", "/usr/bin", "/sbin", "/bin") if self.root(f"[ -e {place}/{program} ] && echo yes || true").strip()), "true")
        text = HOLD.format(here=HOLD_AT, word=shlex.quote(word), when=when, real=real)
        self.armed, self.when = program, when
        own = f"/usr/local/bin/{program}"
        self.root(f"set -e; rm -rf {HOLD_AT}; mkdir -m 0777 {HOLD_AT}; touch {HOLD_AT}/armed; chmod 666 {HOLD_AT}/armed; mkdir -p {HOLD_AT}.own; "
                  f"[ ! -e {own} ] || mv {own} {HOLD_AT}.own/\ncat > {own} <<'END'\n{text}END\nchmod 0755 {own}; sync\n")

    def reached(self):
        return self.root(f"[ -e {HOLD_AT}/at ] && echo yes || true").strip() == "yes"

    def release(self):
        pass

    def disarm(self):
        self.root(f"rm -rf {HOLD_AT} /usr/local/bin/{self.armed}; [ ! -e {HOLD_AT}.own/{self.armed} ] || mv {HOLD_AT}.own/{self.armed} /usr/local/bin/; rm -rf {HOLD_AT}.own; sync")

    # --- what is seen ------------------------------------------------------------------------------------------------

    def manifest(self):
        script = (ROOT / "tests/e2e/guest_manifest.py").read_text()
        done = subprocess.run([TOOL, "ssh", str(self.guest), "sudo python3 - " + " ".join(TREES)], input=script, capture_output=True, text=True, timeout=300)
        check(done.returncode == 0, f"manifest: {done.stderr[-300:]}")
        return {line: () for line in done.stdout.splitlines() if not line.startswith(("active ", "unit session-"))}

    def ledger(self):
        script = "import json,pathlib\ntop=pathlib.Path('/home/ov/.config/overthink/installed')\n" \
                 "print(json.dumps({str(p.relative_to(top)): p.read_text(errors='replace') for p in sorted(top.rglob('*')) if p.suffix in ('.json','.jsonl')}))\n"
        done = subprocess.run([TOOL, "ssh", str(self.guest), "python3 -"], input=script, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"ledger: {done.stderr[-300:]}")
        return json.loads(done.stdout)

    def run(self, command):
        return self.root(command, check_status=False).strip()

    def settle(self):
        pass

    # --- the fault ---------------------------------------------------------------------------------------------------

    def power_cut(self):
        # After the act: long enough for ext4 to commit names (5 s), too short for it to write the bytes of files that nobody synced.
        if self.when == "after":
            time.sleep(8)
        self.tool("kill")

    def repair(self, fault):
        pass
