"""Whole databases stored with the project: real states, and what FiftyOne made of them."""

import glob
import gzip
import os

import bench
import boundaries
import compare
import dump as dumps
from bson import json_util

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")


def names():
    """Every stored state."""
    return sorted(os.path.basename(path)[: -len(".json.gz")] for path in glob.glob(f"{FOLDER}/*.json.gz"))


def load(name):
    """A stored state as a dump; what was never stored there has no config document but ours."""
    with gzip.open(os.path.join(FOLDER, name + ".json.gz"), "rt") as stored:
        text = stored.read()
    # Canonical Extended JSON: numbers come back with the types they had.
    options = json_util.JSONOptions(
        json_mode=json_util.JSONMode.CANONICAL, tz_aware=False, document_class=dict
    )
    return dumps.make(json_util.loads(text, json_options=options))


def run(worker, name, targets):
    """One stored state, taken to some levels by both."""
    report = bench.Report()
    content = load(name)
    versions = {it.get("version") for it in dumps.datasets(content).values()}
    head = max((it for it in versions if it), key=boundaries.key, default=boundaries.OLDEST)
    before = bench.with_config(content, head)
    known = compare.Known(before)
    for target in targets:
        to = boundaries.label(target, target)
        if to == head:
            continue
        judgement = worker.judge_each(before, to)
        mine = worker.migrate(before, to)
        report.add(worker.compare(f"fixture {name}", before, head, to, judgement, mine, known, stamp=False))
    return report
