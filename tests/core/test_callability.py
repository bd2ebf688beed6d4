"""What silence means."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Sex, State
from afpanel.core.callability import copies_per_cell, record_of_site
from afpanel.core.ploidy import Loci
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.model.cohort import Cell

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)


def test_a_cell_has_as_many_copies_as_its_people_have() -> None:
    cells = [
        Cell("KHV", Sex.XX, 7),
        Cell("KHV", Sex.XY, 5),
        Cell("KHV", Sex.UNKNOWN, 3),
        Cell("CHB", Sex.XX, 0),
    ]
    loci = np.array(list(Loci), np.int8)
    by_place = {
        Loci(place).name: row.tolist()
        for place, row in zip(loci, copies_per_cell(loci, cells), strict=True)
    }
    assert by_place == {
        "EVERYBODY_DIPLOID": [14, 10, 6, 0],
        "X_OUTSIDE_PAR": [14, 5, 0, 0],
        "Y_OUTSIDE_PAR": [0, 5, 0, 0],
        "Y_IN_PAR": [0, 10, 0, 0],
        "MITOCHONDRIAL": [7, 5, 3, 0],
    }


def test_copies_do_not_overflow_where_a_programme_is_large() -> None:
    copies = copies_per_cell(np.array([0], np.int8), [Cell("ALL", Sex.XX, 1_000_000_000)])
    assert copies.tolist() == [[2_000_000_000]]


def test_of_several_cohorts_the_greatest_state_holds() -> None:
    """The merge takes the maximum, so the codes must be in this order."""
    assert State.NOT_CALLABLE < State.ABSENT_CALLABLE < State.OBSERVED < State.MASKED


@SETTINGS
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["A", "AC"]),
            st.sampled_from(["G", "T", "GT", "ACC", "A"]),
        ),
        unique=True,
        max_size=12,
    ),
    st.data(),
)
def test_a_record_speaks_of_its_site(
    sites: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    """Of the other ALTs of its REF, and an indel of the other indels of its position."""
    sites = sorted(site for site in sites if site[1] != site[2])
    own = [at for at in range(len(sites)) if data.draw(st.booleans())]
    called = [data.draw(st.integers(0, 9)) for _ in own]
    position, ref, alt = zip(*sites, strict=True) if sites else ((), (), ())
    table = Variants(np.array(position, np.int32), Strings.of(list(ref)), Strings.of(list(alt)))
    found = record_of_site(table, np.array(own, np.int64), np.array(called, np.int64))
    silent = [row for row in range(len(sites)) if row not in own]
    for (position, ref, alt), at in ((sites[row], found[row]) for row in silent):
        moves = len(ref) != len(alt)
        beside = {
            i: n
            for i, (row, n) in enumerate(zip(own, called, strict=True))
            if sites[row][0] == position
            and moves == (len(sites[row][1]) != len(sites[row][2]))
            and (moves or sites[row][1] == ref)
        }
        assert (at == -1) == (not beside)
        assert at == -1 or beside[at] == max(beside.values())
