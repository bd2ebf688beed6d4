"""Whether cells of a release that are masked are masked everywhere, and those that are shown may be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.release_limits import Limits
from afpanel.model.figures import (
    AC,
    AF,
    AN,
    EXC_HET,
    FAF95,
    FAF99,
    FIGURES,
    HWE,
    INBREEDING,
    NHEMIALT,
    NHOMALT,
    STATE,
)

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Finding:
    """Cells in which a release breaks its policy.

    Parameters
    ----------
    what
        What is wrong with them.
    rows, groups
        (m,) each; a group of -1 stands for the variant.
    """

    what: str
    rows: NDArray[np.intp]
    groups: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)


def check_cells(
    figures: Arrays, site: Arrays, filters: NDArray[Any], groups: Sequence[str], limits: Limits
) -> Iterator[Finding]:
    """Check what is written of each cell and variant.

    Parameters
    ----------
    figures
        (n, groups) by the name of the figure's array, with `state`; -1 and NaN are missing.
    site
        (n,) by the name of the figure's array.
    filters
        (n,) FILTER.
    groups
        Names of the groups; the first is the total.
    limits
        What may be shown.
    """
    ac, an = figures[AC.array], figures[AN.array]
    masked = figures[STATE.array] == State.MASKED
    yield _cells(
        "AN is missing where the cell is not masked, or shown where it is", masked != (an < 0)
    )
    for figure in FIGURES:
        shown = ~_missing(figures[figure.array])
        yield _cells(f"{figure.key} of a masked cell is shown", masked & shown)
    known = ~masked & (ac >= 0)
    for what, matters, copies in (
        ("ALT", limits.alt, ac),
        ("the other alleles", limits.other, an - ac),
    ):
        if matters:
            few = _few(copies, limits.k, limits.fewest) & (an > 0)
            yield _cells(f"few copies of {what} are shown", known & few)
    yield from _check_genotypes(figures, known, limits)
    exact = np.full(ac.shape, np.nan)
    np.divide(ac, an, out=exact, where=known & (an > 0))
    differs = ~_same(exact.astype(np.float32), figures[AF.array])
    yield _cells("AF is not AC / AN", differs & ~masked)
    shows_alt = (known & (ac > 0)).any(axis=1)
    yield _rows("cells are masked, and no group shows ALT", masked.any(axis=1) & ~shows_alt)
    nobody = ~masked[:, 0] & (ac[:, 0] == 0)
    yield _rows("FILTER tells whether ALT was counted", nobody != (filters == "AC0"))
    yield from _check_raw(figures, site, masked[:, 0], limits.k)
    yield from _check_maxima(figures, site, masked, groups)


def _check_genotypes(
    figures: Arrays, known: NDArray[np.bool_], limits: Limits
) -> Iterator[Finding]:
    """Check that no class of genotypes of few people is shown."""
    ac, two, haploid = figures[AC.array], figures[NHOMALT.array], figures[NHEMIALT.array]
    told = known & (two >= 0) & (haploid >= 0)
    for what, people, shown in (
        ("homozygous for ALT", two, known & (two >= 0)),
        ("hemizygous for ALT", haploid, known & (haploid >= 0)),
        ("with one copy of two", ac - 2 * two - haploid, told),
    ):
        if limits.genotypes > 1:
            yield _cells(f"few people {what} are shown", shown & _few(people, limits.genotypes))
    tests = np.zeros(known.shape, np.bool_)
    for figure in (HWE, EXC_HET, INBREEDING):
        tests |= ~_missing(figures[figure.array])
    yield _cells("a test tells the genotypes that are withheld", tests & (two < 0))


def _check_raw(
    figures: Arrays, site: Arrays, masked: NDArray[np.bool_], k: int
) -> Iterator[Finding]:
    """Check the counts before the genotype filter, which those after it are part of."""
    ac, an = site["raw_allele_count"], site["raw_allele_number"]
    shown = ac >= 0
    for name in ("raw_allele_count", "raw_allele_number", "raw_allele_frequency"):
        yield _rows(
            "counts before the filter are shown, and those after it masked",
            masked & ~_missing(site[name]),
        )
    failed = ac - figures[AC.array][:, 0]
    for what, copies in (
        ("ALT before the filter", ac),
        ("the other alleles before the filter", an - ac),
        ("ALT that the filter took away", failed),
    ):
        yield _rows(f"few copies of {what} are shown", shown & _few(copies, k))


def _check_maxima(
    figures: Arrays, site: Arrays, masked: NDArray[np.bool_], groups: Sequence[str]
) -> Iterator[Finding]:
    """Check that a maximum is of a group that is shown, and has its figures."""
    parts = (
        ("grpmax", "grpmax_group", ((AC, "grpmax_allele_count"), (AN, "grpmax_allele_number"),
                                    (AF, "grpmax_allele_frequency"), (NHOMALT, "grpmax_homozygote_count"))),
        ("fafmax_faf95_max", "fafmax_95_group", ((FAF95, "fafmax_95"),)),
        ("fafmax_faf99_max", "fafmax_99_group", ((FAF99, "fafmax_99"),)),
    )  # fmt: skip
    order = {name: g for g, name in enumerate(groups)}
    for what, names, values in parts:
        distinct, inverse = np.unique(site[names].astype(str), return_inverse=True)
        unknown = len(groups)
        place = np.array([order.get(name, -1 if name == "" else unknown) for name in distinct])
        group = place[inverse]
        strange = group == unknown
        at = np.where(strange | (group < 0), 0, group)
        every = np.arange(len(group))
        wrong = strange | ((group >= 0) & masked[every, at])
        for figure, array in values:
            of_group = figures[figure.array][every, at]
            agree = np.where(group >= 0, _same(of_group, site[array]), _missing(site[array]))
            wrong |= ~agree & ~strange
        yield _rows(f"{what} is not a figure of a group that is shown", wrong)


def few_left_of_sites(
    figures: Arrays, sites: Sequence[NDArray[np.int64]], limits: Limits
) -> Iterator[Finding]:
    """Find sites whose alleles that are shown leave few copies of all others.

    Parameters
    ----------
    sites
        Each (n,): number of the site that each variant is of, in order; sites can be told in several ways.
    """
    ac, an = figures[AC.array], figures[AN.array]
    shown = (figures[STATE.array] != State.MASKED) & (ac >= 0)
    for site in sites:
        start = np.flatnonzero(np.diff(site, prepend=-1))
        several = np.diff(np.append(start, len(site))) > 1
        if not several.any():
            continue
        most = np.maximum.reduceat(np.where(shown, an, MISSING), start)
        least = np.minimum.reduceat(np.where(shown, an, np.iinfo(an.dtype).max), start)
        left = most - np.add.reduceat(np.where(shown, ac, 0), start)
        fewest = limits.fewest if limits.other else 1
        wrong = several[:, None] & (least == most) & _few(left, limits.k, fewest)
        rows, groups = np.nonzero(wrong)
        yield Finding("alleles of a site leave few copies of the others", start[rows], groups)


def _few(copies: NDArray[Any], k: int, fewest: int = 1) -> NDArray[np.bool_]:
    few: NDArray[np.bool_] = (copies >= fewest) & (copies <= k - 1)
    return few


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = np.isnan(values) if values.dtype.kind == "f" else values == MISSING
    return missing


def _same(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (one == other) | (_missing(one) & _missing(other))
    return same


def _cells(what: str, wrong: NDArray[np.bool_]) -> Finding:
    return Finding(what, *np.nonzero(wrong))


def _rows(what: str, wrong: NDArray[np.bool_]) -> Finding:
    rows = np.flatnonzero(wrong)
    return Finding(what, rows, np.full(len(rows), -1))
