"""A throwaway mongod: on a free port of loopback, in memory where the machine allows it."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

import pymongo

CACHE = os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fiftyone-migrate"
)


def find_mongod():
    """The server to start: the one named by `FIFTYONE_MONGOD`, on `PATH`, or in our download folder."""
    named = os.environ.get("FIFTYONE_MONGOD")
    candidates = [named, shutil.which("mongod")]
    candidates += sorted(glob.glob(os.path.join(CACHE, "mongod", "**", "bin", "mongod"), recursive=True))
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise SystemExit("no `mongod` found: set `FIFTYONE_MONGOD` or run `make setup`")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mongod:
    """Runs while the `with` block does; everything it stored is gone afterwards."""

    def __enter__(self):
        shm = "/dev/shm"
        base = shm if os.path.isdir(shm) and shutil.disk_usage(shm).free > 2 << 30 else None
        self.folder = tempfile.mkdtemp(prefix="parity-mongod-", dir=base)
        self.port = free_port()
        # On a busy machine a server that is there may be slow to say so.
        patience = "serverSelectionTimeoutMS=300000&connectTimeoutMS=300000"
        self.uri = f"mongodb://127.0.0.1:{self.port}/?{patience}"
        self.process = subprocess.Popen(
            [
                find_mongod(),
                "--dbpath", self.folder,
                "--port", str(self.port),
                "--bind_ip", "127.0.0.1",
                "--nounixsocket",
                "--wiredTigerCacheSizeGB", "0.5",
                # Without this it first of all writes 300 MB of empty journal.
                "--wiredTigerEngineConfigString", "log=(file_max=16MB,prealloc=false)",
                "--setParameter", "diagnosticDataCollectionEnabled=false",
                "--setParameter", "ttlMonitorEnabled=false",
                "--logpath", os.path.join(self.folder, "mongod.log"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = pymongo.MongoClient(self.uri)
        client.admin.command("ping")
        client.close()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for _ in range(5):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                break
            time.sleep(0.1)
