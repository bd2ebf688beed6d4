"""The leak scan: what must not be in a release or a contribution, and the refusal of one that has it.

A release is scanned before it gets its name, so one with a leak is never seen.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afpanel.core.forbidden import GENERIC_NAMES, HashedNames, Secret, SecretNames
from afpanel.core.leaks import Searcher
from afpanel.errors import BadInputError, VerificationError
from afpanel.io.files import read_json
from afpanel.io.leak_lists import words_of_formats
from afpanel.io.leak_report import Report
from afpanel.io.leak_walk import scan_path
from afpanel.io.prefetch import cores
from afpanel.io.tables import read_samples
from afpanel.stages.fingerprint import PLAN_VERSION
from afpanel.stages.report_words import words_of_reports

logger = logging.getLogger(__name__)

_MOST_LISTED = 200
_GVCF_ENDINGS = (".g.vcf", ".gvcf", ".vcf", ".bcf")


@dataclass(frozen=True)
class Machine:
    """Where a command runs, as far as it must not be told.

    Parameters
    ----------
    users, hosts
        Names.
    folders
        Paths of folders: of the user, of the work.
    """

    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def secrets(self) -> Iterator[Secret]:
        """List what must not be told; names that any machine may have are left out."""
        for what, names in (("the name of a user", self.users), ("the name of a host", self.hosts)):
            yield from (Secret(n, what) for n in names if n.casefold() not in GENERIC_NAMES)
        yield from (Secret(folder, "the path of a folder", is_path=True) for folder in self.folders)


NOWHERE = Machine()
"""A machine of which nothing is known."""


class Forbidden:
    """Gathers what must not leave, from sample sheets, plans and lists of hashes.

    Parameters
    ----------
    machine
        Where the command runs.
    """

    def __init__(self, machine: Machine) -> None:
        self._secrets: list[Secret | SecretNames] = list(machine.secrets())
        self._labels = words_of_formats() | words_of_reports()
        self._hashed: list[HashedNames] = []
        self.people: dict[str, frozenset[int]] = {}

    def add_sheet(self, cohort: str, sheet: Path) -> None:
        """Forbid every sample that a sheet lists, included or not; its populations may be said."""
        samples = read_samples(sheet)
        self.add_samples(cohort, samples.ids)
        self.people[cohort] = frozenset({len(samples), len(samples.included)})
        self.allow([cohort, *samples.labels])

    def add_samples(self, cohort: str, samples: Iterable[str]) -> None:
        """Forbid sample IDs."""
        what = f"a sample ID of cohort {cohort}"
        self._secrets.append(SecretNames(list(samples), what))

    def add_hashes(self, path: Path) -> None:
        """Forbid samples of which only hashes are known.

        Parameters
        ----------
        path
            JSON with the keys ``cohort``, ``salt`` and ``sha256``, a list; see `core.leaks.HashedNames`.
        """
        content = read_json(path)
        try:
            cohort, salt, digests = (content[key] for key in ("cohort", "salt", "sha256"))
            known = frozenset(str(digest).lower() for digest in digests)
        except (KeyError, TypeError):
            raise BadInputError(
                "not a list of hashed sample IDs",
                where=path,
                expected='{"cohort": NAME, "salt": TEXT, "sha256": [HEX, ...]}',
            ) from None
        self._hashed.append(HashedNames(f"a sample ID of cohort {cohort}", str(salt), known))
        self.people[str(cohort)] = frozenset({len(known)})
        self.allow([str(cohort)])

    def add_plan(self, plan: Mapping[str, Any]) -> None:
        """Forbid all samples and paths that a plan leads to; what its panel and cohorts are called may be said."""
        if plan.get("plan_version") != PLAN_VERSION:
            raise BadInputError(
                "a plan of another version",
                where="the plan",
                expected=PLAN_VERSION,
                found=plan.get("plan_version"),
                remedy="make it again: afpanel validate",
            )
        config = plan["config"]
        self.allow_panel(config["panel"]["name"], config["panel"]["version"])
        self.allow(plan["contigs"])
        paths = {*plan["inputs"], config["results"]}
        for name, cohort in plan["cohorts"].items():
            self.allow([name, cohort["country"]])
            paths.update(cohort["files"])
            # A table of cells names nobody.
            if cohort["samples"] is not None and cohort["kind"] != "sites":
                self.add_sheet(name, Path(cohort["samples"]))
            if cohort["kind"] == "gvcf":
                # A gVCF is one person's, and commonly has that person's name.
                self.add_samples(name, map(_stem, cohort["files"]))
        self._secrets.extend(Secret(path, "the path of an input", is_path=True) for path in paths)

    def allow_panel(self, name: str, version: str) -> None:
        """Let the panel's name and version be said, and the names of its files."""
        self.allow([name, version, f"{name}-{version}"])

    def allow(self, labels: Iterable[str]) -> None:
        """Let names be said, be they those of samples too."""
        self._labels.update(labels)

    def searcher(self) -> Searcher:
        """Make what finds all of this."""
        return Searcher(self._secrets, self._labels, self._hashed)


def _stem(path: str) -> str:
    name = Path(path).name
    ends = [name.find(ending) for ending in _GVCF_ENDINGS if ending in name]
    return name[: min(ends)] if ends else name


def scan(paths: Sequence[Path], forbidden: Forbidden) -> Report:
    """Scan files and folders.

    Parameters
    ----------
    paths
        Releases, contributions, or files of them.
    forbidden
        What must not be in them.

    Returns
    -------
    Report
        With every leak that was found, and what was looked at.
    """
    threads = cores()
    # Those who scan files wait for those who look at texts: two pools.
    with ThreadPoolExecutor(threads) as texts, ThreadPoolExecutor(threads) as files:
        report = Report(forbidden.searcher(), forbidden.people, texts)
        for path in paths:
            scan_path(report, path, files)
    return report


def refuse_leaks(paths: Sequence[Path], forbidden: Forbidden) -> str:
    """Scan files and folders, and refuse them if there is a leak.

    Returns
    -------
    str
        What was looked at, in a few lines.

    Raises
    ------
    VerificationError
        With every leak that was found: where, and what it is, but not the name itself.
    """
    report = scan(paths, forbidden)
    leaks = report.leaks
    if leaks:
        listed = [f"{leak}" for leak in leaks[:_MOST_LISTED]]
        if len(leaks) > _MOST_LISTED:
            listed.append(f"and in {len(leaks) - _MOST_LISTED:,} further places")
        raise VerificationError(
            f"leak scan: {len(leaks):,} finding{'s' if len(leaks) != 1 else ''}",
            expected="counts of groups, and names that the panel is to say",
            found="\n            ".join(listed),
            remedy="find out how it came there; do not hand over the files",
        )
    return account(report)


def account(report: Report) -> str:
    """Say what was looked at, and what was looked for."""
    looked, searcher = report.looked, report.searcher
    rows = ", ".join(
        f"{n:,} {kind}" for kind, n in sorted(looked.items()) if kind not in ("files", "bytes")
    )
    lines = [
        f"leak scan: nothing found in {looked['files']:,} files: {looked['bytes']:,} bytes; {rows}",
        f"looked for: {searcher.names:,} names, {searcher.hashed:,} hashes of names, paths, e-mail addresses",
    ]
    for reason, n in sorted(searcher.passed_over.items()):
        lines.append(f"not looked for: {n:,} {'names' if n != 1 else 'name'}, {reason}")
    return "\n".join(lines) + "\n"
