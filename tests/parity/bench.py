"""One worker: a judge, two databases, and the verdict on what each left."""

import collections
import contextlib
import os
import re
import time
import traceback

import boundaries
import compare
import differences
import dump as dumps
import judge as judges
import ours
import pymongo


ORPHANS = ("samples.", "frames.", "patches.", "clips.")


class Failure:
    """One case in which the results are not what they must be."""

    def __init__(self, group, dataset, head, to, kind, path="", mine="", theirs=""):
        self.group, self.dataset, self.head, self.to = group, dataset, head, to
        self.kind, self.path, self.mine, self.theirs = kind, path, mine, theirs
        self.note = ""

    def line(self):
        text = f"{self.group}: {self.dataset[:60]!r} {self.head} -> {self.to}: {self.kind}"
        if self.path:
            text += f" at {self.path}: ours {self.mine}, FiftyOne {self.theirs}"
        if self.note:
            text += f" [{self.note}]"
        return text


    def cause(self):
        """What failures of one origin have in common: no names, ids or positions."""
        path = re.sub(r"\[[^\]]*\]|[0-9a-f]{24}", "", self.path)
        kind = re.sub(r"[0-9a-f]{24}", "", self.kind).replace(self.dataset, "NAME")
        kind = re.sub(r"[0-9]+", "0", re.sub(r"`[^`]*`", "`…`", kind))
        return f"{self.group.split()[0]}: {kind[:160]} {path}".strip()


class Report:
    """What came of some cases; reports add up."""

    def __init__(self):
        self.passed, self.failures = 0, []
        self.stricter = collections.Counter()
        self.documented = collections.Counter()

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.stricter.update(other.stricter)
        self.documented.update(other.documented)


class Judgement:
    """What FiftyOne made of a database: its content, and the datasets at which it failed."""

    def __init__(self, content, window, dead):
        self.content, self.window, self.dead = content, window, dead


class Bench:
    """Runs cases; one per process."""

    def __init__(self, uri, tag):
        self.uri = uri
        self.judge = judges.Judge(uri)
        self.client = pymongo.MongoClient(uri)
        self.names = {side: f"parity_{side}_{tag}" for side in ("judge", "ours")}
        self.current = {}
        # The harness itself is checked by comparing FiftyOne with FiftyOne.
        self.pretends = os.environ.get("PARITY_OURS") == "judge"
        # What the time goes to, in seconds.
        self.spent = collections.Counter()

    @contextlib.contextmanager
    def timed(self, phase):
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent[phase] += time.monotonic() - began

    def put(self, side, content):
        with self.timed("restoring"):
            self._put(side, content)

    def _put(self, side, content):
        db = self.client[self.names[side]]
        if side == "ours":
            # Another case, in which nothing was taken down by us before.
            self.client[ours.RUNS].archive.delete_many({"_id.database": db.name})
        dumps.restore(db, content, self.current.get(side))
        self.current[side] = dict(content)

    def take(self, side):
        with self.timed("reading"):
            self.current[side] = dumps.read(self.client[self.names[side]])
        return self.current[side]

    # FiftyOne's side

    def chain(self, before, head, levels):
        """Takes all datasets step by step along `levels`, yielding a judgement at each.

        FiftyOne runs one revision after the other and notes only the version reached, so what it
        leaves at every level on the way is what it would leave if sent to that level alone.
        """
        self.put("judge", before)
        found = {key: it.get("name") for key, it in dumps.datasets(before).items()}
        dead, at = {}, head
        with judges.Window() as window:
            start = window[0]
        for level in levels:
            up = boundaries.key(boundaries.LEVELS[level]) > boundaries.key(at)
            version = boundaries.LEVELS[level] if up else boundaries.LAST_OF_LEVEL[level]
            self.judge.use(self.names["judge"])
            with self.timed("FiftyOne"):
                for key, name in found.items():
                    if key not in dead:
                        error = self.judge.run(name, at, version)
                        if error:
                            dead[key] = error
            at = boundaries.LEVELS[level]
            content = self.take("judge")
            end = judges.now()
            yield level, Judgement(content, (start, end), dict(dead))

    def judge_each(self, before, to, again=False):
        """`migrate -n NAME -v TO` for every dataset, in the order of `--all`; FiftyOne stamps itself."""
        self.put("judge", before)
        db = self.judge.use(self.names["judge"])
        dead = {}
        with judges.Window() as window:
            names = {key: it.get("name") for key, it in dumps.datasets(before).items()}
            with self.timed("FiftyOne"):
                for key, name in sorted(names.items(), key=lambda it: str(it[1])):
                    error = self.judge.migrate_dataset(name, to)
                    if error and again:
                        # It has renamed the dataset and then lost sight of it: a second run finishes.
                        renamed = db.datasets.find_one({"_id": dumps.decode(before["datasets"][key])["_id"]})
                        error = self.judge.migrate_dataset(renamed["name"], to)
                    if error:
                        dead[key] = error
        content = self.take("judge")
        for key, raw in content.get("datasets", {}).items():
            stamped = dumps.decode(raw).get("version") == to
            if not stamped and key not in dead:
                dead[key] = "the version was not written"
        return Judgement(content, tuple(window), dead)

    # Our side

    def migrate(self, before, to, names=None):
        """What we make of a database: `(outcome, content, window)`."""
        self.put("ours", before)
        with judges.Window() as window:
            if self.pretends:
                self.judge.use(self.names["ours"])
                error = self.judge.migrate_database(to)
                errors = []
                for it in dumps.datasets(before).values():
                    errors.append((it.get("name"), self.judge.migrate_dataset(it.get("name"), to)))
                failed = [f"{name}: {why}" for name, why in errors if why]
                outcome = ours.Outcome(3 if failed else int(bool(error)), "\n".join(failed) + str(error))
            else:
                with self.timed("ours"):
                    outcome = ours.migrate(self.uri, self.names["ours"], to, names)
        return outcome, self.take("ours"), tuple(window)

    # The verdict

    def compare(self, group, before, head, to, judgement, mine, known=None, lenient=None, stamp=True,
                sabotage=None):
        """Compares dataset by dataset; `lenient[key]` is true where refusing more is allowed."""
        with self.timed("comparing"):
            return self._compare(group, before, head, to, judgement, mine, known, lenient, stamp,
                                 sabotage)

    def _compare(self, group, before, head, to, judgement, mine, known, lenient, stamp, sabotage):
        report = Report()
        outcome, content, window = mine
        if outcome.status not in (0, 1, 3):
            text = f"exit status {outcome.status}: {outcome.text.strip()[-300:]}"
            report.failures.append(Failure(group, "(database)", head, to, text))
            return report
        if sabotage:
            content = sabotage(content)
        theirs = dict(judgement.content)
        if stamp:
            theirs["datasets"] = {
                key: raw if key in judgement.dead else self.stamped(raw, to)
                for key, raw in theirs.get("datasets", {}).items()
            }
        owners = dumps.Owners(before, content, theirs)
        parts = [owners.cut(it) for it in (before, content, theirs)]
        known = known or compare.Known(before)
        failed = 0
        documents = dumps.datasets(before)
        for key, document in documents.items():
            name = document.get("name")
            name = name if isinstance(name, str) else repr(name)
            then, now, wanted = (part.get(key, {}) for part in parts)

            def fail(kind, path="", left="", right=""):
                report.failures.append(Failure(
                    group, name, head, to, kind, path, compare.show(left), compare.show(right)))

            end = now.get("datasets", {}).get(key)
            if end is None:
                fail("the dataset document is gone")
                continue
            done = reached(dumps.decode(end), to)
            if then == now and not (done and reached(document, to)):
                failed += 1
                if key not in judgement.dead:
                    if lenient and lenient.get(key):
                        report.stricter[lenient[key]] += 1
                    else:
                        fail(f"refused, FiftyOne goes on ({reason(outcome.text, name)})")
                        continue
                if outcome.status == 0:
                    fail("refused, but the exit status is 0")
                elif not outcome.mentions(name) and isinstance(document.get("name"), str):
                    fail("refused without naming the dataset: " + outcome.text.strip()[-200:])
                else:
                    report.passed += 1
                continue
            if not done:
                failed += 1
                found = compare.first_difference(known, (now, window), (then, window))
                fail("half-migrated: changed, but not at the version", *(found or ()))
                continue
            if key in judgement.dead:
                report.passed += 1
                continue
            found = compare.first_difference(known, (now, window), (wanted, judgement.window))
            if found:
                allowed = differences.documented(head, to, document, *found)
                if not allowed:
                    fail("differs", *found)
                    continue
                report.documented[allowed] += 1
            report.passed += 1
        self._compare_rest(report, group, before, head, to, judgement, parts, known, window,
                           failed, outcome)
        return report

    def _compare_rest(self, report, group, before, head, to, judgement, parts, known, window,
                      failed, outcome):
        def fail(kind, path="", left="", right=""):
            report.failures.append(Failure(
                group, "(database)", head, to, kind, path, compare.show(left), compare.show(right)))

        then, now, wanted = ({**part.get(None, {})} for part in parts)
        config = [dumps.decode(raw) for raw in now.pop("config", {}).values()]
        then.pop("config", None)
        wanted.pop("config", None)
        if boundaries.key(head) < (0, 15, 0) <= boundaries.key(to):
            # The admin revision between these drops orphans, and judges run on datasets only.
            for name in then:
                if name.startswith(ORPHANS) and name not in now:
                    del wanted[name]
        if judgement.dead:
            new = [name for name, documents in now.items()
                   if not name.startswith("fs.") and documents.keys() - then.get(name, {}).keys()]
            if new:
                fail(f"there is something new in {new}")
                return
            # What FiftyOne left of its own failures is nobody's measure; what was there before is.
            now, wanted = (
                {name: {key: raw for key, raw in part.get(name, {}).items() if key in documents}
                 for name, documents in then.items() if name in wanted}
                for part in (now, then)
            )
        found = compare.first_difference(known, (now, window), (wanted, judgement.window))
        if found and not differences.documented(head, to, {}, *found):
            fail("differs outside of datasets", *found)
            return
        if len(config) != 1 or list(config[0]) not in (["_id", "version", "type"], ["_id", "version"]):
            fail("the config document is not what FiftyOne would write", "config", config, "")
            return
        crosses = boundaries.key(to) < boundaries.key("0.15.1") <= boundaries.key(head)
        if "type" not in config[0] and not crosses:
            fail("the config document has lost its type", "config", config, "")
            return
        allowed = {to, head} if failed else {to}
        if config[0]["version"] not in allowed:
            fail("the database is not at the version", "config.version", config[0]["version"], to)
            return
        if failed == 0 and outcome.status != 0:
            fail(f"nothing failed, but the exit status is {outcome.status}: {outcome.text[-300:]}")
            return
        report.passed += 1

    @staticmethod
    def stamped(raw, to):
        if boundaries.key(to) < boundaries.key("0.6.2"):
            return raw
        return judges.stamp(raw, to)


def reached(document, to):
    """Whether a dataset document says that it is at a version; below 0.6.2 it says nothing."""
    if boundaries.key(to) < boundaries.key("0.6.2"):
        return "version" not in document
    return document.get("version") == to


def reason(text, name):
    """Why a dataset was refused, from what was printed."""
    at = max(text.find(form) for form in ours.written(name))
    part = text[at:] if at >= 0 else text[-300:]
    told = re.search(r'"reason": "((?:[^"\\]|\\.)*)"', part)
    return told.group(1) if told else " ".join(part[:300].split())


def at_version(content, label):
    """A dump whose datasets and database all say that they are at a version."""
    content = dict(content)
    content["datasets"] = {
        key: judges.stamp(raw, label) if boundaries.key(label) >= (0, 6, 2) else without_version(raw)
        for key, raw in content["datasets"].items()
    }
    return with_config(content, label)


def without_version(raw):
    document = dumps.decode(raw)
    document.pop("version", None)
    return dumps.encode(document)


def with_config(content, label):
    """A dump with a config document at a version."""
    import bson

    config = {"_id": bson.ObjectId("5f0000000000000000000001"), "version": label, "type": "fiftyone"}
    return {**content, **dumps.make({"config": [config]})}


def only(content, keep):
    """A dump of only the datasets for which `keep(key)`, with what they own."""
    parts = dumps.Owners(content).cut(content)
    kept = {}
    for key, part in parts.items():
        if key is None or keep(key):
            for name, documents in part.items():
                kept.setdefault(name, {}).update(documents)
    kept.setdefault("datasets", {})
    return kept


def guarded(work):
    """Runs a task; a fault of the harness itself is a failure, not a crash."""
    try:
        return work()
    except Exception:
        report = Report()
        report.failures.append(Failure("harness", "-", "-", "-", traceback.format_exc()))
        return report
