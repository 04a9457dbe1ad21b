"""Cases of their own: the database's version and orphans, clashing names, broken references."""

import random

import bench
import boundaries
import compare
import dump as dumps
import judge as judges
import old_layouts
import ours
from bson import ObjectId


def database(worker):
    """The database alone, over every pair of boundaries at which an admin revision may run."""
    report = bench.Report()
    versions = ["0.14.4", "0.15.0", "0.15.1", "0.16.0", "0.18.0", "1.0.0", "1.22.1"]
    # The judge always works on the database `fiftyone` here: it has that name built in.
    for side in ("judge", "ours"):
        worker.names[side], worker.current[side] = "fiftyone", None
    for head in versions:
        before = bench.with_config(_with_orphans(), head)
        for to in versions:
            if to == head:
                continue
            worker.current["judge"] = None
            worker.put("judge", before)
            worker.judge.use("fiftyone")
            error = worker.judge.migrate_database(to)
            wanted = worker.take("judge")
            worker.current["ours"] = None
            outcome, content, window = _database_only(worker, before, to)
            if boundaries.key(to) < (0, 15, 1) <= boundaries.key(head):
                _accept_no_type(content, wanted)
            known = compare.Known(before)
            found = compare.first_difference(known, (content, window), (wanted, window))
            names = sorted(set(content) ^ set(wanted))
            if error or outcome.status or found or names:
                report.failures.append(bench.Failure(
                    "database", "(database)", head, to,
                    f"{error or ''} {outcome.text[-200:] if outcome.status else ''} {names}",
                    *(map(_text, found) if found else ())))
            else:
                report.passed += 1
    worker.client.drop_database("fiftyone")
    return report


def _text(value):
    return value if isinstance(value, str) else compare.show(value)


def _accept_no_type(content, wanted):
    """FiftyOne takes the type away and at once writes it back (faults 22); without it is right too."""
    mine = [dumps.decode(raw) for raw in content["config"].values()]
    if len(mine) == 1 and list(mine[0]) == ["_id", "version"]:
        theirs = [dumps.decode(raw) for raw in wanted["config"].values()]
        theirs[0].pop("type")
        wanted["config"] = dumps.make({"config": theirs})["config"]


def _database_only(worker, before, to):
    worker.put("ours", before)
    with judges.Window() as window:
        if worker.pretends:
            worker.judge.use(worker.names["ours"])
            outcome = ours.Outcome(int(bool(worker.judge.migrate_database(to))), "")
        else:
            outcome = ours.migrate(worker.uri, worker.names["ours"], to, [])
    return outcome, worker.take("ours"), tuple(window)


def _with_orphans():
    dump = old_layouts.build(boundaries.level_of("0.14.0"))
    orphans = {
        f"{prefix}{ObjectId(b'orphan' + bytes([at] * 6))}": [{"_id": at}]
        for at, prefix in enumerate(("samples.", "frames.samples.", "patches.", "clips.", "frames."))
    }
    return {**dump, **dumps.make(orphans), **dumps.make({"other": [{"_id": 1}], "samplesx": [{"_id": 1}]})}


def renamed(worker):
    """Names that 0.19.0 changes: FiftyOne needs two runs, we one, and all slugs are unique."""
    report = bench.Report()
    before = bench.at_version(old_layouts.clashing(), "0.18.0")
    for to in ("0.19.0", "0.19.1", "0.20.0", "1.0.0", boundaries.CLIENT):
        judgement = worker.judge_each(before, to, again=True)
        outcome, content, window = worker.migrate(before, to)
        mine = dumps.datasets(content)
        for unique in ("name", "slug"):
            values = [it.get(unique) for it in mine.values()]
            if len(set(values)) != len(values):
                report.failures.append(bench.Failure(
                    "renamed", "(database)", "0.18.0", to, f"two datasets have one {unique}", "",
                    str(sorted(map(str, values)))))
            else:
                report.passed += 1
        kept = [it["name"] for it in dumps.datasets(before).values() if it["name"] in ("fine", "taken")]
        for key, raw in list(judgement.content["datasets"].items()):
            # Who of two gets the name depends on the order of the runs; what else they get does not.
            theirs = dumps.decode(raw)
            if key in judgement.dead or theirs["name"] in kept:
                continue
            if key in mine:
                theirs["name"], theirs["slug"] = mine[key].get("name"), mine[key].get("slug")
                judgement.content["datasets"][key] = dumps.encode(theirs)
        report.add(worker.compare("renamed", before, "0.18.0", to, judgement,
                                  (outcome, content, window), stamp=False))
    return report


def broken(worker):
    """Dangling references, null versions: refused unchanged, or done whole."""
    report = bench.Report()
    for make in (old_layouts.dangling, old_layouts.versionless):
        content = make()
        for target in range(len(boundaries.LEVELS) - 1):
            to = boundaries.label(target, target)
            before = bench.with_config(content, boundaries.CLIENT)
            judgement = worker.judge_each(before, to)
            if make is old_layouts.versionless:
                # To FiftyOne these are of 0.0: it runs every old revision over a modern document.
                judgement.dead.update({key: "taken for 0.0" for key in before["datasets"]})
            mine = worker.migrate(before, to)
            report.add(worker.compare("broken", before, boundaries.CLIENT, to, judgement, mine,
                                      stamp=False))
    return report


def siblings(worker):
    """Going up from 0.6.1 must not take the samples of a frames view of another dataset."""
    report = bench.Report()
    layout = old_layouts.Layout(0)
    first = layout.dataset("plain", "image", [])
    layout.sample(first)
    view = layout.dataset("view", "image", [], sample_collection_name=f"frames.{layout.id()}")
    layout.sample(view)
    before = bench.at_version(dumps.make(layout.collections), "0.6.1")
    to = "0.6.2"
    outcome, content, _ = worker.migrate(before, to)
    survived = len(content.get(view["sample_collection_name"], {})) == 1
    if survived and outcome.status == 0:
        report.passed += 1
    else:
        report.failures.append(bench.Failure("siblings", "view", "0.6.1", to,
                                             f"its samples are gone {outcome.text[-200:]}"))
    return report


def mixed(worker, states, seed):
    """Datasets of different versions in one database, taken to one by `--all` and by names."""
    report = bench.Report()
    rng = random.Random(seed)
    keys = sorted(set.intersection(*(set(content["datasets"]) for content in states.values())))
    levels = sorted(states)
    before = {}
    # Owners of shared collections (operations, GridFS) are cut apart, so any mixture fits together.
    for key in keys:
        level = rng.choice(levels)
        part = dumps.Owners(states[level]).cut(bench.at_version(states[level], boundaries.label(level, 0)))
        for name, documents in part.get(key, {}).items():
            before.setdefault(name, {}).update(documents)
    for to in (boundaries.CLIENT, boundaries.label(rng.choice(levels), 1), "0.18.0"):
        base = bench.with_config(before, boundaries.CLIENT)
        judgement = worker.judge_each(base, to)
        mine = worker.migrate(base, to)
        report.add(worker.compare(f"mixed {seed}", base, boundaries.CLIENT, to, judgement, mine, stamp=False))
    return report


def named(worker, content):
    """With `-n` only the datasets named change, and the database's version does not."""
    report = bench.Report()
    before = bench.at_version(content, "0.18.0")
    every = {it["name"]: key for key, it in dumps.datasets(before).items()}
    for name in sorted(every)[::4]:
        outcome, after, _ = worker.migrate(before, boundaries.CLIENT, [name])
        owners = dumps.Owners(before, after)
        then, now = owners.cut(before), owners.cut(after)
        changed = {key for key in then.keys() | now.keys() if then.get(key) != now.get(key)}
        version = dumps.decode(after["datasets"][every[name]]).get("version")
        if outcome.status or changed != {every[name]} or version != boundaries.CLIENT:
            names = [it for it, key in every.items() if key in changed]
            report.failures.append(bench.Failure(
                "named", name, "0.18.0", boundaries.CLIENT,
                f"changed {names}, rest {None in changed}, version {version}, {outcome.text[-200:]}"))
        else:
            report.passed += 1
    return report


def indexes(worker, content, stored):
    """A database with FiftyOne's indexes: none is added, dropped or broken."""
    before = bench.at_version(content, "0.18.0")
    db = worker.client[worker.names["ours"]]
    worker.client.drop_database(db.name)
    worker.current["ours"] = {}
    worker.put("ours", before)
    for name, kinds in stored.items():
        for index, keys in kinds.items():
            if index != "_id_" and name in before:
                unique = name == "datasets" or "frame_number" in index or name == "fs.chunks"
                db[name].create_index(keys, name=index, unique=unique)
    then = dumps.indexes(db)
    outcome = ours.migrate(worker.uri, db.name, boundaries.CLIENT)
    worker.current["ours"] = None
    now = dumps.indexes(db)
    # Files keep the indexes that every driver makes for them.
    fresh = {name: kinds for name, kinds in now.items() if name not in then}
    report = bench.Report()
    if outcome.status or {**now, **then} != {**then, **now} or any(len(it) > 1 for it in fresh.values()):
        wrong = {name: kinds for name, kinds in now.items() if kinds != then.get(name)}
        report.failures.append(bench.Failure("indexes", "(database)", "0.18.0", boundaries.CLIENT,
                                             f"{wrong} {outcome.text[-200:] if outcome.status else ''}"))
    else:
        report.passed += 1
    worker.client.drop_database(db.name)
    return report


def unchanged(worker, content):
    """What only looks, and what is refused as a whole, leaves every byte as it was."""
    report = bench.Report()
    before = bench.at_version(content, "0.18.0")
    database = worker.names["ours"]
    for admin, status, flags in (
        ("false", 0, ["--info"]), ("true", 0, ["--info", "--json"]),
        ("false", 0, ["--all", "--dry-run"]), ("true", 0, ["--all", "--dry-run", "--json"]),
        ("true", 0, ["--all", "--dry-run", "-v", "0.7.2"]),
        ("false", 1, ["--all"]), ("false", 1, ["--all", "-v", "1.0.0"]),
        ("true", 1, ["--all", "-v", "1.23.0"]), ("true", None, ["--all", "-v", "banana"]),
        ("true", None, ["-n", "no such dataset", "-v", "1.0.0"]), ("true", 2, ["--no-such-flag"]),
    ):
        worker.put("ours", before)
        outcome = ours.run(worker.uri, database, flags, admin)
        after = worker.take("ours")
        right = outcome.status == status if status is not None else outcome.status in (1, 2, 3)
        if after == before and right and outcome.text.strip():
            report.passed += 1
        else:
            changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            report.failures.append(bench.Failure(
                "unchanged", " ".join(flags), "0.18.0", f"admin={admin}",
                f"exit status {outcome.status}, changed {changed}: {outcome.text.strip()[-300:]}"))
    return report


def below_first(worker, content):
    """Down to 0.6.1 by us and up again, by us and by FiftyOne, gives what was there before."""
    report = bench.Report()
    before = bench.at_version(content, "0.6.2")
    outcome, old, _ = worker.migrate(before, "0.6.1")
    refused = {key for key in before["datasets"] if old["datasets"].get(key) == before["datasets"][key]}
    for key in refused:
        name = dumps.decode(before["datasets"][key])["name"]
        if outcome.mentions(name) and outcome.status:
            report.passed += 1
        else:
            report.failures.append(bench.Failure("below", name, "0.6.2", "0.6.1", "silently refused"))
    start = bench.with_config(bench.only(old, lambda key: key not in refused), "0.6.1")
    # FiftyOne takes all that is not an image for a video, and drops the samples of frames views.
    theirs = bench.with_config(bench.only(start, lambda key: _of_that_time(before, key)), "0.6.1")
    judgement = worker.judge_each(theirs, "0.6.2")
    report.add(_returned(before, theirs, judgement.content, "by FiftyOne", judgement.dead))
    _, again, _ = worker.migrate(start, "0.6.2")
    report.add(_returned(before, start, again, "by us", {}))
    return report


def _of_that_time(before, key):
    document = dumps.decode(before["datasets"][key])
    return document.get("media_type") in ("image", "video") and document[
        "sample_collection_name"].startswith("samples.")


def _returned(before, start, after, who, dead):
    report = bench.Report()
    owners = dumps.Owners(before, after)
    then, now = owners.cut(before), owners.cut(after)
    for key, document in dumps.datasets(start).items():
        found = None
        if key not in dead:
            found = _same_in_any_order(then.get(key, {}), now.get(key, {}))
        if found and who == "by FiftyOne" and ".points[" in found[0] and _many_shapes(then[key]):
            # Ours keeps the shapes of a polyline that has several, which FiftyOne would empty on the
            # way down; on the way up it then sees one shape made of them (faults 9).
            found = None
        if found and found[0].endswith(".frames") and found[2] is compare.ABSENT:
            # A video without frames had nothing there, which only `down` of 0.7.2 leaves.
            found = None
        if key in dead or found:
            why = f"cannot go up: {dead[key]}" if key in dead else "is not what it was"
            report.failures.append(bench.Failure(
                "below", document["name"], "0.6.2", f"0.6.1 and up {who}", why,
                *([found[0], _text(found[1]), _text(found[2])] if found else [])))
        else:
            report.passed += 1
    return report


def _many_shapes(part):
    def many(value):
        if isinstance(value, list):
            return any(map(many, value))
        if not isinstance(value, dict):
            return False
        if value.get("_cls") == "Polyline" and len(value.get("points") or ()) > 1:
            return True
        return any(map(many, value.values()))

    return any(many(dumps.decode(raw)) for documents in part.values() for raw in documents.values())


def _same_in_any_order(then, now):
    for name in sorted(then.keys() | now.keys()):
        left, right = then.get(name, {}), now.get(name, {})
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                return (name, f"before: {key in left}", f"after: {key in right}")
            found = compare.differ(name, _sorted(dumps.decode(right[key])), _sorted(dumps.decode(left[key])))
            # FiftyOne copies the first frame before it converts it (faults 9): its polylines differ.
            # Nothing below 0.6.2 has a media type that says nothing: up again it is an image.
            if found and ".frames.first_frame." not in found[0] and found[0] != "datasets.media_type":
                return found
    return None


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(it) for it in value]
    return value
