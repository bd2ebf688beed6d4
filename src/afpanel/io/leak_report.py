"""What a scan finds, and where: gathered so that a leak in every line is one finding, and no finding leaks."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from afpanel.core.leaks import Found, Home, Searcher, StreamSearch

_MOST = 60


@dataclass(frozen=True)
class Leak:
    """Something that must not leave.

    Parameters
    ----------
    file
        The file, and the entry of it if it is an archive.
    place
        Where in it: the first such place.
    what
        What it is, without its name.
    times
        How often it was found in such places.
    """

    file: str
    place: str
    what: str
    times: int = 1

    def __str__(self) -> str:
        more = f" (and {self.times - 1:,} more)" if self.times > 1 else ""
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: {self.what}{more}"


class Report:
    """Gathers leaks and what was looked at.

    Parameters
    ----------
    searcher
        Finds names; it also takes them out of what is said of places.
    people
        Numbers of people of each cohort, by its name: those of its sheet, and those counted.
    pool
        Whose threads look at long texts; without one the caller's does.
    """

    def __init__(
        self,
        searcher: Searcher,
        people: Mapping[str, frozenset[int]] | None = None,
        pool: Executor | None = None,
    ) -> None:
        self.searcher = searcher
        self.pool = pool
        self.people = people or {}
        self.looked: Counter[str] = Counter()
        self._first: dict[tuple[str, str, str], str] = {}
        self._times: Counter[tuple[str, str, str]] = Counter()

    def part(self) -> "Report":
        """Begin a report of some of the files, which another thread looks at."""
        return Report(self.searcher, self.people, self.pool)

    def join(self, part: "Report") -> None:
        """Add what a report of further files has."""
        self.looked.update(part.looked)
        for key, first in part._first.items():  # noqa: SLF001 - one of its own kind
            self._first.setdefault(key, first)
        self._times.update(part._times)  # noqa: SLF001

    @property
    def leaks(self) -> list[Leak]:
        """All leaks, in the order in which they were found."""
        return [
            Leak(
                self.shown(file), self.shown(first), self.shown(what), self._times[file, area, what]
            )
            for (file, area, what), first in self._first.items()
        ]

    def add(self, file: str, area: str, what: str, detail: str = "", times: int = 1) -> None:
        """Note a leak.

        Parameters
        ----------
        file, what
            See `Leak`.
        area
            Kind of place, of which the first is told.
        detail
            Where exactly, after the area.
        times
            How often.
        """
        key = (file, area, what)
        if key not in self._times:
            self._first[key] = f"{area}{detail}"
        self._times[key] += times

    def shown(self, text: str) -> str:
        """Make a text fit to be shown: without names that must not leave."""
        return self.searcher.redacted(text)


@dataclass(frozen=True)
class Spot:
    """A file that is being scanned, or an entry of one.

    Parameters
    ----------
    report
        Where leaks go.
    file
        What to call the file.
    """

    report: Report
    file: str

    def inside(self, entry: str) -> "Spot":
        """Name an entry of the file."""
        return Spot(self.report, f"{self.file}, entry {short(entry)}")

    def leak(self, what: str, area: str = "", detail: str = "", times: int = 1) -> None:
        """Note that something in the file must not leave."""
        self.report.add(self.file, area, what, detail, times)

    def search(
        self, text: str | bytes, area: str, home: Home = Home.PROSE, detail: str = ""
    ) -> bool:
        """Search a text; tells whether anything was found."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        self.report.looked["bytes"] += len(data)
        return self.note(self.report.searcher.find(data, home), area, detail)

    def note(self, found: Iterable[Found], area: str, detail: str = "") -> bool:
        """Note what a search found; tells whether there was anything."""
        any_found = False
        for each in found:
            self.leak(each.what, area, detail)
            any_found = True
        return any_found

    def stream(self, home: Home) -> StreamSearch:
        """Begin to search a text that comes in pieces."""
        return StreamSearch(self.report.searcher, home)

    def names(self, names: Iterable[str], known: Iterable[str], area: str, what: str) -> list[str]:
        """Hold names against those known, and search them; gives the known ones."""
        allowed, good = set(known), []
        for name in names:
            self.search(name, f"{area} {short(name)}")
            if name in allowed:
                good.append(name)
            else:
                self.leak(what, f"{area} {short(name)}")
        return good


def short(name: str) -> str:
    """Cut a name that is too long to be shown."""
    return name if len(name) <= _MOST else f"{name[:_MOST]}…"
