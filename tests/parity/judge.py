"""The real FiftyOne: its migrations, run on any database of the throwaway server."""

import atexit
import contextlib
import datetime
import io
import logging
import os
import time

import pymongo

import dump as dumps


def prepare(uri):
    """Environment under which importing and connecting migrates nothing and reports nothing."""
    os.environ.update(
        FIFTYONE_DATABASE_URI=uri,
        FIFTYONE_DATABASE_NAME="parity_connection",
        FIFTYONE_DISABLE_SERVICES="1",
        FIFTYONE_DATABASE_ADMIN="true",
        FIFTYONE_DATABASE_VALIDATION="false",
        FIFTYONE_DO_NOT_TRACK="true",
        FIFTYONE_LOGGING_LEVEL="ERROR",
        FIFTYONE_CONFIG_PATH="/nonexistent/fiftyone.json",
    )
    os.environ.pop("FIFTYONE_DISABLE_MIGRATIONS", None)


class Judge:
    """One interpreter with FiftyOne in it; `database` says where it works."""

    def __init__(self, uri):
        prepare(uri)
        import fiftyone as fo
        import fiftyone.core.odm as foo
        import fiftyone.migrations.runner as runner

        logging.getLogger("fiftyone").setLevel(logging.CRITICAL)
        self.fo, self.foo, self.runner = fo, foo, runner
        self.client = foo.get_db_client()
        # At exit FiftyOne deletes what is not persistent, and waits long for a server that is gone.
        atexit.unregister(foo.database._delete_non_persistent_datasets_if_allowed)
        self._runners = {}
        # Listing the folder of revisions again for every step would be most of the time.
        lists = {admin: runner._get_all_revisions(admin=admin) for admin in (False, True)}
        runner._get_all_revisions = lambda admin=False: lists[admin]

    def use(self, database):
        """Points FiftyOne at a database."""
        self.fo.config.database_name = database
        db = self.foo.get_db_conn()
        assert db.name == database
        return self.client[database]

    def run(self, name, head, destination):
        """Runs the revisions between two versions on one dataset; the text of what it raised, if it did."""
        key = (head, destination)
        if key not in self._runners:
            self._runners[key] = self.runner.MigrationRunner(head, destination)
        return self._quietly(lambda: self._runners[key].run(name))

    def migrate_dataset(self, name, destination):
        """`fiftyone migrate -n NAME -v DESTINATION`; the text of what it raised, if it did."""
        return self._quietly(
            lambda: self.runner.migrate_dataset_if_necessary(name, destination=destination)
        )

    def migrate_database(self, destination):
        """The database part of `fiftyone migrate -v DESTINATION`."""
        return self._quietly(
            lambda: self.runner.migrate_database_if_necessary(destination=destination)
        )

    def migrate_all(self, destination, error_level=2):
        """`fiftyone migrate --all -v DESTINATION`."""
        return self._quietly(
            lambda: self.runner.migrate_all(destination=destination, error_level=error_level)
        )

    @staticmethod
    def _quietly(work):
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                work()
            except pymongo.errors.ConnectionFailure:
                raise  # that the server was not reached says nothing of FiftyOne
            except Exception as error:  # whatever FiftyOne raises is its verdict
                return f"{type(error).__name__}: {error}"
        return None


def now():
    """The present as MongoDB stores it: milliseconds, no zone."""
    return datetime.datetime.utcfromtimestamp(int(time.time() * 1000) / 1000)


class Window:
    """The time in which a migration ran; dates inside it that are new are its `now`."""

    def __enter__(self):
        self.span = [now(), None]
        return self.span

    def __exit__(self, *_):
        self.span[1] = now() + datetime.timedelta(milliseconds=1)


def stamp(raw, version):
    """A dataset document as FiftyOne leaves it when it notes the version it has reached."""
    document = dumps.decode(raw)
    document["version"] = version
    return dumps.encode(document)
