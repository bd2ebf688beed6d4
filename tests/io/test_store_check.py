"""Stores that the project writes pass the check of their layout, whatever is in them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from afpanel.constants import Sex
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.errors import VerificationError
from afpanel.io.store_check import Layout, check_store
from afpanel.model.arrays import RAW_COUNTS
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CELL_TABLES, CHUNK, CountsHead, create_cell_counts
from afpanel.stages.contribution import Totals
from afpanel.stages.verdict import Finding
from afpanel.stages.verify_counts import Expected, check_counts, layout_of

CELLS = [Cell("A", Sex.XX, 30), Cell("B", Sex.XY, 20)]
HEAD = CountsHead("VN1", "VN", CELLS)
SHARING = {"min_allele_count": 0, "min_variant_count": 0, "everybody": True}

Runs = list[tuple[int, int, int, int]]


def write(
    path: Path, *, n: int = 3, spans: int | None = None, track: Runs | None = None, fill: int = 0
) -> Path:
    """A store of counts that are all of one value, with evidence if asked for."""
    position = np.arange(n, dtype=np.int32) + 1
    alleles = (Strings.of(["A"] * n), Strings.of(["C"] * n))
    shapes = {name: (n,) if name in RAW_COUNTS else (n, len(CELLS)) for name in CELL_TABLES}
    tables = {name: np.full(shape, fill, np.int32) for name, shape in shapes.items()}
    with create_cell_counts(path, HEAD, ["chrX"]) as writer:
        writer.variants(np.zeros(n, int), Variants(position, *alleles), tables)
        nobody = np.empty(0, int)
        writer.refused(nobody, nobody, nobody)
        if spans is not None:
            start = 10 * np.arange(spans)
            writer.callable(np.zeros(spans, int), start, start + 5)
        if track is not None:
            columns = np.array(track, np.int64).reshape(-1, 4)
            writer.track(np.zeros(len(track), int), columns[:, 0], columns[:, 1], columns[:, 2:])
    return path


def without_text(layout: Layout) -> Layout:
    dims = {name: each for name, each in layout.dims.items() if name != "variant_ref"}
    return replace(layout, dims=dims)


@pytest.mark.parametrize("n", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
@pytest.mark.parametrize("fill", [0, 1])
def test_a_store_of_any_length_is_as_it_should_be(tmp_path: Path, n: int, fill: int) -> None:
    path = write(tmp_path / "a.zip", n=n, fill=fill)
    assert check_store(path, layout_of(HEAD), 1000) == {
        "contigs": 1,
        "cells": 2,
        "variants": n,
        "refusals": 0,
    }


@pytest.mark.parametrize("spans", [0, 1, CHUNK + 5])
def test_arrays_that_need_not_be_there_may_be(tmp_path: Path, spans: int) -> None:
    runs = [(100 + k, 101 + k, 2, 1) for k in range(spans)]
    path = write(tmp_path / "a.zip", spans=spans, track=runs)
    sizes = check_store(path, layout_of(HEAD), 1000)
    assert (sizes["intervals"], sizes["runs"]) == (spans, spans)


def test_an_array_too_many_or_too_few_and_other_people_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip")
    layout = layout_of(HEAD)
    with pytest.raises(VerificationError, match="does not belong here, 'variant_ref'"):
        check_store(path, without_text(layout), 1000)
    more = replace(layout, dims=layout.dims | {"variant_id": ("variants",)})
    with pytest.raises(VerificationError, match="array variant_id is missing"):
        check_store(path, more, 1000)
    with pytest.raises(VerificationError, match="attributes are not those expected"):
        check_store(path, layout_of(CountsHead("LA1", "VN", CELLS)), 1000)
    with pytest.raises(VerificationError, match="another length than others"):
        check_store(path, replace(layout, sizes=layout.sizes | {"cells": 3}), 1000)
    with pytest.raises(VerificationError, match="too many entries"):
        check_store(path, layout, 5)


def findings(path: Path, runs: int, number: int = 0) -> list[Finding]:
    """What is found of a store whose counts are nothing but zeros."""
    totals = Totals(3, 0, [0, 0], [number, number], 0, 0, runs)
    expected = Expected("chrX", "GRCh38", HEAD, totals, None, True, SHARING)
    return [found for found in check_counts(path, "part", expected) if found.fatal]


# The pseudoautosomal regions of X end at 2,781,479 and begin again at 155,701,383.
LAST, AGAIN = 2_781_479, 155_701_383


@pytest.mark.parametrize(
    "track",
    [
        [],
        [(0, 10, 60, 20), (10, 20, 59, 20), (30, 40, 1, 0)],
        [(20_000, LAST, 60, 40), (LAST, AGAIN - 1, 60, 20), (AGAIN - 1, AGAIN + 5, 60, 40)],
    ],
)
def test_a_track_that_people_can_have_is_accepted(tmp_path: Path, track: Runs) -> None:
    path = write(tmp_path / "a.zip", track=track)
    assert findings(path, len(track)) == []


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        ([(0, 10, 60, 20), (9, 20, 60, 20)], "not in order"),
        ([(10, 20, 60, 20), (0, 5, 60, 20)], "not in order"),
        ([(5, 5, 60, 20)], "not in order"),
        ([(-1, 5, 60, 20)], "not in order"),
        ([(0, 10, 61, 20)], "no people can have"),
        ([(0, 10, 60, 21)], "no people can have"),
        ([(0, 10, -1, 20)], "no people can have"),
        ([(0, 10, 0, 0)], "no people can have"),
        ([(20_000, LAST + 1, 60, 40)], "no people can have"),
        ([(AGAIN - 2, AGAIN + 5, 60, 40)], "no people can have"),
        ([(20_000, AGAIN + 5, 60, 40)], "no people can have"),
    ],
)
def test_a_track_that_nobody_can_have_is_refused(tmp_path: Path, track: Runs, reason: str) -> None:
    path = write(tmp_path / "a.zip", track=track)
    assert any(reason in found.what for found in findings(path, len(track)))
