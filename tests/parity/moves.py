"""Exports and imports against those of the real FiftyOne: every dataset of the corpus goes out and in, both ways.

Prints what differs, and ends with `N passed, M failed`.
"""

import atexit
import filecmp
import json
import os
import shutil
import sys
import tempfile

import bench
import corpus
import dump as dumps
import mongo
import ours

DATABASE = "moves"
RUNS = dumps.RUN_MAPS
# What FiftyOne sets anew where we keep what was exported.
TIMES = ("created_at", "last_modified_at", "last_loaded_at", "last_deletion_at")


def main():
    """Every dataset, one after the other."""
    passed, failed = 0, 0
    content = corpus.load()["dump"]
    with mongo.Mongod() as server:
        uri = server.uri
        import judge

        judge.prepare(uri)
        os.environ["FIFTYONE_DATABASE_NAME"] = DATABASE
        import fiftyone as fo
        import pymongo

        atexit.unregister(fo.core.odm.database._delete_non_persistent_datasets_if_allowed)
        fo.config.show_progress_bars = False
        db = pymongo.MongoClient(uri)[DATABASE]
        dumps.restore(db, bench.with_config(content, "1.22.1"))
        tagged(fo, db)
        folder = tempfile.mkdtemp()
        for document in sorted(db.datasets.find({}), key=lambda it: str(it.get("name"))):
            name = document.get("name")
            if not str(document["sample_collection_name"]).startswith("samples."):
                continue
            for case, problem in cases(fo, db, uri, name, folder):
                if problem is None:
                    passed += 1
                else:
                    failed += 1
                    print(f"FAILED {case} of {name!r}: {problem}", flush=True)
        shutil.rmtree(folder)
        tags = db.tags.count_documents({})
        # It registers it again when it connects, and would wait for a server that is gone.
        atexit.unregister(fo.core.odm.database._delete_non_persistent_datasets_if_allowed)
    print(f"{tags} temporal tags\nmoves: {passed} passed, {failed} failed")
    return 1 if failed or not passed or not tags else 0


def tagged(fo, db):
    """Gives the samples of some datasets temporal tags."""
    import fiftyone.core.tags as tags

    for document in list(db.datasets.find({}))[:4]:
        dataset = fo.load_dataset(document["name"])
        ids = dataset.values("id")[:3]
        of = lambda it, **more: tags.TemporalTag(it, **more)
        some = [of(it, start=at, end=at + 10**at, tag=f"tag {at}") for it in ids for at in (0, 9)]
        some += [of(it, start=1, end=2, tag="x", index_type=1, anchor="lidar", created_by="ada") for it in ids]
        if some:
            tags.add_temporal_tags(dataset, some)


def cases(fo, db, uri, name, folder):
    """`(case, problem or None)` for one dataset."""
    theirs, mine = os.path.join(folder, "theirs"), os.path.join(folder, "ours")
    for it in (theirs, mine):
        shutil.rmtree(it, ignore_errors=True)
    try:
        fo.load_dataset(name).export(
            export_dir=theirs, dataset_type=fo.types.FiftyOneDataset, export_media=False)
    except AttributeError:
        # It cannot export a run whose results are gone.
        theirs = None
    said = ours.run(uri, DATABASE, ["export", name, mine])
    if said.status:
        yield "export", said.text
        return
    if theirs:
        yield "export", different_folders(mine, theirs)
        yield "import of theirs", imported(fo, db, uri, theirs)
    yield "import of ours", imported(fo, db, uri, mine)


def imported(fo, db, uri, folder):
    """How our import of a folder differs from that of FiftyOne, side by side."""
    for it in ("moved", "ours"):
        if fo.dataset_exists(it):
            fo.delete_dataset(it)
    fo.Dataset.from_dir(
        dataset_dir=folder, dataset_type=fo.types.FiftyOneDataset, name="moved", persistent=True)
    expected = contents(db, "moved")
    said = ours.run(uri, DATABASE, ["import", folder, "--name", "ours"])
    if said.status:
        return said.text
    found = contents(db, "ours")
    problem = first(found, expected, "")
    if problem is None:
        # FiftyOne can work with it.
        loaded = fo.load_dataset("ours")
        if loaded.count() != fo.load_dataset("moved").count():
            problem = "FiftyOne finds other samples"
        loaded.first() if loaded.count() else None
    return problem


def contents(db, name):
    """Everything of a dataset, with what is minted anew left out."""
    document = db.datasets.find_one({"name": name})
    dataset = document.pop("_id")
    samples, frames = document["sample_collection_name"], document.get("frame_collection_name")
    document["sample_collection_name"] = samples.replace(str(dataset), "$id")
    if frames:
        document["frame_collection_name"] = frames.replace(str(dataset), "$id")
    for key in ("name", "slug"):
        document[key] = document[key].replace(name, "$name")
    for key, collection in (("saved_views", "views"), ("workspaces", "workspaces")):
        document[key] = [db[collection].find_one({"_id": it}) for it in document.get(key, [])]
    for kind in RUNS:
        for key, it in document.get(kind, {}).items():
            run = db.runs.find_one({"_id": it})
            if run.get("results"):
                run["results"] = json.loads(gridfs(db, run["results"]))
            document[kind][key] = run
    # Keys in the order of their names, without those that say nothing: FiftyOne stores them in the order in which it happened to
    # set them, `frame_collection_name` as null where there are no frames, and no map of runs where there are none.
    document = {key: it for key, it in named(document).items() if it or key not in RUNS}
    found = {"document": document, "samples": all_of(db, samples), "frames": all_of(db, frames),
             "tags": tags_of(db, dataset), "indexes": [indexes(db, samples), indexes(db, frames), indexes(db, "tags")]}
    return plain(found, dataset)


def plain(value, dataset):
    """Without times, and without ids that are minted."""
    if isinstance(value, dict):
        # The ids of runs, views and workspaces are new on both sides.
        own = value.get("_dataset_id") == dataset and "_media_type" not in value and "frame_number" not in value
        return {key: plain(it, dataset) for key, it in value.items() if key not in TIMES and not (own and key == "_id")}
    if isinstance(value, list):
        return [plain(it, dataset) for it in value]
    return "$dataset" if value == dataset else value


def tags_of(db, dataset):
    key = lambda it: (str(it["_sample_id"]), it["start"], it["end"], it["tag"])
    return [named(it) for it in sorted(db.tags.find({"_dataset_id": dataset}), key=key)]


def all_of(db, collection):
    return sorted(db[collection].find({}), key=lambda it: str(it["_id"])) if collection else []


def indexes(db, collection):
    found = db[collection].index_information() if collection in db.list_collection_names() else {}
    return {key: (it["key"], it.get("unique", False)) for key, it in sorted(found.items())}


def gridfs(db, file):
    return b"".join(it["data"] for it in db["fs.chunks"].find({"files_id": file}).sort("n", 1))


def first(found, expected, path):
    """Where two values differ first, in words."""
    if isinstance(found, dict) and isinstance(expected, dict):
        if list(found) != list(expected):
            extra, lacking = [it for it in found if it not in expected], [it for it in expected if it not in found]
            return f"{path}: keys {extra or list(found)} where FiftyOne has {lacking or list(expected)}"
        return next((it for key in found if (it := first(found[key], expected[key], f"{path}.{key}"))), None)
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected))
        return next((it for at, (a, b) in pairs if (it := first(a, b, f"{path}[{at}]"))), None)
    same = type(found) is type(expected) and (found == expected or found != found and expected != expected)
    return None if same else f"{path}: {found!r}, and FiftyOne has {expected!r}"


def named(value):
    """With the keys of every object in order, without those that say nothing."""
    if isinstance(value, dict):
        return {key: named(it) for key, it in sorted(value.items()) if it is not None}
    return [named(it) for it in value] if isinstance(value, list) else value


def different_folders(found, expected):
    """Which files differ, byte for byte."""
    def files(root):
        return sorted(os.path.relpath(os.path.join(at, it), root) for at, _, names in os.walk(root) for it in names)

    if files(found) != files(expected):
        return f"files {files(found)}, and FiftyOne writes {files(expected)}"
    for it in files(found):
        a, b = os.path.join(found, it), os.path.join(expected, it)
        if filecmp.cmp(a, b, shallow=False):
            continue
        with open(a) as left, open(b) as right:
            left, right = json.load(left), json.load(right)
            if it == "metadata.json":
                # FiftyOne writes its keys in the order of its classes, and keys that are not stored.
                left, right = named(left), named(right)
            problem = first(left, right, it)
        # What FiftyOne writes of results is what it makes of them; ours are the bytes that are stored.
        if problem is not None or it in ("samples.json", "frames.json"):
            return problem or f"{it}: the same values in other words"
    return None


if __name__ == "__main__":
    sys.exit(main())
