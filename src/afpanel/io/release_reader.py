"""Reading a release in Python: figures of any region, as NumPy arrays."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.group_counts import ReleasedCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.release_zarr import RELEASE, RELEASE_VERSION
from afpanel.io.store import Store
from afpanel.model.arrays import COUNTS
from afpanel.model.figures import CALL_RATE, FIGURES, SITE_FIGURES, STATE
from afpanel.model.groups import TOTAL
from afpanel.model.region import Region


@dataclass(frozen=True)
class Frequencies:
    """Figures of n consecutive variants in g groups.

    Parameters
    ----------
    contig
        (n,) names of contigs.
    position
        (n,) int32, 1-based.
    ref, alt
        (n,) alleles.
    groups
        Names of the groups, in the order of the second dimension.
    allele_count, allele_number, homozygote_count, hemizygote_count
        (n, g) int32; -1 is missing. AN is 0 where nobody could have been called.
    allele_frequency, filtering_frequency_95, filtering_frequency_99
        (n, g) float32: AF, faf95 and faf99; NaN where AN is 0 or withheld.
    called_fraction
        (n, g) float32: AN as a share of the copies that people have; NaN where they have none.
    hwe_p_value, excess_heterozygosity_p_value, inbreeding_coefficient
        (n, g) float32: hwe, ExcHet and inbreeding_coeff of populations, the last of the total too; NaN for
        other groups.
    state
        (n, g) int8: 0 not-callable, 1 absent-callable, 2 observed, 3 masked.
    raw_allele_count, raw_allele_number, raw_allele_frequency
        (n,) AC, AN (int32) and AF (float32) of all people before the genotype filter.
    grpmax_group, grpmax_allele_count, grpmax_allele_number, grpmax_allele_frequency, \
grpmax_homozygote_count
        (n,) name of the group with the greatest AF, and its figures; '' where there is none.
    fafmax_95, fafmax_95_group, fafmax_99, fafmax_99_group
        (n,) float32 and names: the greatest faf95 and faf99 of a group.
    """

    contig: NDArray[Any]
    position: NDArray[np.int32]
    ref: NDArray[Any]
    alt: NDArray[Any]
    groups: tuple[str, ...]
    allele_count: NDArray[np.int32]
    allele_number: NDArray[np.int32]
    homozygote_count: NDArray[np.int32]
    hemizygote_count: NDArray[np.int32]
    allele_frequency: NDArray[np.float32]
    filtering_frequency_95: NDArray[np.float32]
    filtering_frequency_99: NDArray[np.float32]
    called_fraction: NDArray[np.float32]
    hwe_p_value: NDArray[np.float32]
    excess_heterozygosity_p_value: NDArray[np.float32]
    inbreeding_coefficient: NDArray[np.float32]
    state: NDArray[np.int8]
    raw_allele_count: NDArray[np.int32]
    raw_allele_number: NDArray[np.int32]
    raw_allele_frequency: NDArray[np.float32]
    grpmax_group: NDArray[Any]
    grpmax_allele_count: NDArray[np.int32]
    grpmax_allele_number: NDArray[np.int32]
    grpmax_allele_frequency: NDArray[np.float32]
    grpmax_homozygote_count: NDArray[np.int32]
    fafmax_95: NDArray[np.float32]
    fafmax_95_group: NDArray[Any]
    fafmax_99: NDArray[np.float32]
    fafmax_99_group: NDArray[Any]

    def __len__(self) -> int:
        return len(self.position)

    def allele_counts(self, group: str = TOTAL) -> Any:
        """Give scikit-allel the counts of a group.

        Returns
        -------
        allel.AlleleCountsArray
            (n, 2): copies of every other allele, and of ALT. Both are 0 where the cell is masked or
            not callable, which scikit-allel takes for missing.
        """
        import allel  # noqa: PLC0415 - a second of start-up that most readers do not need

        g = _index_of(group, self.groups)
        ac, an, state = self.allele_count[:, g], self.allele_number[:, g], self.state[:, g]
        shown = (state == State.OBSERVED) | (state == State.ABSENT_CALLABLE)
        counts = np.column_stack([an - ac, ac])
        return allel.AlleleCountsArray(np.where(shown[:, None], counts, 0))


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

    Parameters
    ----------
    path
        Folder of the release, or its ``.zarr.zip``.
    """

    def __init__(self, path: str | Path) -> None:
        self._store = Store(_zarr_of(Path(path)), RELEASE, RELEASE_VERSION)
        about = self._store.attributes
        self.name: str = about["panel"]
        self.version: str = about["version"]
        self.build: str = about["build"]
        self.groups: tuple[str, ...] = tuple(self._store.texts("group_id"))
        people = self._store.read("group_people").tolist()
        self.people: dict[str, int] = dict(zip(self.groups, people, strict=True))
        self.contigs: tuple[str, ...] = tuple(self._store.texts("contig_id"))
        lengths = self._store.read("contig_length").tolist()
        self.contig_lengths: dict[str, int] = dict(zip(self.contigs, lengths, strict=True))
        self._contig: NDArray[np.int16] = self._store.read("variant_contig")
        self._position: NDArray[np.int32] = self._store.read("variant_position")

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
        return len(self._position)

    def __repr__(self) -> str:
        return (
            f"<Panel {self.name} {self.version} on {self.build}: {len(self):,} variants,"
            f" {len(self.groups)} groups, {self.people[TOTAL]:,} people>"
        )

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def region(self, region: str, groups: list[str] | None = None) -> Frequencies:
        """Read the variants whose position is in a region.

        Parameters
        ----------
        region
            ``contig:start-end``, 1-based and inclusive, or a contig's name.
        groups
            Groups to read; all by default.
        """
        wanted = Region.parse(region)
        if wanted.contig not in self.contigs:
            raise BadInputError(
                f"the panel has no contig '{wanted.contig}'", expected=", ".join(self.contigs)
            )
        start, stop = self._range(wanted.contig, wanted.start, wanted.end + 1)
        return self._rows(start, stop, groups)

    def variants(self, groups: list[str] | None = None) -> Frequencies:
        """Read every variant of the release."""
        return self._rows(0, len(self), groups)

    def positions(self, contig: str) -> NDArray[np.int32]:
        """List the positions of a contig's variants, (n,) int32; none if the panel lacks the contig."""
        return self._position[slice(*self._of_contig(contig))]

    def window(self, contig: str, start: int, stop: int) -> ReleaseWindow:
        """Read the variants of a half-open range of positions, as the stages hold them."""
        rows = self._range(contig, start, stop)
        alleles = self._store.read("variant_allele", *rows)
        ac0 = self._store.texts("filter_id").index("AC0")
        return ReleaseWindow(
            Variants(
                self._position[slice(*rows)], Strings.of(alleles[:, 0]), Strings.of(alleles[:, 1])
            ),
            ReleasedCounts(*(self._store.read(name, *rows) for name in (*COUNTS, "state"))),
            self._store.read("variant_filter", *rows)[:, ac0],
        )

    def call_rates(self, contig: str, start: int, stop: int) -> NDArray[np.float32]:
        """Read call rates of the variants of a half-open range of positions, (n, g) float32."""
        rates: NDArray[np.float32] = self._store.read(
            CALL_RATE.array, *self._range(contig, start, stop)
        )
        return rates

    def _of_contig(self, contig: str) -> tuple[int, int]:
        """Find the rows of a contig."""
        if contig not in self.contigs:
            return 0, 0
        number = self.contigs.index(contig)
        first, last = np.searchsorted(self._contig, (number, number + 1)).tolist()
        return first, last

    def _range(self, contig: str, start: int, stop: int) -> tuple[int, int]:
        """Find the rows of a half-open range of positions."""
        first, last = self._of_contig(contig)
        bounds = np.searchsorted(self._position[first:last], (start, stop)).tolist()
        return first + bounds[0], first + bounds[1]

    def _rows(self, start: int, stop: int, groups: list[str] | None) -> Frequencies:
        chosen = tuple(self.groups if groups is None else groups)
        columns = [_index_of(group, self.groups) for group in chosen]

        def read(name: str) -> NDArray[Any]:
            return self._store.read(name, start, stop)[:, columns]

        def of_site(name: str) -> NDArray[Any]:
            values = self._store.read(name, start, stop)
            return values if values.dtype.kind in "if" else values.astype(object)

        alleles = self._store.read("variant_allele", start, stop).astype(object)
        names = np.array(self.contigs, dtype=object)
        return Frequencies(
            contig=names[self._contig[start:stop]],
            position=self._position[start:stop],
            ref=alleles[:, 0],
            alt=alleles[:, 1],
            groups=chosen,
            **{figure.array: read(figure.array) for figure in (*FIGURES, STATE)},
            **{figure.array: of_site(figure.array) for figure in SITE_FIGURES},
        )


def open_panel(path: str | Path) -> Panel:
    """Open a release for reading.

    Parameters
    ----------
    path
        Folder of the release, or its ``.zarr.zip``.

    Raises
    ------
    BadInputError
        If there is no release of the Zarr format there.
    """
    return Panel(path)


def _zarr_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.zarr.zip"))
    if len(found) != 1:
        raise BadInputError(
            "not the folder of one release",
            where=path,
            expected="one file that ends in .zarr.zip",
            found=", ".join(file.name for file in found) or "none",
            remedy="build the release with zarr among publish.formats",
        )
    return found[0]


def _index_of(group: str, groups: tuple[str, ...]) -> int:
    if group not in groups:
        raise BadInputError(f"the panel has no group '{group}'", expected=", ".join(groups))
    return groups.index(group)
