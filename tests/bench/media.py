"""How long uploading takes: `rclone copy` against `fiftyone-migrate upload-media`, in alternation in one run, to one S3 server on loopback.

`FILES` is how many small files there are, `LARGE` how many MiB the large one has, `ROUNDS` how often each is run. Ours also hashes all
that it reads, writes down each file and verifies it at the store; that time counts.
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import mongo
import ours

FILES = int(os.environ.get("FILES") or 20_000)
LARGE = int(os.environ.get("LARGE") or 2_048)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
# As many requests side by side for both.
AT_ONCE = "16"

MAKE = """
import sys
import fiftyone as fo
fo.config.show_progress_bars = False
for name in ("small", "large"):
    dataset = fo.Dataset(name, persistent=True)
    import glob
    dataset.add_samples([fo.Sample(filepath=it) for it in sorted(glob.glob(f"{sys.argv[1]}/{name}/*/*.png"))])
"""


def main():
    """Makes the files, uploads them in turn, prints."""
    with mongo.Mongod() as server, tempfile.TemporaryDirectory() as folder, Store() as store:
        environment = dict(os.environ, FIFTYONE_DATABASE_URI=server.uri, FIFTYONE_DATABASE_NAME="bench",
                           FIFTYONE_DISABLE_SERVICES="1", FIFTYONE_DATABASE_ADMIN="true", FIFTYONE_DO_NOT_TRACK="true",
                           FIFTYONE_DATABASE_VALIDATION="false", FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json",
                           AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
                           AWS_ENDPOINT_URL=store.address)
        # The store has no certificate, and rclone stumbles over this one.
        environment.pop("AWS_CA_BUNDLE", None)
        make(folder)
        subprocess.run([sys.executable, "-c", MAKE, folder], env=environment, check=True, capture_output=True)
        for name, what in (("small", f"{FILES} files of 2 KiB"), ("large", f"one file of {LARGE} MiB")):
            ratios = []
            for number in range(ROUNDS):
                theirs = timed(rclone(f"{folder}/{name}", f"theirs-{name}-{number}", store), environment)
                own = timed([ours.binary(), "upload-media", name, f"s3://bucket/ours-{name}-{number}", "--side-by-side", AT_ONCE],
                            environment)
                ratios.append(own / theirs)
                print(f"round {number + 1}, {what}: rclone {theirs:.1f} s, ours {own:.1f} s, {own / theirs:.2f} times as long", flush=True)
                store.empty()
            print(f"{what}: {statistics.median(ratios):.2f} times as long as rclone ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


def make(folder):
    """Small files in a hundred folders, and a large one."""
    draw = random.Random(0)
    for at in range(FILES):
        below = f"{folder}/small/{at % 100}"
        os.makedirs(below, exist_ok=True)
        with open(f"{below}/{at}.png", "wb") as file:
            file.write(draw.randbytes(2048))
    os.makedirs(f"{folder}/large/0")
    with open(f"{folder}/large/0/0.png", "wb") as file:
        for _ in range(LARGE):
            file.write(draw.randbytes(1 << 20))


def rclone(source, to, store):
    """Its command with what makes it fast: it looks for nothing at the other side and checks nothing afterwards."""
    remote = f":s3,provider=Other,env_auth=true,endpoint='{store.address}',force_path_style=true,no_check_bucket=true,no_head=true:bucket/{to}"
    return ["rclone", "copy", source, remote, "--transfers", AT_ONCE, "--no-traverse", "--no-check-dest", "--s3-upload-concurrency", AT_ONCE,
            "--s3-chunk-size", "8M", "--s3-disable-checksum", "--retries", "1"]


def timed(command, environment):
    """How long a command takes that has to succeed."""
    begun = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    took = time.monotonic() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    return took


class Store:
    """An S3 server."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        program = os.path.join(os.environ["STORES"], "venv", "bin", "moto_server")
        self.server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.ask("PUT", "/bucket")
                return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the store does not start")

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def ask(self, method, path):
        """One request without credentials, which moto takes."""
        with urllib.request.urlopen(urllib.request.Request(self.address + path, method=method)) as answer:
            return answer.read()

    def empty(self):
        """Forgets everything."""
        self.ask("POST", "/moto-api/reset")
        self.ask("PUT", "/bucket")


if __name__ == "__main__":
    main()
