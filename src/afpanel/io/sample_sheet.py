"""Sample sheets of a million lines, read as columns without an object for each line.

Only sheets that are plain and right are read here. What is not gives None, and is read line by line by
`tables.read_samples`, which says what is wrong with it and where.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import SEXES
from afpanel.io.sample_sheet_kernel import cut
from afpanel.io.schemas import load_schema
from afpanel.model.cohort import Samples

_MOST_LABELS = 1_000
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
    ids, labels_of, numbers = columns
    n = len(ids)
    population, sex = labels_of["population"], labels_of["sex"]
    include = labels_of.get("include", ["yes"])
    pattern = load_schema("samples")["properties"]["population"]["pattern"]
    sexes = [str(each) for each in SEXES]
    is_good = (
        n > 0
        and "" not in ids
        and len(set(ids)) == n
        and all(re.search(pattern, label) for label in population)
        and set(sex) <= set(sexes)
        and {"yes", ""} & set(include)
        and set(include) <= {"yes", "no", ""}
    )
    if not is_good:
        return None
    stays = np.array([label != "no" for label in include])
    return Samples(
        ids,
        tuple(population),
        numbers["population"],
        np.array([sexes.index(label) for label in sex], np.int8)[numbers["sex"]],
        stays[numbers["include"]] if "include" in numbers else np.ones(n, bool),
    )


def _columns(
    path: Path,
) -> tuple[list[str], dict[str, list[str]], dict[str, NDArray[np.int32]]] | None:
    """Cut a plain sheet into its columns; None if it is not plain or a line has not all columns.

    Returns
    -------
    ids
        The column ``sample``.
    labels
        Of every other column its labels, in the order in which they come.
    numbers
        (lines,) int32 of each: which of the labels a line has.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if _PLAIN.fullmatch(data) is None:
        return None
    data = data.removesuffix(b"\n") + b"\n"
    described = load_schema("samples")
    begin = data.index(b"\n") + 1
    header = data[: begin - 1].decode().split("\t")
    is_known = set(described["required"]) <= set(header) <= set(described["properties"])
    if not is_known or len(header) != len(set(header)):
        return None
    others = [name for name in header if name != "sample"]
    kinds = np.array([others.index(name) if name in others else -1 for name in header])
    numbers = np.empty((len(others), data.count(b"\n") - 1), np.int32)
    places = np.empty((len(others), _MOST_LABELS, 2), np.int64)
    counts = np.zeros(len(others), np.int64)
    ids = np.empty(len(data), np.uint8)
    text = np.frombuffer(data, np.uint8)
    size = cut(text, begin, kinds, numbers, places, counts, ids)
    if size <= 0:
        return None
    labels = [
        [data[start:end].decode() for start, end in of[:count].tolist()]
        for of, count in zip(places, counts.tolist(), strict=True)
    ]
    return (
        ids[: size - 1].tobytes().decode().split("\n"),
        dict(zip(others, labels, strict=True)),
        dict(zip(others, numbers, strict=True)),
    )
