"""Whole databases as bytes in memory: read, put back, and cut into what belongs to each dataset."""

import struct

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

# Dates that Python cannot hold stay what they are; int64 stays `Int64`, so that it is not int32.
CODEC = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
RUN_MAPS = ("annotation_runs", "brain_methods", "evaluations", "runs")
OWNED = {"runs": "_dataset_id", "views": "_dataset_id", "workspaces": "_dataset_id",
         "delegated_ops": "dataset_id", "execution_store": "dataset_id"}


def decode(raw):
    """A document with its key order and types."""
    return bson.decode(raw, CODEC)


def encode(document):
    """The bytes that MongoDB would store."""
    return bson.encode(document, codec_options=CODEC)


def split(batch):
    """The documents of one raw batch."""
    at, end = 0, len(batch)
    while at < end:
        (size,) = struct.unpack_from("<i", batch, at)
        yield batch[at : at + size]
        at += size


def identity(raw):
    """The bytes of a stored document's `_id`, which MongoDB keeps first."""
    if raw[4] == 7 and raw[5:9] == b"_id\0":
        return raw[9:21]
    return bson.encode({"_id": decode(raw).get("_id")})


def read(db):
    """Everything in a database: `{collection: {identity: bytes}}`, in natural order."""
    dump = {}
    for entry in db.list_collections(filter={"type": "collection"}):
        name = entry["name"]
        if name.startswith("system."):
            continue
        documents = {}
        for batch in db[name].find_raw_batches({}, batch_size=100_000):
            for raw in split(batch):
                documents[identity(raw)] = raw
        dump[name] = documents
    return dump


def indexes(db):
    """The indexes of every collection, to see that nobody added one."""
    return {name: {k: v["key"] for k, v in db[name].index_information().items()}
            for name in db.list_collection_names()}


def make(collections):
    """The dump that a database with these documents would give."""
    return {
        name: {identity(raw): raw for raw in map(encode, documents)}
        for name, documents in collections.items()
    }


def restore(db, wanted, current=None):
    """Makes a database equal to a dump, touching only the collections that differ."""
    if current is None:
        current = read(db)
    for name in current.keys() - wanted.keys():
        db.drop_collection(name)
    for name, documents in wanted.items():
        there = current.get(name)
        if there == documents and (there or name in current):
            continue
        if there:
            db[name].delete_many({})
        if documents:
            db[name].insert_many(
                [RawBSONDocument(raw) for raw in documents.values()], ordered=True
            )
        elif there is None:
            db.create_collection(name)


def datasets(dump):
    """The dataset documents of a dump, by identity."""
    return {key: decode(raw) for key, raw in dump.get("datasets", {}).items()}


class Owners:
    """Which dataset each collection, document and GridFS file belongs to, before or after."""

    def __init__(self, *dumps):
        self.collections, self.documents, self.files = {}, {}, {}
        self.chunks = {}
        for dump in dumps:
            self._add(dump)

    def _add(self, dump):
        by_id = {}
        for key, dataset in datasets(dump).items():
            by_id[key] = key
            samples = dataset.get("sample_collection_name")
            frames = dataset.get("frame_collection_name")
            if isinstance(samples, str):
                self.collections.setdefault(samples, key)
                self.collections.setdefault("frames." + samples, key)
            if isinstance(frames, str):
                self.collections.setdefault(frames, key)
            for field in RUN_MAPS:
                runs = dataset.get(field)
                for run in runs.values() if isinstance(runs, dict) else ():
                    if isinstance(run, dict):
                        self._own_file(run.get("results"), key)
                    elif isinstance(run, bson.ObjectId):
                        self.documents.setdefault(("runs", run.binary), key)
            views = dataset.get("saved_views")
            for view in views if isinstance(views, list) else ():
                if isinstance(view, bson.ObjectId):
                    self.documents.setdefault(("views", view.binary), key)
        for name, link in OWNED.items():
            for key, raw in dump.get(name, {}).items():
                document = decode(raw)
                owner = document.get(link)
                owner = by_id.get(owner.binary) if isinstance(owner, bson.ObjectId) else None
                owner = self.documents.get((name, key), owner)
                if owner is not None:
                    self.documents[(name, key)] = owner
                    self._own_file(document.get("results"), owner)

    def _own_file(self, file, owner):
        if isinstance(file, bson.ObjectId):
            self.files.setdefault(file.binary, owner)

    def cut(self, dump):
        """A dump cut by dataset: `{owner: {collection: {identity: bytes}}}`; `None` owns the rest."""
        parts = {}
        for name, documents in dump.items():
            if name == "datasets":
                for key, raw in documents.items():
                    parts.setdefault(key, {}).setdefault("datasets", {})[key] = raw
            elif name in self.collections:
                parts.setdefault(self.collections[name], {})[name] = documents
            else:
                for key, raw in documents.items():
                    if name == "fs.files":
                        owner = self.files.get(key)
                    elif name == "fs.chunks":
                        owner = self.files.get(decode(raw)["files_id"].binary)
                    else:
                        owner = self.documents.get((name, key))
                    parts.setdefault(owner, {}).setdefault(name, {})[key] = raw
        for part in parts.values():
            for name in [name for name, documents in part.items() if not documents]:
                del part[name]
        return parts
