"""Where we differ from FiftyOne on purpose: each with the fault it comes from, as narrow as possible."""

import boundaries
import bson
import dump as dumps


def documented(head, to, dataset, path, ours, theirs):
    """The name of the documented difference that a first difference is, or `None`."""
    for name, applies in TABLE.items():
        if applies(boundaries.key(head), boundaries.key(to), dataset, path, ours, theirs):
            return name
    return None


def equivalent(path, ours, theirs):
    """Whether two values are a documented difference that may stand beside others in one document.

    0.16.0 and 0.16.1 of FiftyOne declare the points of keypoints as those of polylines; afterwards it
    fails to read a keypoint ("Polyline points fields must contain a list of lists").
    """
    return (
        path.endswith(".ftype")
        and ours == "fiftyone.core.fields.KeypointsField"
        and theirs == "fiftyone.core.fields.PolylinePointsField"
    )


def _renamed(head, to, dataset, path, ours, theirs):
    return (
        head < (0, 19, 0) <= to
        and path in ("datasets.name", "datasets.slug")
        and all(isinstance(it, str) and "renamed" in it.lower() for it in (ours, theirs))
    )


def _first_frame(head, to, dataset, path, ours, theirs):
    return (
        head < (0, 6, 2) <= to < (0, 7, 2)
        and dataset.get("media_type") == "video"
        and ".frames.first_frame." in path
        and ".points[" in path
        # One list more around ours: the shape that the other polylines have got.
        and isinstance(ours, list) and ours[:1] == [theirs]
    )


def _endless_time(head, to, dataset, path, ours, theirs):
    return (
        to < (0, 19, 0) <= head
        and path.rpartition(".")[0] in [f"datasets.{it}" for it in dumps.RUN_MAPS]
        and isinstance(ours, dict)
        and _is_endless(ours)
        and str(theirs) == "(absent)"
    )


def _is_endless(value):
    """Whether a time that Python cannot hold is anywhere in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    return any(map(_is_endless, value)) if isinstance(value, list) else isinstance(value, bson.DatetimeMS)


def _foreign_run(head, to, dataset, path, ours, theirs):
    return (
        to < (0, 19, 0) <= head
        and path.startswith("runs[")
        and isinstance(ours, dict)
        and ours.get("_dataset_id") not in (None, dataset.get("_id"))
        and str(theirs) == "(absent)"
    )


# runner.md 7.12, faults 11 and 12: the time in the new name is the time of the run.
TABLE = {
    # runner.md 7.7, faults 9: FiftyOne copies the first frame before it converts its polylines.
    "0.6.2 gives the polylines of the copied first frame shapes": _first_frame,
    "0.19.0 renames with the time of the run": _renamed,
    # It is in the dataset as well then. FiftyOne deletes it, whoever's it is.
    "0.19.0 copies a run that says to be another dataset's, and does not take it": _foreign_run,
    # FiftyOne goes on without a run whose time is beyond the year 9999, and so loses it.
    "0.19.0 keeps a run whose time Python cannot hold": _endless_time,
}
