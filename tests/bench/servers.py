"""Throwaway servers, each on a fresh copy of a folder that another one has filled."""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile

import mongo
import pymongo

# What all the folders and copies together may need.
ROOM = 8 << 30
# How many files a server of many datasets opens, if nothing closes them.
PATIENT_FILES = 60_000


def memory_disk():
    """A folder in memory, if there is one with room enough."""
    shm = "/dev/shm"
    return shm if os.path.isdir(shm) and shutil.disk_usage(shm).free > ROOM else None


def _options():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard != resource.RLIM_INFINITY and hard < PATIENT_FILES


class Server:
    """A mongod on a folder, as long as the `with` block lasts; stopped cleanly."""

    def __init__(self, folder, crowded=False):
        self.folder, self.crowded = folder, crowded

    def __enter__(self):
        self.port = mongo.free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}"
        command = [
            mongo.find_mongod(),
            "--dbpath", self.folder,
            "--port", str(self.port),
            "--bind_ip", "127.0.0.1",
            "--nounixsocket",
            "--wiredTigerCacheSizeGB", "1",
            "--setParameter", "diagnosticDataCollectionEnabled=false",
            "--logpath", os.path.join(self.folder, "mongod.log"),
        ]
        if _options() and self.crowded:
            # So many collections have more files than may be open at once here.
            idle = "file_manager=(close_idle_time=2,close_scan_interval=1,close_handle_minimum=1000)"
            # One that was written to can be closed when a checkpoint has been made of it.
            command += ["--wiredTigerEngineConfigString", idle, "--syncdelay", "4"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=120_000)
        self.client.admin.command("ping")
        return self

    def __exit__(self, *_):
        self.client.close()
        self.process.terminate()
        self.process.wait(120)


class Stock:
    """Filled folders, made once, and copies of them to be used up."""

    def __init__(self, folder):
        self.folder = folder

    def filled(self, name, fill, crowded=False):
        """The folder of a database that `fill(client)` has filled."""
        folder = os.path.join(self.folder, name)
        if not os.path.exists(folder):
            begun = folder + ".begun"
            shutil.rmtree(begun, ignore_errors=True)
            os.makedirs(begun)
            with Server(begun, crowded) as server:
                fill(server.client)
            os.rename(begun, folder)
        return folder

    @contextlib.contextmanager
    def copy(self, folder, crowded=False):
        """A server on a fresh copy of a filled folder."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as place:
            fresh = os.path.join(place, "db")
            subprocess.run(["cp", "-r", "--reflink=auto", folder, fresh], check=True)
            # Otherwise the disk is still busy with the copy while the clock runs.
            subprocess.run(["sync", "-f", fresh], check=True)
            with Server(fresh, crowded) as server:
                yield server
