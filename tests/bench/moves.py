"""How long importing takes: `Dataset.from_dir` of the real FiftyOne against `fiftyone-migrate import`, in alternation in one run.

`SAMPLES` is how many samples the export has, `ROUNDS` how often each is run. Prints the ratio and the memory of ours.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import mongo
import ours

SAMPLES = int(os.environ.get("SAMPLES") or 100_000)
ROUNDS = int(os.environ.get("ROUNDS") or 3)

THEIRS = """
import sys, time
import fiftyone as fo
fo.config.show_progress_bars = False
begun = time.monotonic()
dataset = fo.Dataset.from_dir(dataset_dir=sys.argv[1], dataset_type=fo.types.FiftyOneDataset, name="theirs", persistent=True)
assert dataset.count() == int(sys.argv[2])
print(time.monotonic() - begun)
"""

MAKE = """
import sys
import fiftyone as fo
fo.config.show_progress_bars = False
dataset = fo.Dataset("made", persistent=True)
box = fo.Detections(detections=[fo.Detection(label="cat", bounding_box=[0.1, 0.2, 0.3, 0.4], confidence=0.5)] * 3)
dataset.add_samples([fo.Sample(filepath=f"/data/{at}.jpg", tags=["train"], found=box) for at in range(3)])
dataset.export(export_dir=sys.argv[1], dataset_type=fo.types.FiftyOneDataset, export_media=False)
"""


def main():
    """Makes the export, imports it in turn, prints."""
    with mongo.Mongod() as server, tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, FIFTYONE_DATABASE_URI=server.uri, FIFTYONE_DATABASE_NAME="bench",
                           FIFTYONE_DISABLE_SERVICES="1", FIFTYONE_DATABASE_ADMIN="true", FIFTYONE_DO_NOT_TRACK="true",
                           FIFTYONE_DATABASE_VALIDATION="false", FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json")

        def python(text, *arguments):
            return subprocess.run([sys.executable, "-c", text, folder, *arguments], env=environment, check=True,
                                  capture_output=True, text=True).stdout

        python(MAKE)
        grow(os.path.join(folder, "samples.json"))
        ratios, memory = [], []
        for number in range(ROUNDS):
            theirs = float(python(THEIRS, str(SAMPLES)).split()[-1])
            begun = time.monotonic()
            process = subprocess.Popen(
                [ours.binary(), "--uri", server.uri, "--database", "bench", "import", folder, "--name", "ours"],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            own = time.monotonic() - begun
            assert status == 0, "the import has failed"
            memory.append(used.ru_maxrss >> 10)
            ratios.append(theirs / own)
            print(f"round {number + 1}: FiftyOne {theirs:.1f} s, ours {own:.1f} s, {ratios[-1]:.1f} times faster", flush=True)
            clean(server.uri)
    print(f"{SAMPLES} samples with 3 detections each: {statistics.median(ratios):.1f} times faster than FiftyOne "
          f"({min(ratios):.1f} to {max(ratios):.1f}); ours took {max(memory)} MiB of memory")


def grow(path):
    """As many samples as wanted, with ids of their own."""
    with open(path) as source:
        sample = json.load(source)["samples"][0]
    draw = random.Random(7)
    with open(path, "w") as out:
        out.write('{"samples": [')
        for at in range(SAMPLES):
            sample["_id"] = {"$oid": f"{at + 1:024x}"}
            sample["filepath"] = f"/data/{at}.jpg"
            sample["_rand"] = draw.random()
            for number, it in enumerate(sample["found"]["detections"]):
                it["_id"] = {"$oid": f"{(at + 1) * 8 + number:024x}"}
            out.write("," * (at > 0) + json.dumps(sample))
        out.write("]}")


def clean(uri):
    """Both copies away."""
    import pymongo

    db = pymongo.MongoClient(uri)["bench"]
    for name in ("ours", "theirs"):
        dataset = db.datasets.find_one_and_delete({"name": name})
        db.drop_collection(dataset["sample_collection_name"])


if __name__ == "__main__":
    main()
