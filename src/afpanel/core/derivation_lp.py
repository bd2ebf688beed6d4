"""Exact bounds of hidden cells, by linear programming in whole numbers: where equations hang together in circles.

Tightening equation by equation is exact where they make a tree. AC, the other copies and AN of a cell, and
alleles of a site, tie trees together; there only all equations at once say what is possible.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, identity, kron

from afpanel.core.derivation import LINKS, Bounds, Count, Equations

_VARIABLES = 20_000
"""About as many as are solved together: problems that have nothing in common are one problem in blocks."""

_MARGIN = 4
"""Bounds that are wider than asked by this are not worked out again in whole numbers, which takes longer."""

_ROUNDING = 1e-6
_ASKED = (Count.ALT, Count.OTHER)


@dataclass(frozen=True)
class Cells:
    """Hidden cells, each with the bounds of all variants of its site.

    Parameters
    ----------
    bounds
        Those of p sites of m variants each, site by site: (counts, nodes, p * m).
    variant, node
        (p,) int64: which of the m variants of its site, and which node, each cell is.
    """

    bounds: Bounds
    variant: NDArray[np.int64]
    node: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.node)

    @property
    def variants(self) -> int:
        """Variants of each site."""
        return int(self.bounds.low.shape[2]) // max(1, len(self))

    def take(self, which: NDArray[np.intp]) -> "Cells":
        """Copy some of the cells."""
        of_sites = which[:, None] * self.variants + np.arange(self.variants)
        return Cells(self.bounds.take(of_sites.ravel()), self.variant[which], self.node[which])


def exact_bounds(cells: Cells, known: Equations, k: int) -> NDArray[np.int32]:
    """Find the least and the greatest AC, and the same of other copies, of each cell.

    Parameters
    ----------
    cells
        p cells.
    known
        The equations.
    k
        Values that are asked for: bounds much wider than that may be too wide by one or two.

    Returns
    -------
    (4, p) int32
        Least and greatest AC, least and greatest number of other copies; -1 where nothing satisfies every
        equation.
    """
    if not len(cells):
        return np.empty((4, 0), np.int32)
    found = _bounds(cells, known, in_whole_numbers=False)
    width = np.minimum(found[1] - found[0], found[3] - found[2])
    near = np.flatnonzero(width < k + _MARGIN)
    if len(near):
        found[:, near] = _bounds(cells.take(near), known, in_whole_numbers=True)
    return found


def _bounds(cells: Cells, known: Equations, *, in_whole_numbers: bool) -> NDArray[np.int32]:
    """Solve for all cells, some at a time."""
    p, m = len(cells), cells.variants
    size = m * len(Count) * len(known.names)
    step = max(1, _VARIABLES // (4 * size))
    # (counts, nodes, p, m) -> (p, m, counts, nodes), as the variables are numbered.
    tables = (
        np.moveaxis(each.reshape(*each.shape[:2], p, m), (2, 3), (0, 1)).reshape(p, size)
        for each in (cells.bounds.low, cells.bounds.high)
    )
    low, high = (np.ascontiguousarray(table, np.float64) for table in tables)
    equal, at_most = _equations(m, known)
    parts = []
    for start in range(0, p, step):
        at = slice(start, start + step)
        first = cells.variant[at] * (len(Count) * len(known.names)) + cells.node[at]
        targets = [first + count * len(known.names) for count in _ASKED for _ in range(2)]
        problem = low[at], high[at], np.stack(targets), equal, at_most
        parts.append(_solve(*problem, in_whole_numbers=in_whole_numbers))
    return np.concatenate(parts, axis=1)


def _equations(m: int, known: Equations) -> tuple[csr_array, csr_array]:
    """Write the equations of a site of m variants as rows that are 0, and rows that are at most 0."""
    nodes, counts = len(known.names), len(Count)

    def variable(variant: int, count: int, node: int) -> int:
        return (variant * counts + count) * nodes + node

    equal: list[dict[int, float]] = []
    for i in range(m):
        for each in known.sums:
            for count in Count:
                row = {variable(i, count, part): -1.0 for part in each.parts}
                equal.append({variable(i, count, each.whole): 1.0, **row})
        for whole, terms in LINKS:
            for node in range(nodes):
                row = {variable(i, term, node): -float(weight) for weight, term in terms}
                equal.append({variable(i, whole, node): 1.0, **row})
    equal += [
        {variable(i, Count.CALLED, node): 1.0, variable(0, Count.CALLED, node): -1.0}
        for i in range(1, m)
        for node in range(nodes)
    ]
    at_most = [
        {
            variable(0, Count.CALLED, node): -1.0,
            **{variable(i, Count.ALT, node): 1.0 for i in range(m)},
        }
        for node in range(nodes if m > 1 else 0)
    ]
    return _sparse(equal, m * counts * nodes), _sparse(at_most, m * counts * nodes)


def _sparse(rows: list[dict[int, float]], columns: int) -> csr_array:
    places = [(i, column, value) for i, row in enumerate(rows) for column, value in row.items()]
    row, column, value = zip(*places, strict=True) if places else ((), (), ())
    return csr_array((value, (row, column)), shape=(len(rows), columns))


def _solve(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    targets: NDArray[np.int64],
    equal: csr_array,
    at_most: csr_array,
    *,
    in_whole_numbers: bool,
) -> NDArray[np.int32]:
    """Solve the four questions of some cells in one go; the sum of what has nothing in common is least where each is."""
    cells, size = low.shape
    blocks = len(targets) * cells
    sign = np.repeat(np.array([1.0, -1.0, 1.0, -1.0]), cells)
    at = np.arange(blocks) * size + targets.ravel()
    objective = np.zeros(blocks * size)
    objective[at] = sign
    lowest, highest = (np.tile(each, (len(targets), 1)).ravel() for each in (low, high))
    # What has one value is no variable: most of what a release shows, and so most of each problem.
    free = np.flatnonzero(lowest < highest)
    values = np.where(lowest < highest, 0, lowest)
    repeated = identity(blocks, format="csr")
    equal_free, equal_to, some_equal = _of_free(kron(repeated, equal, format="csr"), values, free)
    most_free, at_most_is, some_most = _of_free(kron(repeated, at_most, format="csr"), values, free)
    contradicted = (equal_to[~some_equal] != 0).any() or (at_most_is[~some_most] < 0).any()
    answer = None
    if not contradicted and len(free):
        answer = linprog(
            objective[free],
            A_ub=most_free if some_most.any() else None,
            b_ub=at_most_is[some_most] if some_most.any() else None,
            A_eq=equal_free if some_equal.any() else None,
            b_eq=equal_to[some_equal] if some_equal.any() else None,
            bounds=np.column_stack([lowest[free], highest[free]]),
            integrality=np.ones(len(free)) if in_whole_numbers else None,
            method="highs",
        ).x
    elif not contradicted:
        answer = np.empty(0)
    if answer is None and cells > 1:
        # One that contradicts itself spoils all; halves find it.
        half = cells // 2
        parts = (slice(0, half), slice(half, cells))
        solved = [
            _solve(
                low[p], high[p], targets[:, p], equal, at_most, in_whole_numbers=in_whole_numbers
            )
            for p in parts
        ]
        return np.concatenate(solved, axis=1)
    if answer is None:
        return np.full((len(targets), cells), -1, np.int32)
    values[free] = answer
    found = values[at] - sign * _ROUNDING
    whole = np.where(sign > 0, np.ceil(found), np.floor(found))
    result: NDArray[np.int32] = whole.reshape(len(targets), cells).astype(np.int32)
    return result


def _of_free(
    rows: csr_array, values: NDArray[np.float64], free: NDArray[np.intp]
) -> tuple[csr_array, NDArray[np.float64], NDArray[np.bool_]]:
    """Take what has one value to the other side of some equations.

    Returns
    -------
    csr_array
        The rows that have a variable left, of the columns `free`.
    (rows,) float64
        The other side of every row.
    (rows,) bool
        Which rows have a variable left.
    """
    of_free = rows[:, free]
    some: NDArray[np.bool_] = np.diff(of_free.indptr) > 0
    return of_free[np.flatnonzero(some)], -(rows @ values), some
