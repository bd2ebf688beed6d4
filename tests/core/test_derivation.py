"""What the verifier claims to work out, against every whole number that is possible."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp
from tests.plain_derivation import Table, Vector, possible
from tests.plain_derivation import too_well_known as plainly_known

from afpanel.core.derivation import Bounds, Count, Equations, too_well_known
from afpanel.core.derivation_lp import Cells, exact_bounds

TABLES = 2_000


def options(people: int) -> list[Vector]:
    """One copy, two copies, and copies of anything else: (single, homozygous, other) of so many people."""
    return [
        (single, homozygous, other)
        for homozygous in range(people + 1)
        for single in range(people + 1)
        for other in range(2 * people + 1)
        if single + 2 * homozygous + other <= 2 * people
    ]


class Drawn:
    """A small table drawn at random, some of it hidden by lot, and what follows by trying everything."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.groups = ["total", "AA", *(["AA_P"] if rng.random() < 0.7 else [])]
        self.groups += ["BB"] if rng.random() < 0.6 else []
        self.groups += ["XX"] if rng.random() < 0.5 else []
        sizes = {"AA_P": int(rng.integers(1, 3)), "BB": int(rng.integers(1, 3))}
        rests = {"AA": int(rng.integers(0, 2)), "total": int(rng.integers(0, 2))}
        has = self.groups.__contains__
        if not has("AA_P"):
            sizes["AA_P"], rests["AA"] = sizes["AA_P"] + rests["AA"], 0
        if not has("BB"):
            sizes["BB"] = 0
        people = {"AA": sizes["AA_P"] + rests["AA"], **sizes}
        people["total"] = people["AA"] + people["BB"] + rests["total"]
        people["XX"] = int(rng.integers(1, people["total"] + 1))
        self.known = Equations.of(self.groups, [people[g] for g in self.groups])
        truth = self._truth(rng)
        self.vectors = [truth[name] for name in self.known.names]
        self.hidden = rng.random(len(self.groups)) < 0.5
        self.k = int(rng.integers(2, 5))

    def _truth(self, rng: np.random.Generator) -> dict[str, Vector]:
        """Draw people's calls, some half or missing, and count them in every node."""
        names, sizes = self.known.names, dict(zip(self.known.names, self.known.people, strict=True))
        calls = rng.choice(4, sizes["total"], p=rng.dirichlet([1, 1, 1, 0.3]))
        every = np.array([(0, 0, 2), (1, 0, 1), (0, 1, 0), (1, 0, 0)])[calls]
        place: dict[str, np.ndarray] = {"total": np.arange(sizes["total"])}
        for each in self.known.sums:
            whole = place[names[each.whole]]
            members = rng.permutation(whole) if any(names[p] == "XX" for p in each.parts) else whole
            start = 0
            for part in (names[p] for p in each.parts):
                place[part] = members[start : start + sizes[part]]
                start += sizes[part]
        return {name: tuple(every[place[name]].sum(axis=0).tolist()) for name in names}

    def possible(self) -> dict[str, set[Vector]]:
        names = self.known.names
        sizes = dict(zip(names, self.known.people.tolist(), strict=True))
        sums = [(names[s.whole], [names[p] for p in s.parts]) for s in self.known.sums]
        shown = {
            group: self.vectors[g] for g, group in enumerate(self.groups) if not self.hidden[g]
        }
        return possible(Table(sums, sizes, shown), lambda name: options(sizes[name]))

    def bounds(self) -> Bounds:
        single, homozygous, other = np.array(self.vectors[: len(self.groups)]).T
        alt = single + 2 * homozygous
        figures = {
            Count.ALT: alt,
            Count.CALLED: alt + other,
            Count.HOMOZYGOUS: homozygous,
            Count.HEMIZYGOUS: 0 * alt,
        }
        # No haploid calls: a call of one allele is a half call here.
        tables = {count: np.where(self.hidden, 0, each)[None] for count, each in figures.items()}
        ploidy = np.full((len(self.known.names), 1), 2, np.int8)
        found = Bounds.of(tables, self.hidden[None], self.known, ploidy)
        found.high[Count.HEMIZYGOUS] = 0
        found.tighten(self.known)
        return found

    @property
    def free(self) -> list[int]:
        """Nodes that are not shown."""
        return [
            node
            for node in range(len(self.known.names))
            if node >= len(self.groups) or self.hidden[node]
        ]


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    rng = np.random.default_rng(11)
    return [Drawn(rng) for _ in range(TABLES)]


def values_of(vectors: set[Vector], count: Count) -> set[int]:
    if count is Count.OTHER:
        return {other for _, _, other in vectors}
    return {single + 2 * homozygous for single, homozygous, _ in vectors}


def test_of_2000_small_tables_the_verifier_makes_no_false_claim_and_misses_no_narrow_range(drawn):
    """Every claim is true. What is not claimed is a range wide enough, though it may have gaps: even numbers."""
    claims = gaps = 0
    for each in drawn:
        bounds, sets = each.bounds(), each.possible()
        assert not bounds.impossible.any()
        people = each.known.people
        nodes = np.array(each.free, np.int64)
        if not len(nodes):
            continue
        repeated = bounds.take(np.zeros(len(nodes), np.int64))
        exact = exact_bounds(
            Cells(repeated, np.zeros(len(nodes), np.int64), nodes), each.known, each.k
        )
        for i, node in enumerate(nodes.tolist()):
            name = each.known.names[node]
            for count, (low, high) in ((Count.ALT, exact[:2, i]), (Count.OTHER, exact[2:, i])):
                values = values_of(sets[name], count)
                known = plainly_known(values, int(people[node]), each.k)
                least, most = bounds.low[count, node, 0], bounds.high[count, node, 0]
                # What is possible is inside of the bounds, and exact ones are inside of the others.
                assert least <= low <= min(values)
                assert max(values) <= high <= most
                number = int(bounds.values(count)[node, 0])
                assert number >= len(values)
                claim = bool(too_well_known(least, most, number, people[node], each.k))
                claim |= bool(too_well_known(low, high, high - low + 1, people[node], each.k))
                assert known or not claim
                claims += claim
                if known and not claim:
                    gaps += 1
                    assert max(values) - min(values) + 1 > len(values)
                    assert max(values) - min(values) + 1 >= min(each.k, people[node] + 1)
    assert claims > 500
    assert gaps < claims // 20


def test_bounds_are_exact_where_all_that_is_called_is_known(drawn):
    """Then there is one tree, and no circle; its least and greatest values are those that are possible."""
    for each in drawn[:300]:
        full = [
            (s, h, 2 * n - s - 2 * h)
            for (s, h, _), n in zip(each.vectors, each.known.people, strict=True)
        ]
        if min(other for _, _, other in full) < 0:
            continue
        names = each.known.names
        sizes = dict(zip(names, each.known.people.tolist(), strict=True))
        sums = [(names[s.whole], [names[p] for p in s.parts]) for s in each.known.sums]
        shown = {
            g: (full[i][0] + 2 * full[i][1],)
            for i, g in enumerate(each.groups)
            if not each.hidden[i]
        }
        sets = possible(
            Table(sums, sizes, shown), lambda name, s=sizes: [(x,) for x in range(2 * s[name] + 1)]
        )
        free = each.bounds()
        low, high = np.zeros_like(free.low), free.high.copy()
        high[:] = 2 * each.known.people[:, None]
        for node, name in enumerate(names):
            n, copies = 2 * sizes[name], shown.get(name)
            low[Count.CALLED, node] = high[Count.CALLED, node] = n
            if copies is not None:
                low[Count.ALT, node] = high[Count.ALT, node] = copies[0]
        bounds = Bounds(low, high)
        bounds.tighten(each.known)
        for node, name in enumerate(names):
            values = {copies for (copies,) in sets[name]}
            assert (bounds.low[Count.ALT, node, 0], bounds.high[Count.ALT, node, 0]) == (
                min(values), max(values),
            )  # fmt: skip


CALLS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
SITE_GROUPS = {"total": "abcd", "AA": "abc", "AA_P": "ab", "AA_Q": "c", "BB": "d"}


def site_tables(calls) -> np.ndarray:
    """AC, AN and nhomalt of both alleles in each group of four people; (3, 2, groups)."""
    of = dict(zip("abcd", calls, strict=True))
    return np.array(
        [
            [[sum(of[p].count(allele) for p in who) for who in SITE_GROUPS.values()] for allele in (1, 2)],
            [[2 * len(who) for who in SITE_GROUPS.values()]] * 2,
            [[sum(of[p] == (allele, allele) for p in who) for who in SITE_GROUPS.values()] for allele in (1, 2)],
        ]
    )  # fmt: skip


def plain_extremes(low, high, known, allele, node, count) -> tuple[int, int]:
    """Least and greatest value by all equations of a site written one by one, nothing left out."""
    counts, nodes, m = low.shape
    number = {place: i for i, place in enumerate(np.ndindex(low.shape))}
    rows, least, most = [], [], []

    def equation(terms, at_least=0.0):
        row = np.zeros(low.size)
        for weight, *place in terms:
            row[number[tuple(place)]] += weight
        rows.append(row)
        least.append(at_least)
        most.append(0.0)

    for i in range(m):
        for each in known.sums:
            for c in range(counts):
                equation([(1, c, each.whole, i), *((-1, c, part, i) for part in each.parts)])
        for n in range(nodes):
            equation([(1, Count.CALLED, n, i), (-1, Count.ALT, n, i), (-1, Count.OTHER, n, i)])
            equation(
                [
                    (1, Count.ALT, n, i),
                    (-2, Count.HOMOZYGOUS, n, i),
                    (-1, Count.HEMIZYGOUS, n, i),
                    (-1, Count.SINGLE, n, i),
                ]
            )
            equation([(1, Count.CALLED, n, i), (-1, Count.CALLED, n, 0)])
    for n in range(nodes):
        equation([(-1, Count.CALLED, n, 0), *((1, Count.ALT, n, i) for i in range(m))], -np.inf)
    found = []
    for sign in (1, -1):
        objective = np.zeros(low.size)
        objective[number[count, node, allele]] = sign
        answer = milp(
            objective, constraints=LinearConstraint(np.array(rows), least, most),
            bounds=(low.ravel(), high.ravel()), integrality=np.ones(low.size),
        )  # fmt: skip
        found.append(round(answer.x[number[count, node, allele]]))
    return found[0], found[1]


def test_bounds_of_alleles_of_a_site_are_those_of_all_equations_and_hold_every_call_that_fits():
    """Four people, every combination of their calls: 1,296; cells hidden by lot, other ones of each allele."""
    every = np.array([site_tables(calls) for calls in product(CALLS, repeat=4)])
    rng = np.random.default_rng(8)
    known = Equations.of(list(SITE_GROUPS), [len(who) for who in SITE_GROUPS.values()])
    compared = narrower = 0
    for tightened in [False, True] * 10:
        truth = every[rng.integers(len(every))]
        hidden = rng.random((2, len(SITE_GROUPS))) < 0.6
        alt, called, homozygous = np.where(hidden, 0, truth)
        figures = {
            Count.ALT: alt, Count.CALLED: called, Count.HOMOZYGOUS: homozygous,
            Count.HEMIZYGOUS: np.zeros_like(alt),
        }  # fmt: skip
        ploidy = np.full((len(known.names), 2), 2, np.int8)
        bounds = Bounds.of(figures, hidden, known, ploidy)
        bounds.high[Count.HEMIZYGOUS] = 0
        if tightened:
            bounds.tighten(known, np.zeros(2, np.int64))
        allele, node = np.nonzero(hidden)
        if not len(allele):
            continue
        repeated = bounds.take(np.tile(np.arange(2), len(allele)))
        exact = exact_bounds(Cells(repeated, allele, node), known, 99)
        fits = every[(np.where(hidden, 0, every) == np.where(hidden, 0, truth)).all(axis=(1, 2, 3))]
        for i, (a, n) in enumerate(zip(allele.tolist(), node.tolist(), strict=True)):
            alts = fits[:, 0, a, n]
            for count, values, (low, high) in (
                (Count.ALT, alts, exact[:2, i]),
                (Count.OTHER, fits[:, 1, a, n] - alts, exact[2:, i]),
            ):
                assert low <= values.min()
                assert values.max() <= high
                args = bounds.low, bounds.high, known, a, n, count
                assert plain_extremes(*args) == (low, high)
                compared += 1
                narrower += (low, high) != (bounds.low[count, n, a], bounds.high[count, n, a])
    assert compared > 200
    assert narrower > 50


def test_cells_whose_equations_contradict_each_other_are_told_from_those_beside_them():
    known = Equations.of(["total", "AA", "BB"], [6, 3, 3])
    low = np.zeros((len(Count), 3, 3), np.int32)
    high = np.full_like(low, 6)
    high[:, 0] = 12
    # In the first all is shown and does not add up; in the last what is hidden cannot make it up.
    low[Count.ALT, :, 0] = high[Count.ALT, :, 0] = (5, 1, 1)
    low[Count.ALT, 0, 2] = high[Count.ALT, 0, 2] = 12
    high[Count.ALT, 1, 2] = 2
    cells = Cells(Bounds(low, high), np.zeros(3, np.int64), np.ones(3, np.int64))
    exact = exact_bounds(cells, known, 11)
    assert (exact[:, [0, 2]] == -1).all()
    assert exact[:, 1].tolist() == [0, 6, 0, 6]
