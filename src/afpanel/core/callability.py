"""What a cohort's silence about a variant means, and how many alleles it speaks for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import SEXES
from afpanel.core.ploidy import PLOIDY
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell


def copies_per_cell(loci: NDArray[np.int8], cells: Sequence[Cell]) -> NDArray[np.int32]:
    """Count the copies of each locus that the people of each cell have; (loci, cells) int32."""
    return _people(PLOIDY, cells)[loci]


def people_by_copies(
    loci: NDArray[np.int8], cells: Sequence[Cell]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Count the people of each cell who have a locus at all, and those who have two copies of it.

    Returns
    -------
    present, diploid
        (loci, cells) int32 each; together they are the copies.
    """
    present, diploid = (_people(np.where(at_least <= PLOIDY, 1, 0), cells) for at_least in (1, 2))
    return present[loci], diploid[loci]


def alone_in_person(
    called: NDArray[np.int32], loci: NDArray[np.int8], cells: Sequence[Cell]
) -> NDArray[np.int32]:
    """Tell how many of the alleles that could be called would be the only one of their person.

    Parameters
    ----------
    called
        (n, cells) int32: alleles that could be called.
    loci
        (n,) int8, `ploidy.Loci` of each place.
    cells
        The cells.

    Returns
    -------
    (n, cells) int32
        Of people with one copy all; of people with two the odd one. Where a cell has both kinds, it is
        taken that those with one copy are called.
    """
    haploid, diploid = (_people(np.where(copies == PLOIDY, 1, 0), cells)[loci] for copies in (1, 2))
    return np.where(
        haploid == 0, called & 1, np.where(diploid == 0, called, np.minimum(called, haploid))
    )


def _people(weight: NDArray[np.integer], cells: Sequence[Cell]) -> NDArray[np.int32]:
    """Add up the people of each cell, each sex with a weight at each kind of place; (kinds, cells) int32."""
    by_sex = np.array([cell.people_by_sex for cell in cells], np.int32).reshape(-1, len(SEXES))
    return weight.astype(np.int32) @ by_sex.T


def check_called(
    where: str,
    position: NDArray[np.integer],
    called: NDArray[np.integer],
    copies: NDArray[np.int32],
    cells: Sequence[Cell],
) -> None:
    """Refuse called alleles of more copies of a place than the people of a cell have.

    Parameters
    ----------
    where
        What says so, and of which contig.
    position
        (n,) 1-based.
    called, copies
        (n, cells).

    Raises
    ------
    BadInputError
        At the first such place.
    """
    wrong = np.argwhere(called > copies)
    if len(wrong):
        row, c = wrong[0]
        cell = cells[c]
        raise BadInputError(
            "a track has more called alleles than people can have",
            where=f"{where}:{position[row]}, {cell.population} {cell.sex}",
            expected=f"at most {copies[row, c]} of {cell.people} people",
            found=int(called[row, c]),
            remedy="count XY people once on X and Y outside the pseudoautosomal regions, XX people not"
            " at all on Y",
        )


def record_of_site(
    variants: Variants, observed: NDArray[np.integer], called: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Find a record of a cohort that speaks of the site of each variant that it does not have.

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
        substitutions, the same REF; -1 where there is none. Of variants that the cohort has it says nothing.
    """
    found = np.full(len(variants), -1)
    same = variants.position[1:] == variants.position[:-1]
    crowded = np.flatnonzero(np.append(same, False) | np.append(False, same))
    place = np.full(len(variants), -1)
    place[observed] = np.arange(len(observed))
    place = place[crowded]
    mine = np.flatnonzero(place >= 0)
    if not len(mine):
        return found
    near = variants.take(crowded)
    moves = near.ref.lengths != near.alt.lengths
    ref = near.ref.arrow().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    site = (near.position.astype(np.int64) << 32) | np.where(moves, 0, ref.astype(np.int64) + 1)
    order = mine[np.lexsort((-np.asarray(called, np.int64)[place[mine]], site[mine]))]
    known, first = np.unique(site[order], return_index=True)
    at = np.minimum(np.searchsorted(known, site), len(known) - 1)
    found[crowded] = np.where(known[at] == site, place[order[first[at]]], -1)
    return found
