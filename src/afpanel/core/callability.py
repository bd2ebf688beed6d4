"""What a cohort's silence about a variant means, and how many alleles it speaks for."""

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import State
from afpanel.core.intervals import Intervals
from afpanel.core.ploidy import PLOIDY, sex_codes
from afpanel.core.variants import Variants
from afpanel.model.cohort import Cell


def copies_per_cell(loci: NDArray[np.int8], cells: list[Cell]) -> NDArray[np.int32]:
    """Count the copies of each locus that the people of each cell have; (loci, cells) int32."""
    ploidy = PLOIDY[:, sex_codes([cell.sex for cell in cells])].astype(np.int32)
    people = np.array([cell.people for cell in cells], np.int32)
    return (ploidy * people)[loci]


def record_of_site(
    variants: Variants, observed: NDArray[np.integer], called: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Find a record of a cohort that speaks of the site of each variant.

    A cohort with A>C at a place, where others have A>G, has looked there: those it called are not
    carriers of G, or its record would say so. So do insertions and deletions speak for one another that
    stand at one place.

    Parameters
    ----------
    variants
        n variants, by position.
    observed
        (m,) int64: which of them the cohort has.
    called
        (m,) its called alleles there.

    Returns
    -------
    (n,) int64
        Place in `observed` of the variant with most calls that has the same position and, where both are
        substitutions, the same REF; -1 where there is none.
    """
    moves = variants.ref.lengths != variants.alt.lengths
    ref = variants.ref.arrow().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    site = (variants.position.astype(np.int64) << 32) | np.where(moves, 0, ref.astype(np.int64) + 1)
    if not len(observed):
        return np.full(len(variants), -1)
    order = np.lexsort((-np.asarray(called, np.int64), site[observed]))
    known, first = np.unique(site[observed][order], return_index=True)
    at = np.minimum(np.searchsorted(known, site), len(known) - 1)
    return np.where(known[at] == site, order[first[at]], -1)


def absent_callable(
    variants: Variants, callable_regions: Intervals | None, refused: Intervals
) -> NDArray[np.bool_]:
    """Tell at which variants a cohort without a record could have called one.

    Parameters
    ----------
    variants
        Variants that the cohort has no record of.
    callable_regions
        Where the whole cohort could be called, or None where nothing is known.
    refused
        Where it has a record that was refused: there its silence is no evidence.

    Returns
    -------
    (n,) bool
        True where every base of REF is callable and none is in a refused record.
    """
    if callable_regions is None:
        return np.zeros(len(variants), np.bool_)
    inside = callable_regions.contains(variants.start, variants.end)
    return inside & ~refused.touches(variants.start, variants.end)


def cell_states(
    observed: NDArray[np.bool_], absent: NDArray[np.bool_], copies: NDArray[np.int32]
) -> NDArray[np.int8]:
    """Give each cell of a cohort its state at each variant.

    Parameters
    ----------
    observed, absent
        (n,) bool: the cohort has a record; it has none but could have.
    copies
        (n, cells) int32: copies of the locus in each cell. A cell with none has no state but
        not-callable, whatever the file says: XX people have no Y.

    Returns
    -------
    (n, cells) int8
    """
    of_cohort = np.where(
        observed,
        np.int8(State.OBSERVED),
        np.where(absent, np.int8(State.ABSENT_CALLABLE), np.int8(State.NOT_CALLABLE)),
    )
    return np.where(copies > 0, of_cohort[:, None], np.int8(State.NOT_CALLABLE)).astype(np.int8)
