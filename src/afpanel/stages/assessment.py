"""What was found of the membership risk of a release, group by group, and whether it may be published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from afpanel.core.existence import chance_of_row, existence_power
from afpanel.core.membership_limits import RiskLimits, SignOff
from afpanel.core.membership_risk import Attacker, GroupRisk, Remedy
from afpanel.core.released_cells import ShownCells
from afpanel.stages.linkage_summary import Trial

_QUERIES = (100, 1_000, 10_000)
"""Rare alleles of a person that are asked for."""


@dataclass(frozen=True)
class Assessed:
    """What was found of a group.

    Parameters
    ----------
    group, people
        Its name, and its people.
    cells
        What is shown of it.
    has_linkage
        Whether the linkage of all its people is known.
    attacker
        The realistic attacker.
    risk
        The figures.
    trial
        The attacks on people held out that recognized most of them; None where nobody tried.
    remedy
        What would bring it below the limit, where it is above.
    """

    group: str
    people: int
    cells: ShownCells
    has_linkage: bool
    attacker: Attacker
    risk: GroupRisk
    trial: Trial | None
    remedy: Remedy | None


@dataclass(frozen=True)
class Assessment:
    """What was found of a release.

    Parameters
    ----------
    limits
        Those that hold.
    sign_off
        Who has signed the worst case, or None.
    min_allele_count
        Of the policy.
    variants
        Variants of the release.
    groups
        Every group, the total first.
    """

    limits: RiskLimits
    sign_off: SignOff | None
    min_allele_count: int
    variants: int
    groups: Sequence[Assessed]

    @property
    def alpha(self) -> float:
        """Share of others whom the attacker may take for members."""
        return self.limits.false_positive_rate

    @property
    def worst_case(self) -> tuple[float, str]:
        """The greatest power in the worst case, in three digits, and the group that has it."""
        worst = max(self.groups, key=lambda each: each.risk.worst_known)
        return round(worst.risk.worst_known, 3), worst.group

    @property
    def is_signed(self) -> bool:
        """Whether the worst case is signed, if it has to be."""
        if not self.limits.worst_case_is_signed:
            return True
        return self.sign_off is not None and self.worst_case[0] <= self.sign_off.power

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be published."""
        return not self.is_signed or any(each.remedy is not None for each in self.groups)

    def existence(self) -> Iterator[tuple[int, float]]:
        """Give the power of asking which of so many rare alleles have a row, member by total."""
        answers = chance_of_row(self.groups[0].people, self.min_allele_count)
        for queries in _QUERIES:
            yield queries, existence_power(answers, queries, self.alpha)
