"""Which databases a FiftyOne client opens, and what it says where it does not: its own runner is asked.

`refusals.py FOLDER..` prints what `fixtures/refusals.json` holds; each folder has the package `fiftyone` of one release in it
(`python -m pip download --no-deps fiftyone==VERSION`, unpacked). Nothing of the package but its runner and its constants is
run, so that old releases need neither their dependencies nor a database. `make parity` asks the release of the judge again;
that we answer as all of them is a unit test of the engine (`versions/opening.rs`).
"""

import json
import os
import re
import sys
import types

HEADS = ("0.15.1", "0.18.0", "0.21.0", "1.0.0", "1.22.1", "1.99.0", "2.0.0", "garbage")


HERE = os.path.dirname(os.path.abspath(__file__))


def run(report):
    """Whether what is stored of the judge's release is still what its runner answers; what is not is a `(head, text)`."""
    import fiftyone

    with open(os.path.join(HERE, "fixtures", "refusals.json")) as stored:
        records = [it for it in json.load(stored) if it["client"] == fiftyone.__version__]
    folder = os.path.dirname(os.path.dirname(fiftyone.__file__))
    answers = list(ask(*load(folder, fiftyone.__version__)))
    for record, answer in zip(records, answers):
        if record == answer:
            report.passed += 1
        else:
            yield record["database"], f"answers {answer}, stored is {record}"
    if len(records) != len(answers) or not records:
        yield "(all)", f"{len(answers)} answers, {len(records)} are stored"


def main(folders):
    records = [it for folder in folders for it in ask(*load(folder))]
    lines = ",\n".join(json.dumps(it) for it in records)
    print(f"[\n{lines}\n]")


def load(folder, version=None):
    """The release's constants and its runner, for which the rest of the package is empty."""
    with open(f"{folder}/fiftyone/constants.py") as source:
        text = source.read()
    stated = re.search(r'^COMPATIBLE_VERSIONS = "(.+)"$', text, re.M)
    runner = f"{folder}/fiftyone/migrations/runner.py"
    constants = types.SimpleNamespace(
        VERSION=version or folder.rstrip("/").rsplit("/", 1)[-1],
        COMPATIBLE_VERSIONS=stated and stated[1],
        MIGRATIONS_REVISIONS_DIR="",
    )
    package = _modules("fiftyone", "fiftyone.constants", "fiftyone.core", "fiftyone.core.odm", "fiftyone.core.utils",
                       "eta", "eta.core", "eta.core.utils", "eta.core.serial")
    package["eta.core.serial"].Serializable = object
    package["fiftyone.core.utils"].lazy_import = lambda name: None
    names = {"__name__": "fiftyone.migrations.runner"}
    with open(runner) as source:
        before = dict(sys.modules)
        sys.modules.update(package)
        try:
            exec(compile(source.read(), runner, "exec"), names)
        finally:
            sys.modules.clear()
            sys.modules.update(before)
    names.update(
        foc=constants,
        _database_exists=lambda: True,
        _migrations_disabled=lambda: False,
        _get_all_revisions=lambda admin=False: [],
    )
    return constants, names


def _modules(*names):
    modules = {name: types.ModuleType(name) for name in names}
    for name, module in modules.items():
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(modules[parent], own, module)
    return modules


def ask(constants, names):
    """What the release does with a database at each version, without and with the right to migrate it."""
    for head in dict.fromkeys([constants.VERSION, *HEADS]):
        for admin in (False, True):
            config = types.SimpleNamespace(version=head, save=lambda: None)
            names["fo"] = types.SimpleNamespace(config=types.SimpleNamespace(database_admin=admin))
            names["foo"] = types.SimpleNamespace(get_db_config=lambda: config)
            try:
                names["migrate_database_if_necessary"]()
                message = None
            except Exception as error:
                message = str(error)
            yield {
                "client": constants.VERSION,
                "compatible": constants.COMPATIBLE_VERSIONS,
                "database": head,
                "admin": admin,
                "message": message,
                "becomes": None if message or config.version == head else config.version,
            }


if __name__ == "__main__":
    main(sys.argv[1:])
