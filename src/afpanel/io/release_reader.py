"""Reading a release in Python, from its Zarr or its Parquet: figures of any region or variant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import ContigKind
from afpanel.core.contigs import bare_name, contig_kind
from afpanel.core.differentiation import PairwiseFst
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.shown_counts import ShownCounts
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.frequencies import Frequencies, index_of
from afpanel.io.panel_sources import open_source
from afpanel.model.figures import (
    AC,
    AF,
    AN,
    CALL_RATE,
    FIGURES,
    NHEMIALT,
    NHOMALT,
    SITE_FIGURES,
    STATE,
)
from afpanel.model.groups import TOTAL
from afpanel.model.region import Region

_VARIANT = re.compile(
    r"(?P<contig>.+)(?P<by>[-:])(?P<position>\d+)(?P=by)(?P<ref>[A-Za-z]+)(?P=by)(?P<alt>[A-Za-z]+)"
)
_ROWS = 16_384
_FST_BLOCK = 1 << 30


@dataclass(frozen=True)
class ReleaseWindow:
    """Consecutive variants of one contig and their counts, in all groups of the release.

    Parameters
    ----------
    variants
        n variants.
    counts
        Their counts in g groups.
    no_alt_left
        (n,) bool: variants whose FILTER is AC0.
    """

    variants: Variants
    counts: ReleasedCounts
    no_alt_left: NDArray[np.bool_]


class Panel:
    """A release, opened for reading; use it in a ``with`` block or close it.

    Opening it reads what the release is, and no figures; each method reads the rows and groups that it is asked for.

    Parameters
    ----------
    path
        Folder of the release, its ``.zarr.zip``, or its folder ``.parquet``.

    Examples
    --------
    >>> panel = afpanel.open_panel(release)
    >>> panel
    <Panel tiny 1 on GRCh38: 4 variants, 4 groups, 60 people>
    >>> panel.groups, panel.people["VN"]
    (('total', 'VN', 'VN_CDX', 'VN_KHV'), 60)
    >>> panel.close()
    """

    def __init__(self, path: str | Path) -> None:
        self._source = open_source(Path(path))
        about = self._source.about
        self.name: str = about["panel"]
        self.version: str = about["version"]
        self.build: str = about["build"]
        self.people: dict[str, int] = self._source.people
        self.groups: tuple[str, ...] = tuple(self.people)
        self.contig_lengths: dict[str, int] = self._source.contig_lengths
        self.contigs: tuple[str, ...] = tuple(self.contig_lengths)
        self._held: tuple[str, NDArray[np.int32]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Count the variants of the release."""
        return max((stop for _, stop in self._source.bounds.values()), default=0)

    def __repr__(self) -> str:
        return (
            f"<Panel {self.name} {self.version} on {self.build}: {len(self):,} variants,"
            f" {len(self.groups)} groups, {self.people[TOTAL]:,} people>"
        )

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def region(self, region: str, groups: Sequence[str] | None = None) -> Frequencies:
        """Read the variants whose position is in a region.

        Parameters
        ----------
        region
            ``contig:start-end``, 1-based and inclusive, or a contig's name.
        groups
            Groups to read; all by default.

        Examples
        --------
        >>> with afpanel.open_panel(release) as panel:
        ...     found = panel.region("chr1:1-200", groups=["total", "VN_CDX"])
        >>> found.position.tolist(), found.alt.tolist()
        ([100, 100], ['C', 'T'])
        >>> found.allele_count.tolist()  # -1 is missing: VN_CDX is masked at the second
        [[12, 4], [9, -1]]
        """
        return self._rows(*self._rows_of(region), groups)

    def variant(self, variant: str, groups: Sequence[str] | None = None) -> Frequencies:
        """Read one variant.

        Parameters
        ----------
        variant
            ``contig-position-REF-ALT``, as the ID of the VCF, or the same with colons. The contig is named as
            the release does or another way that means the same: ``chr1`` or ``1``, ``chrM`` or ``MT``.
        groups
            Groups to read; all by default.

        Returns
        -------
        Frequencies
            Of one variant; of none, if the panel does not have it. Then nothing is known of it: neither that
            nobody carries it, nor that it could have been called.

        Examples
        --------
        >>> with afpanel.open_panel(release) as panel:
        ...     found = panel.variant("chr1-100-A-T")
        ...     same = panel.variant("1-100-A-T")
        ...     unknown = panel.variant("chr1:101:A:T")
        >>> dict(zip(found.groups, found.allele_count[0].tolist()))
        {'total': 9, 'VN': 9, 'VN_CDX': -1, 'VN_KHV': -1}
        >>> len(same), len(unknown)
        (1, 0)
        """
        match = _VARIANT.fullmatch(variant)
        if match is None:
            raise BadInputError(
                f"'{variant}' is not a variant",
                expected="contig-position-REF-ALT, as chr1-12345-A-G",
            )
        place = int(match["position"])
        start, stop = self._rows_of(f"{self._own_name(match['contig'])}:{place}-{place}")
        ref, alt = (strings.objects() for strings in self._source.alleles(start, stop))
        same = np.flatnonzero((ref == match["ref"].upper()) & (alt == match["alt"].upper()))
        first = start + int(same[0]) if len(same) else start
        return self._rows(first, first + len(same), groups)

    def variants(self, groups: Sequence[str] | None = None) -> Frequencies:
        """Read every variant of the release."""
        return self._rows(0, len(self), groups)

    def frequencies(
        self, groups: Sequence[str] | None = None, region: str | None = None
    ) -> NDArray[np.float32]:
        """Read AF alone.

        Parameters
        ----------
        groups
            Groups to read; all by default.
        region
            As of `region`; all of the release by default.

        Returns
        -------
        (n, groups) float32
            AF; NaN where AN is 0 or the cell is masked.

        Examples
        --------
        >>> with afpanel.open_panel(release) as panel:
        ...     panel.frequencies(groups=["VN", "VN_CDX"], region="chr1")
        array([[0.1  , 0.1  ],
               [0.075,   nan],
               [0.25 , 0.5  ]], dtype=float32)
        """
        rows = (0, len(self)) if region is None else self._rows_of(region)
        return self._source.figure(AF, self._chosen(groups), *rows)

    def fst(self, one: str, other: str, region: str | None = None) -> float:
        """Work out Hudson's FST of two groups.

        The ratio of averages (Bhatia et al. 2013) over the variants that both groups show with two called alleles
        or more, as ``fst.tsv`` of the release has it.

        Parameters
        ----------
        one, other
            The groups. They should not share people.
        region
            As of `region`; all autosomes by default.

        Returns
        -------
        float
            NaN where no variant tells the groups apart or together.

        Examples
        --------
        >>> with afpanel.open_panel(release) as panel:
        ...     round(panel.fst("VN_CDX", "VN_KHV"), 3)
        0.19
        """
        groups = self._chosen([one, other])
        sums = PairwiseFst([(0, 1)], _FST_BLOCK)
        for contig in self.contigs:
            rows = self._source.bounds[contig]
            if region is not None:
                wanted = self._rows_of(region)
                rows = max(rows[0], wanted[0]), min(rows[1], wanted[1])
            elif contig_kind(contig) is not ContigKind.AUTOSOME:
                continue
            for start in range(rows[0], rows[1], _ROWS):
                part = start, min(start + _ROWS, rows[1])
                counts = self._counts(groups, *part)
                sums.add(contig, self._source.positions(*part), ShownCounts.of(counts))
        return float(sums.result().fst[0])

    def positions(self, contig: str) -> NDArray[np.int32]:
        """List the positions of a contig's variants, (n,) int32; none if the panel lacks the contig."""
        return self._source.positions(*self._source.bounds.get(contig, (0, 0)))

    def window(self, contig: str, start: int, stop: int) -> ReleaseWindow:
        """Read the variants of a half-open range of positions, as the stages hold them."""
        rows = self._range(contig, start, stop)
        return ReleaseWindow(
            Variants(self._source.positions(*rows), *self._source.alleles(*rows)),
            self._counts(self.groups, *rows),
            self._source.no_alt_left(*rows),
        )

    def _counts(self, groups: Sequence[str], start: int, stop: int) -> ReleasedCounts:
        figures = (AC, AN, NHOMALT, NHEMIALT, STATE)
        return ReleasedCounts(
            **{f.array: self._source.figure(f, groups, start, stop) for f in figures}
        )

    def _own_name(self, contig: str) -> str:
        """Give the release's name of a contig that has another one; the same where there is none, or several."""
        if contig in self.contigs:
            return contig
        same = [name for name in self.contigs if bare_name(name) == bare_name(contig)]
        return same[0] if len(same) == 1 else contig

    def _rows_of(self, region: str) -> tuple[int, int]:
        """Find the rows of a region."""
        wanted = Region.parse(region)
        if wanted.contig not in self.contigs:
            raise BadInputError(
                f"the panel has no contig '{wanted.contig}'", expected=", ".join(self.contigs)
            )
        return self._range(wanted.contig, wanted.start, wanted.end + 1)

    def call_rates(self, contig: str, start: int, stop: int) -> NDArray[np.float32]:
        """Read call rates of the variants of a half-open range of positions, (n, g) float32."""
        rates: NDArray[np.float32] = self._source.figure(
            CALL_RATE, self.groups, *self._range(contig, start, stop)
        )
        return rates

    def _range(self, contig: str, start: int, stop: int) -> tuple[int, int]:
        """Find the rows of a half-open range of positions."""
        first, _ = self._source.bounds.get(contig, (0, 0))
        if self._held is None or self._held[0] != contig:
            self._held = contig, self.positions(contig)
        low, high = np.searchsorted(self._held[1], (start, stop)).tolist()
        return first + low, first + high

    def _chosen(self, groups: Sequence[str] | None) -> tuple[str, ...]:
        chosen = tuple(self.groups if groups is None else groups)
        for group in chosen:
            index_of(group, self.groups)
        return chosen

    def _rows(self, start: int, stop: int, groups: Sequence[str] | None) -> Frequencies:
        chosen, source = self._chosen(groups), self._source
        contig = np.empty(stop - start, object)
        for name, (first, last) in source.bounds.items():
            contig[max(first - start, 0) : max(last - start, 0)] = name
        ref, alt = (strings.objects() for strings in source.alleles(start, stop))
        return Frequencies(
            contig=contig,
            position=source.positions(start, stop),
            ref=ref,
            alt=alt,
            groups=chosen,
            **{f.array: source.figure(f, chosen, start, stop) for f in (*FIGURES, STATE)},
            **{f.array: source.site_figure(f, start, stop) for f in SITE_FIGURES},
        )


def open_panel(path: str | Path) -> Panel:
    """Open a release for reading.

    Parameters
    ----------
    path
        Folder of the release, its ``.zarr.zip``, or its folder ``.parquet``.

    Raises
    ------
    BadInputError
        If there is no release there as Zarr or Parquet.

    Examples
    --------
    >>> with afpanel.open_panel(release) as panel:
    ...     found = panel.region("chr1:200-300", groups=["VN_CDX", "VN_KHV"])
    >>> found.allele_frequency.tolist()
    [[0.5, 0.125]]
    """
    return Panel(path)
