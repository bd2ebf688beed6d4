"""Those who know more than a release shows: each country of the panel knows its own figures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from afpanel.core.group_tree import GroupTree
from afpanel.model.groups import GroupKind, country_of, kind_of


def countries_of(groups: Sequence[str]) -> list[int]:
    """List the places of the countries among some groups."""
    return [g for g, name in enumerate(groups) if kind_of(name) is GroupKind.COUNTRY]


def known_to_insiders(groups: Sequence[str], tree: GroupTree) -> NDArray[np.bool_]:
    """Tell what each country knows besides what is shown.

    Parameters
    ----------
    groups
        Names of the groups of the tree.
    tree
        Their sums.

    Returns
    -------
    (countries, v) bool
        Countries in the order of the groups: itself, its populations, and its people in none of them.
    """
    countries = countries_of(groups)
    known = np.zeros((len(countries), tree.nodes), np.bool_)
    for row, country in zip(known, countries, strict=True):
        row[country] = True
        for g, name in enumerate(groups):
            row[g] |= kind_of(name) is GroupKind.POPULATION and country_of(name) == groups[country]
        for parent, parts in tree.sums():
            row[parts] |= parent == country
    return known
