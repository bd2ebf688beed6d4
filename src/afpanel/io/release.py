"""What a release consists of, whatever its format: its head, and blocks of figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.contigs import contig_kind
from afpanel.core.filtering_frequency import filtering_frequency
from afpanel.core.frequency import allele_frequency
from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_maximum import greatest, of_groups
from afpanel.core.hardy_weinberg import exact_test, inbreeding_coefficient
from afpanel.core.ploidy import PLOIDY, loci_of
from afpanel.core.variants import Variants
from afpanel.model.figures import (
    AF,
    CALL_RATE,
    EXC_HET,
    FAF95,
    FAF99,
    HWE,
    INBREEDING,
    SITE_FIGURES,
    Figure,
    SiteFigure,
)
from afpanel.model.groups import candidates_for_maximum


@dataclass(frozen=True)
class ReleaseHead:
    """What the files of a release say about themselves.

    Parameters
    ----------
    name, version
        Of the panel.
    build
        Genome build.
    contigs
        Lengths of the contigs, in order.
    groups
        Names of the published groups, in order.
    people_by_sex
        People of each sex in each group, sexes in the order of `constants.SEXES`.
    excluded
        Groups that are never a maximum.
    """

    name: str
    version: str
    build: str
    contigs: dict[str, int]
    groups: list[str]
    people_by_sex: list[list[int]]
    excluded: Sequence[str] = ()

    @property
    def people(self) -> list[int]:
        """People in each group."""
        return [sum(by_sex) for by_sex in self.people_by_sex]


@dataclass(frozen=True)
class ReleaseBlock:
    """Consecutive variants of one contig, and all their figures.

    Parameters
    ----------
    contig
        Name of the contig.
    variants
        n variants.
    counts
        Their counts in g groups; the first group is the total.
    rates
        Those figures of groups that are worked out of counts, by the name of their array, (n, g) float32.
    site
        The figures of variants by the name of their array, (n,): int32, float32, or text.
    """

    contig: str
    variants: Variants
    counts: GroupCounts
    rates: dict[str, NDArray[np.float32]]
    site: dict[str, NDArray[Any]]

    @classmethod
    def of(
        cls, contig: str, variants: Variants, counts: GroupCounts, head: ReleaseHead
    ) -> "ReleaseBlock":
        """Work out every figure from the counts that passed the gate, so that none tells more."""
        ac, an = counts.allele_count, counts.allele_number
        faf = {
            figure: filtering_frequency(ac, an, level)
            for figure, level in ((FAF95, 0.95), (FAF99, 0.99))
        }
        rates = {
            AF.array: allele_frequency(ac, an),
            **{figure.array: values.astype(np.float32) for figure, values in faf.items()},
            CALL_RATE.array: _call_rate(contig, variants, counts, head),
            **_proportions(counts, head.groups),
        }
        site = _site_figures(counts, head, rates[AF.array], list(faf.values()))
        return cls(contig, variants, counts, rates, site)

    @property
    def no_alt_left(self) -> NDArray[np.bool_]:
        """(n,) bool: variants whose FILTER is AC0, since nobody counted carries ALT."""
        nobody: NDArray[np.bool_] = np.equal(self.counts.allele_count[:, 0], 0)
        return nobody

    def values(self, figure: Figure) -> NDArray[np.int32] | NDArray[np.float32]:
        """Get a figure's values, (n, g)."""
        if figure.is_frequency:
            return self.rates[figure.array]
        values: NDArray[np.int32] = getattr(self.counts, figure.array)
        return values

    def site_values(self, figure: SiteFigure) -> NDArray[Any]:
        """Get the values of a figure of variants, (n,)."""
        return self.site[figure.array]


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values of a figure are missing: -1, NaN or empty text."""
    no_value = MISSING if values.dtype.kind == "i" else ""
    missing: NDArray[np.bool_] = (
        np.isnan(values) if values.dtype.kind == "f" else np.equal(values, no_value)
    )
    return missing


def _call_rate(
    contig: str, variants: Variants, counts: GroupCounts, head: ReleaseHead
) -> NDArray[np.float32]:
    """Divide AN by the copies that people have of the place; (n, g), NaN where nobody has one."""
    loci = loci_of(contig_kind(contig), head.build, variants.position)
    people = np.array(head.people_by_sex, np.int64).reshape(-1, PLOIDY.shape[1])
    copies = (PLOIDY.astype(np.int64) @ people.T)[loci]
    rate = np.full(copies.shape, np.nan)
    known = (copies > 0) & (counts.allele_number >= 0)
    np.divide(counts.allele_number, copies, out=rate, where=known)
    return rate.astype(np.float32)


def _proportions(counts: GroupCounts, groups: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Work out the figures of diploid calls for the groups that have them; (n, g), NaN for the others."""
    columns = [g for g, group in enumerate(groups) if INBREEDING.has(group)]
    tested = counts.take(groups=columns)
    diploid = (tested.heterozygotes, tested.homozygote_count, tested.diploids)
    test = exact_test(*diploid)
    values = {
        HWE: test.p_value,
        EXC_HET: test.p_excess,
        INBREEDING: inbreeding_coefficient(*diploid),
    }
    result = {}
    for figure, of_tested in values.items():
        whole = np.full(counts.state.shape, np.nan, np.float32)
        having = [i for i, g in enumerate(columns) if figure.has(groups[g])]
        whole[:, [columns[i] for i in having]] = of_tested[:, having]
        result[figure.array] = whole
    return result


def _site_figures(
    counts: GroupCounts,
    head: ReleaseHead,
    frequency: NDArray[np.float32],
    faf: Sequence[NDArray[np.float64]],
) -> dict[str, NDArray[Any]]:
    """Work out the figures of variants, by the name of their array."""
    ac, an = counts.allele_count, counts.allele_number
    candidates = candidates_for_maximum(head.groups, head.excluded)
    exact = np.full(ac.shape, np.nan)
    np.divide(ac, an, out=exact, where=(an > 0) & (ac > 0))
    most = greatest(exact, candidates)
    names = np.array([*head.groups, ""], object)  # the last is that of no group
    figures: list[NDArray[Any]] = [
        counts.raw_allele_count,
        counts.raw_allele_number,
        allele_frequency(counts.raw_allele_count, counts.raw_allele_number),
        names[most],
        of_groups(ac, most, MISSING),
        of_groups(an, most, MISSING),
        of_groups(frequency, most, np.nan),
        of_groups(counts.homozygote_count, most, MISSING),
    ]
    for values in faf:
        group = greatest(values, candidates)
        figures += [of_groups(values.astype(np.float32), group, np.nan), names[group]]
    return {figure.array: each for figure, each in zip(SITE_FIGURES, figures, strict=True)}


class ReleaseWriter(Protocol):
    """A format of the release; blocks come in order of contig and position."""

    def write(self, block: ReleaseBlock) -> None:
        """Write a block."""

    def close(self) -> None:
        """Finish the file."""


FILTERS = {
    "PASS": "At least one ALT allele was counted",
    "AC0": "No ALT allele was counted",
}
"""FILTER values of a release."""
