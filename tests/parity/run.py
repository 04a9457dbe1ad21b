"""Runs every case, prints what differs, and ends with `N passed, M failed`.

`CASES` is the number of fuzz cases (1000 and more also take every pair of the other groups), `SEED`
makes a run repeatable, `ONLY` names groups to run, `JOBS` the number of processes.
"""

import collections
import functools
import multiprocessing
import os
import pickle
import random
import sys
import tempfile
import time

import archive
import bench
import boundaries
import corpus
import fixtures
import fuzz
import matrix
import mongo
import old_layouts
import opens
import ours
import refusals
import sabotage
import special

TOP = len(boundaries.LEVELS) - 1
BATCH = 8
SHOWN = 3

_worker = None
_states = None


def _start(uri, counter, path):
    global _worker, _states
    with counter.get_lock():
        counter.value += 1
        tag = counter.value
    _worker = bench.Bench(uri, tag)
    with open(path, "rb") as stored:
        _states = pickle.load(stored)


def _clean(level):
    """The datasets that FiftyOne can take through every level, at one of them."""
    dead = _states[1][1]
    return bench.only(_states[level][0], lambda key: key not in dead)


def _hazards(level):
    """Those at which it fails somewhere below, at a level they reach."""
    content, lost = _states[level]
    dead = _states[1][1]
    return bench.only(content, lambda key: key in dead and key not in lost)


@functools.cache
def _sources():
    found = [(level, matrix.alive(state)) for level, state in _states.items() if level > 0]
    return found + [(level, old_layouts.build(level)) for level in range(TOP + 1)]


def _work(task):
    kind, level, seed, targets = task
    began = time.time()

    def work():
        if kind == "matrix":
            return matrix.from_level(_worker, kind, _clean(level), level, level, targets)
        if kind == "hazards":
            return matrix.from_level(_worker, kind, _hazards(level), level, level + 1, targets)
        if kind == "ascended":
            return _ascended(level, seed, targets)
        if kind == "old":
            return matrix.from_level(_worker, kind, old_layouts.build(level), level, level + 1, targets)
        if kind == "fixtures":
            return fixtures.run(_worker, level, targets)
        if kind == "fuzz":
            return fuzz.batch(_worker, _sources(), seed, BATCH)
        if kind == "opens":
            before = next(it for name, it in opens.cases(_worker, _states) if name == level)
            return opens.run(_worker, level, before)
        if kind == "archive":
            return archive.run(_worker, _states[TOP][0], level)
        if kind == "refusals":
            report = bench.Report()
            report.failures += [bench.Failure(kind, head, "", boundaries.CLIENT, why)
                                for head, why in refusals.run(report)]
            return report
        if kind == "sabotage":
            return sabotage.run(_worker)
        if kind == "special":
            report = bench.Report()
            for run in (special.renamed, special.broken, special.siblings):
                report.add(run(_worker))
            report.add(special.below_first(_worker, _clean(1)))
            report.add(special.below_first(_worker, old_layouts.build(1)))
            old = _clean(boundaries.LEVELS.index("0.18.0"))
            report.add(special.named(_worker, old))
            report.add(special.unchanged(_worker, old))
            report.add(special.indexes(_worker, old, corpus.load()["indexes"]))
            states = {it: _clean(it) for it in range(1, TOP + 1)}
            for at in range(3):
                report.add(special.mixed(_worker, states, f"{seed}-{at}"))
            return report
        # The last, since the worker works on the database `fiftyone` from here on.
        names, current = dict(_worker.names), dict(_worker.current)
        try:
            return special.database(_worker)
        finally:
            _worker.names, _worker.current = names, current

    _worker.spent.clear()
    return kind, bench.guarded(work), time.time() - began, dict(_worker.spent)


def _ascended(level, seed, targets):
    """Old layouts that FiftyOne has taken up to a level, taken on from there."""
    start = random.Random(seed).randrange(0, level)
    states = matrix.ascend(_worker, old_layouts.build(start), start, range(start + 1, level + 1))
    return matrix.from_level(_worker, f"ascended from {boundaries.LEVELS[start]}", states[level],
                             level, level, targets)


def _tasks(cases, seed):
    rng = random.Random(seed)
    thorough = cases >= 1000

    def some(count):
        return None if thorough else sorted(rng.sample(range(TOP + 1), count))

    tasks = [("opens", name, None, None) for name in opens.NAMES]
    for level in range(TOP, 0, -1):
        tasks.append(("matrix", level, None, None))
    for level in range(TOP, -1, -1):
        tasks.append(("old", level, None, some(12) if level else None))
    for level in range(TOP, 0, -1):
        tasks.append(("hazards", level, None, some(8)))
        tasks.append(("ascended", level, f"{seed}/{level}", some(6)))
    for name in fixtures.names():
        targets = range(TOP + 1) if thorough else sorted({*rng.sample(range(1, TOP), 3), TOP})
        tasks.append(("fixtures", name, None, list(targets)))
    tasks += [("archive", level, None, None) for level in range(TOP - 1, -1, -1)]
    tasks.append(("special", None, seed, None))
    tasks.append(("refusals", None, None, None))
    tasks.append(("sabotage", None, None, None))
    tasks.append(("database", None, None, None))
    tasks += [("fuzz", None, f"{seed}/{at}", None) for at in range(-(-cases // BATCH))]
    only = os.environ.get("ONLY")
    return [it for it in tasks if not only or it[0] in only.split(",")]


def main():
    began = time.time()
    cases = int(os.environ.get("CASES") or 300)
    seed = os.environ.get("SEED") or str(random.randrange(1 << 32))
    if os.environ.get("PARITY_OURS") != "judge" and not os.access(ours.binary(), os.X_OK):
        sys.exit(f"no binary at `{ours.binary()}`: build it, or set `FIFTYONE_MIGRATE_BIN`")
    print(f"parity: CASES={cases} SEED={seed}", flush=True)
    stored = corpus.load()
    total, times, phases = bench.Report(), collections.Counter(), collections.Counter()
    jobs = int(os.environ.get("JOBS") or min(os.cpu_count() or 1, 4))
    context = multiprocessing.get_context("spawn")
    with mongo.Mongod() as server, tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "states.pickle")
        with context.Pool(1, _descend_in, (server.uri, stored["dump"])) as pool:
            states = pool.apply(_descend)
        with open(path, "wb") as out:
            pickle.dump(states, out)
        counter = context.Value("i", 0)
        with context.Pool(jobs, _start, (server.uri, counter, path)) as pool:
            for kind, report, spent, each in pool.imap_unordered(_work, _tasks(cases, seed)):
                total.add(report)
                times[kind] += spent
                phases.update(each)
    _tell(total, (times, phases), time.time() - began)
    print(f"{total.passed} passed, {len(total.failures)} failed")
    return 1 if total.failures else 0


def _descend_in(uri, content):
    global _worker, _states
    _worker, _states = bench.Bench(uri, "descent"), content


def _descend():
    return matrix.descend(_worker, _states)


def _tell(total, times, spent):
    causes = collections.defaultdict(list)
    for failure in total.failures:
        causes[failure.cause()].append(failure)
    for cause, failures in sorted(causes.items(), key=lambda it: -len(it[1])):
        print(f"\n{len(failures)} x {cause}")
        for failure in failures[:SHOWN]:
            print("  " + failure.line())
    for name, count in sorted(total.documented.items()):
        print(f"documented difference, {count} times: {name}")
    for name, count in sorted(total.stricter.items()):
        print(f"stricter than FiftyOne, {count} times: {name}")
    each = ["; ".join(f"{name} {took:.0f} s" for name, took in it.most_common()) for it in times]
    print(f"in {spent:.0f} s ({each[0]}), of which {each[1]}")


if __name__ == "__main__":
    sys.exit(main())
