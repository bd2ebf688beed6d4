"""Cohorts that share people: which are added to the panel, and which are only compared."""

import logging
from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from afpanel.errors import BadInputError

logger = logging.getLogger(__name__)


def left_out_of_panel(lists: Sequence[Sequence[str]], cohorts: Collection[str]) -> dict[str, str]:
    """Decide which cohorts are not added to the panel, and for the sake of which other each is not.

    A cohort is left out if one that stands before it in a list is added. So of each list one is added at
    most; and one that only shares people with a cohort that is itself left out is added.

    Parameters
    ----------
    lists
        Names of cohorts that share people, the best of each list first.
    cohorts
        Names of all cohorts; others in a list are passed over.

    Returns
    -------
    dict
        Of each cohort that is left out, the one that is added in its place; by name.

    Raises
    ------
    BadInputError
        If lists say of some cohorts that each is better than the other.
    """
    better: dict[str, dict[str, None]] = {name: {} for name in sorted(cohorts)}
    for names in lists:
        for name in names:
            if name not in better:
                logger.warning("double_count: '%s' is no cohort of this panel", name)
        known = [name for name in names if name in better]
        for at, name in enumerate(known):
            better[name].update(dict.fromkeys(known[:at]))
    try:
        order = list(TopologicalSorter(better).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise BadInputError(
            f"each is better than the next: {', '.join(reversed(cycle))}",
            where="double_count",
            expected="lists that can be brought into one order",
            remedy="put the same cohort first in all lists that have both",
        ) from error
    left_out: dict[str, str] = {}
    for name in order:
        added = [other for other in better[name] if other not in left_out]
        if added:
            left_out[name] = added[0]
    for name, instead in sorted(left_out.items()):
        logger.warning(
            "double_count: %s is NOT added to the panel, for it shares people with %s, which is; it is"
            " harmonized, counted and compared only",
            name, instead,
        )  # fmt: skip
    return dict(sorted(left_out.items()))
