"""Documents written by hand in the layout that each older version gave to new datasets.

What the judge takes down keeps much of its modern shape; these never had it, so only they show what
the revisions add on the way up.
"""

import datetime

import boundaries
import dump as dumps
from bson import Int64, ObjectId

SINCE = {version: at for at, version in enumerate(boundaries.LEVELS)}
FIELD = "fiftyone.core.fields."
LABEL = "fiftyone.core.labels."
MOMENT = datetime.datetime(2021, 3, 4, 5, 6, 7, 89000)


class Layout:
    """Everything that databases of one level hold."""

    def __init__(self, level):
        self.level, self.count = level, 0
        self.collections = {"datasets": []}

    def since(self, version):
        """Whether this level is at a version, or past it."""
        return self.level >= SINCE[version]

    def id(self):
        """Ids of the past, the same in every run."""
        self.count += 1
        return ObjectId(f"5d{self.level:02x}{self.count:020x}")

    def put(self, collection, *documents):
        self.collections.setdefault(collection, []).extend(documents)

    def field(self, name, ftype, embedded=None, subfield=None, fields=(), **more):
        document = {"name": name, "ftype": FIELD + ftype}
        document["subfield"] = FIELD + subfield if subfield else None
        document["embedded_doc_type"] = embedded
        if not self.since("0.6.2"):
            document["media_type"] = None
        if self.since("0.16.0"):
            document["fields"] = list(fields)
        if self.since("0.9.4"):
            document["db_field"] = "_id" if name == "id" else more.pop("db_field", name)
        if self.since("0.18.0"):
            document["description"] = more.pop("description", None)
            document["info"] = None
        if self.since("1.0.0"):
            document["read_only"] = name in ("created_at", "last_modified_at")
        more.pop("db_field", None)
        more.pop("description", None)
        return {**document, **more}

    def label(self, name, kind, fields=()):
        return self.field(name, "EmbeddedDocumentField", LABEL + kind, fields=fields)

    def base_fields(self):
        fields = []
        if self.since("0.9.4"):
            fields.append(self.field("id", "ObjectIdField"))
        kind = {"0": "Metadata", "1": "ImageMetadata"}[str(int(self.since("0.16.0")))]
        fields += [
            self.field("filepath", "StringField"),
            self.field("tags", "ListField", subfield="StringField"),
            self.field("metadata", "EmbeddedDocumentField", "fiftyone.core.metadata." + kind,
                       fields=[self.field("size_bytes", "IntField")]),
            self.field("_media_type" if self.since("0.6.5") else "media_type", "StringField"),
            self.field("_rand", "FloatField"),
        ]
        if self.since("0.20.0"):
            fields.append(self.field("_dataset_id", "ObjectIdField"))
        if self.since("1.0.0"):
            fields += [self.field(it, "DateTimeField") for it in ("created_at", "last_modified_at")]
        return fields

    def frame_fields(self, *own):
        fields = []
        if self.since("0.9.4"):
            fields += [
                self.field("id", "ObjectIdField"),
                self.field("frame_number", "FrameNumberField"),
                self.field("_sample_id", "ObjectIdField"),
            ]
        if self.since("0.20.0"):
            fields.append(self.field("_dataset_id", "ObjectIdField"))
        if self.since("1.0.0"):
            fields += [self.field(it, "DateTimeField") for it in ("created_at", "last_modified_at")]
        return fields + list(own)

    def dataset(self, name, media, fields, frame_fields=(), **own):
        """Adds a dataset document; `own` replaces or adds keys, `None` values included."""
        key = self.id()
        samples = own.pop("sample_collection_name", f"samples.{key}")
        document = {"_id": key, "name": name}
        if self.since("0.19.0"):
            document["slug"] = own.pop("slug", None) or "-".join(name.lower().split())
        if self.since("0.6.2"):
            document["version"] = boundaries.LEVELS[self.level]
        if self.since("0.14.0"):
            document["created_at"] = MOMENT
            document["last_loaded_at"] = MOMENT
        if self.since("1.0.0"):
            document["last_modified_at"] = MOMENT
        document["sample_collection_name"] = samples
        if self.since("0.14.0") and (media == "video" or not self.since("0.20.0")):
            document["frame_collection_name"] = "frames." + samples
        document["persistent"] = True
        if media is not None:
            document["media_type"] = media
        if self.since("0.17.0"):
            document.update(group_field=None, group_media_types={}, default_group_slice=None)
        if self.since("0.16.3"):
            document["tags"] = ["old"]
        if self.since("0.19.0"):
            document["description"] = None
        document["info"] = {"made": "by hand", "n": Int64(3)}
        if self.since("0.17.0"):
            document["app_config"] = {
                "media_fields": ["filepath"], "grid_media_field": "filepath",
                "modal_media_field": "filepath",
                "sidebar_groups": own.pop("sidebar_groups", None), "plugins": {},
            }
            if self.since("0.18.0") and not self.since("1.1.0"):
                document["app_config"]["sidebar_mode"] = "all"
            if own.get("color_scheme"):
                document["app_config"]["color_scheme"] = own.pop("color_scheme")
        elif self.since("0.16.0"):
            document["app_sidebar_groups"] = own.pop("sidebar_groups", None)
        if self.since("0.8.0"):
            document.update(
                classes={"label": ["a"]}, default_classes=["a", "b"], mask_targets={},
                default_mask_targets={"1": "x"},
            )
        if self.since("0.15.1"):
            document.update(skeletons={}, default_skeleton=None)
        document["sample_fields"] = self.base_fields() + list(fields)
        if self.since("0.6.2") or frame_fields:
            document["frame_fields"] = list(frame_fields)
        if self.since("0.19.0"):
            document["saved_views"] = []
        for runs, version in (
            ("annotation_runs", "0.13.0"), ("brain_methods", "0.7.4"), ("evaluations", "0.7.3"),
            ("runs", "0.23.0"),
        ):
            if self.since(version):
                document[runs] = self.runs(key, own.pop(runs, {}))
            own.pop(runs, None)
        for spare in ("sidebar_groups", "color_scheme", "slug"):
            own.pop(spare, None)
        document.update(own)
        self.put("datasets", document)
        return document

    def runs(self, dataset, runs):
        """Runs where this level keeps them: in the dataset, or in a collection since 0.19.0."""
        if not self.since("0.19.0"):
            return runs
        keys = {}
        for key, run in runs.items():
            run = {"_id": self.id(), "_dataset_id": dataset, **run}
            self.put("runs", run)
            keys[key] = run["_id"]
        return keys

    def run(self, key, config, results=None, gt=None):
        if gt and not self.since("0.7.4"):
            return {"eval_key": key, "pred_field": "guess", "gt_field": gt, "config": config,
                    "view_stages": None}
        document = {"key": key}
        if self.since("0.11.2"):
            document["version"] = "0.11.2"
        document["timestamp"] = MOMENT
        if gt:
            config = {**config, "pred_field": "guess", "gt_field": gt}
        document.update(config=config, view_stages=['{"_cls": "fiftyone.core.stages.Limit"}'])
        if self.since("0.8.0"):
            document["results"] = results
        return document

    def file(self, text):
        """A GridFS file as old drivers wrote it."""
        key, data = self.id(), text.encode()
        self.put("fs.files", {"_id": key, "contentType": "application/json", "chunkSize": 261120,
                              "length": Int64(len(data)), "uploadDate": MOMENT})
        self.put("fs.chunks", {"_id": self.id(), "files_id": key, "n": 0, "data": data})
        return key

    def sample(self, dataset, **values):
        key = self.id()
        document = {"_id": key}
        document["_media_type" if self.since("0.6.5") else "media_type"] = values.pop("media", "image")
        document.update(_rand=0.25, filepath=f"/old/{key}.jpg", tags=["x"], metadata=None)
        if self.since("0.20.0"):
            document["_dataset_id"] = dataset["_id"]
        if self.since("1.0.0"):
            document.update(created_at=MOMENT, last_modified_at=MOMENT)
        document.update(values)
        self.put(dataset["sample_collection_name"], document)
        return document

    def points(self, points):
        """A polyline's points: one shape, and since 0.6.2 a list of shapes."""
        return [points] if self.since("0.6.2") else points


def build(level):
    """The dump of a database in the layout of a level."""
    layout = Layout(level)
    for make in (_image, _video, _plain_video, _evaluated, _sidebar, _cloud, _own_dates, _schema_left,
                 _grouped, _missing_keys):
        make(layout)
    return dumps.make(layout.collections)


def _polyline(layout, points):
    return {"_id": layout.id(), "_cls": "Polyline", "attributes": {}, "label": "p",
            "points": layout.points(points), "closed": False, "filled": True}


def _image(layout):
    fields = [
        layout.label("truth", "Detections"), layout.label("line", "Polyline"),
        layout.label("lines", "Polylines"), layout.label("kind", "Classification"),
        layout.label("place", "GeoLocation"), layout.field("count", "IntField"),
        layout.field("many", "ListField", LABEL + "Detection", subfield="EmbeddedDocumentField"),
    ]
    dataset = layout.dataset("old images", "image" if layout.since("0.6.2") else None, fields)
    for at in range(2):
        layout.sample(
            dataset,
            truth={"_cls": "Detections", "detections": [
                {"_id": layout.id(), "_cls": "Detection", "attributes": {}, "label": "cat",
                 "bounding_box": [0.1, 0.1, 0.5, 0.5]}]},
            line=_polyline(layout, [[0.1, 0.2], [0.3, 0.4]]),
            lines={"_cls": "Polylines", "polylines": [
                _polyline(layout, [[0.5, 0.5], [0.6, 0.7]]), _polyline(layout, []),
                {"_cls": "Polyline", "label": "without points"}]},
            kind={"_cls": "Classification", "label": "k"} if at else None,
            place=None, count=Int64(7) if at else 7,
        )


def _video(layout):
    own = [layout.field("speed", "FloatField"), layout.label("line", "Polyline")]
    fields = [layout.field("title", "StringField")]
    if not layout.since("0.6.2"):
        fields.append(layout.field("frames", "FramesField", subfield="ReferenceField"))
    elif not layout.since("0.7.2"):
        fields.append(layout.label("frames", "_Frames"))
    dataset = layout.dataset("old videos", "video", fields, layout.frame_fields(*own))
    collection = "frames." + dataset["sample_collection_name"]
    for at in range(3):
        sample = layout.sample(dataset, media="video", title=f"video {at}")
        frames = []
        for number in range(1, at + 1):
            frame = {"_id": layout.id(), "frame_number": number}
            if layout.since("0.6.2"):
                frame["_sample_id"] = sample["_id"]
            if layout.since("0.20.0"):
                frame["_dataset_id"] = dataset["_id"]
            if layout.since("1.0.0"):
                frame.update(created_at=MOMENT, last_modified_at=MOMENT)
            frame.update(speed=0.5, line=_polyline(layout, [[0.1, 0.1], [0.2, 0.2]]))
            layout.put(collection, frame)
            frames.append(frame)
        if not layout.since("0.6.2"):
            sample["frames"] = {str(it["frame_number"]): it["_id"] for it in frames}
        elif not layout.since("0.7.2"):
            first = {**frames[0], "_cls": "_FrameLabels"} if frames else None
            sample["frames"] = {"_cls": "_Frames", "frame_count": len(frames), "first_frame": first}


def _plain_video(layout):
    dataset = layout.dataset("old video without labels", "video", [], layout.frame_fields())
    sample = layout.sample(dataset, media="video")
    if not layout.since("0.6.2"):
        sample["frames"] = {}


def _evaluated(layout):
    if not layout.since("0.7.3"):
        return
    new = layout.since("0.20.0")
    prefix = "fiftyone.brain.internal.core.sklearn.Sklearn" if new else "fiftyone.brain.similarity."
    similar = {"cls": prefix + "SimilarityConfig", "type": "similarity" if new else None,
               "embeddings_field": None, "method": "sklearn" if new else "similarity",
               "patches_field": None}
    if layout.since("0.13.0"):
        similar.update(model="clip", metric="cosine")
    results = '{"cls": "%s", "n": 1, "x": 1.0, "nested": {"_id": {"$oid": "5d00000000000000000000ff"}}, "é": "ü"}'
    simple = {"cls": "fiftyone.utils.eval.classification.SimpleEvaluationConfig", "method": "simple",
              "classwise": True, "iou": 0.5}
    stored = layout.since("0.8.0")
    layout.dataset(
        "old runs", "image",
        [layout.label("guess", "Classification"), layout.label("truth", "Classification")],
        evaluations={
            "first": layout.run("first", dict(simple), stored and layout.file('{"cls": "r"}'), gt="truth"),
            "second": layout.run("second", dict(simple), gt="truth"),
        },
        brain_methods={
            "similar": layout.run("similar", dict(similar),
                                  stored and layout.file(results % (prefix + "SimilarityResults"))),
            "bare": layout.run("bare", dict(similar)),
            "lost": layout.run("lost", dict(similar), layout.id()),
            "not json": layout.run("not json", dict(similar), stored and layout.file("{not json")),
            "list": layout.run("list", dict(similar), stored and layout.file("[1, 2]")),
            "unique": layout.run("unique", {"cls": "fiftyone.brain.uniqueness.UniquenessConfig",
                                            "method": "uniqueness", "uniqueness_field": "u"}),
        },
        annotation_runs={"cvat": layout.run("cvat", {"cls": "fiftyone.utils.cvat.CVATBackendConfig",
                                                     "method": "cvat", "label_schema": {}})},
        runs={"custom": layout.run("custom", {"cls": "fiftyone.core.runs.RunConfig", "type": "run"})},
    )


def _sidebar(layout):
    groups = [
        {"name": "tags", "paths": []}, {"name": "label tags", "paths": []},
        {"name": "labels", "paths": ["kind"]}, {"name": "other", "paths": [], "expanded": True},
    ]
    if layout.since("0.20.0"):
        groups.pop(1)
        groups[0]["paths"] = ["tags", "_label_tags"]
    colours = {"color_pool": ["#ff0000"], "fields": [
        {"path": "kind", "fieldColor": "#00ff00", "colorByAttribute": "label", "valueColors": []}, None]}
    layout.dataset("old sidebar", "image", [layout.label("kind", "Classification")],
                   sidebar_groups=groups, color_scheme=colours)
    layout.dataset("old empty colours", "image", [], color_scheme={"color_pool": [], "fields": None})
    layout.dataset("old few groups", "image", [], sidebar_groups=[{"name": "labels", "paths": []}])


def _cloud(layout):
    dataset = layout.dataset("old clouds", "point-cloud", [layout.label("boxes", "Detections")])
    layout.sample(dataset, media="point-cloud", boxes=None)
    layout.dataset("old nothing", None, [])


def _own_dates(layout):
    if not layout.since("1.0.0"):
        fields = [layout.field("created_at", "DateTimeField", description="mine"),
                  layout.field("last_modified_at", "DateTimeField")]
        dataset = layout.dataset("old with own dates", "image", fields)
        layout.sample(dataset, created_at=None, last_modified_at=MOMENT)
        dataset = layout.dataset("old with date as text", "image",
                                 [layout.field("created_at", "StringField")])
        layout.sample(dataset, created_at="yesterday")
        fields = [layout.field("created_at", "DateTimeField")]
        dataset = layout.dataset("old with one date", "image", fields)
        layout.sample(dataset)


def _schema_left(layout):
    if layout.since("0.18.0"):
        inner = layout.field("label", "StringField", schema={"type": "select"})
        deeper = {**layout.field("detections", "ListField"), "fields": [{**inner}]}
        fields = [
            layout.field("kind", "StringField", schema={"type": "radio"}, fields=[{**inner}]),
            layout.field("boxes", "EmbeddedDocumentField", LABEL + "Detections", fields=[{**inner}, deeper]),
            layout.field("falsy", "StringField", schema={}),
        ]
        layout.dataset("old beta schemas", "image", fields)
        layout.dataset("old empty schemas", "image", [layout.field("falsy", "StringField", schema=None)])


def _grouped(layout):
    if layout.since("0.17.0"):
        dataset = layout.dataset(
            "old groups", "group", [layout.field("group", "EmbeddedDocumentField",
                                                 "fiftyone.core.groups.Group")],
            group_field="group", group_media_types={"left": "image", "right": "video"},
            default_group_slice="left",
        )
        layout.sample(dataset, group={"_id": layout.id(), "_cls": "Group", "name": "left"})


def _missing_keys(layout):
    """Documents of development versions and of other tools: keys that were optional are absent."""
    key = layout.id()
    document = {
        "_id": key, "name": "old and bare", "sample_collection_name": f"samples.{key}",
        "media_type": "image", "sample_fields": [{"name": "id", "ftype": FIELD + "ObjectIdField"},
                                                 {"name": "n", "ftype": FIELD + "IntField"}],
        "frame_fields": [],
    }
    if layout.since("0.6.2"):
        document["version"] = boundaries.LEVELS[layout.level]
    layout.put("datasets", document)


def clashing():
    """Datasets at 0.18.0 whose names make the same slug, none, or one that is too long."""
    layout = Layout(SINCE["0.18.0"])
    for name in ("My Data", "my-data", "my_data", "!!!", "???", "é", "x" * 120, "fine"):
        layout.sample(layout.dataset(name, "image", []))
    layout.dataset("taken", "image", [], slug="fine-too")
    layout.dataset("Fine Too", "image", [])
    layout.collections["datasets"][-2]["slug"] = "fine-too"
    return dumps.make(layout.collections)


def dangling():
    """A dataset at 1.22.1 all of whose references lead nowhere."""
    layout = Layout(SINCE["1.13.0"])
    dataset = layout.dataset("dangling", "image", [])
    for runs in dumps.RUN_MAPS:
        dataset[runs] = {"gone": layout.id()}
    dataset["saved_views"] = [layout.id()]
    dataset["workspaces"] = [layout.id()]
    return dumps.make(layout.collections)


def versionless():
    """A modern dataset whose version is null, and one that has none."""
    layout = Layout(SINCE["1.13.0"])
    layout.dataset("version null", "image", [])["version"] = None
    del layout.dataset("version absent", "video", [], layout.frame_fields())["version"]
    return dumps.make(layout.collections)
