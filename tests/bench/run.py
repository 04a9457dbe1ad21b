"""Measures the migration against the real FiftyOne and against the least that MongoDB has to do, and what it costs to
keep an undo journal.

All of them run on fresh copies of the same database, in turn, as whole processes; what they leave is
compared, since a fast wrong result is worth nothing. `ROUNDS` is the number of runs of ours and of the
floor, `JUDGE_ROUNDS` that of FiftyOne, which takes minutes each time (`0` for none). `ONLY` names parts
(`small-0.18.0`, `small-0.6.5`, `large-0.18.0`, `reading`, `scaling`), `DATASETS`, `SAMPLES` and `FRAMES`
make them smaller, and `KEEP` is a folder in which the databases stay for the next time. Without it they are
in memory where the machine allows it, so that work is measured and not the mood of a disk.
"""

import os
import statistics
import sys
import tempfile

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "parity"))

import databases
import judge
import programs
import servers
import states

CLIENT = "1.22.1"
WITHOUT_UNDO = "--without-undo"


def number(name, default):
    return int(os.environ.get(name) or default)


ROUNDS = number("ROUNDS", 5)
JUDGE_ROUNDS = number("JUDGE_ROUNDS", 1)
DATASETS = number("DATASETS", 5_000)
SAMPLES = number("SAMPLES", 200_000)
FRAMES = number("FRAMES", 50_000)
# More datasets than this have more files than a server may open on many machines.
CROWD = 6_000


class Targets:
    """What was to be reached, and whether it was."""

    def __init__(self):
        self.missed = []

    def tell(self, what, value, wanted, reached, unit=""):
        verdict = "reached" if reached else "MISSED"
        line = f"{what}: {value}{unit}, target {wanted}{unit}: {verdict}"
        print(f"  {line}", flush=True)
        if not reached:
            self.missed.append(line)


def spread(values, digits=2):
    """Minimum, median and maximum."""
    low, high = min(values), max(values)
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}, {len(values)} runs)"


def contest(stock, name, version, fill, faster, targets):
    """FiftyOne, ours and the floor, in turn."""
    folder = stock.filled(name, fill)
    recording = os.path.join(stock.folder, f"{name}.recorded")
    with stock.copy(folder) as server, judge.Window() as window:
        before = states.State(server.client, window)
    # Not counted: it warms everything up, and says what there is to be written.
    with stock.copy(folder) as server:
        with judge.Window() as window:
            programs.migrate(server)
        ours = left(server, window, "fiftyone-migrate")
    states.record(before, ours, window[0], recording)

    times = {"fiftyone": [], "ours": [], WITHOUT_UNDO: [], "floor": []}
    peaks, compared = [], []
    for at in range(ROUNDS):
        for who in times:
            if who == "fiftyone" and at >= JUDGE_ROUNDS:
                continue
            with stock.copy(folder) as server:
                with judge.Window() as own:
                    if who == "fiftyone":
                        taken = programs.fiftyone(server)
                    elif who == "floor":
                        taken = programs.floor(server, recording)
                    else:
                        taken = programs.migrate(server, "--all", *([who] if who == WITHOUT_UNDO else []))
                        peaks.append(taken.peak)
                times[who].append(taken.seconds)
                if at == 0:
                    # The floor writes the times of the run that was recorded.
                    state = left(server, window if who == "floor" else own, who)
                    found = states.difference(before, ours, state)
                    if found:
                        sys.exit(f"{name}: `{who}` left something else: {found}")
                    compared.append(who)
            print(f"    {name} {who}: {taken.seconds:.2f} s", flush=True)

    print(f"{name}: {version} to {CLIENT}; the same state was left by {', '.join(compared)}")
    for who, values in times.items():
        if values:
            print(f"  {who}: {spread(values)} s")
    if times["fiftyone"]:
        # It runs less often than we do, so that its runs are not paired with ours.
        theirs = statistics.median(times["fiftyone"])
        ratios = [theirs / own for own in times["ours"]]
        targets.tell("faster than FiftyOne", spread(ratios, 1), f"{faster} times or more",
                     statistics.median(ratios) >= faster, " times")
    ratios = [own / least for own, least in zip(times["ours"], times["floor"])]
    targets.tell("time over the floor", spread(ratios), "1.3 or less", statistics.median(ratios) <= 1.3)
    ratios = [own / bare for own, bare in zip(times["ours"], times[WITHOUT_UNDO])]
    targets.tell("time over that without an undo journal", spread(ratios), "1.15 or less",
                 statistics.median(ratios) <= 1.15)
    memory(peaks, targets)


def left(server, window, who):
    found = states.version(server.client)
    if found != CLIENT:
        sys.exit(f"`{who}` left versions {found}")
    return states.State(server.client, window)


def memory(peaks, targets):
    most = max(peaks) / 1e6
    targets.tell("peak resident memory", f"{most:.0f}", "150", most < 150, " MB")


def small(version, count):
    """Fills a database with small datasets."""

    def fill(client):
        builder = databases.Builder(client[programs.DATABASE], version)
        builder.small(count)
        builder.finish()

    return fill


def large(client):
    """Fills a database with two large datasets."""
    builder = databases.Builder(client[programs.DATABASE], "0.18.0")
    builder.large(SAMPLES, FRAMES)
    builder.finish()


def reading(stock, targets):
    """What only shows something, on twice the datasets."""
    count = 2 * DATASETS
    folder = stock.filled(f"small-0.18.0-{count}", small("0.18.0", count), crowded=True)
    seconds, plans, peaks = [], [], []
    with stock.copy(folder, crowded=True) as server:
        for _ in range(ROUNDS + 1):
            seconds.append(programs.migrate(server, "--info").seconds)
            plan = programs.migrate(server, "--all", "--dry-run")
            plans.append(plan.seconds)
            peaks.append(plan.peak)
        if states.version(server.client) != "0.18.0":
            sys.exit("a command that only shows something has written something")
    print(f"reading: {count} datasets")
    # The first ones find the server's cache empty.
    seconds, plans = seconds[1:], plans[1:]
    targets.tell("--info", spread(seconds), "0.3", statistics.median(seconds) < 0.3, " s")
    targets.tell("--all --dry-run", spread(plans), "3", statistics.median(plans) < 3, " s")
    memory(peaks, targets)


def scaling(stock, targets):
    """Twice the datasets, twice the time."""
    counts = [DATASETS, 2 * DATASETS, 4 * DATASETS]
    folders = {
        count: stock.filled(f"small-0.18.0-{count}", small("0.18.0", count), crowded=True)
        for count in counts
    }
    times, peaks = {count: [] for count in counts}, []
    for _ in range(ROUNDS):
        for count in counts:
            with stock.copy(folders[count], crowded=True) as server:
                taken = programs.migrate(server)
                left_at = states.version(server.client)
            if left_at != CLIENT:
                sys.exit(f"{count} datasets were left at {left_at}")
            times[count].append(taken.seconds)
            peaks.append(taken.peak)
            print(f"    scaling {count}: {taken.seconds:.2f} s", flush=True)
    print("scaling: from 0.18.0")
    for count in counts:
        each = [it / count * 1e3 for it in times[count]]
        print(f"  {count} datasets: {spread(times[count])} s, {spread(each)} ms each")
    for less, more in zip(counts, counts[1:]):
        ratios = [many / few for few, many in zip(times[less], times[more])]
        targets.tell(f"{more} to {less}", spread(ratios), "2.2 or less", statistics.median(ratios) <= 2.2,
                     " times")
    memory(peaks, targets)


def main():
    only = os.environ.get("ONLY")
    wanted = only.split(",") if only else None
    targets = Targets()
    memory_disk = servers.memory_disk()
    with tempfile.TemporaryDirectory(
        prefix="bench-", dir=memory_disk, ignore_cleanup_errors=True
    ) as folder:
        folder = os.environ.get("KEEP") or folder
        os.makedirs(folder, exist_ok=True)
        stock = servers.Stock(folder)
        for name, part in {
            "small-0.18.0": lambda: contest(
                stock, f"small-0.18.0-{DATASETS}", "0.18.0", small("0.18.0", DATASETS), 75, targets),
            "small-0.6.5": lambda: contest(
                stock, f"small-0.6.5-{DATASETS}", "0.6.5", small("0.6.5", DATASETS), 75, targets),
            "large-0.18.0": lambda: contest(
                stock, f"large-0.18.0-{SAMPLES}-{FRAMES}", "0.18.0", large, 4, targets),
            "reading": lambda: reading(stock, targets),
            "scaling": lambda: scaling(stock, targets),
        }.items():
            if wanted is None or name in wanted:
                part()
    print(f"{len(targets.missed)} targets missed" + "".join(f"\n  {it}" for it in targets.missed))


if __name__ == "__main__":
    main()
