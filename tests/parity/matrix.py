"""Every pair of boundaries, up and down, over every dataset of a corpus."""

import bench
import boundaries
import compare
import dump as dumps


def descend(worker, content):
    """The corpus at every level that FiftyOne can take it down to: `{level: (content, dead)}`."""
    top = len(boundaries.LEVELS) - 1
    states = {top: (bench.with_config(content, boundaries.CLIENT), {})}
    for level, judgement in worker.chain(content, boundaries.CLIENT, range(top - 1, -1, -1)):
        states[level] = (judgement.content, judgement.dead)
    return states


def alive(state):
    """The datasets of a state that FiftyOne got there whole."""
    content, dead = state
    return bench.only(content, lambda key: key not in dead)


def from_level(worker, group, content, level, choice, targets=None):
    """One state, taken to every other level by both."""
    if not content.get("datasets"):
        return bench.Report()
    head = boundaries.label(level, choice)
    before = bench.at_version(content, head)
    known = compare.Known(before)
    report = bench.Report()
    top = len(boundaries.LEVELS) - 1
    for path in (range(level + 1, top + 1), range(level - 1, -1, -1)):
        for target, judgement in worker.chain(before, head, path):
            if targets is not None and target not in targets:
                continue
            to = boundaries.label(target, choice + target)
            if target == top:
                to = boundaries.CLIENT
            mine = worker.migrate(before, to)
            report.add(worker.compare(group, before, head, to, judgement, mine, known))
    return report


def ascend(worker, content, level, targets):
    """The content that FiftyOne makes of a state on the way up: `{level: content}`."""
    states = {}
    before = bench.at_version(content, boundaries.LEVELS[level])
    for target, judgement in worker.chain(before, boundaries.LEVELS[level], targets):
        states[target] = alive((judgement.content, judgement.dead))
    return states
