"""Seeded damage: keys dropped, nulls, wrong types, extra keys, keys in another order."""

import datetime
import random

import bench
import boundaries
import bson
import compare
import dump as dumps
from bson import Int64, ObjectId

WRONG = [
    5, "text", "", [], {}, [1], ["a", None], {"a": 1}, True, False, 1.5, Int64(7),
    ObjectId("5f00000000000000000000aa"), datetime.datetime(2001, 2, 3), bson.Binary(b"\0"),
    bson.Decimal128("1.5"), bson.Regex("x"), [[]], [{}], {"cls": 3}, bson.DatetimeMS(1 << 55),
]
# The identity of a dataset and its version are what a case is about; they have cases of their own.
KEPT = {"_id", "version"}


def unfound(part):
    """Why more may be refused of a dataset that does not say where its samples are: older versions would not find its frames."""
    documents = [dumps.decode(it) for it in part.get("datasets", {}).values()]
    says = all(it.get("sample_collection_name") for it in documents)
    return None if says else "does not say where its samples are"


def case(rng, content):
    """Damages a dump of one dataset: `(dump, what was done, whether a type is wrong)`."""
    content = {name: dict(documents) for name, documents in content.items()}
    done, wrong = [], False
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        name = rng.choice(_weighted(content))
        key = rng.choice(list(content[name]))
        document = dumps.decode(content[name][key])
        what, typed = _damage(rng, document, name == "datasets")
        if what is None:
            continue
        content[name][key] = dumps.encode(document)
        done.append(f"{name.split('.')[0]}: {what}")
        wrong |= typed
    return content, "; ".join(done) or "nothing", wrong


def _weighted(content):
    names = []
    for name, documents in content.items():
        if documents and not name.startswith("fs."):
            names += [name] * {"datasets": 12, "runs": 4}.get(name, 1)
    return names


def _places(value, path, top):
    if isinstance(value, dict):
        for key, inner in value.items():
            if not (top and key in KEPT):
                yield value, key, f"{path}.{key}"
                yield from _places(inner, f"{path}.{key}", False)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield value, at, f"{path}[{at}]"
            yield from _places(inner, f"{path}[{at}]", False)


def _damage(rng, document, dataset):
    places = [it for it in _places(document, "", True) if not (dataset and it[2] == ".name")]
    if not places:
        return None, False
    # Every place of the first two levels weighs as much as all of the deep ones together do.
    shallow = [it for it in places if it[2].count(".") + it[2].count("[") <= 2]
    owner, key, path = rng.choice(shallow if shallow and rng.random() < 0.6 else places)
    kind = rng.choice(["drop", "drop", "null", "null", "wrong", "wrong", "wrong", "extra", "order"])
    if kind == "drop":
        del owner[key]
        return f"drop {path}", False
    if kind == "null":
        owner[key] = None
        # Null for a value is no value; null as one of a list of documents has a wrong type.
        return f"null {path}", isinstance(owner, list)
    if kind == "wrong":
        owner[key] = rng.choice(WRONG)
        return f"wrong {path} = {owner[key]!r}", True
    if kind == "extra":
        value = rng.choice(WRONG + [None])
        if isinstance(owner, list):
            # A list of documents with something else in it has a wrong type inside.
            owner.insert(key, value)
            return f"extra {path} = {value!r}", True
        rest = list(owner.items())
        rest.insert(rng.randrange(1, len(rest) + 1), (rng.choice(["extra", "zz", "_x"]), value))
        owner.clear()
        owner.update(rest)
        return f"extra beside {path} = {value!r}", False
    if isinstance(owner, list):
        owner.reverse()
    else:
        rest = [it for it in owner.items() if it[0] != "_id"]
        rng.shuffle(rest)
        first = [("_id", owner["_id"])] if "_id" in owner else []
        owner.clear()
        owner.update(first + rest)
    return f"order around {path}", False


def batch(worker, sources, seed, size):
    """`size` damaged datasets in one database, taken from one version to another by both."""
    rng = random.Random(seed)
    level, content = sources[rng.randrange(len(sources))]
    top = len(boundaries.LEVELS) - 1
    target = rng.choice([it for it in range(1, top + 1) if it != level])
    head, to = boundaries.label(level, rng.randrange(2)), boundaries.label(target, rng.randrange(2))
    before = bench.at_version(content, head)
    keys = sorted(before["datasets"])
    keys = rng.sample(keys, min(size, len(keys)))
    parts = dumps.Owners(before).cut(before)
    mixed, told, lenient = {}, {}, {}
    for key in keys:
        part, what, wrong = case(rng, parts[key])
        told[key] = what
        lenient[key] = "wrong type" if wrong else unfound(part)
        for name, documents in part.items():
            mixed.setdefault(name, {}).update(documents)
    mixed = bench.with_config(mixed, head)
    judgement = worker.judge_each(mixed, to)
    mine = worker.migrate(mixed, to)
    report = worker.compare(f"fuzz {seed}", mixed, head, to, judgement, mine,
                            compare.Known(mixed), lenient, stamp=False)
    names = {it["name"]: told[key] for key, it in dumps.datasets(mixed).items() if key in told}
    for failure in report.failures:
        failure.note = names.get(failure.dataset, "")
    return report
