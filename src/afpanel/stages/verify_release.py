"""Attack a release as a reader would: what it masks must not follow from what it shows.

Only the written files are read, and nothing is shared with what decided to mask. Each format is read, all are
held against one another, and every masked cell is bounded by all sums that hold among what is shown.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.derivation import Equations
from afpanel.core.release_limits import Limits
from afpanel.errors import BadInputError, VerificationError
from afpanel.io.files import read_json
from afpanel.io.release_companions import Companion, GdiFiles, SlimVcf
from afpanel.io.release_tables import WITH_STATES, ReleaseTable, read_release
from afpanel.model.figures import AN, STATE
from afpanel.stages.insider_attack import InsiderAttacks
from afpanel.stages.progress import Progress
from afpanel.stages.release_attack import Attack, Verdict

logger = logging.getLogger(__name__)


def verify_release(release: Path, sample: int, panels: Sequence[Path] = ()) -> dict[str, Verdict]:
    """Bound every masked cell of a release, and check all that is shown.

    Parameters
    ----------
    release
        Folder of the release.
    sample
        Masked cells, drawn by lot, whose bounds are worked out from all equations at once; those whose
        equations hang together in circles are in any case.
    panels
        Panel stores from before the gate, of every contig: what each country knows of itself, to attack with
        where the policy protects from that.

    Returns
    -------
    dict
        The verdict on each format.

    Raises
    ------
    VerificationError
        If anything that is masked can be worked out, or what is shown may not be.
    BadInputError
        If there is no release, or its files are not what its manifest says.
    """
    verdicts = attack_release(release, sample, panels)
    faults = {name: verdict for name, verdict in verdicts.items() if verdict.found}
    if faults:
        counts = [
            f"{name}: {what}, {number:,} times"
            for name, verdict in faults.items()
            for what, number in sorted(verdict.found.items())
        ]
        raise VerificationError(
            "the release gives away what it should not:\n  " + "\n  ".join(counts),
            where=release,
            found="; ".join(next(iter(faults.values())).examples),
            remedy="do not publish it; the gate and this check disagree, which is a fault to report",
        )
    return verdicts


def attack_release(release: Path, sample: int, panels: Sequence[Path] = ()) -> dict[str, Verdict]:
    """Find out what each format of a release gives away; as `verify_release`, without an error."""
    manifest = read_json(release / "manifest.json")
    groups, people = ([each[key] for each in manifest["groups"]] for key in ("group", "people"))
    contigs = [each["name"] for each in manifest["reference"]["contigs"]]
    stem = f"{manifest['panel']['name']}-{manifest['panel']['version']}"
    formats = read_release(release, stem, contigs, groups)
    if not formats:
        raise BadInputError("there is no release", where=release, expected=f"{stem}.vcf.gz")
    known, policy = Equations.of(groups, people), manifest["policy"]
    build = manifest["reference"]["build"]
    limits = Limits.of(policy)
    insiders = None
    if limits.insiders and panels:
        insiders = InsiderAttacks(panels, groups, people, build, limits)
    elif limits.insiders:
        logger.warning(
            "verify-release: the policy protects from contributors who know their own figures; give the merged"
            " panels as --panel to attack with these too"
        )
    companions = _companions(release / stem, contigs, groups)
    verdicts = _walk(formats, companions, Attack(known, build, limits, sample), insiders)
    never: list[str] = []
    if limits.never_shown:
        withheld = [each["group"] for each in manifest["decision"]["withheld_groups"]]
        never = limits.never_shown_faults(groups, withheld)
    for name, verdict in verdicts.items():
        verdict.add("a population that is never shown can be told", never, len(never))
        _check_sizes(known, policy["min_group_size"], verdict)
        logger.info(
            "verify-release: %s, %s variants, %s masked cells, %s of them solved by linear programming,"
            " %s can be worked out",
            name,
            *(f"{n:,}" for n in (verdict.variants, verdict.masked, verdict.solved, verdict.derivable)),
        )  # fmt: skip
    return verdicts


def _companions(stem: Path, contigs: Sequence[str], groups: Sequence[str]) -> dict[str, Companion]:
    """Open those files that hold a part of the figures."""
    slim, gdi = (stem.with_name(stem.name + suffix) for suffix in (".slim.vcf.gz", ".gdi"))
    found: dict[str, Companion] = {}
    if slim.exists():
        found["slim vcf"] = SlimVcf(slim, contigs, groups)
    if gdi.exists():
        found["gdi"] = GdiFiles(gdi, contigs, groups)
    return found


def _check_sizes(known: Equations, fewest: int, verdict: Verdict) -> None:
    """Check that no group, and no rest of a sum, has too few people."""
    for what, nodes in (
        ("a group of too few people is shown", slice(0, known.groups)),
        ("too few people are what is left of a sum", slice(known.groups, None)),
    ):
        sizes = zip(known.names[nodes], known.people[nodes].tolist(), strict=True)
        small = [f"{name} ({n} people)" for name, n in sizes if n < fewest]
        verdict.add(what, small, len(small))


def _walk(
    formats: Mapping[str, Iterator[ReleaseTable]],
    companions: Mapping[str, Companion],
    attack: Attack,
    insiders: InsiderAttacks | None,
) -> dict[str, Verdict]:
    """Go through all formats side by side; where they are equal, what holds of the first holds of all."""
    progress = Progress(logger, "verify-release", "variants")
    verdicts = {name: Verdict() for name in (*formats, *companions)}
    first = next(iter(formats))
    for tables in zip_longest(*map(whole_sites, formats.values())):
        states: NDArray[np.int8] | None = None
        of_first = None if tables[0] is None else attack.on(tables[0])
        if insiders is not None and tables[0] is not None and of_first is not None:
            of_first.take(insiders.on(tables[0]))
        for name, table in zip(formats, tables, strict=True):
            differs = difference(tables[0], table)
            if differs:
                verdicts[name].add(f"{differs} is not as in {first}", [name], 1)
            if table is not None and name in WITH_STATES:
                states = _check_states(table, states, verdicts[name])
            found = attack.on(table) if differs and table is not None else of_first
            if table is not None and found is not None:
                verdicts[name].take(found)
        if tables[0] is not None:
            for name, companion in companions.items():
                if differs := companion.difference(tables[0]):
                    verdicts[name].add(f"{differs} is not as in {first}", [name], 1)
                verdicts[name].variants += len(tables[0])
            progress.advance(len(tables[0]), str(tables[0].contig[-1]))
    for name, companion in companions.items():
        verdicts[name].add(f"more rows than {first}", [name], companion.rest())
    drawn = attack.finish()
    for name in formats:
        verdicts[name].take(drawn)
    return verdicts


def _check_states(
    table: ReleaseTable, others: NDArray[np.int8] | None, verdict: Verdict
) -> NDArray[np.int8]:
    """Check what a format with states says of them: a masked cell has no other, which would tell of it.

    Parameters
    ----------
    table
        Some of its variants.
    others
        (n, groups) int8: states of these in another format; None if there is none yet.
    verdict
        What is found is added to it.

    Returns
    -------
    (n, groups) int8
        The states.
    """
    states: NDArray[np.int8] = table.figures[STATE.array]
    wrong = (states == State.MASKED) != (table.figures[AN.array] < 0)
    rows = np.flatnonzero(wrong.any(axis=1)).tolist()
    places = [f"{table.contig[row]}:{table.position[row]}" for row in rows[:1]]
    verdict.add("a state and AN do not say alike that a cell is masked", places, int(wrong.sum()))
    if others is not None and not np.array_equal(states, others):
        verdict.add("state is not as in the other format that has it", places, 1)
    return states


def whole_sites(tables: Iterable[ReleaseTable]) -> Iterator[ReleaseTable]:
    """Cut tables so that all variants of a position are in one."""
    waiting: ReleaseTable | None = None
    for each in tables:
        table = each if waiting is None else waiting.followed_by(each)
        same = (table.position == table.position[-1]) & (table.contig == table.contig[-1])
        last = len(table) - int(np.argmin(same[::-1])) if not same.all() else 0
        if last:
            yield table.rows(0, last)
        waiting = table.rows(last, len(table))
    if waiting is not None:
        yield waiting


def difference(one: ReleaseTable | None, other: ReleaseTable | None) -> str:
    """Name the first array in which two tables differ; empty if none does.

    VCF and BCF have no states: these are held against AN, and against one another (`_check_states`).
    """
    if one is None or other is None or len(one) != len(other):
        return "the number of variants" if one is not other else ""
    theirs = dict(other.columns())
    for name, mine in one.columns():
        values = theirs[name]
        if name == STATE.array:
            continue
        same = np.array_equal(_bits(mine), _bits(values))
        if not same and mine.dtype.kind == "f":
            same = np.array_equal(mine, values, equal_nan=True)
        if not same:
            return name
    return ""


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """Look at fractions as bits: what has the same bits is the same, also where it is missing."""
    return values.view(np.uint32) if values.dtype == np.float32 else values
