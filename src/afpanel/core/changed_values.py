"""What differs between two nested values, as JSON holds them."""

import json
from collections.abc import Iterator
from typing import Any

_NAMING = ("cohort", "group", "name", "path")
"""Keys that tell the items of a list apart, by which they are compared and not by their places."""


def changed_values(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """List the values that are not the same, in the order of the old ones and then of the new.

    Yields
    ------
    key, old, new
        Keys down to the value, joined by dots, and the values as JSON; empty where there is none.

    Examples
    --------
    >>> list(changed_values({"a": {"b": 1}, "c": [2]}, {"a": {"b": 3, "d": None}, "c": [2]}))
    [('a.b', '1', '3'), ('a.d', '', 'null')]
    >>> one = [{"cohort": "A", "build": "GRCh37"}, {"cohort": "B"}]
    >>> list(changed_values(one, [{"cohort": "A", "build": "GRCh38"}], "cohorts"))
    [('cohorts.A.build', '"GRCh37"', '"GRCh38"'), ('cohorts.B', '{"cohort": "B"}', '')]
    """
    before, after = _parts(old), _parts(new)
    if before is None or after is None or type(old) is not type(new):
        if json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
            yield key, _text(old), _text(new)
        return
    for name in dict.fromkeys((*before, *after)):
        inner = f"{key}.{name}" if key else name
        if name not in before:
            yield inner, "", _text(after[name])
        elif name not in after:
            yield inner, _text(before[name]), ""
        else:
            yield from changed_values(before[name], after[name], inner)


def _parts(value: Any) -> dict[str, Any] | None:
    """Take a value apart by names; None where it has no names."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    for naming in _NAMING:
        if all(isinstance(item, dict) and naming in item for item in value):  # as of an empty list
            named = {str(item[naming]): item for item in value}
            return named if len(named) == len(value) else None
    return None


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
