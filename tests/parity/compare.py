"""Compares two results of one migration: keys in order, BSON types, minted ids and times as symbols."""

import datetime
import json
import struct

from bson import ObjectId, json_util

import differences
import dump as dumps


class Known:
    """The ids and times that were there before a migration; only others can have been minted by it."""

    def __init__(self, before):
        self.ids, self.dates = set(), set()
        for documents in before.values():
            for raw in documents.values():
                self._walk(dumps.decode(raw))

    def _walk(self, value):
        if isinstance(value, dict):
            for inner in value.values():
                self._walk(inner)
        elif isinstance(value, list):
            for inner in value:
                self._walk(inner)
        elif isinstance(value, ObjectId):
            self.ids.add(value)
        elif isinstance(value, datetime.datetime):
            self.dates.add(value)


class Side:
    """One of the two results, with the symbols of what it minted."""

    def __init__(self, known, window, part):
        self.known, self.window, self.part = known, window, part
        self.symbols = {}

    def plain(self, value):
        """A value with symbols instead of what the migration minted."""
        if isinstance(value, dict):
            return {key: self.plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        if isinstance(value, ObjectId) and value not in self.known.ids:
            return self.symbols.setdefault(value, f"$new{len(self.symbols) + 1}")
        if isinstance(value, datetime.datetime) and value not in self.known.dates:
            if self.window[0] <= value <= self.window[1]:
                return "$now"
        return value

    def documents(self, name):
        """The documents of a collection by their (symbolic) id, the oldest ids first."""
        found = {}
        for raw in self.part.get(name, {}).values():
            document = dumps.decode(raw)
            found[document["_id"]] = document
        return found


def first_difference(known, ours, judges):
    """Where two parts differ first: `(path, our value, their value)`, or `None` if they are equal.

    Each of `ours` and `judges` is `(part, window)`; a part is `{collection: {identity: bytes}}`.
    """
    if ours[0] == judges[0]:
        return None
    left, right = Side(known, ours[1], ours[0]), Side(known, judges[1], judges[0])
    names = sorted(left.part.keys() | right.part.keys(), key=_rank)
    files = False
    for name in names:
        if name.startswith("fs."):
            files = True
            continue
        if left.part.get(name) == right.part.get(name):
            continue
        found = _differ_collection(name, left, right)
        if found:
            return found
    if files:
        return _differ_files(left, right)
    return None


def _rank(name):
    # Datasets name the runs and runs name the files, so ids get their symbols in that order.
    order = ["datasets", "runs", "views", "workspaces"]
    return (order.index(name) if name in order else len(order), name)


def _keyed(side, name):
    keyed, unreferenced = {}, []
    for key, document in side.documents(name).items():
        if isinstance(key, ObjectId) and key not in side.known.ids:
            if key in side.symbols:
                keyed[side.symbols[key]] = document
            else:
                unreferenced.append(document)
        else:
            keyed[key] = document
    for document in sorted(unreferenced, key=lambda it: show({**it, "_id": None})):
        keyed[side.plain(document["_id"])] = document
    return keyed


def _differ_collection(name, left, right):
    ours, theirs = _keyed(left, name), _keyed(right, name)
    # In the order of our symbols, so that both sides number what they minted in the same order.
    for key in sorted(ours.keys() | theirs.keys(), key=_natural):
        path = name if name == "datasets" else f"{name}[{show(key)}]"
        if key not in ours:
            return (path, ABSENT, right.plain(theirs[key]))
        if key not in theirs:
            return (path, left.plain(ours[key]), ABSENT)
        found = differ(path, left.plain(ours[key]), right.plain(theirs[key]))
        if found:
            return found
    return None


def _natural(key):
    text = str(key)
    return (1, int(text[4:])) if text.startswith("$new") else (0, text)


def _files(side):
    files, chunks, found = {}, {}, []
    for raw in side.part.get("fs.chunks", {}).values():
        chunk = dumps.decode(raw)
        chunks.setdefault(chunk["files_id"], []).append(chunk)
    for key, file in side.documents("fs.files").items():
        own = sorted(chunks.pop(key, []), key=lambda it: it["n"])
        data = b"".join(chunk["data"] for chunk in own)
        try:
            content = json.loads(data)
        except ValueError:
            content = data
        layout = [
            [list(chunk), type(chunk["n"]).__name__, chunk["n"], type(chunk["data"]).__name__]
            for chunk in own
        ]
        if file.get("length") == len(data):
            # The length follows from the text, which is compared decoded.
            file["length"] = f"$length:{type(file['length']).__name__}"
        new = key not in side.known.ids and key not in side.symbols
        rank = json.dumps(content, sort_keys=True, default=repr) if new else ""
        found.append((new, rank, key, {"file": file, "content": content, "chunks": layout}))
    # New files that nothing names any more get their symbols in the order of their content.
    for _, _, key, entry in sorted(found, key=lambda it: it[:2]):
        files[side.plain(key)] = {**entry, "file": side.plain(entry["file"])}
    for key, own in chunks.items():
        files[f"chunks without a file {side.plain(key)}"] = {"chunks": len(own)}
    return files


def _differ_files(left, right):
    ours, theirs = _files(left), _files(right)
    for key in sorted(ours.keys() | theirs.keys(), key=_natural):
        found = differ(f"fs[{show(key)}]", ours.get(key, ABSENT), theirs.get(key, ABSENT))
        if found:
            return found
    return None


class _Absent:
    def __repr__(self):
        return "(absent)"


ABSENT = _Absent()


def differ(path, ours, theirs):
    """The first difference of two values; the order of keys and the BSON types count."""
    if type(ours) is not type(theirs):
        return (path, ours, theirs)
    if isinstance(ours, dict):
        for key in theirs:
            if key not in ours:
                return (f"{path}.{key}", ABSENT, theirs[key])
            found = differ(f"{path}.{key}", ours[key], theirs[key])
            if found:
                return found
        for key in ours:
            if key not in theirs:
                return (f"{path}.{key}", ours[key], ABSENT)
        if list(ours) != list(theirs):
            return (f"{path} (order of keys)", list(ours), list(theirs))
        return None
    if isinstance(ours, list):
        for at, (left, right) in enumerate(zip(ours, theirs)):
            found = differ(f"{path}[{at}]", left, right)
            if found:
                return found
        if len(ours) != len(theirs):
            return (f"{path} (length)", len(ours), len(theirs))
        return None
    if differences.equivalent(path, ours, theirs):
        return None
    if isinstance(ours, float):
        same = struct.pack("<d", ours) == struct.pack("<d", theirs)
    else:
        same = ours == theirs
    return None if same else (path, ours, theirs)


def show(value, limit=300):
    """A value for people: canonical Extended JSON where it is BSON."""
    if isinstance(value, _Absent):
        return "(absent)"
    try:
        text = json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS, ensure_ascii=False)
    except (TypeError, ValueError, OverflowError):
        text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
