"""What a run left: read, compared with what another run left, and recorded for the floor."""

import compare
import dump as dumps
from bson import ObjectId
from programs import DATABASE

# Larger databases are compared by the keys and types of all documents, and by the content of some.
WHOLE = 100_000
SOME = 1_000
COMMAND_BYTES = 12 << 20


class State:
    """What a database holds: all of it, or enough of it."""

    def __init__(self, client, window):
        self.window = window
        db = client[DATABASE]
        names = [it["name"] for it in db.list_collections(filter={"type": "collection"})]
        self.shapes, large = {}, set()
        for name in names:
            if db[name].estimated_document_count() > WHOLE // 5:
                large.add(name)
                self.shapes[name] = shapes(db[name])
        self.content = {}
        for name in names:
            found = db[name].find_raw_batches({}, batch_size=100_000)
            if name in large:
                found = db[name].find_raw_batches({}, sort=[("_id", 1)], limit=SOME)
            self.content[name] = {dumps.identity(raw): raw for it in found for raw in dumps.split(it)}


def shapes(collection):
    """How many documents have which keys, in which order, of which types."""
    pairs = {"$map": {"input": {"$objectToArray": "$$ROOT"}, "in": ["$$this.k", {"$type": "$$this.v"}]}}
    stages = [{"$group": {"_id": pairs, "count": {"$sum": 1}, "dates": {"$sum": {
        "$cond": [{"$eq": ["$created_at", {"$toDate": "$_id"}]}, 1, 0]}}}}]
    return sorted((str(it["_id"]), it["count"], it["dates"]) for it in collection.aggregate(stages))


def difference(before, ours, others):
    """Where two states differ that began as `before`, but for new ids and times; `None` if nowhere."""
    if ours.shapes != others.shapes:
        return ("keys and types", ours.shapes, others.shapes)
    parts = (before.content, ours.content, others.content)
    owners = dumps.Owners(*parts)
    before, left, right = map(owners.cut, parts)
    for owner in left.keys() | right.keys():
        then = compare.Known(before.get(owner, {}))
        found = compare.first_difference(
            then, (without_config(left.get(owner, {})), ours.window),
            (without_config(right.get(owner, {})), others.window))
        if found:
            return found
    return None


def without_config(part):
    # Its `_id` is as old as the database; the version in it is checked where it is read.
    return {name: documents for name, documents in part.items() if name != "config"}


def version(client):
    """The version that the database, and every dataset in it, is at; or all that there are."""
    db = client[DATABASE]
    found = set(db.datasets.distinct("version")) | set(db.config.distinct("version"))
    return found.pop() if len(found) == 1 else found


def record(before, after, now, path):
    """Writes the commands that lead from one state to the other, as few as there can be.

    They are knowledge of the result, not a way to it: no program that has to find out what to write can
    do with less.
    """
    was, shall = dumps.datasets(before.content), dumps.datasets(after.content)
    with open(path, "wb") as out:
        # Runs and samples first, then the dataset documents that vouch for them.
        new = [raw for key, raw in after.content.get("runs", {}).items()
               if key not in before.content.get("runs", {})]
        for documents in portions([dumps.decode(it) for it in new]):
            step(out, 1, {"insert": "runs", "documents": documents, "ordered": False})
        for key, dataset in was.items():
            samples = dataset["sample_collection_name"]
            for name in (samples, "frames." + samples):
                if before.content.get(name):
                    update = {"q": {}, "u": pipeline(before, name, dataset["_id"], now), "multi": True}
                    step(out, 1, {"update": name, "updates": [update]})
        swaps = [{"q": {"_id": document["_id"]}, "u": document} for document in shall.values()]
        durable = {"w": "majority", "j": True}
        for updates in portions(swaps):
            step(out, 2, {"update": "datasets", "updates": updates, "ordered": False,
                          "writeConcern": durable})
        for document in map(dumps.decode, after.content["config"].values()):
            update = {"q": {"_id": document["_id"]}, "u": document}
            step(out, 2, {"update": "config", "updates": [update], "writeConcern": durable})


def pipeline(before, name, dataset, now):
    """The shortest pipeline that gives a sample or a frame what 1.22.1 wants of it."""
    first = dumps.decode(next(iter(before.content[name].values())))
    added = {"_dataset_id": {"$literal": dataset}, "created_at": {"$toDate": "$_id"},
             "last_modified_at": now}
    stages = [{"$set": added}]
    return [{"$unset": "frames"}, *stages] if "frames" in first else stages


def portions(documents):
    """As many documents at once as fit into one command."""
    batch, size = [], 0
    for document in documents:
        own = len(dumps.encode({"": document}))
        if batch and size + own > COMMAND_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += own
    if batch:
        yield batch


def step(out, phase, command):
    out.write(dumps.encode({"_id": ObjectId(), "phase": phase, "command": command}))
