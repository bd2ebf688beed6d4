"""Whose counts go into a release that the ledger is to record: who joined and left each cohort since earlier ones.

Where few people did, the release is refused, or the cohort's counts of the last recorded release are taken
again. What is settled names no person, but stays with the private results all the same.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afpanel.core.people_changes import CohortVersion, SmallChange, numbered, small_changes
from afpanel.core.policy import effective
from afpanel.errors import AfpanelError, BadInputError, PolicyRefusalError
from afpanel.io.files import read_json, write_json
from afpanel.io.ledger import Entry, Ledger, described_version, name_of_person, version_of
from afpanel.io.policy import read_disclosure_policy
from afpanel.io.tables import raise_any, read_samples
from afpanel.stages.cell_counts import CountsHead, open_cell_counts
from afpanel.stages.contributors import contributors_of

logger = logging.getLogger(__name__)

SMALLEST_SHARE = 0.1
"""Share of a cohort's earlier people that must have joined, or left, if anybody has."""

_COUNTED = ("sites", "contribution")


@dataclass(frozen=True)
class SettleOptions:
    """What `settle` needs to know besides its files.

    Parameters
    ----------
    name
        Name and version of the release, as ``demo-2026.1``.
    reuse
        Whether a cohort that changed by few people comes with its counts of the last recorded release; else
        the release is refused.
    declared
        People who were added and removed, by cohort, of those that came as counts.
    dropped
        List of people who are left out of each cohort, since they are in another.
    callable_files
        BED or track of each cohort that has one.
    """

    name: str
    reuse: bool = False
    declared: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    dropped: Mapping[str, Path] = field(default_factory=dict)
    callable_files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Settled:
    """Whose counts go into a release.

    Parameters
    ----------
    versions
        Every cohort.
    counts, callable_files
        Stores of counts, and BED or track, of each cohort.
    frozen
        Name of the release that a cohort's counts are taken from again, for those that are.
    """

    versions: list[CohortVersion]
    counts: dict[str, list[Path]]
    callable_files: dict[str, Path]
    frozen: dict[str, str]


def settle(
    ledger: Path,
    plan: Path,
    counts: Sequence[Path],
    policy: Path,
    out: Path,
    options: SettleOptions,
) -> None:
    """Find out who joined and left, and what is to be merged.

    Parameters
    ----------
    ledger
        Folder of the ledger.
    plan
        Plan of the run.
    counts
        Stores of counts of all cohorts.
    policy
        Policy file.
    out
        JSON to write.
    options
        See `SettleOptions`.

    Raises
    ------
    PolicyRefusalError
        If a cohort changed by few people, and its earlier counts are not to be taken or cannot be.
    """
    opened, made = Ledger(ledger), read_json(plan)
    added = {n: c for n, c in made["cohorts"].items() if n not in made["left_out"]}
    stores = _stores_of(counts, added)
    key, entries = opened.key(), opened.before(options.name)
    recorded = [(entry, opened.versions(entry)) for entry in entries]
    versions = [
        _version(name, cohort, stores[name], key, recorded, options)
        for name, cohort in sorted(added.items())
    ]
    settled = Settled(
        versions,
        {name: paths for name, (_, paths) in stores.items()},
        {name: path for name, path in options.callable_files.items() if name in added},
        {},
    )
    rules = effective(
        read_disclosure_policy(policy), {each.country for each in contributors_of(added)}
    )
    _take_again(settled, opened, recorded, rules.min_group_size, reuse=options.reuse)
    write_settled(settled, out)
    again = [f"{name} as in {release}" for name, release in sorted(settled.frozen.items())]
    logger.info(
        "settle: done, %s cohorts beside %s earlier releases%s",
        len(versions), len(entries), "".join(f"; {each}" for each in again),
    )  # fmt: skip


def _stores_of(
    counts: Sequence[Path], cohorts: Mapping[str, Any]
) -> dict[str, tuple[CountsHead, list[Path]]]:
    """Sort stores of counts by their cohorts."""
    found: dict[str, tuple[CountsHead, list[Path]]] = {}
    for path in sorted(counts):
        with open_cell_counts(path) as store:
            head = CountsHead.of(store)
        if head.cohort in cohorts:
            found.setdefault(head.cohort, (head, []))[1].append(path)
    missing = sorted(cohorts.keys() - found.keys())
    if missing:
        raise BadInputError(
            f"no counts of cohort {missing[0]}", remedy="give the stores of counts of every cohort"
        )
    return found


def _version(
    name: str,
    cohort: Mapping[str, Any],
    stores: tuple[CountsHead, list[Path]],
    key: bytes,
    recorded: Sequence[tuple[Entry, Sequence[CohortVersion]]],
    options: SettleOptions,
) -> CohortVersion:
    """Tell who is in a cohort."""
    if cohort["kind"] in _COUNTED:
        sizes = [(c.population, c.sex, c.people) for c in stores[0].cells]
        said = [cohort.get("edition", ""), cohort.get("manifest", ""), *map(str, sizes)]
        before = [v for _, versions in recorded for v in versions if v.cohort == name and v.content]
        last = before[-1] if before else None
        content = " ".join([cohort["kind"], *map(str, said)])
        return numbered(
            name, cohort["country"], content, sizes, last, options.declared.get(name)
        )  # fmt: skip
    left_out = set()
    if name in options.dropped:
        left_out = set(options.dropped[name].read_text("utf-8").splitlines())
    cells: dict[tuple[str, Any], list[str]] = {}
    for sample in read_samples(Path(cohort["samples"])):
        if sample.include and sample.id not in left_out:
            cells.setdefault((sample.population, sample.sex), []).append(
                name_of_person(key, sample.id)
            )
    people = tuple((p, s, tuple(sorted(names))) for (p, s), names in sorted(cells.items()))
    return CohortVersion(name, cohort["country"], "", people)


def _take_again(
    settled: Settled,
    ledger: Ledger,
    recorded: Sequence[tuple[Entry, Sequence[CohortVersion]]],
    fewest: int,
    *,
    reuse: bool,
) -> None:
    """Take earlier counts of cohorts that changed by few people, or refuse."""
    refused: dict[str, AfpanelError] = {}
    for entry, versions in reversed(recorded):
        for change in small_changes(versions, settled.versions, fewest, SMALLEST_SHARE):
            if not (reuse and _froze(settled, ledger, change.cohort, recorded)):
                refused.setdefault(change.cohort, _refusal(change, entry, reuse=reuse))
    raise_any([refused[name] for name in sorted(refused)])


def _froze(
    settled: Settled,
    ledger: Ledger,
    cohort: str,
    recorded: Sequence[tuple[Entry, Sequence[CohortVersion]]],
) -> bool:
    """Put a cohort's counts of the last recorded release in the place of the new ones, if there are any."""
    if cohort in settled.frozen or cohort not in settled.counts:
        return False
    for entry, versions in reversed(recorded):
        told = {each["cohort"]: each for each in entry.content["cohorts"]}.get(cohort)
        if told is None or not told["kept"]:
            continue
        place = [each.cohort for each in settled.versions].index(cohort)
        settled.versions[place] = next(each for each in versions if each.cohort == cohort)
        kept = [(ledger.kept(digest, suffix), suffix) for digest, suffix in told["kept"]]
        settled.counts[cohort] = [path for path, suffix in kept if suffix == ".zarr.zip"]
        settled.callable_files.pop(cohort, None)
        for path, suffix in kept:
            if suffix != ".zarr.zip":
                settled.callable_files[cohort] = path
        settled.frozen[cohort] = entry.name
        return True
    return False


def _refusal(change: SmallChange, entry: Entry, *, reuse: bool) -> PolicyRefusalError:
    """Say who changed too little, and what would pass."""
    if reuse:
        remedy = (
            "there are no earlier counts to take again (of a cohort that is new, or gone, or was recorded"
            " without them): wait until more people join or leave at once"
        )
    else:
        remedy = (
            f"gather changes: at least {change.fewest} people who join, and as many who leave, or nobody; or"
            " set disclosure.small_changes to reuse, to publish its counts of the last release again"
        )
    return PolicyRefusalError(
        f"of cohort {change.cohort} {change.added} people were added and {change.removed} removed since"
        f" {entry.name}: what both releases show together would be about these few",
        where=f"cohort {change.cohort}",
        expected=f"nobody, or at least {change.fewest} people",
        found=f"{change.added} added, {change.removed} removed",
        remedy=remedy,
    )


def write_settled(settled: Settled, out: Path) -> None:
    """Write what was settled."""
    write_json(
        out,
        {
            "cohorts": [described_version(each) for each in settled.versions],
            "counts": {n: [str(p) for p in paths] for n, paths in sorted(settled.counts.items())},
            "callable": {n: str(path) for n, path in sorted(settled.callable_files.items())},
            "frozen": dict(sorted(settled.frozen.items())),
        },
    )


def read_settled(path: Path) -> Settled:
    """Read it again."""
    told = read_json(path)
    return Settled(
        [version_of(each) for each in told["cohorts"]],
        {name: [Path(each) for each in paths] for name, paths in told["counts"].items()},
        {name: Path(each) for name, each in told["callable"].items()},
        told["frozen"],
    )


def as_settled(
    path: Path | None, counts: Sequence[Path], callable_files: Mapping[str, Path]
) -> tuple[Sequence[Path], Mapping[str, Path]]:
    """Put earlier counts in the place of those of cohorts whose earlier counts are taken again.

    Parameters
    ----------
    path
        What was settled; None changes nothing.
    counts, callable_files
        Stores of counts, and BED or track of each cohort that has one, as they are now.
    """
    settled = None if path is None else read_settled(path)
    if settled is None or not settled.frozen:
        return counts, callable_files
    chosen = []
    for store_path in counts:
        with open_cell_counts(store_path) as store:
            if CountsHead.of(store).cohort not in settled.frozen:
                chosen.append(store_path)
    chosen += [each for name in settled.frozen for each in settled.counts[name]]
    evidence = {n: p for n, p in callable_files.items() if n not in settled.frozen}
    evidence |= {n: p for n, p in settled.callable_files.items() if n in settled.frozen}
    return chosen, evidence
