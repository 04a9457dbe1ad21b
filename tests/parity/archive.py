"""Downgrades that lose nothing: down by us and up again is the original, value for value, the order of keys aside."""

import bench
import boundaries
import compare
import dump as dumps
import old_layouts
import ours

TOP = len(boundaries.LEVELS) - 1
# What is only passed through on the way up, in two steps.
MIDDLE = boundaries.LEVELS.index("0.20.0")
# From where FiftyOne itself goes up before we do: all the way, or to the middle.
BY_FIFTYONE = ("0.14.0", "0.17.0", "0.19.0", "0.23.0", "1.1.0")

FILES = ("fs.chunks", "fs.files")


def run(worker, corpus, level):
    """Every dataset that can go down to a level, and up again, at once and with a stop in between."""
    report = bench.Report()
    for name, content in (("corpus", corpus), ("old layouts", old_layouts.build(TOP))):
        before = bench.at_version(content, boundaries.CLIENT)
        to = boundaries.label(level, level)
        report.add(_there_and_back(worker, f"archive of {name}", before, [to, boundaries.CLIENT]))
        if level < MIDDLE:
            stops = [to, boundaries.LEVELS[MIDDLE], boundaries.CLIENT]
            report.add(_there_and_back(worker, f"archive of {name} in steps", before, stops))
        if boundaries.LEVELS[level] in BY_FIFTYONE:
            report.add(_up_by_fiftyone(worker, f"archive of {name} after FiftyOne", before, to))
    return report


def _there_and_back(worker, group, before, stops):
    report = bench.Report()
    outcome, low, _ = worker.migrate(before, stops[0])
    arrived = [it for it in low["datasets"].values() if bench.reached(dumps.decode(it), stops[0])]
    if not arrived:
        report.failures.append(bench.Failure(
            group, "(database)", boundaries.CLIENT, stops[0], f"nothing came there: {outcome.text[-300:]}"))
    after, conflicts = low, set()
    for stop in stops[1:]:
        conflicts |= ours.migrate(worker.uri, worker.names["ours"], stop).conflicts()
        after = worker.take("ours")
    owners = dumps.Owners(before, low, after)
    then, now = owners.cut(before), owners.cut(after)
    for key, document in dumps.datasets(before).items():
        if not bench.reached(dumps.decode(low["datasets"][key]), stops[0]):
            # It cannot go there, and is compared with FiftyOne elsewhere.
            continue
        found = same_in_any_order(then.get(key, {}), now.get(key, {}))
        name = document.get("name")
        if found:
            way = " -> ".join(stops)
            report.failures.append(bench.Failure(
                group, str(name), boundaries.CLIENT, way, "is not the original", *found))
        elif name in conflicts:
            report.failures.append(bench.Failure(
                group, str(name), boundaries.CLIENT, stops[0], "a conflict where nobody has changed anything"))
        else:
            report.passed += 1
    return report


def _up_by_fiftyone(worker, group, before, to):
    """FiftyOne takes them up, as it does when somebody loads them; then we give back what it could not."""
    report = bench.Report()
    for stop in (boundaries.LEVELS[MIDDLE], boundaries.CLIENT):
        if boundaries.key(stop) <= boundaries.key(to):
            continue
        _, low, _ = worker.migrate(before, to)
        worker.judge.use(worker.names["ours"])
        dead = set()
        for key, document in dumps.datasets(low).items():
            if bench.reached(document, to) and worker.judge.migrate_dataset(document["name"], stop):
                dead.add(key)
        taken = worker.take("ours")
        conflicts = ours.migrate(worker.uri, worker.names["ours"], boundaries.CLIENT).conflicts()
        after = worker.take("ours")
        owners = dumps.Owners(before, low, taken, after)
        then, now = owners.cut(before), owners.cut(after)
        for key, document in dumps.datasets(before).items():
            name = str(document.get("name"))
            if key in dead or not bench.reached(dumps.decode(low["datasets"][key]), to):
                continue
            then_it, now_it, excuses = excused(then.get(key, {}), now.get(key, {}), name in conflicts)
            for it in excuses:
                report.documented[it] += 1
            found = same_in_any_order(then_it, now_it)
            if found:
                report.failures.append(bench.Failure(
                    group, name, boundaries.CLIENT, f"{to} -> {stop}", "is not the original", *found))
            else:
                report.passed += 1
    return report


def excused(then, now, conflict):
    """Both parts without what may be another way, and why it may: the rest still has to be the same."""
    then, now = ({name: dict(part) for name, part in it.items()} for it in (then, now))
    excuses = set()
    if conflict:
        # It has written the results of similarity anew, and nobody can tell that from computing them anew.
        for name in FILES:
            if then.get(name) != now.get(name):
                excuses.add("results that FiftyOne has rewritten stay, and are listed")
                then.pop(name, None)
                now.pop(name, None)
        for key, left, right in pairs(then, now, "runs"):
            if left.get("results") != right.get("results"):
                excuses.add("results that FiftyOne has rewritten stay, and are listed")
                now["runs"][key] = dumps.encode({**right, "results": left.get("results")})
    for key, left, right in pairs(then, now, "datasets"):
        if left.get("last_modified_at") is None and right.get("last_modified_at") is not None:
            excuses.add("when FiftyOne has changed it stays, where nothing was said before")
            right.pop("last_modified_at")
            left.pop("last_modified_at", None)
        if declare_keypoints(left, right):
            excuses.add("FiftyOne declares keypoints as polylines, and that stays")
        now["datasets"][key] = dumps.encode(right)
        then["datasets"][key] = dumps.encode(left)
    return then, now, excuses


def pairs(then, now, name):
    """The documents of a collection that are in both parts."""
    for key in sorted(then.get(name, {}).keys() & now.get(name, {}).keys()):
        yield key, dumps.decode(then[name][key]), dumps.decode(now[name][key])


def declare_keypoints(left, right):
    """Declares those fields as the left one does that are keypoints there and polylines in the right one."""
    if isinstance(left, dict) and isinstance(right, dict):
        found = [declare_keypoints(left[key], right[key]) for key in left.keys() & right.keys()]
        kinds = [str(it.get("ftype")).rpartition(".")[2] for it in (left, right)]
        if kinds == ["KeypointsField", "PolylinePointsField"]:
            right["ftype"] = left["ftype"]
            return True
        return any(found)
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return any([declare_keypoints(*both) for both in zip(left, right)])
    return False


def same_in_any_order(then, now):
    """The first difference of two parts, the order of keys and of documents aside: `(path, found, expected)`."""
    for name in sorted(then.keys() | now.keys()):
        left, right = then.get(name, {}), now.get(name, {})
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                there = left.get(key) or right.get(key)
                state = "is gone" if key in left else "is new"
                return (name, f"{state}: {compare.show(dumps.decode(there))}", "")
            if left[key] == right[key]:
                continue
            found = compare.differ(name, ordered(dumps.decode(right[key])), ordered(dumps.decode(left[key])))
            if found:
                return (found[0], compare.show(found[1]), compare.show(found[2]))
    return None


def ordered(value):
    """A value with all its keys in order."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [ordered(it) for it in value]
    return value
