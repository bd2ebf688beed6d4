"""What the verifier claims to work out, against every whole number that is possible."""

import numpy as np
import pytest
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
