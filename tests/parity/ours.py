"""The binary under test, run as a user would."""

import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


# The database in which our runs are written down, and what was archived, as it is called by default.
RUNS = "fiftyone_migrate"


def binary():
    """`FIFTYONE_MIGRATE_BIN`, or the debug build of this workspace."""
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    return os.environ.get("FIFTYONE_MIGRATE_BIN") or os.path.join(target, "debug", "fiftyone-migrate")


def written(name):
    """A name as it may stand in an output: as it is, in JSON, or in JSON of ASCII only."""
    return name, json.dumps(name, ensure_ascii=False)[1:-1], json.dumps(name)[1:-1]


class Outcome:
    """What a run said and how it ended."""

    def __init__(self, status, text, answer=""):
        self.status, self.text, self.answer = status, text, answer

    def conflicts(self):
        """The names of the datasets of which it said that the archive has something else."""
        said = {it["name"]: it.get("warnings", []) for it in json.loads(self.answer)["datasets"]}
        return {name for name, warnings in said.items() if any(it.startswith("conflict") for it in warnings)}

    def mentions(self, name):
        """Whether a dataset is named in what was said."""
        return any(form in self.text for form in written(name))


def migrate(uri, database, version, names=None):
    """`fiftyone-migrate --all -v VERSION`; with names `-n NAMES`, with none of them the database only."""
    flags = ["-v", version, "--json"]
    if names is None:
        flags.append("--all")
    elif names:
        flags += ["-n", *names]
    return run(uri, database, flags)


def run(uri, database, flags, admin="true"):
    """The program with any flags, and nothing of FiftyOne's in its environment but what is said here."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("FIFTYONE_")
    }
    environment.update(
        FIFTYONE_DATABASE_ADMIN=admin,
        FIFTYONE_DO_NOT_TRACK="true",
        FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json",
    )
    try:
        done = subprocess.run(
            [binary(), "--uri", uri, "--database", database, *flags],
            env=environment, capture_output=True, text=True, errors="replace", timeout=600,
        )
    except subprocess.TimeoutExpired:
        return Outcome(-1, "no end after ten minutes")
    return Outcome(done.returncode, done.stdout + done.stderr, done.stdout)
