"""A cohort's metadata as they are handed over: of the populations that are told of, by their new names."""

from typing import Any

from afpanel.core.withholding import Sharing


def told_metadata(document: dict[str, Any], sharing: Sharing) -> dict[str, Any]:
    """Leave out what is said of populations that are left out, and join what is said of merged ones.

    Parameters
    ----------
    document
        As `read_metadata` gives it.
    sharing
        What is shared.

    Returns
    -------
    dict
        The same keys.
    """
    renamed = {old: new for new, names in sharing.merge.items() for old in names}
    by_label: dict[str, list[dict[str, Any]]] = {}
    for each in document["populations"]:
        if each["label"] not in sharing.leave_out:
            by_label.setdefault(renamed.get(each["label"], each["label"]), []).append(each)
    told = [_joined(label, entries) for label, entries in by_label.items()]
    return document | {"populations": told}


def _joined(label: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Join what is said of several populations; where they differ, all of it is said."""
    joined = {}
    for key in entries[0]:
        values = [each[key] for each in entries]
        if key == "assignment" and len(set(values)) > 1:
            joined[key] = "other"  # a word of a list, of which it can have one
        elif isinstance(values[0], str):
            joined[key] = "; ".join(dict.fromkeys(value for value in values if value))
        else:
            joined[key] = values[0]
    return joined | {"label": label}
