"""What the end-to-end suites share: a loopback fleet with a project of its own, ov as a child, manifests, and named cases."""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests/support"
LOOPBACK = str(SUPPORT / "loopback_fleet")
_cases = []


class Failed(Exception):
    """A case did not hold; the text says what was seen."""


class Skip(Exception):
    """A case cannot run here; the text says what is missing."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def equal(seen, wanted, what):
    if seen != wanted:
        raise Failed(f"{what}: expected {wanted!r}, got {seen!r}")


def case(sentence):
    def register(function):
        _cases.append((sentence, function))
        return function

    return register


def build_folder():
    return pathlib.Path(os.environ.get("OV_BUILD_DIR", ROOT / "build")).resolve()


def ov_binary():
    path = pathlib.Path(os.environ.get("OV_BINARY", build_folder() / "src/cli/ov"))
    if not path.exists():
        path = build_folder() / "src/ov"
    return str(path)


def owner_of(path):
    """Name of the owner, or nothing when the path has gone meanwhile."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return None


def size_of(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0


def wait_for(condition, seconds, what):
    """Polls until `condition()` is true; returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"no {what} within {seconds} s")
        time.sleep(0.02)


class Fleet:
    """Machines behind 127.1.x.y, with a project whose layers the suite writes."""

    def __init__(self, count, prefix, shell="bash"):
        self.count, self.prefix = count, prefix
        self.dir = pathlib.Path(tempfile.gettempdir()) / f"ov-e2e-{prefix}"
        done = subprocess.run([LOOPBACK, "up", str(count), str(self.dir), "--prefix", prefix, "--shell", shell], capture_output=True, text=True)
        if done.returncode:
            raise Skip(done.stderr.strip() or done.stdout.strip())
        self.project = self.dir / "project"
        self.operator = self.dir / "operator"

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if os.environ.get("OV_E2E_KEEP"):
            print(f"kept: {self.dir}")
            return
        subprocess.run([LOOPBACK, "down", str(self.dir)], check=True)

    def reset(self):
        subprocess.run([LOOPBACK, "reset", str(self.dir)], check=True)
        for fake in (self.dir / "bin").iterdir():
            fake.unlink()

    def user(self, index=1):
        return f"{self.prefix}{index:03d}"

    def home(self, index=1):
        return self.dir / "home" / self.user(index)

    # --- the project -----------------------------------------------------------------------------------------------

    def layer(self, name, body, files=()):
        """`body` is what stands below `layer:`, at any indentation."""
        folder = self.project / "layers" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text = textwrap.indent(textwrap.dedent(body.strip("\n")), "    ")
        (folder / "layer.yml").write_text(f"layer:\n    version: 2026.144.1443\n    name: {name}\n{text}\n")
        for file, data in dict(files).items():
            (folder / file).write_bytes(data)

    def use(self, *layers):
        """Every machine's deploy applies these layers."""
        path = self.project / "overthink.yml"
        path.write_text(re.sub(r"add_layer: \[[^\]]*\]", f"add_layer: [{', '.join(layers)}]", path.read_text()))

    def fake(self, program, script):
        """A program that comes first in PATH on the machines."""
        path = self.dir / "bin" / program
        path.write_text("#!/bin/bash\n" + script)
        path.chmod(0o755)

    # --- ov ----------------------------------------------------------------------------------------------------------

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OV_")}
        return {**kept, "HOME": str(self.operator), "XDG_CONFIG_HOME": str(self.operator / ".config"), "LC_ALL": "C.UTF-8"}

    def command(self, *arguments):
        return [ov_binary(), "-C", str(self.project), *map(str, arguments)]

    def ov(self, *arguments, expect=0, timeout=300):
        done = subprocess.run(self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout)
        if expect is not None and done.returncode != expect:
            raise Failed(f"ov {' '.join(map(str, arguments))}: exit {done.returncode}, expected {expect}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return done

    def start(self, *arguments):
        """ov in the background, in a group of its own, output into files."""
        out = open(self.dir / "ov.out", "wb")
        err = open(self.dir / "ov.err", "wb")
        return subprocess.Popen(self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)

    def events(self):
        """Events that a background `--output jsonl` has printed so far."""
        found = []
        for line in (self.dir / "ov.out").read_text(errors="replace").split("\n")[:-1]:
            if line.startswith("{"):
                found.append(json.loads(line))
        return found

    def saw(self, **members):
        return any(all(event.get(key) == value for key, value in members.items()) for event in self.events())

    def output(self):
        return (self.dir / "ov.out").read_text(errors="replace")[-1500:] + (self.dir / "ov.err").read_text(errors="replace")[-1500:]

    # --- the machines ------------------------------------------------------------------------------------------------

    def ssh(self, index, command, check_status=True):
        done = subprocess.run([LOOPBACK, "ssh", str(self.dir), str(index), command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if check_status and done.returncode:
            raise Failed(f"ssh {command!r}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def processes(self):
        return [line for line in subprocess.run([LOOPBACK, "ps", str(self.dir)], capture_output=True, text=True).stdout.splitlines() if line.strip()]

    def run_directories(self):
        """Run directories of the fleet's users on the machines."""
        own = {self.user(index) for index in range(1, self.count + 1)}
        return [str(path) for path in pathlib.Path("/tmp").glob("ov.*") if owner_of(path) in own]

    def journal(self, index=1):
        """Records of all journals of a machine; a torn line is a failure."""
        records = []
        for path in sorted(self.home(index).glob(".config/overthink/installed/journal/*.jsonl")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if not line:
                    continue  # what ends a torn line of an earlier run
                try:
                    records.append(json.loads(line))
                except ValueError:
                    raise Failed(f"{path.name}:{number}: torn record {line!r}") from None
        return records

    def manifest(self, index=1, more=()):
        """Path, type, mode, owner and digest of everything in the home and below `more`."""
        rows = {}
        for top in [self.home(index), *map(pathlib.Path, more)]:
            if not os.path.lexists(top):
                continue
            for path in [top, *sorted(top.rglob("*"))] if top.is_dir() else [top]:
                info = path.lstat()
                digest = ""
                if stat.S_ISREG(info.st_mode):
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                elif stat.S_ISLNK(info.st_mode):
                    digest = os.readlink(path)
                rows[str(path)] = (stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, digest)
        return rows


def difference(before, after):
    """Lines that say how two manifests differ."""
    lines = [f"gone: {path}" for path in sorted(before.keys() - after.keys())]
    lines += [f"left: {path}" for path in sorted(after.keys() - before.keys())]
    lines += [f"changed: {path}: {before[path]} -> {after[path]}" for path in sorted(before.keys() & after.keys()) if before[path] != after[path]]
    return lines


def interrupted(process, fleet, within=2.0, number=signal.SIGINT):
    """Sends the signal and insists on the exit status and on the time."""
    started = time.monotonic()
    process.send_signal(number)
    try:
        status = process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failed(f"still running 20 s after the signal\n{fleet.output()}") from None
    took = time.monotonic() - started
    equal(status, 128 + number, f"exit status after {took:.1f} s\n{fleet.output()}\n")
    check(took <= within, f"took {took:.2f} s to end, limit {within} s")
    return took


def main(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("only", nargs="*", help="run the cases whose sentence contains one of these words")
    options = parser.parse_args()
    if not shutil.which(ov_binary()):
        print(f"skipped: {ov_binary()} is not built")
        return 77
    if os.geteuid() != 0:
        print("skipped: needs root for loopback machines")
        return 77
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for sentence, function in _cases:
        if options.only and not any(word in sentence for word in options.only):
            continue
        started = time.monotonic()
        try:
            said = function()
            counts["passed"] += 1
            print(f"ok      {sentence} ({time.monotonic() - started:.1f} s{', ' + said if said else ''})", flush=True)
        except Skip as reason:
            counts["skipped"] += 1
            print(f"skipped: {sentence}: {reason}", flush=True)
        except (Failed, subprocess.SubprocessError, OSError) as reason:
            counts["failed"] += 1
            print(f"FAILED  {sentence}: {reason}", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0
