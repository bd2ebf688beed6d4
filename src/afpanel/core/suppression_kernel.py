"""Compiled loops of secondary masking: how far a cell can be told, and which other cell to withhold for it.

A row is one variant. Its nodes are the groups and the rests of their sums (`core.group_tree`); nodes that
are masked are free to move within their box, those that are shown are not, nor are those that the attacker knows
from elsewhere, and every sum holds. On a tree of sums one walk up and one down finds all values that each
node can take (exact, since no two sums share more than one node).
"""

import numba as nb

from afpanel.core.compiled import I4, I8, READ_I8, compiled, part

SHOWN, PRIMARY, SECONDARY, CONTRIBUTOR = 0, 1, 2, 3
"""Why a cell is masked."""

EARLIER = 4
"""A cell that stays masked for an earlier release; it shows no few copies itself, so it need not be hidden."""

ALT_SIDE, OTHER_SIDE = 1, 2
"""Which copies may not be few: those of ALT, those of all other alleles, or, added up, either."""

NO_CAUSE, NOTHING_LEFT = -1, -2
"""In place of the node that a cell was masked for: it was masked for itself; nothing else was left to mask."""

MODELS = 5
"""Ways to move counts among masked cells that leave all that is shown as it is.

0: heterozygotes for people without ALT; 1: heterozygotes for people homozygous for ALT; 2: haploid calls
of ALT for others. They keep AN of every cell, and other alleles of the site. 3: copies of ALT, and 4: of
everything else, within what a group can have, with nothing known of AN.
"""

_HET, _HET_ALT, _HAPLOID, _ALT, _OTHER = range(MODELS)

_TOTAL_COST = 1000  # no cell is used more than the total
_COUNTRY_COST = 2  # one of its populations goes with it
_PARENT_COST = 4  # and a second country, with one of its populations


@part
def _ranges(m, true, low, high, masked, parent, first, member, lo, hi):  # type: ignore[no-untyped-def]
    """Find the values that each node can take in one model, into ``lo[m]`` and ``hi[m]``."""
    for v in range(len(masked)):
        free = masked[v] != 0
        lo[m, v] = low[m, v] if free else true[m, v]
        hi[m, v] = high[m, v] if free else true[m, v]
    for e in range(len(parent)):
        least = most = 0
        for i in range(first[e], first[e + 1]):
            least += lo[m, member[i]]
            most += hi[m, member[i]]
        p = parent[e]
        lo[m, p] = max(lo[m, p], least)
        hi[m, p] = min(hi[m, p], most)
    for e in range(len(parent) - 1, -1, -1):
        least = most = 0
        for i in range(first[e], first[e + 1]):
            least += lo[m, member[i]]
            most += hi[m, member[i]]
        p = parent[e]
        for i in range(first[e], first[e + 1]):
            v = member[i]
            low_v, high_v = lo[m, v], hi[m, v]
            lo[m, v] = max(low_v, lo[m, p] - (most - high_v))
            hi[m, v] = min(high_v, hi[m, p] - (least - low_v))


@part
def _width(lo, hi, v):  # type: ignore[no-untyped-def]
    """Count the copies by which a cell can differ where AN of every cell is known."""
    plain = hi[_HET, v] - lo[_HET, v]
    swapped = hi[_HET_ALT, v] - lo[_HET_ALT, v]
    return max(plain, swapped) + hi[_HAPLOID, v] - lo[_HAPLOID, v]


@part
def _lacks(v, true, lo, hi, people, reason, k, sides, fewest):  # type: ignore[no-untyped-def]
    """Tell by how many copies a masked node is too well known: 0 if it is not.

    A cell may be known where it can only be none or many. It is hidden if it can have k copies more than at
    least (or as many as it has people) even for someone who knows AN of every cell, so that all that is masked
    of a sum together is not few either; where the cell has fewer called alleles than that, or none of ALT or
    of the rest for certain, AN is what hides it.
    """
    need = min(k, people[v])
    width = _width(lo, hi, v)
    number = true[_ALT, v] + true[_OTHER, v]
    # Of nobody called there is no count, not even none.
    if width >= need or (fewest == 0 and number == 0):
        return 0
    few_called = number < need and number + need <= 2 * people[v]
    lacks = 0
    for m in (_ALT, _OTHER):
        opposite = _OTHER if m == _ALT else _ALT
        of_side = sides & (ALT_SIDE if m == _ALT else OTHER_SIDE) != 0
        may_be_few = of_side and hi[m, v] >= fewest and lo[m, v] <= k - 1
        unknown_number = few_called or hi[opposite, v] == 0
        hidden = unknown_number and hi[m, v] - lo[m, v] >= need
        # What a contributor withheld is hidden, whatever it is.
        if (may_be_few or (reason[v] == CONTRIBUTOR and hi[m, v] >= 1)) and not hidden:
            lacks = need - width
    return lacks


@part
def _movable(v, true, low):  # type: ignore[no-untyped-def]
    """Count the copies that could be in another cell just as well."""
    plain = max(true[_HET, v] - low[_HET, v], true[_HET_ALT, v] - low[_HET_ALT, v])
    return plain + true[_HAPLOID, v] - low[_HAPLOID, v]


@part
def _gives(v, true, low, masked, known, parent, first, member):  # type: ignore[no-untyped-def]
    """Count the copies that can leave a node, if of its own shown parts the one with the most is masked too."""
    own = _movable(v, true, low)
    for e in range(len(parent)):
        if parent[e] != v:
            continue
        hidden = most = 0
        for i in range(first[e], first[e + 1]):
            copies = _movable(member[i], true, low)
            if masked[member[i]] != 0:
                hidden += copies
            elif known[member[i]] == 0:
                most = max(most, copies)
        own = min(own, hidden + most)
    return own


@part
def _mix(key, v):  # type: ignore[no-untyped-def]
    """Draw a number for a node of a variant, the same each time (SplitMix64's last step)."""
    x = nb.u8(key) + nb.u8(v + 1) * nb.u8(0x9E3779B97F4A7C15)
    x = (x ^ (x >> nb.u8(30))) * nb.u8(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> nb.u8(27))) * nb.u8(0x94D049BB133111EB)
    return x ^ (x >> nb.u8(31))


@part
def _cost(v, is_parent, parent):  # type: ignore[no-untyped-def]
    """Count the cells that go if a group is masked."""
    if v == 0:
        return _TOTAL_COST
    if is_parent:
        return _PARENT_COST
    for e in range(len(parent)):
        if parent[e] == v:
            return _COUNTRY_COST
    return 1


@part
def _holds(e, v, parent, sum_of):  # type: ignore[no-untyped-def]
    """Tell whether a node is a part of a sum, or what it makes up."""
    return parent[e] == v or sum_of[v] == e


@part
def _is_near(e, at, masked, lo, hi, parent, sum_of):  # type: ignore[no-untyped-def]
    """Tell whether masking something in a sum can help a node: its own sums, and those that pin a masked neighbour."""
    if _holds(e, at, parent, sum_of):
        return True
    p = parent[e]
    if masked[p] == 0 or _width(lo, hi, p) > 0:
        return False
    return (sum_of[p] >= 0 and _holds(sum_of[p], at, parent, sum_of)) or sum_of[at] == e


@part
def _reach(at, masked, parent, first, member, reached):  # type: ignore[no-untyped-def]
    """Find the masked nodes that share sums with a node, or with such a one, and so on."""
    for v in range(len(masked)):
        reached[v] = v == at
    changed = True
    while changed:
        changed = False
        for e in range(len(parent)):
            touched = False
            for i in range(first[e] - 1, first[e + 1]):
                touched |= reached[parent[e] if i < first[e] else member[i]] != 0
            if not touched:
                continue
            for i in range(first[e] - 1, first[e + 1]):
                v = parent[e] if i < first[e] else member[i]
                if masked[v] != 0 and reached[v] == 0:
                    reached[v] = 1
                    changed = True


@part
def _is_far(e, reached, parent, first, member):  # type: ignore[no-untyped-def]
    """Tell whether a sum has a node that was reached."""
    found = False
    for i in range(first[e] - 1, first[e + 1]):
        found |= reached[parent[e] if i < first[e] else member[i]] != 0
    return found


@part
def _partner(  # type: ignore[no-untyped-def]
    at,
    lacks,
    far,
    key,
    true,
    low,
    masked,
    known,
    reached,
    lo,
    hi,
    groups,
    parent,
    first,
    member,
    sum_of,
):
    """Choose the shown group to mask so that node `at` is hidden; -1 if there is none to choose.

    Of those that hide it alone the cheapest: the fewest cells, then the fewest copies. If none does, the
    one with the most copies. What is equal is told apart by lot, which does not depend on anybody's counts.
    """
    best, best_enough, best_cost, best_copies, best_lot = -1, False, 0, nb.i8(0), nb.u8(0)
    for e in range(len(parent)):
        if far:
            usable = _is_far(e, reached, parent, first, member)
        else:
            usable = _is_near(e, at, masked, lo, hi, parent, sum_of)
        if not usable:
            continue
        for i in range(first[e] - 1, first[e + 1]):
            v = parent[e] if i < first[e] else member[i]
            if (
                v >= groups
                or masked[v] != 0
                or known[v] != 0
                or true[_ALT, v] + true[_OTHER, v] == 0
            ):
                continue
            copies = nb.i8(_gives(v, true, low, masked, known, parent, first, member))
            enough = copies >= lacks
            cost = _cost(v, i < first[e], parent)
            lot = _mix(key, v)
            if best >= 0:
                if enough != best_enough:
                    better = enough
                elif not enough and copies != best_copies:
                    better = copies > best_copies
                elif cost != best_cost:
                    better = cost < best_cost
                elif copies != best_copies:
                    better = copies < best_copies
                else:
                    better = lot < best_lot
                if not better:
                    continue
            best, best_enough, best_cost, best_copies, best_lot = v, enough, cost, copies, lot
    return best


_FLAGS = nb.types.Array(nb.b1, 2, "C", readonly=True)
_TABLE = nb.types.Array(nb.i4, 3, "C", readonly=True)


@part
def _hide(  # type: ignore[no-untyped-def]
    key, attacker, turn, true, low, high, fixed, people, parent, first, member, sum_of,
    groups, k, sides, fewest, reason, cause, against, lo, hi, stamps, masked, reached,
):  # fmt: skip
    """Mask cells of a row until all that are masked are hidden from one attacker; gives the turn reached."""
    v_nodes = len(people)
    for v in range(v_nodes):
        masked[v] = reason[v] != SHOWN and fixed[v] == 0
    while True:
        for m in range(MODELS):
            _ranges(m, true, low, high, masked, parent, first, member, lo, hi)
        # What was masked last comes first: a country needs one of its populations.
        at, chosen, fails = -1, -1, False
        for v in range(v_nodes):
            if masked[v] == 0 or (at >= 0 and stamps[v] <= stamps[at]):
                continue
            lacks = _lacks(v, true, lo, hi, people, reason, k, sides, fewest)
            if lacks == 0:
                continue
            fails = True
            found = _partner(
                v, lacks, False, key, true, low, masked, fixed, reached, lo, hi,
                groups, parent, first, member, sum_of,
            )  # fmt: skip
            if found < 0:
                _reach(v, masked, parent, first, member, reached)
                found = _partner(
                    v, lacks, True, key, true, low, masked, fixed, reached, lo, hi,
                    groups, parent, first, member, sum_of,
                )  # fmt: skip
            if found >= 0:
                at, chosen = v, found
        if not fails:
            return turn
        if chosen < 0:
            changed = 0
            for v in range(groups):
                if reason[v] == SHOWN:
                    reason[v], cause[v], against[v] = SECONDARY, NOTHING_LEFT, attacker
                    changed = 1
            return turn + changed
        turn += 1
        masked[chosen], stamps[chosen] = 1, turn
        reason[chosen], cause[chosen], against[chosen] = SECONDARY, at, attacker


@compiled(
    nb.void(
        _TABLE, _TABLE, _TABLE, _FLAGS, _FLAGS, READ_I8, READ_I8, READ_I8, READ_I8, READ_I8, READ_I8,
        nb.i8, nb.i8, nb.i8, nb.i8, nb.i1[:, ::1], nb.i2[:, ::1], nb.i2[:, ::1],
        nb.i8[:, ::1], nb.i8[:, ::1], I4, I8, I8, I8,
    )
)  # fmt: skip
def suppress_rows(  # type: ignore[no-untyped-def]
    true, low, high, known, attackers, keys, people, parent, first, member, sum_of,
    groups, k, sides, fewest, reasons, causes, against, lo, hi, stamps, masked, fixed, reached,
):  # fmt: skip
    """Mask cells of each row until all that are masked are hidden from every attacker.

    Parameters
    ----------
    true, low, high
        (n, MODELS, v): counts of every node in each model, and the box in which they can move.
    known
        (n, v) bool: nodes whose counts everybody knows from elsewhere. They need no hiding, and masking
        them hides nothing.
    attackers
        (a, v) bool: nodes whose counts each attacker knows besides.
    keys
        (n,): what lots of a row are drawn with.
    people, parent, first, member, sum_of
        As in `GroupTree`.
    groups
        Nodes that are groups that may be shown; those after may not.
    k
        Values that must be possible.
    sides, fewest
        Which copies are too few if they are fewer than k, and this many or more: 1, or 0 where it is not
        to be known either that there are none.
    reasons
        (n, v) int8: why each is masked, written to; that of what may not be shown is never 0.
    causes, against
        (n, v) int16, written to: for which node each was masked, and from which attacker to hide it.
    lo, hi, stamps, masked, fixed, reached
        Room to work in: (MODELS, v) twice, and (v,) four times.
    """
    v_nodes = len(people)
    for row in range(len(true)):
        for v in range(v_nodes):
            stamps[v] = 0
        turn = attacker = quiet = 0
        while quiet < len(attackers):
            for v in range(v_nodes):
                fixed[v] = known[row, v] or attackers[attacker, v]
            before = turn
            turn = _hide(
                keys[row], attacker, turn, true[row], low[row], high[row], fixed, people, parent, first,
                member, sum_of, groups, k, sides, fewest, reasons[row], causes[row], against[row],
                lo, hi, stamps, masked, reached,
            )  # fmt: skip
            # Who was satisfied before may see too much of what was masked since.
            quiet = quiet + 1 if turn == before else 1
            attacker = (attacker + 1) % len(attackers)
