"""The verifier's attack on tables of a release: which of the cells that they hide follow from those they show."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import SEXES, State
from afpanel.core.contigs import contig_kind
from afpanel.core.derivation import Bounds, Count, Equations, too_well_known
from afpanel.core.derivation_lp import Cells, exact_bounds
from afpanel.core.disclosure_checks import check_cells, few_hidden_in_sums, few_left_of_sites
from afpanel.core.ploidy import PLOIDY, Loci, loci_of
from afpanel.core.release_limits import Limits
from afpanel.io.release_tables import ReleaseTable
from afpanel.model.figures import AC, AN, NHEMIALT, NHOMALT, STATE

_EXAMPLES = 10
_SEED = 20_260_101

DERIVABLE = "what is masked can be worked out"
FEW_OF_A_CLASS = "a class of genotypes of few people can be worked out"
_CONTRADICTION = "what is shown does not add up"

_FIGURES = {
    Count.ALT: AC,
    Count.CALLED: AN,
    Count.HOMOZYGOUS: NHOMALT,
    Count.HEMIZYGOUS: NHEMIALT,
}


@dataclass
class Verdict:
    """What was found in a format, or in a part of it.

    Parameters
    ----------
    variants, masked
        Variants, and masked cells of groups.
    solved
        Cells whose bounds were found by linear programming.
    found
        How often each fault was found, by what it is.
    examples
        Some of the faults, with their places.
    """

    variants: int = 0
    masked: int = 0
    solved: int = 0
    found: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def derivable(self) -> int:
        """Masked cells, and rests of sums, that can be worked out too well."""
        return self.found[DERIVABLE]

    def add(self, what: str, places: Sequence[str], number: int) -> None:
        """Note faults; `places` names some of them."""
        if number:
            self.found[what] += number
            self.examples += [f"{place}: {what}" for place in places[: self._room]]

    def take(self, other: "Verdict") -> None:
        """Add what was found elsewhere."""
        self.variants += other.variants
        self.masked += other.masked
        self.solved += other.solved
        self.found.update(other.found)
        self.examples += other.examples[: self._room]

    @property
    def _room(self) -> int:
        return max(0, _EXAMPLES - len(self.examples))


class Attack:
    """Works out what can be worked out.

    Parameters
    ----------
    known
        The equations of the release.
    build
        Genome build, which says where X and Y are alike.
    limits
        What the release says that it keeps to.
    sample
        Hidden cells, drawn by lot, to bound by linear programming.
    insider
        A country that attacks with figures of its own; empty for somebody who has none.
    """

    def __init__(
        self, known: Equations, build: str, limits: Limits, sample: int, insider: str = ""
    ) -> None:
        self._known, self._build, self._sample = known, build, sample
        self._limits, self._k, self._insider = limits, limits.k, insider
        self._derivable = f"{DERIVABLE} by {insider}" if insider else DERIVABLE
        self._rng = np.random.default_rng(_SEED)
        self._drawn: _Drawn | None = None

    def on(self, table: ReleaseTable) -> Verdict:
        """Check a table of whole sites, and bound what it hides."""
        figures, groups = table.figures, self._known.names[: self._known.groups]
        hidden = figures[STATE.array] == State.MASKED
        verdict = Verdict(len(table), int(hidden.sum()))
        sites = _sites_of(table)
        if not self._insider:
            for finding in (
                *check_cells(figures, table.site, table.filter, groups, self._limits),
                *few_left_of_sites(figures, sites, self._limits),
                *few_hidden_in_sums(figures, self._known, self._limits),
            ):
                self._note(verdict, finding.what, table, finding.rows, finding.groups)
        with_rests = self._known.groups < len(self._known.names)
        rows = np.arange(len(table)) if with_rests else np.flatnonzero(hidden.any(axis=1))
        # Other alleles of a site tell of its AN, also where nothing of them is hidden.
        for site in sites:
            rows = np.flatnonzero(np.isin(site, site[rows]))
        if len(rows):
            self._bound(table, hidden[rows], rows, [site[rows] for site in sites], verdict)
        return verdict

    def finish(self) -> Verdict:
        """Bound the cells that were drawn by lot by all equations at once."""
        verdict = Verdict()
        if self._drawn is not None:
            known = self._solve(self._drawn.cells, verdict)
            places = [self._drawn.places[i] for i in np.flatnonzero(known)]
            verdict.add(self._derivable, places, len(places))
        return verdict

    def _bound(
        self,
        table: ReleaseTable,
        hidden: NDArray[np.bool_],
        rows: NDArray[np.intp],
        sites: Sequence[NDArray[np.int64]],
        verdict: Verdict,
    ) -> None:
        """Bound what is hidden in some rows of a table; `hidden` and `sites` are of these rows."""
        shown = {
            count: np.maximum(table.figures[figure.array][rows], 0)
            for count, figure in _FIGURES.items()
        }
        nobody = shown[Count.CALLED] == 0
        for count in (Count.HOMOZYGOUS, Count.HEMIZYGOUS):
            # Where people are called and their genotypes are not told, these are anything.
            told = table.figures[_FIGURES[count].array][rows]
            shown[count] = np.where(nobody, 0, told)
        ploidy = self._ploidy(table, rows)
        bounds = Bounds.of(shown, hidden, self._known, ploidy)
        bounds.tighten(self._known)
        impossible = bounds.impossible
        at = rows[impossible]
        self._note(verdict, _CONTRADICTION, table, at, np.full(len(at), -1))
        free = np.ones((len(self._known.names), len(rows)), np.bool_)
        free[: self._known.groups] = hidden.T
        free[:, impossible] = False
        free[[n for n, name in enumerate(self._known.names) if self._owns(name)]] = False
        if self._limits.genotypes > 1 and not self._insider:
            self._classes(bounds, shown, hidden, ploidy, table, rows, verdict)
        circles = []
        solved = np.zeros(len(rows), np.bool_)
        for site, differs in zip(sites, _new_of(sites), strict=True):
            together = _one_number(table, rows, site) & (differs | ~solved)
            circles += self._alleles_together(bounds, together, site, free)
            solved = together
        known = free & self._too_well_known(bounds)
        for cells, where in circles:
            found = self._solve(cells, verdict)
            known[cells.node[found], where[found]] = True
        nodes, which = np.nonzero(known)
        self._note(verdict, self._derivable, table, rows[which], nodes)
        self._draw(bounds, free & ~known, table, rows)

    def _owns(self, node: str) -> bool:
        """Tell whether an insider knows a node that is hidden: people of it who are in no published population."""
        return bool(self._insider) and node.startswith(f"{self._insider} without")

    def _classes(
        self,
        bounds: Bounds,
        shown: Mapping[Count, NDArray[np.int32]],
        hidden: NDArray[np.bool_],
        ploidy: NDArray[np.int8],
        table: ReleaseTable,
        rows: NDArray[np.intp],
        verdict: Verdict,
    ) -> None:
        """Hold what is known of classes of genotypes against what AC and AN alone would tell of them."""
        untold = np.full(hidden.shape, -1, np.int32)
        classes = (Count.HOMOZYGOUS, Count.HEMIZYGOUS)
        alone = Bounds.of({**shown, **dict.fromkeys(classes, untold)}, hidden, self._known, ploidy)
        alone.tighten(self._known)
        people = self._known.people[:, None]
        possible = ~bounds.impossible
        for count in (*classes, Count.SINGLE):
            low, high = bounds.low[count], bounds.high[count]
            room = np.minimum(alone.high[count] - alone.low[count], people)
            values = high - low + 1
            known = too_well_known(low, high, values, room, self._limits.genotypes) & possible
            nodes, which = np.nonzero(known)
            self._note(verdict, FEW_OF_A_CLASS, table, rows[which], nodes)

    def _ploidy(self, table: ReleaseTable, rows: NDArray[np.intp]) -> NDArray[np.int8]:
        """Give the copies of each place that people of each node have at most; (nodes, n) int8."""
        names = self._known.names
        loci = np.empty(len(rows), np.int8)
        contigs = table.contig[rows]
        for contig in dict.fromkeys(contigs):
            at = contigs == contig
            loci[at] = loci_of(contig_kind(contig), self._build, table.position[rows][at])
        most = np.repeat(PLOIDY.max(axis=1)[loci][None], len(names), axis=0)
        for sex, other in ((0, "XY"), (1, "XX")):
            # People of unknown sex are not counted where it matters.
            of_sex = [n for n, name in enumerate(names) if name == SEXES[sex]]
            rest = [n for n, name in enumerate(names) if name.endswith("sexes")]
            of_sex += rest if other in names and SEXES[sex] not in names else []
            most[of_sex] = np.where(
                loci == Loci.EVERYBODY_DIPLOID, most[of_sex], PLOIDY[:, sex][loci]
            )
        return most

    def _alleles_together(
        self,
        bounds: Bounds,
        together: NDArray[np.bool_],
        site: NDArray[np.int64],
        free: NDArray[np.bool_],
    ) -> list[tuple[Cells, NDArray[np.intp]]]:
        """Tighten bounds by what alleles of a site tell of each other; give the cells where that goes in circles."""
        rows = np.flatnonzero(together)
        if not len(rows):
            return []
        of_site = site[rows]
        joint = bounds.take(rows)
        joint.tighten(self._known, of_site)
        # Records of one place may be several; then nothing satisfies what holds of one.
        possible = ~np.isin(of_site, of_site[joint.impossible])
        rows, of_site = rows[possible], of_site[possible]
        bounds.put(rows, joint.take(np.flatnonzero(possible)))
        circular = bounds.take(rows).binding(of_site) if len(rows) else np.empty(0, np.bool_)
        rows, of_site = rows[circular], of_site[circular]
        first = np.searchsorted(of_site, of_site)
        size = np.searchsorted(of_site, of_site, "right") - first
        found = []
        for m in np.unique(size).tolist():
            nodes, which = np.nonzero(free[:, rows] & (size == m))
            alleles = rows[first[which][:, None] + np.arange(m)]
            cells = Cells(bounds.take(alleles.ravel()), which - first[which], nodes)
            found.append((cells, rows[which]))
        return found

    def _solve(self, cells: Cells, verdict: Verdict) -> NDArray[np.bool_]:
        """Tell which cells are too well known by all equations at once; (p,) bool."""
        verdict.solved += len(cells)
        exact = exact_bounds(cells, self._known, self._k)
        people = self._known.people[cells.node]
        known = np.zeros(len(cells), np.bool_)
        called = cells.bounds.high[
            Count.CALLED, cells.node, np.arange(len(cells)) * cells.variants + cells.variant
        ]
        for matters, low, high in (
            (self._limits.alt, *exact[:2]),
            (self._limits.other, *exact[2:]),
        ):
            if matters:
                values, fewest = high - low + 1, self._limits.fewest
                known |= too_well_known(low, high, values, people, self._k, fewest) & (called > 0)
        return known & (exact >= 0).all(axis=0)

    def _too_well_known(self, bounds: Bounds) -> NDArray[np.bool_]:
        """Tell which nodes are too well known by their bounds; (nodes, n) bool."""
        known = np.zeros(bounds.low.shape[1:], np.bool_)
        people, fewest = self._known.people[:, None], self._limits.fewest
        for matters, count in (
            (self._limits.alt, Count.ALT),
            (self._limits.other, Count.OTHER),
        ):
            if matters:
                low, high = bounds.low[count], bounds.high[count]
                known |= too_well_known(low, high, bounds.values(count), people, self._k, fewest)
        # Of nobody called there is no count, not even none.
        known &= bounds.high[Count.CALLED] > 0
        return known

    def _draw(
        self, bounds: Bounds, free: NDArray[np.bool_], table: ReleaseTable, rows: NDArray[np.intp]
    ) -> None:
        """Keep those of the hidden cells seen so far that have the lowest lots."""
        which, nodes = np.nonzero(free.T)
        lots = self._rng.random(len(which))
        best = np.sort(np.argsort(lots, kind="stable")[: self._sample])
        if self._drawn is not None and len(self._drawn.lots) == self._sample:
            best = best[lots[best] < self._drawn.lots.max()]
        if not len(best):
            return
        which, nodes = which[best], nodes[best]
        drawn_cells = zip(rows[which].tolist(), nodes.tolist(), strict=True)
        places = [self._place(table, row, node) for row, node in drawn_cells]
        cells = Cells(bounds.take(which), np.zeros(len(best), np.int64), nodes)
        drawn = _Drawn(lots[best], cells, places)
        self._drawn = drawn if self._drawn is None else self._drawn.best_with(drawn, self._sample)

    def _note(
        self,
        verdict: Verdict,
        what: str,
        table: ReleaseTable,
        rows: NDArray[np.intp],
        nodes: NDArray[np.intp],
    ) -> None:
        some = zip(rows[:_EXAMPLES].tolist(), nodes[:_EXAMPLES].tolist(), strict=True)
        verdict.add(what, [self._place(table, row, node) for row, node in some], len(rows))

    def _place(self, table: ReleaseTable, row: int, node: int) -> str:
        """Name a cell, or a variant where the node is -1."""
        variant = f"{table.contig[row]}:{table.position[row]} {table.ref[row]}>{table.alt[row]}"
        return variant if node < 0 else f"{variant}, {self._known.names[node]}"


@dataclass(frozen=True)
class _Drawn:
    """Cells that were drawn: their lots, what is needed to bound them, and their names."""

    lots: NDArray[np.float64]
    cells: Cells
    places: list[str]

    def best_with(self, other: "_Drawn", size: int) -> "_Drawn":
        """Keep the lowest lots of both."""
        lots = np.concatenate([self.lots, other.lots])
        best = np.sort(np.argsort(lots, kind="stable")[:size])
        mine, theirs = self.cells, other.cells
        low, high = (
            np.concatenate([getattr(each.bounds, name) for each in (mine, theirs)], axis=2)
            for name in ("low", "high")
        )
        places = [*self.places, *other.places]
        cells = Cells(
            Bounds(low, high).take(best),
            np.concatenate([mine.variant, theirs.variant])[best],
            np.concatenate([mine.node, theirs.node])[best],
        )
        return _Drawn(lots[best], cells, [places[i] for i in best])


def _sites_of(table: ReleaseTable) -> list[NDArray[np.int64]]:
    """Give each variant the number of its site: told by position, and by position and REF."""
    new = np.ones(len(table), np.bool_)
    new[1:] = (table.position[1:] != table.position[:-1]) | (table.contig[1:] != table.contig[:-1])
    new_ref = new.copy()
    new_ref[1:] |= table.ref[1:] != table.ref[:-1]
    return [np.cumsum(each) - 1 for each in (new, new_ref)]


def _new_of(sites: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.bool_]]:
    """Tell, of each way to tell sites, which variants are of sites that the way before does not tell too; (n,) bool."""
    before: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    for site in sites:
        extent = np.searchsorted(site, site), np.searchsorted(site, site, "right")
        new = np.ones(len(site), np.bool_)
        if before is not None:
            new = (extent[0] != before[0]) | (extent[1] != before[1])
        yield new
        before = extent


def _one_number(
    table: ReleaseTable, rows: NDArray[np.intp], site: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which variants are of sites with several alleles that have one AN wherever it is shown; (n,) bool."""
    number = table.figures[AN.array][rows]
    shown = table.figures[STATE.array][rows] != State.MASKED
    start = np.flatnonzero(np.diff(site, prepend=-1))
    size = np.diff(np.append(start, len(site)))
    most = np.maximum.reduceat(np.where(shown, number, -1), start)
    least = np.minimum.reduceat(np.where(shown, number, np.iinfo(number.dtype).max), start)
    agree = (size > 1) & ((most == least) | (most < 0)).all(axis=1)
    return np.repeat(agree, size)
