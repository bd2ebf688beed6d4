"""Attack a release together with all that a ledger has recorded before it, as somebody would who kept every one.

Nothing is shared with what decided to mask: who is in which group is worked out anew, cells that an earlier release
shows of the same people are taken for known, and differences are bounded as a release is.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.contigs import ContigNames
from afpanel.core.derivation import Bounds, Count, Equations, too_well_known
from afpanel.core.people_changes import CohortVersion
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, union
from afpanel.errors import BadInputError, VerificationError
from afpanel.io.files import read_json
from afpanel.io.ledger import Entry, Ledger, refuse_other_build
from afpanel.io.panel_store import PanelRows
from afpanel.io.release_tables import ReleaseTable, read_release
from afpanel.io.tables import raise_any
from afpanel.model.figures import AC, AN, NHEMIALT, NHOMALT, STATE
from afpanel.stages.release_attack import Verdict
from afpanel.stages.settle import read_settled

logger = logging.getLogger(__name__)

_FIGURES = {
    Count.ALT: AC.array,
    Count.CALLED: AN.array,
    Count.HOMOZYGOUS: NHOMALT.array,
    Count.HEMIZYGOUS: NHEMIALT.array,
}
_EXAMPLES = 10
_COPIES = 2  # that a person has of a place, at most


def verify_beside(release: Path, ledger: Path, settled: Path | None = None) -> Verdict:
    """Look for cells that follow from a release and the earlier ones together.

    Parameters
    ----------
    release
        Folder of the release.
    ledger
        Folder of the ledger.
    settled
        What `settle` wrote for the release; None where it is recorded already.

    Raises
    ------
    PolicyRefusalError
        If an earlier release of the same people is on another build, so that nothing tells what both show.
    VerificationError
        If there are such cells.
    """
    manifest = read_json(release / "manifest.json")
    name = "{name}-{version}".format(**manifest["panel"])
    opened = Ledger(ledger)
    own = opened.of_name(name)
    versions: list[CohortVersion] = []
    if settled is None and own is None:
        raise BadInputError(
            f"nothing says who is in {name}, which is not recorded yet",
            where=ledger,
            remedy="give what settle wrote as --settled, or record it first",
        )
    if own is not None:
        versions = opened.versions(own)
    elif settled is not None:
        versions = read_settled(settled).versions
    groups = [each["group"] for each in manifest["groups"]]
    now = _members(versions, groups)
    earlier = [_Before.of(opened, entry, groups, now) for entry in opened.before(name)]
    earlier = [each for each in earlier if each.both.any()]
    build = str(manifest["reference"]["build"])
    raise_any(
        [refuse_other_build(each.entry, build) for each in earlier if each.entry.build != build]
    )
    verdict = Verdict()
    k = int(manifest["policy"]["min_allele_count"])
    people = [len(now[group]) for group in groups]
    for table in _tables(release, manifest, groups):
        _look(table, earlier, Equations.of(groups, people), k, verdict)
    logger.info(
        "verify-release: %s earlier releases, %s variants, %s masked cells, %s faults",
        len(earlier), f"{verdict.variants:,}", f"{verdict.masked:,}", sum(verdict.found.values()),
    )  # fmt: skip
    if verdict.found:
        counts = [f"{what}, {number:,} times" for what, number in sorted(verdict.found.items())]
        raise VerificationError(
            "the release and earlier ones together give away what they should not:\n  "
            + "\n  ".join(counts),
            where=release,
            found="; ".join(verdict.examples),
            remedy="do not publish it; hold it against the ledger first (docs/ledger.md)",
        )
    return verdict


def _members(
    versions: Sequence[CohortVersion], groups: Sequence[str]
) -> dict[str, set[tuple[str, ...]]]:
    """Gather who is in each group."""
    found: dict[str, set[tuple[str, ...]]] = {group: set() for group in groups}
    for version in versions:
        for population, sex, names in version.cells:
            place = (version.cohort, population, str(sex)) if version.content else ()
            people = {(version.country, *place, name) for name in names}
            country = version.country
            for group in ("total", country, f"{country}_{population}", str(sex)):
                if group in found:
                    found[group] |= people
    return found


@dataclass(frozen=True)
class _Before:
    """An earlier release: how many people of each group of the new one are in both, joined and left."""

    ledger: Ledger
    entry: Entry
    groups: list[str]
    both: NDArray[np.int64]
    joined: NDArray[np.int64]
    left: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        entry: Entry,
        groups: list[str],
        now: Mapping[str, set[tuple[str, ...]]],
    ) -> "_Before":
        then = _members(ledger.versions(entry), groups)
        pairs = [(then[group], now[group]) for group in groups]
        return cls(
            ledger, entry, groups,
            np.array([len(a & b) for a, b in pairs], np.int64),
            np.array([len(b - a) for a, b in pairs], np.int64),
            np.array([len(a - b) for a, b in pairs], np.int64),
        )  # fmt: skip

    @property
    def same(self) -> NDArray[np.bool_]:
        """(g,) bool: groups of the same people."""
        return np.asarray((self.both > 0) & (self.joined == 0) & (self.left == 0))

    def figures(self, table: ReleaseTable) -> tuple[dict[Count, Any], NDArray[np.bool_], Any]:
        """Read what it said of some variants of one contig: figures, what was shown, and what was masked; (n, g)."""
        n, g = len(table), len(self.groups)
        figures = {count: np.zeros((n, g), np.int32) for count in _FIGURES}
        shown, masked = np.zeros((n, g), np.bool_), np.zeros((n, g), np.bool_)
        contig = ContigNames(dict.fromkeys(self.entry.contigs, 0)).resolve(str(table.contig[0]))
        if contig is None:
            return figures, shown, masked
        with PanelRows(self.ledger.cells(self.entry, contig)) as rows:
            theirs, counts = rows.window(int(table.position[0]), int(table.position[-1]) + 1)
            mine = Variants(
                table.position, Strings.of(table.ref.tolist()), Strings.of(table.alt.tolist())
            )
            whole, (at, found) = union([mine, theirs])
            row = np.full(len(whole), -1)
            row[found] = np.arange(len(found))
            here, place = np.flatnonzero(row[at] >= 0), row[at][row[at] >= 0]
            for g_new, name in enumerate(self.groups):
                if name in rows.head.groups:
                    g_old = rows.head.groups.index(name)
                    state = counts.state[place, g_old]
                    shown[here, g_new] = state != State.MASKED
                    masked[here, g_new] = state == State.MASKED
                    for count, array in _FIGURES.items():
                        figures[count][here, g_new] = getattr(counts, array)[place, g_old]
        return figures, shown, masked


def _tables(
    release: Path, manifest: Mapping[str, Any], groups: Sequence[str]
) -> Iterator[ReleaseTable]:
    """Read one format of the release, a contig at a time; `verify-release` finds that all are the same."""
    stem = "{name}-{version}".format(**manifest["panel"])
    contigs = [each["name"] for each in manifest["reference"]["contigs"]]
    formats = read_release(release, stem, contigs, groups)
    if not formats:
        raise BadInputError("there is no release", where=release, expected=f"{stem}.vcf.gz")
    for table in next(reversed(formats.values())):
        new = np.flatnonzero(table.contig[1:] != table.contig[:-1]) + 1
        bounds = [0, *new.tolist(), len(table)]
        for start, stop in pairwise(bounds):
            yield table.rows(start, stop)


def _look(
    table: ReleaseTable, earlier: Sequence[_Before], known: Equations, k: int, verdict: Verdict
) -> None:
    """Find what a stretch of a release and the earlier ones give away together."""
    hidden = table.figures[STATE.array] == State.MASKED
    figures = {count: table.figures[array] for count, array in _FIGURES.items()}
    verdict.variants += len(table)
    verdict.masked += int(hidden.sum())
    together, still = {c: f.copy() for c, f in figures.items()}, hidden.copy()
    for before in earlier:
        theirs, shown, masked = before.figures(table)
        back = masked & ~hidden & before.same
        _note(verdict, f"what {before.entry.name} masked is shown", table, np.nonzero(back), known)
        learned = still & shown & before.same
        for count, values in together.items():
            values[learned] = theirs[count][learned]
        still &= ~learned
        _look_at_difference(table, before, figures, theirs, shown & ~hidden, k, verdict)
    # A cell that an earlier release shows is no secret; what follows from it is.
    rows = np.flatnonzero((still != hidden).any(axis=1) & still.any(axis=1))
    if len(rows):
        at = {count: values[rows] for count, values in together.items()}
        found = _derivable(at, still[rows], known, k) & _few_possible(still[rows], known)
        alone = _derivable({c: f[rows] for c, f in figures.items()}, hidden[rows], known, k)
        which, nodes = np.nonzero((found & ~alone)[:, : known.groups])
        what = "what is masked can be worked out with earlier releases"
        _note(verdict, what, table, (rows[which], nodes), known)


def _few_possible(hidden: NDArray[np.bool_], known: Equations) -> NDArray[np.bool_]:
    """Tell which nodes are secret: the cells that are hidden, and rests; (n, nodes)."""
    secret = np.ones((len(hidden), len(known.names)), np.bool_)
    secret[:, : known.groups] = hidden
    return secret


def _look_at_difference(
    table: ReleaseTable,
    before: _Before,
    now: Mapping[Count, Any],
    then: Mapping[Count, Any],
    shown: NDArray[np.bool_],
    k: int,
    verdict: Verdict,
) -> None:
    """Find few copies of those who joined or left."""
    if not (before.joined.any() or before.left.any()):
        return
    joined_only, left_only = not before.left.any(), not before.joined.any()
    one_way = ((before.joined > 0) != (before.left > 0)) & (before.both > 0)
    sign = np.where(before.joined > 0, 1, -1)
    change = {count: sign * (now[count] - then[count]) for count in now}
    alt, other = change[Count.ALT], change[Count.CALLED] - change[Count.ALT]
    few = ((alt > 0) & (alt < k)) | ((other > 0) & (other < k))
    people = np.where(before.joined > 0, before.joined, before.left)
    known = Equations.of(before.groups, people.tolist())
    what = f"few copies of those who joined or left since {before.entry.name} are shown"
    _note(verdict, what, table, np.nonzero(few & shown & one_way), known)
    if joined_only or left_only:
        told = shown | (before.joined + before.left == 0)
        rows = np.flatnonzero(shown.any(axis=1) & ~told.all(axis=1))
        if len(rows):
            at = {count: np.where(told, values, 0)[rows] for count, values in change.items()}
            at = {c: np.where(before.joined + before.left == 0, 0, v) for c, v in at.items()}
            found = _derivable(at, ~told[rows], known, k)
            which, nodes = np.nonzero(found[:, : known.groups] & ~told[rows])
            what = f"those who joined or left since {before.entry.name} can be worked out"
            _note(verdict, what, table, (rows[which], nodes), known)


def _derivable(
    figures: Mapping[Count, Any], hidden: NDArray[np.bool_], known: Equations, k: int
) -> NDArray[np.bool_]:
    """Tell which nodes are too well known by all sums; (n, nodes) bool."""
    n = len(hidden)
    shown = {count: np.maximum(values, 0).astype(np.int32) for count, values in figures.items()}
    ploidy = np.full((len(known.names), n), _COPIES, np.int8)
    bounds = Bounds.of(shown, hidden, known, ploidy)
    bounds.tighten(known)
    found = np.zeros((len(known.names), n), np.bool_)
    for count in (Count.ALT, Count.OTHER):
        found |= too_well_known(
            bounds.low[count], bounds.high[count], bounds.values(count), known.people[:, None], k
        )
    # People who were called otherwise in the two: nothing adds up, and nothing follows.
    found[:, bounds.impossible] = False
    return np.asarray(found.T)


def _note(
    verdict: Verdict,
    what: str,
    table: ReleaseTable,
    cells: Sequence[NDArray[np.intp]],
    known: Equations,
) -> None:
    rows, nodes = cells
    some = zip(rows[:_EXAMPLES].tolist(), nodes[:_EXAMPLES].tolist(), strict=True)
    places = [
        f"{table.contig[r]}:{table.position[r]} {table.ref[r]}>{table.alt[r]}, {known.names[g]}"
        for r, g in some
    ]
    verdict.add(what, places, len(rows))
