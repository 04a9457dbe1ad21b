"""The programs that are measured, each as a whole process."""

import os
import subprocess
import sys
import time

import ours

DATABASE = "fiftyone"
LONGEST = 7200


def binary(*parts):
    """A release build of this workspace."""
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ours.ROOT, "target")
    return os.path.join(target, "release", *parts)


class Measure:
    """What one run took."""

    def __init__(self, seconds, peak):
        self.seconds, self.peak = seconds, peak


def fiftyone(server):
    """`fiftyone migrate --all`."""
    command = os.path.join(os.path.dirname(sys.executable), "fiftyone")
    return measure([command, "migrate", "--all"], server)


def migrate(server, *arguments):
    """`fiftyone-migrate --all`."""
    program = os.environ.get("FIFTYONE_MIGRATE_BIN") or binary("fiftyone-migrate")
    return measure([program, *(arguments or ("--all",))], server)


def floor(server, recording):
    """The recorded commands, and nothing else."""
    return measure([binary("examples", "floor"), server.uri, DATABASE, recording], server)


def measure(command, server):
    """Runs a command against a server, and says how long it took and how much memory it held."""
    environment = {it: value for it, value in os.environ.items() if not it.startswith("FIFTYONE_")}
    environment.update(
        FIFTYONE_DATABASE_URI=server.uri,
        FIFTYONE_DATABASE_NAME=DATABASE,
        FIFTYONE_DATABASE_ADMIN="true",
        FIFTYONE_DO_NOT_TRACK="true",
        FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json",
    )
    said = os.path.join(server.folder, "said.txt")
    with open(said, "wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            if time.perf_counter() - began > LONGEST:
                process.kill()
            # Often enough for the end to be seen, seldom enough to cost nothing.
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
        seconds = time.perf_counter() - began
    if process.returncode != 0:
        with open(said, errors="replace") as text:
            sys.exit(f"`{' '.join(command)}` ended with {process.returncode}: {text.read()[-2000:]}")
    return Measure(seconds, peak)


def resident(pid):
    """The most bytes a process has held so far."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0
