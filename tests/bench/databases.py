"""The databases that are migrated: written by hand in the layout of their version, the same each time."""

import datetime
import random

import old_layouts
from bson import ObjectId

SAMPLES = 3
MOMENT = datetime.datetime(2021, 3, 4, 5, 6, 7, 89000)
BATCH = 5_000


class Layout(old_layouts.Layout):
    """Ids as time makes them: this many in each second, which is 2,000 samples of three detections."""

    PER_SECOND = 8_000

    def id(self):
        self.count += 1
        second = 0x5D000000 + (self.level << 16) + self.count // self.PER_SECOND
        return ObjectId(f"{second:08x}{self.count:016x}")


class Builder:
    """Writes datasets of one version into an empty database."""

    def __init__(self, db, version):
        self.db, self.version = db, version
        self.layout = Layout(old_layouts.SINCE[version])
        self.random = random.Random(version)

    def finish(self):
        """Stores the dataset documents, and what version the database is at."""
        datasets = self.layout.collections.pop("datasets")
        for at in range(0, len(datasets), BATCH):
            self.db.datasets.insert_many(datasets[at : at + BATCH])
        self.db.datasets.create_index("name", unique=True)
        self.db.config.insert_one({"version": self.version, "type": "fiftyone"})

    def flush(self):
        """Stores the samples and frames made so far."""
        for name in [it for it in self.layout.collections if it != "datasets"]:
            documents = self.layout.collections.pop(name)
            self.db[name].insert_many(documents)

    def indexes(self, dataset):
        """Those that FiftyOne gives to every dataset; made first, since that is faster."""
        samples = dataset["sample_collection_name"]
        self.db[samples].create_index("filepath")
        if dataset["media_type"] == "video":
            frames = self.db["frames." + samples]
            frames.create_index([("_sample_id", 1), ("frame_number", 1)], unique=True)

    def detections(self, count):
        layout, rng = self.layout, self.random
        return {"_cls": "Detections", "detections": [
            {"_id": layout.id(), "_cls": "Detection", "attributes": {}, "tags": [],
             "label": rng.choice(("cat", "dog", "bird")),
             "bounding_box": [round(rng.random(), 6) for _ in range(4)],
             "confidence": round(rng.random(), 6)}
            for _ in range(count)]}

    def small(self, count):
        """Datasets of three samples: every tenth has videos, and every second an evaluation inside."""
        for at in range(count):
            if at % 10 == 9:
                dataset = self.video_dataset(f"small videos {at:06}", own=self.runs(at))
                self.indexes(dataset)
                for _ in range(SAMPLES):
                    self.video(dataset, 2)
            else:
                fields = [self.layout.label("truth", "Detections")]
                dataset = self.layout.dataset(f"small {at:06}", "image", fields, **self.runs(at))
                self.indexes(dataset)
                for _ in range(SAMPLES):
                    self.layout.sample(dataset, truth=self.detections(1))
            self.flush()

    def runs(self, at):
        # Before 0.7.3 there are no runs yet.
        if at % 2 or not self.layout.since("0.7.3"):
            return {}
        config = {"cls": "fiftyone.utils.eval.coco.COCOEvaluationConfig", "method": "coco",
                  "classwise": True, "iou": 0.5, "iscrowd": "iscrowd", "use_masks": False}
        return {"evaluations": {"eval": self.layout.run("eval", config, gt="truth")}}

    def large(self, samples, frames):
        """One dataset with many samples of three detections, and one with many frames."""
        layout = self.layout
        fields = [layout.label("truth", "Detections")]
        dataset = layout.dataset("large", "image", fields)
        self.indexes(dataset)
        for at in range(samples):
            layout.sample(dataset, truth=self.detections(3))
            if at % BATCH == BATCH - 1:
                self.flush()
        self.flush()
        dataset = self.video_dataset("large videos")
        self.indexes(dataset)
        for _ in range(max(frames // 500, 1)):
            self.video(dataset, min(frames, 500))
            self.flush()

    def video_dataset(self, name, own=None):
        layout = self.layout
        fields = []
        if not layout.since("0.7.2"):
            fields.append(layout.label("frames", "_Frames"))
        frame_fields = layout.frame_fields(layout.label("seen", "Detections"))
        return layout.dataset(name, "video", fields, frame_fields, **(own or {}))

    def video(self, dataset, count):
        layout = self.layout
        sample = layout.sample(dataset, media="video")
        frames = [
            {"_id": layout.id(), "frame_number": number, "_sample_id": sample["_id"],
             "seen": self.detections(1)}
            for number in range(1, count + 1)
        ]
        layout.put("frames." + dataset["sample_collection_name"], *frames)
        if not layout.since("0.7.2"):
            first = {**frames[0], "_cls": "_FrameLabels"}
            sample["frames"] = {"_cls": "_Frames", "frame_count": count, "first_frame": first}
