#!/usr/bin/env python3
"""`podman` for `ov vm build` on a host whose kernel lacks a file system: containers that need loop devices run in a guest.

Called as podman. What the guest can do better (the probe, the disk) runs there, in the builder's root below /b with a mount namespace
of its own; anything else is the real podman's. OV_E2E_GUEST: ssh words up to the host name; OV_E2E_PODMAN: the real one.
"""
import os
import pathlib
import subprocess
import sys

words = sys.argv[1:]
ssh = os.environ["OV_E2E_GUEST"].split("\n")
real = os.environ["OV_E2E_PODMAN"]


def guest(command, **more):
    return subprocess.run([*ssh, command], **more)


def forward(path, name):
    """A file goes into the guest once."""
    stamp = f"{path.stat().st_ino}-{path.stat().st_size}-{path.stat().st_mtime_ns}"
    if guest(f"sudo test -e /b/in/{stamp}").returncode == 0:
        return
    with open(path, "rb") as data:
        guest(f"sudo sh -c 'rm -f /b/in/*; cat > /b/in/{name} && touch /b/in/{stamp}'", stdin=data, check=True)


if words[:1] != ["run"]:
    os.execv(real, [real, *words])
script = sys.stdin.buffer.read()
here = not (script.startswith(b"for program") or b"losetup --find" in script)
if here:
    sys.exit(subprocess.run([real, *words], input=script).returncode)
places = {word.rsplit(":", 2 if word.endswith(":ro") else 1)[1]: word.split(":")[0] for word in words if word.startswith("/") and ":/" in word}
if "/in" in places:
    forward(pathlib.Path(places["/in"]) / "rootfs.tar.gz", "rootfs.tar.gz")
guest("sudo sh -c 'rm -rf /b/out; mkdir /b/out; cat > /b/script'", input=script, check=True)
done = guest("sudo unshare --mount chroot /b sh -c 'exec bash -s < /script'")
if done.returncode == 0 and "/in" in places:
    with open(pathlib.Path(places["/out"]) / "disk.qcow2", "wb") as out:
        guest("sudo cat /b/out/disk.qcow2", stdout=out, check=True)
    guest("sudo rm -rf /b/out")
sys.exit(done.returncode)
