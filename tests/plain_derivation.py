"""What follows from the shown cells of a small table, by trying every whole number: slow, plain, exact.

A table is the counts of one variant. A node's counts are a vector; sums of the parts of a node are its
vector, for each of its ways to be divided. All vectors of hidden nodes that are possible are listed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

Vector = tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """A small table.

    Parameters
    ----------
    sums
        (whole, parts) of each sum, by name; ``total`` is the root, the parts of a sum are parts of no other.
    people
        People of each node.
    shown
        Vectors of the nodes that are shown.
    """

    sums: Sequence[tuple[str, Sequence[str]]]
    people: Mapping[str, int]
    shown: Mapping[str, Vector]


def add(vectors: Iterable[Vector]) -> Vector:
    """Add vectors up."""
    return tuple(map(sum, zip(*vectors, strict=True)))


def possible(table: Table, options: Callable[[str], Iterable[Vector]]) -> dict[str, set[Vector]]:
    """List the vectors that each node can have.

    Parameters
    ----------
    options
        Gives the vectors that a hidden node can have by itself.
    """
    domain = {
        node: {table.shown[node]} if node in table.shown else set(options(node))
        for node in table.people
    }
    for whole, parts in sorted(table.sums, key=lambda each: each[0] == "total"):
        reached = {add(chosen) for chosen in product(*(domain[part] for part in parts))}
        domain[whole] &= reached
    for whole, parts in sorted(table.sums, key=lambda each: each[0] != "total"):
        kept: dict[str, set[Vector]] = {part: set() for part in parts}
        for chosen in product(*(domain[part] for part in parts)):
            if add(chosen) in domain[whole]:
                for part, vector in zip(parts, chosen, strict=True):
                    kept[part].add(vector)
        domain |= kept
    return domain


def too_well_known(values: set[int], people: int, k: int) -> bool:
    """Tell whether few copies are possible, and fewer values than k."""
    return any(1 <= value < k for value in values) and len(values) < min(k, people + 1)
