"""Whether counts of cells can be those of people: what holds for all genotypes must hold for their sums."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import GROUP_TABLES
from afpanel.core.withholding import MASKED_TABLES
from afpanel.model.arrays import RAW_COUNTS


@dataclass(frozen=True)
class Promise:
    """What a programme says that it keeps to itself.

    Parameters
    ----------
    min_allele_count, min_variant_count
        See `core.withholding.Sharing`.
    everybody
        Whether all its people are told of.
    """

    min_allele_count: int
    min_variant_count: int
    everybody: bool


def impossible(
    tables: Mapping[str, NDArray[np.int32]],
    present: NDArray[np.int32],
    diploid: NDArray[np.int32],
    *,
    has_missing: bool,
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Find counts that no people can have.

    Parameters
    ----------
    tables
        (n, cells) int32 for each of `GROUP_TABLES`, (n,) for each of `RAW_COUNTS`; -1 is missing.
    present, diploid
        (n, cells) int32: people of each cell who have the place at all, and who have it twice.
    has_missing
        Whether counts may be missing.

    Yields
    ------
    rule, broken
        In words what does not hold, and (n,) bool where.
    """
    wide = {name: tables[name].astype(np.int64) for name in (*GROUP_TABLES, *RAW_COUNTS)}
    ac, an, hom, hemi, single_ac, single_an = (wide[name] for name in GROUP_TABLES)
    raw_ac, raw_an = (wide[name] for name in RAW_COUNTS)
    lowest = -1 if has_missing else 0
    masked = ac < 0
    pairs = (an - single_an) // 2

    def anywhere(broken: Any) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = broken.any(axis=1)
        return found

    yield "a count is negative", anywhere((an < 0) | (single_an < 0)) | _any_below(wide, lowest)
    yield (
        "AC is missing in a cell, and not all that follows from it",
        anywhere(masked & np.any([wide[name] >= 0 for name in MASKED_TABLES], axis=0)),
    )
    yield (
        "AC is told in a cell, and what goes with it is missing",
        anywhere(~masked & np.any([wide[name] < 0 for name in MASKED_TABLES], axis=0)),
    )
    yield (
        "more alleles are called than the people have copies",
        anywhere((pairs > diploid) | (pairs + single_an > present)),
    )
    yield "AC is more than AN", anywhere(ac > an)
    yield "more people are homozygous than AC allows", anywhere(~masked & (2 * hom > ac))
    yield (
        "AC of people with one called allele is more than AC, or than such alleles",
        anywhere(~masked & ((single_ac > ac) | (single_ac > single_an))),
    )
    yield "more alleles are alone in their person than are called", anywhere(single_an > an)
    yield (
        "called alleles of people with two of them do not come in pairs",
        anywhere((an - single_an) % 2 == 1),
    )
    het = ac - 2 * hom - single_ac
    yield (
        "homozygous, heterozygous and haploid people do not add up to AC and AN",
        anywhere(~masked & ((het < 0) | (het + hom > pairs))),
    )
    yield (
        "more haploid calls of ALT than calls of one allele",
        anywhere(~masked & (hemi > single_ac)),
    )
    told = raw_ac >= 0
    copies = (present.astype(np.int64) + diploid).sum(axis=1)
    yield (
        "the counts before the genotype filter are less than those after it",
        told & ((raw_an < an.sum(axis=1)) | (raw_ac < np.maximum(ac, 0).sum(axis=1))),
    )
    yield (
        "the counts before the genotype filter cannot be those of the people",
        (told != (raw_an >= 0)) | (raw_ac > raw_an) | (told & (raw_an > copies)),
    )
    yield (
        "counts of everybody tell what a cell masks",
        told & anywhere(masked),
    )


def unkept(
    tables: Mapping[str, NDArray[np.int32]], promise: Promise
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Find counts that are told though the programme says that it keeps such to itself.

    Parameters
    ----------
    tables
        As `impossible` takes them.
    promise
        What it says.

    Yields
    ------
    rule, broken
        In words what does not hold, and (n,) bool where.
    """
    ac, an = (tables[name].astype(np.int64) for name in ("allele_count", "allele_number"))
    raw_ac, raw_an = (tables[name].astype(np.int64) for name in RAW_COUNTS)
    masked, told = ac < 0, raw_ac >= 0
    fewest = promise.min_allele_count

    def few(copies: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (copies > 0) & (copies < fewest)
        return found

    small: NDArray[np.bool_] = ~masked & (few(ac) | few(an - ac))
    yield (
        "a cell tells of fewer copies of an allele than sharing.min_allele_count",
        np.logical_or.reduce(small, axis=1),
    )
    failed = raw_ac - np.maximum(ac, 0).sum(axis=1)
    yield (
        "the counts before the genotype filter tell of fewer copies than sharing.min_allele_count",
        told & (few(raw_ac) | few(raw_an - raw_ac) | few(failed)),
    )
    yield (
        "a variant has fewer copies than sharing.min_variant_count",
        ~masked.any(axis=1) & (ac.sum(axis=1) < promise.min_variant_count),
    )
    yield (
        "counts of everybody are told though not everybody is told of",
        np.zeros_like(told) if promise.everybody else told,
    )


def _any_below(wide: Mapping[str, NDArray[np.int64]], lowest: int) -> NDArray[np.bool_]:
    """Tell where some count is below a bound; (n,) bool."""
    found = np.zeros(len(wide[RAW_COUNTS[0]]), np.bool_)
    for values in wide.values():
        below = values < lowest
        found |= below.any(axis=1) if below.ndim > 1 else below
    return found
