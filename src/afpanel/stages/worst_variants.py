"""Variants at which a cohort differs most from others of its populations, and which of them may be named.

Flags rest on counts that no gate has seen. A release names a variant only if it shows every count that the
flag is from: then it tells nothing that whoever has the release could not work out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.variants import Variants
from afpanel.io.tsv import TextTable
from afpanel.model.groups import TOTAL, GroupKind, country_of, kind_of

_LOOKED_AT = 2_000
"""Flags, the worst first, of which those are sought that may be named."""

_MOST = 10
_LONGEST = 30
"""Bases of an allele up to which a variant is named in a release."""

_BOUNDS = (0.0001, 0.001, 0.01, 0.1, 1.0)
"""What the share of flagged variants is told as: the next of these. An exact one would count hidden variants."""


def worst_flags(path: Path, most: int = _LOOKED_AT) -> TextTable:
    """Read the flags with the least p, and of those alike with the greatest effect, from ``variants.tsv``."""
    reading = arrow_csv.ReadOptions(block_size=4 << 20)
    parsing = arrow_csv.ParseOptions(delimiter="\t", quote_char=False)
    with path.open(encoding="utf-8") as source:
        columns = source.readline().rstrip("\n").split("\t")
        if not source.readline():
            return TextTable(tuple(columns), ())
    text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
    best = pa.table({name: pa.array([], pa.string()) for name in columns})
    with arrow_csv.open_csv(path, reading, parsing, text) as batches:
        for batch in batches:
            rows = pa.concat_tables([best, pa.Table.from_batches([batch])])
            p, effect = (_numbers(rows[name]) for name in ("p", "effect"))
            order = np.lexsort((np.arange(len(rows)), -np.abs(effect), p))[:most]
            best = rows.take(pa.array(order)).combine_chunks()
    return TextTable(
        tuple(columns), tuple(zip(*(best[n].to_pylist() for n in columns), strict=True))
    )


def _numbers(column: Any) -> NDArray[np.float64]:
    """Read numbers; what is not known counts as 0."""
    return np.array([float(text) if text else 0.0 for text in column.to_pylist()], np.float64)


@dataclass
class NamedFlags:
    """Finds the worst flags that a release may name; variants come in its order.

    Parameters
    ----------
    flags
        The worst flags, the worst first.
    partners
        Cohorts with which each is compared.
    country
        Country of each cohort.
    groups
        Names of the release's groups.
    withheld
        Names of groups that are not shown.
    """

    flags: TextTable
    partners: Mapping[str, Sequence[str]]
    country: Mapping[str, str]
    groups: Sequence[str]
    withheld: Sequence[str]
    _found: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._wanted: dict[str, dict[int, list[tuple[int, dict[str, str]]]]] = {}
        for rank, flag in enumerate(self.flags.records()):
            if self._groups_of(flag["cohort"]) and len(flag["ref"]) + len(flag["alt"]) <= _LONGEST:
                at = self._wanted.setdefault(flag["contig"], {})
                at.setdefault(int(flag["position"]), []).append((rank, flag))

    def _groups_of(self, cohort: str) -> list[int]:
        """List the groups whose cells a flag of a cohort is from; none if not all of these are shown.

        A cohort that is not alone in its country is never shown by itself.
        """
        involved = [cohort, *self.partners.get(cohort, ())]
        countries = {self.country[name] for name in involved}
        alone = all(
            sum(other == self.country[name] for other in self.country.values()) == 1
            for name in involved
        )
        if not alone or any(country_of(name) in countries for name in self.withheld):
            return []
        if not countries <= set(self.groups):
            return []
        return [
            g
            for g, name in enumerate(self.groups)
            if name == TOTAL
            or (kind_of(name) is not GroupKind.SEX and country_of(name) in countries)
        ]

    def look(self, contig: str, variants: Variants, counts: ReleasedCounts) -> None:
        """Look for flags among variants of a contig, and whether all that they are from is shown."""
        wanted = self._wanted.get(contig, {})
        for row in np.flatnonzero(np.isin(variants.position, list(wanted))).tolist():
            one = variants.take(np.array([row]))
            alleles = (str(one.ref.objects()[0]), str(one.alt.objects()[0]))
            for rank, flag in wanted[int(variants.position[row])]:
                if alleles == (flag["ref"], flag["alt"]) and self._is_shown(flag, counts, row):
                    self._found[rank] = self._named(flag, counts, row)

    def _is_shown(self, flag: Mapping[str, str], counts: ReleasedCounts, row: int) -> bool:
        groups = self._groups_of(flag["cohort"])
        state = counts.state[row, groups]
        shown = bool(
            np.isin(state, (State.OBSERVED, State.ABSENT_CALLABLE, State.NOT_CALLABLE)).all()
        )
        if flag["kind"] == "hwe":
            observed = state == State.OBSERVED
            shown &= bool((counts.homozygote_count[row, groups][observed] >= 0).all())
        return shown

    def _named(self, flag: Mapping[str, str], counts: ReleasedCounts, row: int) -> dict[str, Any]:
        """Say of a flag what the release shows: frequencies of the countries that were compared."""
        chosen = [
            g
            for g in self._groups_of(flag["cohort"])
            if kind_of(self.groups[g]) is GroupKind.COUNTRY
        ]
        return {
            "contig": flag["contig"],
            "position": int(flag["position"]),
            "ref": flag["ref"],
            "alt": flag["alt"],
            "cohort": flag["cohort"],
            "kind": flag["kind"],
            "frequencies": [
                {
                    "group": self.groups[g],
                    "AC": int(counts.allele_count[row, g]),
                    "AN": int(counts.allele_number[row, g]),
                }
                for g in chosen
                if counts.allele_number[row, g] > 0
            ],
        }

    def named(self) -> list[dict[str, Any]]:
        """List what may be named, the worst first."""
        return [self._found[rank] for rank in sorted(self._found)[:_MOST]]


def verdicts_to_publish(rows: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Say of each cohort what a release may: whether it differs from those of its populations, and roughly how often.

    Parameters
    ----------
    rows
        Of ``cohorts.tsv``, as `discordance` writes it.
    """
    published = []
    for row in rows:
        of = float(row["share_flagged"] or 0)
        compared = row["verdict"] != "not compared"
        published.append(
            {
                "cohort": row["cohort"],
                "verdict": row["verdict"],
                "reasons": list(filter(None, row["reasons"].split(";"))),
                "compared_with": list(filter(None, row["partners"].split(";"))),
                "flagged_at_most": next(b for b in _BOUNDS if of <= b) if compared else None,
            }
        )
    return published
