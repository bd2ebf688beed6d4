"""What `discordance` writes and says: its tables, and the warnings with their remedies."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from afpanel.core.allele_tests import chi_square_below
from afpanel.core.discordance import Flags, Kind
from afpanel.core.inflation import Inflation
from afpanel.core.strata import Strata
from afpanel.core.variants import Variants
from afpanel.io.tsv import TsvWriter, create_tsv, write_tsv
from afpanel.stages.cohort_counts import CohortCounts
from afpanel.stages.discordance_tally import Tally

logger = logging.getLogger(__name__)

_VARIANTS = (
    "contig", "position", "ref", "alt", "cohort", "kind", "population", "allele_count",
    "allele_number", "observed", "expected", "effect", "p", "others",
)  # fmt: skip
_INFLATED = 2.0  # inflation factor from which a cohort's labels are in doubt
_FEWEST_FLAGS = 5  # so that a few odd variants of a small panel do not condemn a cohort
_QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
_NAMES = [kind.name.lower() for kind in Kind]
_TWO_SIDED = (Kind.FREQUENCY, Kind.SWAPPED)
_EITHER = "; there is no third cohort, so either may be the odd one"
_MEANING = {
    Kind.FREQUENCY: "have another frequency than the other cohorts",
    Kind.SWAPPED: "look as if REF and ALT were exchanged",
    Kind.HWE: "have genotypes out of Hardy-Weinberg proportions, which others' are not",
    Kind.CALLABILITY: "are called in less than half of its people, and in nearly all of the others'",
}
_REMEDY = {
    Kind.FREQUENCY: "check that its labels mean the same people, then how it was sequenced, called and"
    " filtered where regions.tsv lists it",
    Kind.SWAPPED: "check strand and REF of its file against the reference (bcftools +fixref), most of"
    " all at A/T and C/G sites",
    Kind.HWE: "look for lost alleles, duplicated sequence and related people, and at its genotype filter",
    Kind.CALLABILITY: "check its coverage there, and what the thresholds of the genotype filter take",
}


class VariantTable(AbstractContextManager["VariantTable"]):
    """Writes ``variants.tsv``: a line per flag, in order of variants; use it in a ``with`` block."""

    def __init__(self, folder: Path, cohorts: Sequence[str], populations: Sequence[str]) -> None:
        self._opened = create_tsv(folder / "variants.tsv", _VARIANTS)
        self._cohorts = np.array(cohorts, object)
        self._populations = np.array([*populations, ""], object)
        self.written = 0

    def __enter__(self) -> Self:
        self._table: TsvWriter = self._opened.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def write(self, contig: str, variants: Variants, flags: Flags) -> None:
        """Write the flags of a window."""
        if not len(flags):
            return
        self.written += len(flags)
        odd = variants.take(flags.row)
        figures = (flags.observed, flags.expected, flags.effect, flags.p)
        self._table.write(
            np.full(len(flags), contig, object), odd.position, odd.ref.objects(), odd.alt.objects(),
            self._cohorts[flags.cohort], np.array(_NAMES, object)[flags.kind],
            self._populations[flags.unit], flags.count, flags.number,
            *(np.array([_figure(x) for x in each], object) for each in figures), flags.others,
        )  # fmt: skip


def _figure(value: float) -> str:
    """Write a number with four digits; what is not known is empty."""
    return "" if np.isnan(value) else f"{value:.4g}"


@dataclass(frozen=True)
class Judged:
    """The verdict on a cohort.

    Parameters
    ----------
    name, country, people
        The cohort.
    strata, partners
        By what it was compared, and with which cohorts.
    tests
        By `Kind`: variants that could have been flagged; of genotypes, tests.
    flags
        By `Kind`, and last of any kind: variants that were.
    reasons
        The kinds for which the cohort as a whole is flagged.
    """

    name: str
    country: str
    people: int
    strata: list[str]
    partners: list[str]
    tests: list[int]
    flags: list[int]
    reasons: list[Kind]

    @classmethod
    def of(
        cls,
        cohort: CohortCounts,
        number: int,
        strata: Strata,
        cohorts: Sequence[CohortCounts],
        tally: Tally,
        max_share: float,
    ) -> "Judged":
        """Judge a cohort by what was tallied of it."""
        alleles, genotypes = int(tally.allele_tests[number]), int(tally.genotype_tests[number])
        tests = [alleles, alleles, genotypes, int(tally.compared[number])]
        flags = tally.flags(number)
        partners = [cohorts[c].name for c in strata.partners(number)]
        # Where a cohort has a single partner, either may be the odd one, and both are named.
        held = tally.backed[number].tolist() if len(partners) > 1 else flags
        reasons = [
            kind for kind in Kind if held[kind] >= max(_FEWEST_FLAGS, max_share * tests[kind])
        ]
        return cls(
            cohort.name,
            cohort.country,
            sum(cell.people for cell in cohort.cells),
            [strata.names[strata.parts[p].stratum] for p in strata.parts_of(number)],
            partners,
            tests,
            flags,
            reasons,
        )

    @property
    def verdict(self) -> str:
        """``flagged``, ``passed``, or ``not compared``: also where partners have too few alleles."""
        if not any(self.tests):
            return "not compared"
        return "flagged" if self.reasons else "passed"


def write_tables(
    folder: Path,
    judged: Sequence[Judged],
    tally: Tally,
    inflation: tuple[Inflation, Inflation],
    top: int,
) -> None:
    """Write ``cohorts.tsv``, ``regions.tsv`` and ``quantiles.tsv``."""
    alleles, genotypes = inflation
    lambdas = zip(alleles.factors(), genotypes.factors(), strict=True)
    write_tsv(
        folder / "cohorts.tsv",
        ("cohort", "country", "people", "strata", "partners", "allele_tests", "genotype_tests",
         "call_rates", *_NAMES, "flagged", "share_flagged", "lambda_alleles", "lambda_genotypes",
         "verdict", "reasons"),
        (
            (j.name, j.country, j.people, ";".join(j.strata), ";".join(j.partners), j.tests[0],
             *j.tests[2:], *j.flags, _figure(j.flags[-1] / max(tally.variants, 1)), *map(_figure, each),
             j.verdict, ";".join(_NAMES[kind] for kind in j.reasons))
            for j, each in zip(judged, lambdas, strict=True)
        ),
    )  # fmt: skip
    write_tsv(
        folder / "regions.tsv",
        ("cohort", "rank", "contig", "start", "end", "variants", "flagged", *_NAMES),
        (
            (j.name, rank, r.contig, r.start, r.end, r.variants, r.flagged, *r.kinds)
            for number, j in enumerate(judged)
            for rank, r in enumerate(tally.worst(number, top), 1)
        ),
    )
    write_tsv(
        folder / "quantiles.tsv",
        ("cohort", "test", "quantile", "expected", "observed"),
        (
            (j.name, test, str(share), _figure(chance), _figure(each.quantile(number, share)))
            for number, j in enumerate(judged)
            if j.partners
            for test, each in (("alleles", alleles), ("genotypes", genotypes))
            for share, chance in zip(_QUANTILES, chi_square_below(_QUANTILES, 1), strict=True)
        ),
    )


def warn(judged: Sequence[Judged], factors: NDArray[np.float64]) -> None:
    """Name the cohorts that are flagged, why, and what can be done about it.

    `factors` are the inflation factors of their alleles; where one is large and nothing explains it, that
    is said too.
    """
    swapped = {cohort.name for cohort in judged if Kind.SWAPPED in cohort.reasons}
    for cohort, factor in zip(judged, factors.tolist(), strict=True):
        for kind in cohort.reasons:
            n, tests = cohort.flags[kind], cohort.tests[kind]
            logger.warning(
                "discordance: cohort %s is flagged: %s of %s %s (%.2g %%) %s, beside %s by %s%s. Remedy:"
                " %s; variants.tsv lists them.",
                cohort.name, f"{n:,}", f"{tests:,}",
                "tests" if kind is Kind.HWE else "variants", 100 * n / tests, _MEANING[kind],
                ", ".join(cohort.partners), ", ".join(cohort.strata),
                _EITHER if len(cohort.partners) == 1 and kind in _TWO_SIDED else "",
                _REMEDY[kind],
            )  # fmt: skip
        if factor >= _INFLATED and not swapped & {cohort.name, *cohort.partners}:
            logger.warning(
                "discordance: cohort %s differs a little nearly everywhere (lambda %.3g), beside %s by %s, and"
                " a frequency is flagged only if it is beyond that. Remedy: check that its labels mean the"
                " same people, and that nobody is in it twice.",
                cohort.name, factor, ", ".join(cohort.partners), ", ".join(cohort.strata),
            )  # fmt: skip
