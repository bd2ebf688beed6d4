"""What a report is made of: the manifest, tables, and what changed. All of it is in the release, or follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from afpanel.constants import State
from afpanel.core.release_tally import CALL_RATES, FREQUENCIES, LONGEST_CHANGE, ReleaseTally
from afpanel.core.variant_kinds import VariantKind
from afpanel.io.tsv import MISSING_TEXT, TextTable, as_number
from afpanel.model.groups import kind_of
from afpanel.stages.harmonize import is_kept

KINDS = {
    VariantKind.SNV: "single base",
    VariantKind.INSERTION: "insertion",
    VariantKind.DELETION: "deletion",
    VariantKind.MNV: "several bases",
    VariantKind.COMPLEX: "complex",
}
"""Kinds of variants, as the report calls them."""

STATE_NAMES = {
    State.OBSERVED: "observed",
    State.ABSENT_CALLABLE: "absent-callable",
    State.NOT_CALLABLE: "not-callable",
    State.MASKED: "masked",
}
"""States in the order in which the report has them."""


@dataclass(frozen=True)
class Findings:
    """What the hub alone may see of its cohorts; nothing of it is in a release.

    Parameters
    ----------
    verdicts, variants, regions
        Tables of `discordance`: ``cohorts.tsv``, ``variants.tsv`` and ``regions.tsv``.
    overlap
        The report of people who are in two cohorts, or None.
    decision
        The gate's decision.
    """

    verdicts: TextTable
    variants: TextTable
    regions: TextTable
    overlap: Mapping[str, Any] | None
    decision: Mapping[str, Any]


@dataclass(frozen=True)
class ReportData:
    """Everything that a report is made of.

    Parameters
    ----------
    manifest
        The manifest, with its files but for the report.
    tables
        By name: ``harmonization``, the tables of `popgen` and those of `tally_tables`.
    changes
        What changed since an earlier release, by name: see `report_changes`; None without one.
    findings
        What the hub alone sees, or None in a report that is published.
    """

    manifest: Mapping[str, Any]
    tables: Mapping[str, TextTable]
    changes: Mapping[str, Any] | None = None
    findings: Findings | None = None

    @property
    def groups(self) -> list[str]:
        """Names of the groups."""
        return [each["group"] for each in self.manifest["groups"]]

    @property
    def people(self) -> dict[str, int]:
        """People of each group."""
        return {each["group"]: each["people"] for each in self.manifest["groups"]}

    def numbers(self, table: str, column: str, **where: str) -> list[float]:
        """Give the values of a column, of the rows that say so; NaN is missing."""
        rows = self.tables[table].records()
        return [as_number(r[column]) for r in rows if all(r[k] == v for k, v in where.items())]


def harmonization_rows(outcomes: Mapping[str, Mapping[str, int]]) -> TextTable:
    """Lay out what became of each cohort's source alleles, kept ones first."""
    return TextTable.of(
        ("cohort", "outcome", "kept", "source_alleles"),
        (
            (cohort, label, "yes" if is_kept(label) else "no", tally[label])
            for cohort, tally in outcomes.items()
            for label in sorted(tally, key=lambda label: (not is_kept(label), label))
        ),
    )


def tally_tables(
    tally: ReleaseTally, groups: Sequence[str], people: Sequence[int]
) -> dict[str, TextTable]:
    """Lay out what was counted in one pass, by the names of the tables."""
    return {
        "people": TextTable.of(
            ("group", "kind", "people"),
            ((g, kind_of(g).value, n) for g, n in zip(groups, people, strict=True)),
        ),
        "states": TextTable.of(
            ("group", "state", "cells"),
            (
                (group, name, int(tally.states[g, state]))
                for g, group in enumerate(groups)
                for state, name in STATE_NAMES.items()
            ),
        ),
        "kinds": TextTable.of(
            ("contig", "kind", "variants"),
            (
                (contig, name, int(of_contig[kind]))
                for contig, of_contig in tally.kinds.items()
                for kind, name in KINDS.items()
            ),
        ),
        "indels": TextTable.of(
            ("change", "variants"),
            (
                (_change(i - LONGEST_CHANGE - 1), n)
                for i, n in enumerate(tally.lengths.tolist())
                if i != LONGEST_CHANGE + 1
            ),
        ),
        "ti_tv": TextTable.of(
            ("group", "above", "up_to", "transitions", "transversions", "ti_tv"),
            (
                (group, f"{low:g}", f"{high:g}", ti, tv, ti / tv if tv else float("nan"))
                for g, group in enumerate(groups)
                for (low, high), (ti, tv) in zip(
                    pairwise(FREQUENCIES), tally.changes[g].tolist(), strict=True
                )
            ),
        ),
        "call_rate": TextTable.of(
            ("group", "from", "below", "cells"),
            (
                (group, f"{low:g}", MISSING_TEXT if high is None else f"{high:g}", n)
                for g, group in enumerate(groups)
                for low, high, n in zip(
                    CALL_RATES, (*CALL_RATES[1:], None), tally.call_rates[g].tolist(), strict=True
                )
            ),
        ),
    }  # fmt: skip


def _change(bases: int) -> str:
    """Name a change of length; of those beyond the longest, the first.

    >>> _change(-21), _change(3)
    ('-21 and more', '+3')
    """
    return f"{bases:+d} and more" if abs(bases) > LONGEST_CHANGE else f"{bases:+d}"


def share(part: float, whole: float) -> str:
    """Write a share, without rounding anything to none or to all.

    >>> share(1, 3), share(0, 7), share(99_999, 100_000), share(1, 100_000), share(1, 0)
    ('33.3 %', '0 %', 'over 99.9 %', 'under 0.1 %', 'none')
    """
    if not whole:
        return "none"
    of = part / whole
    if 0 < of < 0.001:
        return "under 0.1 %"
    if 0.999 < of < 1:
        return "over 99.9 %"
    return f"{100 * of:.3g} %"


def listed(names: Sequence[str]) -> str:
    """List names in words.

    >>> listed(["VN", "TH", "ID"]), listed(["VN"]), listed([])
    ('VN, TH and ID', 'VN', 'none')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "none"


def counted(n: int, what: str, many: str | None = None) -> str:
    """Write a number of things.

    >>> counted(1, "cohort"), counted(1200, "person", "people")
    ('1 cohort', '1,200 people')
    """
    return f"{n:,} {what if n == 1 else many or what + 's'}"
