"""The versions between which databases are taken: every revision, and the last version before it."""

# One per dataset revision of FiftyOne 1.22.1, oldest first.
REVISIONS = [
    "0.6.2", "0.6.5", "0.7.2", "0.7.3", "0.7.4", "0.8.0", "0.9.4", "0.11.2", "0.13.0", "0.14.0",
    "0.15.1", "0.16.0", "0.16.1", "0.16.3", "0.17.0", "0.18.0", "0.19.0", "0.20.0", "0.23.0",
    "1.0.0", "1.1.0", "1.4.0", "1.13.0",
]
ADMIN = ["0.15.0", "0.15.1"]
CLIENT = "1.22.1"
OLDEST = "0.6.1"

# The newest release that still has the layout of the boundary at the same place in `LEVELS`.
LEVELS = [OLDEST] + REVISIONS
LAST_OF_LEVEL = [
    "0.6.1", "0.6.4", "0.7.1", "0.7.2", "0.7.3", "0.7.4", "0.9.3", "0.11.1", "0.12.0", "0.13.3",
    "0.15.0", "0.15.1", "0.16.0", "0.16.2", "0.16.6", "0.17.2", "0.18.0", "0.19.1", "0.22.3",
    "0.25.2", "1.0.2", "1.3.0", "1.12.0", CLIENT,
]
assert len(LAST_OF_LEVEL) == len(LEVELS)


def key(version):
    """Sorts versions as FiftyOne does."""
    return tuple(int(part) for part in version.split("."))


def label(level, choice):
    """A version that has the layout of a level: its first for even choices, its last for odd ones."""
    return LEVELS[level] if choice % 2 == 0 else LAST_OF_LEVEL[level]


def level_of(version):
    """The level whose layout a version has."""
    return max((i for i, first in enumerate(LEVELS) if key(first) <= key(version)), default=0)
