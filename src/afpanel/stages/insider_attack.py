"""Attack a release as a contributor would: with what it shows, and the figures of one's own country.

A release does not tell what a country knows of itself; the hub's own panel does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING, State
from afpanel.core.derivation import Equations
from afpanel.core.group_counts import GroupCounts
from afpanel.core.release_limits import Limits
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.panel_store import PanelHead, read_heads, read_panel_sites
from afpanel.io.release_tables import ReleaseTable
from afpanel.model.figures import AC, AN, NHEMIALT, NHOMALT, STATE
from afpanel.stages.release_attack import Attack, Verdict

_FIGURES = (AC, AN, NHOMALT, NHEMIALT)


class InsiderAttacks:
    """What each country could work out.

    Parameters
    ----------
    panels
        Panel stores from before the gate, one of each contig.
    groups, people
        The groups of the release, and their sizes.
    build
        Genome build.
    limits
        What the release says that it keeps to.
    """

    def __init__(
        self,
        panels: Sequence[Path],
        groups: Sequence[str],
        people: Sequence[int],
        build: str,
        limits: Limits,
    ) -> None:
        heads = read_heads(panels)
        self._paths = {head.contig: path for head, path in zip(heads, panels, strict=True)}
        self._groups, self._all = list(groups), heads[0].groups
        _check(heads[0], groups, people, panels[0])
        sizes = dict(zip(heads[0].groups, heads[0].people, strict=True))
        countries = [
            name for name in heads[0].groups if len(name) == 2 and name not in ("XX", "XY")
        ]
        self._attacks: dict[str, Attack] = {}
        for country in countries:
            # A country that is not in the release knows its own figures all the same.
            names = [*groups, *([] if country in groups else [country])]
            known = Equations.of(names, [sizes[name] for name in names])
            self._attacks[country] = Attack(known, build, limits, 0, country)
        self._reading: tuple[str, Iterator[tuple[Variants, GroupCounts]]] | None = None
        self._waiting: list[tuple[Variants, GroupCounts]] = []

    def on(self, table: ReleaseTable) -> Verdict:
        """Attack a table of whole sites with the figures of each country in turn."""
        verdict = Verdict()
        for contig in dict.fromkeys(table.contig):
            at = np.flatnonzero(table.contig == contig)
            part = table.rows(int(at[0]), int(at[-1]) + 1)
            own = self._own(part)
            for country, attack in self._attacks.items():
                found = attack.on(self._with(part, own, country))
                verdict.found.update(found.found)
                verdict.examples += found.examples
        return verdict

    def _with(
        self, table: ReleaseTable, own: Mapping[str, NDArray[Any]], country: str
    ) -> ReleaseTable:
        """Write a country's figures into a table in place of what is masked of them."""
        figures = {}
        beside = [] if country in self._groups else [country]
        for name, values in own.items():
            columns = [table.figures[name], *(values[:, [self._all.index(g)]] for g in beside)]
            told = np.concatenate(columns, axis=1)
            for g, group in enumerate(self._groups):
                if group == country or group.startswith(f"{country}_"):
                    told[:, g] = values[:, self._all.index(group)]
            figures[name] = told
        return replace(table, figures=figures)

    def _own(self, table: ReleaseTable) -> dict[str, NDArray[Any]]:
        """Look the variants of a contig up in its panel; (n, groups of the panel) of each figure."""
        contig, last = str(table.contig[0]), int(table.position[-1])
        if self._reading is None or self._reading[0] != contig:
            if contig not in self._paths:
                raise BadInputError(f"no panel of contig {contig} is given", where="--panel")
            self._reading, self._waiting = (contig, read_panel_sites(self._paths[contig])), []
        while not self._waiting or int(self._waiting[-1][0].position[-1]) < last:
            block = next(self._reading[1], None)
            if block is None:
                break
            self._waiting.append(block)
        found = _find(table, self._waiting, len(self._all))
        self._waiting = [each for each in self._waiting if int(each[0].position[-1]) >= last]
        return found


def _check(head: PanelHead, groups: Sequence[str], people: Sequence[int], where: Path) -> None:
    """Refuse a panel that the release was not made of."""
    sizes = dict(zip(head.groups, head.people, strict=True))
    wrong = [name for name, n in zip(groups, people, strict=True) if sizes.get(name) != n]
    if wrong:
        raise BadInputError(
            f"the panel has not the same people of {', '.join(wrong)} as the release",
            where=where,
            remedy="give the merged panel that the release was made of",
        )


def _find(
    table: ReleaseTable, blocks: Sequence[tuple[Variants, GroupCounts]], groups: int
) -> dict[str, NDArray[Any]]:
    n = len(table)
    own = {figure.array: np.full((n, groups), MISSING, np.int32) for figure in _FIGURES}
    own[STATE.array] = np.full((n, groups), State.MASKED, np.int8)
    found = np.zeros(n, np.bool_)
    for variants, counts in blocks:
        position, ref, alt = variants.position, variants.ref.objects(), variants.alt.objects()
        first = np.searchsorted(position, table.position)
        last = np.searchsorted(position, table.position, "right")
        for step in range(int((last - first).max(initial=0))):
            rows = np.flatnonzero((first + step < last) & ~found)
            at = first[rows] + step
            same = (ref[at] == table.ref[rows]) & (alt[at] == table.alt[rows])
            rows, at = rows[same], at[same]
            found[rows] = True
            for name, values in own.items():
                values[rows] = getattr(counts, name)[at]
    if not found.all():
        row = int(np.flatnonzero(~found)[0])
        raise BadInputError(
            "a variant of the release is not in the panel",
            where=f"{table.contig[row]}:{table.position[row]} {table.ref[row]}>{table.alt[row]}",
            remedy="give the merged panel that the release was made of",
        )
    return own
