"""Sample sheets of a million lines, read as columns without an object for each line.

Only sheets that are plain and right are read here. What is not gives None, and is read line by line by
`tables.read_samples`, which says what is wrong with it and where.
"""

import re
from pathlib import Path

import numpy as np

from afpanel.constants import SEXES
from afpanel.io.schemas import load_schema
from afpanel.model.cohort import Samples

_TAB, _NEWLINE = ord("\t"), ord("\n")
_PLAIN = re.compile(rb"[\t\n\x21-\x7e]+")


def plain_samples(path: Path) -> Samples | None:
    """Read a sheet of printable ASCII without spaces, whose lines have all columns and good values.

    Parameters
    ----------
    path
        The sheet.

    Returns
    -------
    Samples or None
        None where anything is unusual, be it right or wrong. Names of populations have still to be held
        against those that are reserved.
    """
    columns = _columns(path)
    if columns is None:
        return None
    ids = columns["sample"]
    n = len(ids)
    include = columns.get("include")
    kinds = {"yes"} if include is None else set(include)
    number = {label: i for i, label in enumerate(dict.fromkeys(columns["population"]))}
    sex_of = {str(sex): i for i, sex in enumerate(SEXES)}
    pattern = load_schema("samples")["properties"]["population"]["pattern"]
    is_good = (
        n > 0
        and "" not in ids
        and len(set(ids)) == n
        and all(re.search(pattern, label) for label in number)
        and set(columns["sex"]) <= sex_of.keys()
        and {"yes", ""} & kinds
        and kinds <= {"yes", "no", ""}
    )
    if not is_good:
        return None
    return Samples(
        ids,
        tuple(number),
        np.fromiter(map(number.__getitem__, columns["population"]), np.int32, n),
        np.fromiter(map(sex_of.__getitem__, columns["sex"]), np.int8, n),
        np.ones(n, bool) if include is None else np.array(include) != "no",
    )


def _columns(path: Path) -> dict[str, list[str]] | None:
    """Cut a plain sheet into its columns; None if it is not plain or a line has not all columns."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if _PLAIN.fullmatch(data) is None:
        return None
    data = data.removesuffix(b"\n") + b"\n"
    described = load_schema("samples")
    header = data[: data.index(b"\n")].decode().split("\t")
    width = len(header)
    letters = np.frombuffer(data, np.uint8)
    ends_line = letters[(letters == _TAB) | (letters == _NEWLINE)] == _NEWLINE
    last_alone = np.arange(len(ends_line)) % width == width - 1
    is_whole = len(ends_line) % width == 0 and np.array_equal(ends_line, last_alone)
    is_known = set(described["required"]) <= set(header) <= set(described["properties"])
    if not (is_whole and is_known and width == len(set(header))):
        return None
    values = data.decode().replace("\n", "\t").split("\t")[:-1]
    return {name: values[width + at :: width] for at, name in enumerate(header)}
