"""For which earlier releases, and why, cells are masked: what `earlier_releases.mask_beside` notes where it is asked to."""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_counts import GroupCounts
from afpanel.core.group_tree import GroupTree
from afpanel.core.suppression import Masked

Flags = NDArray[np.bool_]


class Told(Enum):
    """What a cell would tell together with earlier releases if it were shown."""

    JOINED = "of those who joined"
    LEFT = "of those who left"
    EITHER = "of those who joined or left, in a way that is not taken apart"
    OF_THREE = "what three releases add and subtract to"


@dataclass(frozen=True)
class People:
    """Those who joined or left, as a panel of n variants in the u groups of both releases.

    Parameters
    ----------
    people
        (u,) int64: how many they are in each group.
    counts
        What is counted of them.
    tree
        The sums among the groups.
    masked
        Which of their cells must not be known, and why.
    """

    people: NDArray[np.int64]
    counts: GroupCounts
    tree: GroupTree
    masked: Masked


@dataclass(frozen=True)
class Asked:
    """Cells that are masked for what they would tell together with earlier releases.

    Parameters
    ----------
    releases
        Names of these.
    told
        What that would be.
    cells
        (n, released groups) bool.
    people
        Those of whom it would be; None unless they can be looked at by themselves.
    """

    releases: tuple[str, ...]
    told: Told
    cells: Flags
    people: People | None = None


@dataclass(frozen=True)
class Before:
    """What an earlier release masked, of people who are in the group still.

    Parameters
    ----------
    release
        Its name.
    people
        (released groups,) int64: how many of its people are in each group still.
    cells
        (n, released groups) bool.
    dropped
        (n,) bool: variants of which it showed nothing.
    """

    release: str
    people: NDArray[np.int64]
    cells: Flags
    dropped: Flags


@dataclass
class Notes:
    """What is noted while a release is masked beside earlier ones.

    Parameters
    ----------
    before
        What each earlier release masked.
    known
        Name of each earlier release, and (n, released groups) bool: cells that it shows of the same people; or
        that somebody shows elsewhere, whose name is empty.
    asked
        What is masked for a difference, in the order in which it was found.
    steps
        What masking made of the release each time, with all that had been asked for until then.
    min_allele_count
        The limit that was taken.
    """

    before: list[Before] = field(default_factory=list)
    known: list[tuple[str, Flags]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    steps: list[Masked] = field(default_factory=list)
    min_allele_count: int = 0
