"""The harness is tested too: results spoiled as a broken revision would, each of which it must catch."""

import datetime

import bench
import boundaries
import dump as dumps
import old_layouts
from bson import ObjectId


class Sabotage:
    """Spoils the documents of one collection of what we left, between two versions."""

    def __init__(self, name, head, to, spoil, collection="datasets", dataset="old images"):
        self.name, self.head, self.to = name, head, to
        self.spoil, self.collection, self.dataset = spoil, collection, dataset

    def __call__(self, before, after):
        after = {name: dict(documents) for name, documents in after.items()}
        owner = next(it for it in dumps.datasets(before).values() if it["name"] == self.dataset)
        names = {
            "samples": owner["sample_collection_name"],
            "frames": "frames." + owner["sample_collection_name"],
        }
        collection = names.get(self.collection, self.collection)
        spoiled = False
        for key, raw in list(after.get(collection, {}).items()):
            document = dumps.decode(raw)
            if collection == "datasets" and document["_id"] != owner["_id"]:
                continue
            if collection == "runs" and document.get("_dataset_id") != owner["_id"]:
                continue
            try:
                change = self.spoil(document)
            except (KeyError, IndexError):
                continue
            if change is GONE:
                del after[collection][key]
            else:
                after[collection][key] = dumps.encode(document)
            spoiled |= change is GONE or dumps.encode(document) != raw
            if change is ONCE:
                twin = dict(document, _id=ObjectId())
                after[collection][twin["_id"].binary] = dumps.encode(twin)
                spoiled = True
        return after, spoiled


GONE, ONCE = object(), object()


def _set(document, path, value):
    *way, last = path.split(".")
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    if value is GONE:
        del document[last]
    else:
        document[last] = value


def put(path, value):
    return lambda document: _set(document, path, value)


def _swap(document):
    field = document["sample_fields"][0]
    field["name"] = field.pop("name")


def _later(document):
    document["created_at"] += datetime.timedelta(seconds=1)


def _rename_back(document):
    document["media_type"] = document.pop("_media_type")


def _copy(document):
    return ONCE


def _lose(document):
    return GONE



ALL = [
    Sabotage("the media type of samples is not renamed", "0.6.4", "0.6.5", _rename_back, "samples"),
    Sabotage("an int64 became an int32", "0.14.0", "0.15.1", put("info.n", 3)),
    Sabotage("an int32 became a double", "0.6.2", "0.7.2", put("count", 7.0), "samples"),
    Sabotage("two keys of a field change places", "0.9.3", "0.9.4", _swap),
    Sabotage("a field lacks `read_only`", "0.25.2", "1.0.0", put("sample_fields.0.read_only", GONE)),
    Sabotage("a nested field lacks its description", "0.17.0", "0.18.0",
             put("sample_fields.3.fields.0.description", GONE)),
    Sabotage("the frames are not touched", "0.19.1", "0.20.0", put("_dataset_id", GONE), "frames",
             "old videos"),
    Sabotage("the frames of samples stay", "0.7.1", "0.7.2",
             put("frames", {"_cls": "_Frames"}), "samples", "old videos"),
    Sabotage("the slug is another", "0.18.0", "0.19.0", put("slug", "old_images")),
    Sabotage("a wrong version is stamped", "0.18.0", "0.19.0", put("version", "0.18.0")),
    Sabotage("a default is null instead of {}", "0.15.0", "0.15.1", put("skeletons", None)),
    Sabotage("a default is {} instead of null", "0.15.0", "0.15.1", put("default_skeleton", {})),
    Sabotage("a field more", "0.16.2", "0.17.0", put("app_config.extra", None)),
    Sabotage("`app_sidebar_groups` is left behind", "0.16.6", "0.17.0",
             put("app_sidebar_groups", None), dataset="old sidebar"),
    Sabotage("a run is missing", "0.18.0", "0.19.0", _lose, "runs", "old runs"),
    Sabotage("a run is there twice", "0.18.0", "0.19.0", _copy, "runs", "old runs"),
    Sabotage("a run has lost its dataset", "0.18.0", "0.19.0", put("_dataset_id", None), "runs",
             "old runs"),
    Sabotage("results have lost their text", "0.19.1", "0.20.0", _lose, "fs.chunks", "old runs"),
    Sabotage("results keep the old class", "0.19.1", "0.20.0",
             lambda it: it.update(data=it["data"].replace(b"sklearn.Sklearn", b"x")), "fs.chunks",
             "old runs"),
    Sabotage("`created_at` is a second late", "0.25.2", "1.0.0", _later, "samples"),
    Sabotage("`last_modified_at` is of another day", "0.25.2", "1.0.0",
             put("last_modified_at", datetime.datetime(2020, 1, 1)), "samples"),
    Sabotage("a sample is gone", "0.25.2", "1.0.0", _lose, "samples"),
    Sabotage("the dataset is gone", "0.25.2", "1.0.0", _lose),
    Sabotage("a beta schema is left", "1.12.0", "1.22.1",
             put("sample_fields.0.schema", {"type": "x"})),
    Sabotage("groups are dropped on the way down", "0.17.2", "0.16.6",
             lambda it: it.update(version="0.16.6") or it.pop("group_field", None),
             dataset="old groups"),
    Sabotage("label schemas survive going down", "1.22.1", "1.12.0", put("label_schemas", {})),
    Sabotage("the config has another version", "0.18.0", "0.19.0", put("version", "0.1"), "config"),
    Sabotage("the config has a key more", "0.18.0", "0.19.0", put("lock", True), "config"),
    Sabotage("metadata keeps its class", "0.15.1", "0.16.0",
             put("sample_fields.3.embedded_doc_type", "fiftyone.core.metadata.Metadata")),
    Sabotage("a key is in another place", "0.13.3", "0.14.0",
             lambda it: it.update(persistent=it.pop("persistent"))),
]


def run(worker):
    """One case for each: our result passes as it is, and does not when spoiled."""
    report = bench.Report()
    cache = {}
    for sabotage in ALL:
        route = (sabotage.head, sabotage.to)
        if route not in cache:
            level = boundaries.level_of(sabotage.head)
            before = bench.at_version(old_layouts.build(level), sabotage.head)
            judgement = worker.judge_each(before, sabotage.to)
            cache[route] = (before, judgement, worker.migrate(before, sabotage.to))
        before, judgement, (outcome, content, window) = cache[route]
        def failures(content):
            found = worker.compare("sabotage", before, *route, judgement,
                                   (outcome, content, window), stamp=False).failures
            return {(it.dataset, it.kind) for it in found}

        plain = failures(content)
        spoiled, changed = sabotage(before, content)
        caught = failures(spoiled) - plain
        if caught and changed:
            report.passed += 1
        else:
            why = "is not caught" if changed else "changed nothing"
            report.failures.append(bench.Failure("sabotage", sabotage.name, *route, why))
    return report


