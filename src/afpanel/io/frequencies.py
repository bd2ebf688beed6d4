"""What is read of a release: figures of some variants in some groups, as NumPy arrays or a data frame of Polars."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.errors import BadInputError
from afpanel.io.release import is_missing
from afpanel.model.figures import SITE_FIGURES, STATE, figures_of
from afpanel.model.groups import TOTAL


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

        g = index_of(group, self.groups)
        ac, an, state = self.allele_count[:, g], self.allele_number[:, g], self.state[:, g]
        shown = (state == State.OBSERVED) | (state == State.ABSENT_CALLABLE)
        counts = np.column_stack([an - ac, ac])
        return allel.AlleleCountsArray(np.where(shown[:, None], counts, 0))

    def to_polars(self) -> Any:
        """Give the figures as a data frame of Polars, which must be installed.

        Returns
        -------
        polars.DataFrame
            A row for each variant, with the columns of the release's Parquet and `contig`; what is missing is
            null.

        Examples
        --------
        >>> with afpanel.open_panel(release) as panel:
        ...     frame = panel.region("chr1", groups=["VN_CDX"]).to_polars()
        >>> frame.select("pos", "alt", "AC_VN_CDX", "AF_VN_CDX").rows()
        [(100, 'C', 4, 0.10000000149011612), (100, 'T', None, None), (250, 'G', 20, 0.5)]
        """
        import polars as pl  # noqa: PLC0415 - an option, which most readers do without

        columns = {"contig": self.contig, "pos": self.position, "ref": self.ref, "alt": self.alt}
        for g, group in enumerate(self.groups):
            for figure in (*figures_of(group), STATE):
                columns[figure.name(group)] = getattr(self, figure.array)[:, g]
        columns |= {figure.key: getattr(self, figure.array) for figure in SITE_FIGURES}
        return pl.DataFrame({name: _arrow(values) for name, values in columns.items()})


def _arrow(values: NDArray[Any]) -> Any:
    """Give an array to Arrow, with null for -1, NaN and empty text."""
    plain = np.ascontiguousarray(values)
    return pa.array(plain, pa.string() if plain.dtype.kind == "O" else None, mask=is_missing(plain))


def index_of(group: str, groups: tuple[str, ...]) -> int:
    """Find a group among some; a BadInputError lists them if it is not there."""
    if group not in groups:
        raise BadInputError(f"the panel has no group '{group}'", expected=", ".join(groups))
    return groups.index(group)
