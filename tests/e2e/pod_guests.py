"""What the suites of pods share: a Debian 13 guest (podman 5.4, quadlet) and a Debian 12 one (podman 4.3, generated units), and a small image.

QEMU 7.2 crashes the kernel of Debian 13 under emulation, so the one of tests/judges/chroot_pair is taken. OV_GUEST_12 and OV_GUEST_13 name
images made by `tests/support/guest_image FOLDER bookworm podman` and `... trixie podman`; OV_PODS_DIR keeps the guests in a folder for
the next run, of either suite.
"""
import atexit
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import rig
from rig import Failed, Skip, check

kept = os.environ.get("OV_PODS_DIR")
place = pathlib.Path(kept or tempfile.mkdtemp(prefix="ov-pods."))
project = place / "vm"
BASE_PORT = int(os.environ.get("OV_PODS_PORT", "2512"))
LIMITS = '[containers]\ndefault_ulimits = ["nofile=20000:20000","nproc=1000:1000"]\n'
image12, image13 = os.environ.get("OV_GUEST_12"), os.environ.get("OV_GUEST_13")
binary = None

SMALL = """FROM scratch
COPY bash /bin/bash
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /usr/bin /usr/sbin /sbin /etc /tmp /root /var/tmp; /bin/busybox chmod 1777 /tmp /var/tmp; \
/bin/busybox --install -s; for f in env true; do /bin/busybox ln -sf /bin/busybox /usr/bin/$f; done; echo root:x:0:0::/root:/bin/bash >/etc/passwd; \
echo root:x:0: >/etc/group; printf 'ID=debian\\\\nVERSION_ID=13\\\\n' >/etc/os-release"]
"""

MACHINES = f"""  lab13: {{source: {{kind: cloud_image, distro: "debian:13", url: "file://{image13}", base_user: debian}}, ram: 2G, cpu: 2, backend: qemu,
    ssh: {{port: {BASE_PORT + 1}, key_source: generate}}, network: {{mode: user}}}}
  lab12: {{source: {{kind: cloud_image, distro: "debian:12", url: "file://{image12}", base_user: debian}}, ram: 2G, cpu: 2, backend: qemu,
    ssh: {{port: {BASE_PORT}, key_source: generate}}, network: {{mode: user}}}}
"""


def write_layer(name, body):
    folder = project / "layers" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "layer.yml").write_text(f"layer:\n  version: 2026.150.1200{body}")
    if "data:" in body:
        (folder / "seed").mkdir(exist_ok=True)
        (folder / "seed/words").write_text("data of the layer\n")


def environment():
    return {**os.environ, "HOME": str(place / "home"), "XDG_CONFIG_HOME": str(place / "home/.config"), "PATH": f"{place}/bin:{os.environ['PATH']}",
            "CONTAINERS_CONF": str(place / "containers.conf"), "OV_GUEST_BINARY": str(place / "ov-guest")}


def ov(*words, expect=0, timeout=3000):
    done = subprocess.run([binary, "-C", project, *words], env=environment(), capture_output=True, text=True, timeout=timeout)
    if expect is not None:
        check(done.returncode == expect, f"ov {' '.join(words)}: exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done


def guest(name, script, **more):
    return ov("vm", "ssh", name, script, **more).stdout.strip()


def up(name, limit=900):
    started = time.monotonic()
    while time.monotonic() - started < limit:
        try:
            if ov("vm", "ssh", name, "true", expect=None, timeout=60).returncode == 0:
                return
        except subprocess.TimeoutExpired:
            pass
        time.sleep(3)
    raise Failed(f"{name} let nobody in for {limit} s")


def boot_guests(names):
    """Those that do not run yet are built and created; what they are."""
    (place / "bin").mkdir(parents=True, exist_ok=True)
    pair = pathlib.Path(os.environ.get("OV_QEMU_PAIR", rig.build_folder() / "libvirt-11"))
    if subprocess.run([rig.ROOT / "tests/judges/chroot_pair", pair]).returncode != 0:
        raise Skip("no QEMU 10")
    libraries = f"{pair}/usr/lib/x86_64-linux-gnu"
    wrapper = place / "bin/qemu-system-x86_64"
    wrapper.write_text(f"""#!/bin/sh
exec env QEMU_MODULE_DIR={libraries}/qemu {libraries}/ld-linux-x86-64.so.2 --library-path {libraries}:{libraries}/pulseaudio {pair}/usr/bin/qemu-system-x86_64 \
-L {pair}/usr/share/qemu -L {pair}/usr/share/seabios -L {pair}/usr/lib/ipxe/qemu "$@"
""")
    wrapper.chmod(0o755)
    (place / "containers.conf").write_text(LIMITS)
    (place / "home").mkdir(exist_ok=True)
    shutil.copy(pathlib.Path(binary).parent / "guest/ov-guest", place / "ov-guest")
    subprocess.run(["strip", place / "ov-guest"], check=False)  # it travels to emulated machines
    running = ov("vm", "list").stdout
    for name in names:
        if f"ov-{name}" not in running and f"{name} " not in running:
            ov("vm", "build", name)
            ov("vm", "create", name)
    for name in names:
        up(name)
    return "; ".join(guest(name, "podman --version; uname -r").replace("\n", ", kernel ") for name in names)


def small_image():
    """localhost/small:1 in this host's storage: busybox and bash."""
    context = place / "small"
    context.mkdir(exist_ok=True)
    static = next((path for path in ("/bin/bash-static", str(place / "bash-static")) if pathlib.Path(path).exists()), None)
    if static is None:
        subprocess.run(["sh", "-ec", "apt-get -qq download bash-static && dpkg-deb -x bash-static_*.deb x && cp x/bin/bash-static bash-static"], cwd=place, check=True)
        static = place / "bash-static"
    shutil.copy(static, context / "bash")
    shutil.copy(shutil.which("busybox"), context / "busybox")
    (context / "Containerfile").write_text(SMALL)
    if subprocess.run(["podman", "image", "exists", "localhost/small:1"]).returncode:
        subprocess.run(["podman", "build", "-q", "-t", "localhost/small:1", context], env=environment(), check=True, stdout=subprocess.DEVNULL)


def clean():
    if kept:
        return
    for name in ("lab13", "lab12"):
        subprocess.run([binary, "-C", project, "vm", "destroy", name, "--force", "--disk"], env=environment(), capture_output=True)
    shutil.rmtree(place, ignore_errors=True)


def run(doc):
    """The suite of the program that calls, or why it is skipped."""
    global binary
    if not (image12 and image13 and shutil.which("podman") and os.geteuid() == 0):
        print("SKIPPED: needs root, podman, and OV_GUEST_12 and OV_GUEST_13 (images of tests/support/guest_image)")
        sys.exit(77)
    binary = rig.ov_binary()
    (project / "layers").mkdir(parents=True, exist_ok=True)
    atexit.register(clean)
    sys.exit(rig.main(doc))
