"""The real FiftyOne, as an ordinary administrator runs it, opens what we migrated and finds everything.

Run as a program it opens one database and prints what it could not do, one line each.
"""

import itertools
import json
import os
import subprocess
import sys

import bench
import boundaries
import dump as dumps
import old_layouts
import ours

HERE = os.path.dirname(os.path.abspath(__file__))
STATES = ("0.6.2", "0.18.0")
LAYOUTS = ("0.6.1", "0.19.0")
DEMO = "the demo"
# One of them is there to show what a blocked dataset looks like.
DEMO_BLOCKED = 1
NAMES = [DEMO] + [f"corpus at {it}" for it in STATES] + [f"old layout of {it}" for it in LAYOUTS]


def cases(worker, states):
    """Databases of old versions: `(name, dump)`."""
    for version in STATES:
        level = boundaries.LEVELS.index(version)
        content, dead = states[level]
        yield f"corpus at {version}", bench.at_version(
            bench.only(content, lambda key: key not in dead), version
        )
    for version in LAYOUTS:
        yield f"old layout of {version}", bench.at_version(
            old_layouts.build(boundaries.level_of(version)), version
        )
    yield DEMO, _demo(worker)


def _demo(worker):
    """The deployment that `make run` begins with."""
    database = f"{worker.names['ours']}_demo"
    worker.client.drop_database(database)
    command = [ours.binary(), "--uri", worker.uri, "--database", database, "serve", "--demo",
               "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        for line in serving.stdout:
            if "http://" in line:
                break
        serving.terminate()
    demo = dumps.read(worker.client[database])
    worker.client.drop_database(database)
    return demo


def run(worker, name, before):
    """One database: migrated by us with `--all`, opened by FiftyOne in a process of its own."""
    report = bench.Report()
    group = f"opens {name}"
    outcome, content, _ = worker.migrate(before, boundaries.CLIENT)
    if all(it.get("version") != boundaries.CLIENT for it in dumps.datasets(content).values()):
        report.failures.append(bench.Failure(group, "(database)", "", boundaries.CLIENT,
                                             f"was not migrated: {outcome.text[-300:]}"))
        return report
    opened, faults = _ask(worker, content, before)
    if name == DEMO and len(opened) != len(before["datasets"]) - DEMO_BLOCKED:
        faults.append(("(database)", f"of {len(before['datasets'])} datasets only {len(opened)} were opened"))
    if faults:
        # What FiftyOne cannot read of its own result either is not our doing.
        theirs = worker.judge_each(before, boundaries.CLIENT).content
        shared = set(_ask(worker, theirs, before)[1])
        report.documented["FiftyOne cannot read its own result there either"] += len(shared & set(faults))
        faults = [fault for fault in faults if fault not in shared]
    if not opened:
        faults.append(("(database)", "nothing was opened"))
    for dataset, why in faults:
        report.failures.append(bench.Failure(group, dataset, "", boundaries.CLIENT, why))
    report.passed += len(set(opened) - {dataset for dataset, _ in faults})
    return report


def _ask(worker, content, before):
    """What FiftyOne opened of a database, and its faults as `(dataset, text)`."""
    at_client = {key: it for key, it in dumps.datasets(content).items()
                 if it.get("version") == boundaries.CLIENT}
    database = f"{worker.names['ours']}_opened"
    worker.client.drop_database(database)
    dumps.restore(worker.client[database], content, {})
    expected = {
        it["name"]: _expected(it, content, dumps.datasets(before)[key], before)
        for key, it in at_client.items()
    }
    environment = {key: it for key, it in os.environ.items() if not key.startswith("FIFTYONE_")}
    environment.update(
        FIFTYONE_DATABASE_URI=worker.uri, FIFTYONE_DATABASE_NAME=database,
        FIFTYONE_DATABASE_ADMIN="true", FIFTYONE_DO_NOT_TRACK="true",
        FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json", FIFTYONE_SHOW_PROGRESS_BARS="false",
    )
    done = subprocess.run([sys.executable, os.path.join(HERE, "opens.py")], input=json.dumps(expected),
                          env=environment, capture_output=True, text=True, timeout=1800)
    lines = done.stdout.splitlines()
    faults = [tuple(line[2:].split("\t", 1)) for line in lines if line.startswith("! ")]
    opened = [line[2:] for line in lines if line.startswith("= ")]
    if done.returncode:
        faults.append(("(database)", done.stderr.strip()[-400:]))
    faults += [(name, "was never opened") for name in expected.keys() - set(opened)]
    worker.client.drop_database(database)
    return opened, faults


def _ids(dump, name):
    return sorted(str(dumps.decode(raw)["_id"]) for raw in dump.get(name, {}).values())


def _expected(after, content, then, before):
    """What must be found in a dataset: all that was in it before, and the runs it still has."""
    samples = then["sample_collection_name"]
    frames = then.get("frame_collection_name") or "frames." + samples
    runs = {
        field: {
            key: isinstance(id, dumps.bson.ObjectId) and _readable(content, id)
            for key, id in (after.get(field) or {}).items()
        }
        for field in dumps.RUN_MAPS
    }
    return {
        "samples": _ids(before, samples), "frames": _ids(before, frames),
        "fields": [it["name"] for it in then["sample_fields"] if it["name"] not in ("frames", "media_type")],
        "runs": runs, "views": len(after.get("saved_views") or ()),
        "workspaces": len(after.get("workspaces") or ()),
    }


def _readable(content, id):
    run = content.get("runs", {}).get(id.binary)
    run = dumps.decode(run) if run else {}
    file = run.get("results")
    if not isinstance(file, dumps.bson.ObjectId) or file.binary not in content.get("fs.files", {}):
        return False
    text = b"".join(
        it["data"] for it in map(dumps.decode, content["fs.chunks"].values()) if it["files_id"] == file
    )
    try:
        results = json.loads(text)
    except ValueError:
        return False
    # Results written by hand have the class but not the data of their kind.
    return isinstance(results, dict) and "attributes" in results or len(results) > 6


def _open(expected):
    import warnings

    warnings.filterwarnings("ignore")
    import fiftyone as fo
    import fiftyone.core.dataset as fod

    names = fod._list_datasets(include_private=True)
    for name, wanted in expected.items():
        for fault in _faults(fo, name, wanted, names):
            print(f"! {name}\t{fault}", flush=True)
        print(f"= {name}", flush=True)


def _faults(fo, name, wanted, names):
    if name not in names:
        yield "is not listed"
        return
    try:
        dataset = fo.load_dataset(name)
        found, frames = [], []
        views = [dataset]
        if dataset.media_type == "group":
            views = [dataset.select_group_slices(it) for it in dataset.group_slices]
        schema = dataset.get_field_schema(include_private=True)
        for sample in itertools.chain(*views):
            found.append(sample.id)
            sample.to_dict()
            for field in schema:
                sample[field]
            if sample.media_type == "video":
                for number, frame in sample.frames.items():
                    assert frame.frame_number == number
                    frame.to_dict()
                    frames.append(frame.id)
        if sorted(found) != wanted["samples"]:
            yield f"has samples {sorted(found)}, not {wanted['samples']}"
        if not name.startswith("20") and sorted(frames) != wanted["frames"]:
            yield f"has frames {sorted(frames)}, not {wanted['frames']}"
        lost = [it for it in wanted["fields"] if it not in schema]
        if lost:
            yield f"has lost the fields {lost}"
    except Exception as error:
        yield f"does not load: {type(error).__name__}: {error}"
        return
    lists = {
        "annotation_runs": (dataset.list_annotation_runs, dataset.get_annotation_info, dataset.load_annotation_results),
        "brain_methods": (dataset.list_brain_runs, dataset.get_brain_info, dataset.load_brain_results),
        "evaluations": (dataset.list_evaluations, dataset.get_evaluation_info, dataset.load_evaluation_results),
        "runs": (dataset.list_runs, dataset.get_run_info, dataset.load_run_results),
    }
    for field, (listing, info, results) in lists.items():
        if sorted(listing()) != sorted(wanted["runs"][field]):
            yield f"lists {field} {listing()}, not {sorted(wanted['runs'][field])}"
        for key, readable in wanted["runs"][field].items():
            try:
                info(key)
                if readable and results(key) is None:
                    yield f"has no results of {field}.{key}"
            except Exception as error:
                yield f"{field}.{key}: {type(error).__name__}: {error}"
    for kind, listing, load in (
        ("views", dataset.list_saved_views, lambda it: len(dataset.load_saved_view(it))),
        ("workspaces", dataset.list_workspaces, dataset.load_workspace),
    ):
        if len(listing()) != wanted[kind]:
            yield f"lists {len(listing())} {kind}, not {wanted[kind]}"
        for key in listing():
            try:
                load(key)
            except Exception as error:
                yield f"{kind}.{key}: {type(error).__name__}: {error}"


if __name__ == "__main__":
    _open(json.load(sys.stdin))
    sys.stdout.flush()
    # Without FiftyOne's own end, which deletes what is not persistent.
    os._exit(0)
