"""What `afpanel popgen` works out of a panel, for its tables and figures."""

from dataclasses import dataclass

from afpanel.core.differentiation import Differentiation
from afpanel.core.diversity import Diversity
from afpanel.core.frequency_spectrum import FrequencySpectrum
from afpanel.core.group_components import Components
from afpanel.core.sharing import Sharing
from afpanel.model.groups import GroupKind


@dataclass(frozen=True)
class PopulationGenetics:
    """The population genetics of a panel.

    Parameters
    ----------
    groups, people
        Names of the groups, and people in each.
    kinds
        Groups of each kind that are compared with each other, of which there are two or more.
    pairs, pair_kinds
        The groups of each pair, and their kind.
    variants
        Variants of the panel on autosomes.
    block_bases
        Length of the jackknife's blocks.
    differentiation, diversity, spectrum, sharing
        The statistics; see there.
    component_groups, component_variants, components
        Groups that the components are of, variants that they are from, and the components.
    """

    groups: list[str]
    people: list[int]
    kinds: dict[GroupKind, list[int]]
    pairs: list[tuple[int, int]]
    pair_kinds: list[GroupKind]
    variants: int
    block_bases: int
    differentiation: Differentiation
    diversity: Diversity
    spectrum: FrequencySpectrum
    sharing: Sharing
    component_groups: list[int]
    component_variants: int
    components: Components
