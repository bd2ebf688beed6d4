"""Say of one variant why each of its cells is shown or masked, and by whose rule. Nothing is written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afpanel.constants import State
from afpanel.core.cell_rules import Decided
from afpanel.core.group_counts import GroupCounts
from afpanel.core.suppression_kernel import (
    CONTRIBUTOR,
    EARLIER,
    NOTHING_LEFT,
    PRIMARY,
    SECONDARY,
    SHOWN,
)
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.panel_store import read_panel_sites
from afpanel.stages.explain_earlier import EarlierReasons, explain_earlier
from afpanel.stages.explain_words import (
    copies_in_words,
    name_of_node,
    rule_in_words,
    rule_of_group,
)
from afpanel.stages.gate import Case, decide_beside, open_case
from afpanel.stages.ledger_audit import Audit, AuditOptions
from afpanel.stages.summary import aligned

_SITE = re.compile(r"(?P<contig>[^:]+):(?P<position>[1-9][0-9]{0,8}):(?P<ref>[^:]+):(?P<alt>[^:]+)")


@dataclass(frozen=True)
class Site:
    """A variant, as it is asked for."""

    contig: str
    position: int
    ref: str
    alt: str

    @classmethod
    def of(cls, text: str) -> "Site":
        """Read it from ``contig:pos:ref:alt``.

        Raises
        ------
        ValueError
            If it is written in another way.
        """
        found = _SITE.fullmatch(text)
        if found is None:
            raise ValueError(text)
        return cls(found["contig"], int(found["position"]), found["ref"], found["alt"])

    def __str__(self) -> str:
        return f"{self.contig}:{self.position}:{self.ref}:{self.alt}"


def explain(
    panels: Sequence[Path],
    policy_path: Path,
    site: Site,
    contributors_path: Path | None = None,
    as_of: str | None = None,
    beside: AuditOptions | None = None,
) -> str:
    """Explain what the gate decides of a variant; parameters as of `gate`.

    Raises
    ------
    BadInputError
        If the panel does not have the variant.
    PolicyRefusalError
        As of `gate`.
    """
    case = open_case(panels, policy_path, contributors_path, as_of)
    variants, counts = _alleles_at(panels, case, site)
    names = list(zip(variants.ref.objects(), variants.alt.objects(), strict=True))
    if (site.ref, site.alt) not in names:
        there = ", ".join(f"{ref}:{alt}" for ref, alt in names)
        raise BadInputError(
            f"the panel has no variant {site}",
            where=f"{site.contig}:{site.position}",
            found=there or "no variant at this position",
            remedy="give contig:pos:ref:alt as the panel has it: split, trimmed and left-aligned",
        )
    row = names.index((site.ref, site.alt))
    decided = alone = case.cells.decide(variants, counts)
    earlier = None
    if beside is not None:
        audit = Audit(beside, case.heads[0], case.allowed, case.rules.min_allele_count)
        reason, earlier = explain_earlier(audit, case.rules, site.contig, variants, counts, row)
        decided = decide_beside(case.cells, variants, counts, alone, reason != SHOWN)
    return "\n".join(_Explained(case, decided, alone, counts, row, earlier).lines(site))


def _alleles_at(panels: Sequence[Path], case: Case, site: Site) -> tuple[Variants, GroupCounts]:
    """Read all variants of a position."""
    paths = {head.contig: path for head, path in zip(case.heads, panels, strict=True)}
    if site.contig not in paths:
        raise BadInputError(
            f"there is no panel of contig {site.contig}",
            expected=f"one of {', '.join(paths)}",
            remedy="give the panel of the contig, and the contig's name as the panel has it",
        )
    for variants, counts in read_panel_sites(paths[site.contig]):
        rows = np.flatnonzero(variants.position == site.position)
        if len(rows) or variants.position[-1] > site.position:
            return variants.take(rows), counts.take(rows)
    return variants.take(rows), counts.take(rows)


class _Explained:
    """Puts into words what was decided of one allele of a site; `alone` is without earlier releases."""

    def __init__(
        self,
        case: Case,
        decided: Decided,
        alone: Decided,
        counts: GroupCounts,
        row: int,
        earlier: EarlierReasons | None,
    ) -> None:
        self._case, self._decided, self._counts, self._row = case, decided, counts, row
        self._alone, self._earlier, self._rules = alone, earlier, case.rules

    def lines(self, site: Site) -> Iterator[str]:
        """Give the lines of the answer."""
        yield f"{site}: {self._fate()}"
        if len(self._counts) > 1:
            yield f"(decided together with the other alleles of the position, {len(self._counts)} in all)"
        if self._earlier is not None:
            yield f"(held against {self._earlier.held})"
        yield ""
        head, row = self._case.heads[0], self._row
        table: list[tuple[str, ...]] = []
        for g, name in enumerate(head.groups):
            masked_before = self._counts.state[row, g] == State.MASKED
            ac, an = (
                "-" if masked_before or values[row, g] < 0 else f"{values[row, g]:,}"
                for values in (self._counts.allele_count, self._counts.allele_number)
            )
            table += [
                (*(cells if i == 0 else ("", "", "", "", "")), why, rule)
                for i, (cells, why, rule) in enumerate(
                    ((name, f"{head.people[g]:,}", ac, an, what), why, rule)
                    for what, why, rule in self._cell(g, name)
                )
            ]
        header = ("group", "people", "AC", "AN", "cell", "why", "rule")
        yield from aligned(header, table, range(1, 4))
        yield ""
        yield f"AC_raw, AN_raw, AF_raw: {self._raw()}"

    def _fate(self) -> str:
        decided, alone, row = self._decided, self._alone, self._row
        if decided.published[row]:
            if alone.published[row]:
                return "published"
            return f"published; without {self._releases} it would be dropped"
        if decided.unknown[row] and not (decided.masked.reason[row] != 0).any():
            return "not published: nobody is counted there"
        why = (
            "dropped: all that carries ALT is masked, and the bare row would say that somebody does"
        )
        if alone.published[row]:
            return f"{why}; without {self._releases} it would be there"
        if alone.primary_alone[row]:
            return f"{why}; with primary masking alone it would be there"
        return why

    @property
    def _releases(self) -> str:
        """Name what else was published, as far as it masks something of the variant."""
        assert self._earlier is not None
        return self._earlier.releases

    def _raw(self) -> str:
        decided, row = self._decided, self._row
        if not self._rules.value("statistics.raw"):
            return f"withheld ({self._by('statistics.raw')})"
        if decided.masked.reason[row, 0]:
            return "withheld with the total"
        if decided.raw[row]:
            return (
                f"withheld, few copies, or few that the genotype filter took away ({self._limit()})"
            )
        return "shown"

    def _cell(self, g: int, name: str) -> Iterator[tuple[str, str, str]]:
        """Give what becomes of a group's cell, why, and the rule, once for each reason."""
        withheld = self._case.withheld.get(name)
        if withheld is not None:
            yield "withheld", withheld, rule_of_group(self._rules, name, withheld)
            return
        place, row = self._case.allowed.index(g), self._row
        reason = int(self._decided.masked.reason[row, place])
        if reason == CONTRIBUTOR:
            yield "masked", "it came without figures from a contributor", "the contributor's own"
        elif reason == PRIMARY:
            for why, rule in self._few(g):
                yield "masked", why, rule
        elif reason == SECONDARY:
            yield ("masked", *self._secondary(place))
        elif self._decided.genotypes[row, place]:
            why = "without figures of genotypes: few people of a class, here or in a group that they would tell"
            yield "shown", why, self._by("min_genotype_count")
        elif reason == SHOWN:
            yield "shown", self._instead(place), ""
        if reason != SHOWN and self._earlier is not None:
            for why, rule in self._earlier.of_cell(place, alone=reason == EARLIER):
                yield "masked", why, rule

    def _instead(self, place: int) -> str:
        """Say where a cell would be masked without earlier releases."""
        if self._alone.masked.reason[self._row, place] == SHOWN:
            return ""
        return (
            f"without {self._releases} it would be masked for others, which are hidden now as it is"
        )

    def _few(self, g: int) -> Iterator[tuple[str, str]]:
        """Say which copies are few."""
        ac = int(self._counts.allele_count[self._row, g])
        other = int(self._counts.allele_number[self._row, g]) - ac
        k, found = self._rules.min_allele_count, False
        for side, what, copies in (("alt", "ALT", ac), ("other", "the other alleles", other)):
            if not self._rules.value(f"sides.{side}") or copies >= k:
                continue
            if copies:
                found = True
                yield (
                    f"{copies:,} {copies_in_words(copies)} of {what}, fewer than {k}",
                    self._of_side(side),
                )
            elif self._rules.value("zeros.masked"):
                found = True
                yield f"no copy of {what}, which is not to be known", self._by("zeros.masked")
        if not found:
            yield (
                "the alleles that are shown of the position would leave few copies of all others",
                self._limit(),
            )

    def _of_side(self, side: str) -> str:
        """Name the limit, and the rule of the side where that is another's."""
        line = f"sides.{side}"
        same = self._rules.ruling(line).by == self._rules.ruling("min_allele_count").by
        return self._limit() if same else f"{self._limit()}; {self._by(line)}"

    def _secondary(self, place: int) -> tuple[str, str]:
        """Say for which cell, and from whom to hide it, a cell was masked."""
        masked, row = self._decided.masked, self._row
        cause, against = int(masked.cause[row, place]), int(masked.against[row, place])
        if cause == NOTHING_LEFT:
            why = "nothing else was left to mask so that the masked cells cannot be worked out"
        else:
            node = name_of_node(cause, self._case.cells.names, self._case.cells.tree)
            why = f"else {node} could be worked out"
        rule = self._limit()
        if against:
            insider = self._case.cells.insiders[against - 1]
            why += f" by {insider}, which knows its own figures"
            rule = f"{self._by('insider_protection')}; {rule}"
        return why, rule

    def _limit(self) -> str:
        return self._by("min_allele_count")

    def _by(self, line: str) -> str:
        return rule_in_words(self._rules, line)
