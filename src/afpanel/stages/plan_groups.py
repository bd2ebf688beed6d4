"""What a configuration says of groups, held against those that the panel will have."""

import difflib
from collections.abc import Iterable, Iterator

from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell
from afpanel.model.groups import groups_of


def faults_of_exclusions(
    excluded: Iterable[str], cells: Iterable[tuple[str, Cell]]
) -> Iterator[BadInputError]:
    """Find names under ``groups.grpmax_exclude`` that no country or population of the panel has.

    Parameters
    ----------
    excluded
        Names of groups.
    cells
        Country and cell of everybody in the panel.
    """
    known = [group.name for group in groups_of(cells) if group.country is not None]
    for name in excluded:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            yield BadInputError(
                f"the panel has no country or population '{name}'",
                where="groups.grpmax_exclude",
                expected=f"some of {', '.join(known[:30])}",
                remedy=f"did you mean '{near[0]}'?" if near else None,
            )
