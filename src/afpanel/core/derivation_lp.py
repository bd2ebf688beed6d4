"""Exact bounds of hidden cells, by linear programming in whole numbers: where equations hang together in circles.

Tightening equation by equation is exact where they make a tree. AC, the other copies and AN of a cell, and
alleles of a site, tie trees together; there only all equations at once say what is possible.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, identity, kron
from scipy.sparse.csgraph import connected_components

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
    step = max(1, _VARIABLES // size)
    # (counts, nodes, p, m) -> (p, m, counts, nodes), as the variables are numbered.
    tables = (
        np.moveaxis(each.reshape(*each.shape[:2], p, m), (2, 3), (0, 1)).reshape(p, size)
        for each in (cells.bounds.low, cells.bounds.high)
    )
    low, high = (np.ascontiguousarray(table, np.float64) for table in tables)
    equations = _equations(m, known)
    first = cells.variant * (len(Count) * len(known.names)) + cells.node
    asked = np.stack([first + count * len(known.names) for count in _ASKED], axis=1)
    parts = []
    for start in range(0, p, step):
        at = slice(start, start + step)
        parts.append(
            _solve(low[at], high[at], asked[at], equations, in_whole_numbers=in_whole_numbers)
        )
    return np.concatenate(parts, axis=1)


def _equations(m: int, known: Equations) -> tuple[csr_array, NDArray[np.bool_]]:
    """Write the equations of a site of m variants as rows that are 0, or at most 0; tells which are the latter."""
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
    rows = _sparse([*equal, *at_most], m * counts * nodes)
    return rows, np.arange(len(equal) + len(at_most)) >= len(equal)


def _sparse(rows: list[dict[int, float]], columns: int) -> csr_array:
    places = [(i, column, value) for i, row in enumerate(rows) for column, value in row.items()]
    row, column, value = zip(*places, strict=True) if places else ((), (), ())
    return csr_array((value, (row, column)), shape=(len(rows), columns))


def _solve(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    asked: NDArray[np.int64],
    equations: tuple[csr_array, NDArray[np.bool_]],
    *,
    in_whole_numbers: bool,
) -> NDArray[np.int32]:
    """Solve the four questions of some cells in one go.

    The sum of what has nothing in common is least where each is. What has one value is no variable: most of what
    a release shows, and so most of each problem. Of the rest only what hangs together with what is asked is solved.

    Parameters
    ----------
    low, high
        (cells, size): bounds of the variables of each cell.
    asked
        (cells, 2): the variables that are asked for.
    equations
        Of one cell, as `_equations` gives them.

    Returns
    -------
    (4, cells) int32
        As `exact_bounds`.
    """
    cells, size = low.shape
    variables = np.arange(cells)[:, None] * size + asked
    lowest, highest = low.ravel(), high.ravel()
    rows = kron(identity(cells, format="csr"), equations[0], format="csr")
    is_most = np.tile(equations[1], cells)
    free = np.flatnonzero(lowest < highest)
    # What has one value goes to the other side.
    sides = -(rows @ np.where(lowest < highest, 0, lowest))
    of_free = rows[:, free]
    some = np.diff(of_free.indptr) > 0
    wrong = ~some & np.where(is_most, sides < 0, sides != 0)
    contradicted = wrong.reshape(cells, -1).any(axis=1)
    kept_rows, kept = _with_asked(of_free, free, variables[~contradicted].ravel())
    found = np.stack([lowest[variables], highest[variables]]).transpose(2, 0, 1)
    if len(kept):
        problem = of_free[kept_rows][:, kept], sides[kept_rows], is_most[kept_rows]
        bounds = np.column_stack([lowest, highest])[free[kept]]
        place = np.full(cells * size, -1)
        place[free[kept]] = np.arange(len(kept))
        questions = [(which, sign) for which in range(len(_ASKED)) for sign in (1.0, -1.0)]
        objective = np.zeros((len(questions), len(kept)))
        for question, (which, sign) in zip(objective, questions, strict=True):
            at = place[variables[:, which]]
            question[at[at >= 0]] = sign
        answer = _least(objective, *problem, bounds, in_whole_numbers=in_whole_numbers)
        if answer is None and cells > 1:
            # One that contradicts itself spoils all; halves find it.
            halves = (slice(0, cells // 2), slice(cells // 2, cells))
            solved = [
                _solve(low[p], high[p], asked[p], equations, in_whole_numbers=in_whole_numbers)
                for p in halves
            ]
            return np.concatenate(solved, axis=1)
        if answer is None:
            return np.full((len(questions), cells), -1, np.int32)
        for values, (which, sign) in zip(answer, questions, strict=True):
            at = place[variables[:, which]]
            found[which, 0 if sign > 0 else 1, at >= 0] = values[at[at >= 0]]
    least, most = np.ceil(found[:, 0] - _ROUNDING), np.floor(found[:, 1] + _ROUNDING)
    result = np.stack([least, most], axis=1).reshape(2 * len(_ASKED), cells).astype(np.int32)
    result[:, contradicted] = -1
    return result


def _with_asked(
    rows: csr_array, free: NDArray[np.intp], asked: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the equations and variables that hang together with some variables.

    Parameters
    ----------
    rows
        Equations of the free variables.
    free
        Which variables these are, in order.
    asked
        Variables, free or not.

    Returns
    -------
    (rows,), (columns,) intp
        Places of the equations, and of the variables among the free ones.
    """
    equations, variables = rows.shape
    if not variables:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    graph = coo_array(rows)
    ends = graph.row, graph.col + equations
    total = equations + variables
    both = csr_array((np.ones(graph.nnz, np.int8), ends), shape=(total, total))
    _, part = connected_components(both, directed=False)
    places = np.minimum(np.searchsorted(free, asked), variables - 1)
    wanted = np.zeros(total, np.bool_)
    wanted[part[equations + places[free[places] == asked]]] = True
    kept = wanted[part]
    return np.flatnonzero(kept[:equations]), np.flatnonzero(kept[equations:])


def _least(
    objectives: NDArray[np.float64],
    rows: csr_array,
    sides: NDArray[np.float64],
    is_most: NDArray[np.bool_],
    bounds: NDArray[np.float64],
    *,
    in_whole_numbers: bool,
) -> NDArray[np.float64] | None:
    """Find where each of some sums of n variables is least, all in one go; None where nothing satisfies the equations."""
    repeated, times = identity(len(objectives), format="csr"), len(objectives)
    equal, at_most = (
        (kron(repeated, rows[np.flatnonzero(which)], format="csr"), np.tile(sides[which], times))
        if which.any()
        else (None, None)
        for which in (~is_most, is_most)
    )
    answer = linprog(
        objectives.ravel(),
        A_ub=at_most[0],
        b_ub=at_most[1],
        A_eq=equal[0],
        b_eq=equal[1],
        bounds=np.tile(bounds, (times, 1)),
        integrality=np.ones(objectives.size) if in_whole_numbers else None,
        method="highs",
    ).x
    return None if answer is None else answer.reshape(objectives.shape)
