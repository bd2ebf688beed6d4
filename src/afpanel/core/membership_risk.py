"""The risk that a release tells who is in a group: its figures, and what would keep it below a limit."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from afpanel.core.linkage import Linkage
from afpanel.core.membership import masked_information, most_variants, power, separation
from afpanel.core.released_cells import FEWEST, ShownCells


@dataclass(frozen=True)
class Members:
    """What is known of some people of a group: those of one population of one cohort.

    Parameters
    ----------
    variants
        Variants that they have, of which `linkage` and `measured` are known from all or from some. Fewer
        than these are shown if some are masked; what is left is less linked for standing farther apart.
    linkage
        How linked these are; None where nobody looked.
    measured, measured_known
        Independent variants that attacks on people held out came to, for each variant: the likelihood
        ratio, and the attack that knows the linkage. None where nobody tried.
    tried_with
        Variants that these attacks had.
    """

    variants: int
    linkage: Linkage | None
    measured: float | None = None
    measured_known: float | None = None
    tried_with: int = 0

    def effective(self, shown: float) -> float:
        """Give the effective number of so many variants: all of these, some of them by lot, or more."""
        if self.linkage is None or not shown:
            return shown
        share = min(shown / self.variants, 1.0) if self.variants else 1.0
        within = 1 + share * (self.linkage.within - 1)
        return shown / (within + shown * self.linkage.between)

    def most(self, effective: float) -> float:
        """Give the most variants of which no more than so many are effective; may be infinite."""
        linkage = self.linkage
        if linkage is None:
            return effective
        if self.variants and effective < self.effective(self.variants):
            rise = (linkage.within - 1) / self.variants + linkage.between
            return effective / (1 - effective * rise)
        left = 1 - effective * linkage.between
        return effective * linkage.within / left if left > 0 else math.inf

    def effective_if_known(self, shown: float, genomes: float) -> float:
        """Give the effective number where the attacker learns the linkage from so many genomes.

        More genomes tell variants apart that fewer do not. Of an attacker who has more than the linkage
        is known from, nothing is certain but that no more is to be gained than from all variants. And
        some of the variants are worth no more than all of them.
        """
        if self.linkage is None or self.linkage.people < genomes:
            return shown
        return min(shown, self.linkage.effective_if_known(max(shown, self.variants)))

    def tried(self, shown: float) -> float | None:
        """Give the independent variants that the likelihood ratio comes to by the attacks tried.

        By what they came to where all variants are shown, and beside it by what linkage says of fewer.
        """
        ratio = self._ratio
        return None if ratio is None else min(shown, ratio * self.effective(shown))

    def most_tried(self, effective: float) -> float:
        """Give the most variants that come to no more than so many by the attacks tried."""
        ratio = self._ratio
        return math.inf if not ratio else max(effective, self.most(effective / ratio))

    @property
    def _ratio(self) -> float | None:
        if self.measured is None:
            return None
        of = self.tried_with
        expected = self.linkage.effective(of) / of if self.linkage is not None and of else 1.0
        return min(self.measured, 1.0) / expected

    def tried_if_known(self, shown: float) -> float | None:
        """Give the same of the attack that knows the linkage."""
        if self.measured_known is None:
            return None
        return min(shown, self.measured_known * max(shown, self.variants))


@dataclass(frozen=True)
class Known:
    """What is known of the linkage of a group's variants.

    Parameters
    ----------
    members
        The group's people, by cohort and population, as far as something is known of them.
    complete
        Whether these are all people of the group, and the linkage is known of nearly all. Else every
        variant is taken for independent, which is the most there can be.
    """

    members: Sequence[Members] = ()
    complete: bool = False

    @property
    def _linked(self) -> Sequence[Members]:
        return [each for each in self.members if each.linkage] if self.complete else ()

    def effective(self, variants: float) -> float:
        """Give the effective number of variants; of several populations, the greatest."""
        return max((each.effective(variants) for each in self._linked), default=variants)

    def effective_if_known(self, variants: float, genomes: float) -> float:
        """Give the effective number for who learns the linkage from so many genomes; the greatest."""
        found = (each.effective_if_known(variants, genomes) for each in self._linked)
        return max(found, default=variants)

    def tried(self, variants: float) -> float | None:
        """Give the independent variants that attacks came to; of several populations, the greatest."""
        return _greatest(each.tried(variants) for each in self.members)

    def tried_if_known(self, variants: float) -> float | None:
        """Give the same of the attack that knows the linkage."""
        return _greatest(each.tried_if_known(variants) for each in self.members)

    def most(self, effective: float) -> float:
        """Give the most variants of which no more than so many are effective; may be infinite."""
        limits = [each.most(effective) for each in self._linked] or [effective]
        limits += [each.most_tried(effective) for each in self.members]
        return min(limits)


def _greatest(figures: Iterable[float | None]) -> float | None:
    return max((each for each in figures if each is not None), default=None)


@dataclass(frozen=True)
class Attacker:
    """Who attacks.

    Parameters
    ----------
    false_positive_rate
        alpha: others who are taken for members.
    reference_people
        n_r, people of whom the attacker has frequencies, as a reference.
    genomes
        People of these whose genomes the attacker has, to learn linkage from.
    """

    false_positive_rate: float
    reference_people: float
    genomes: float


@dataclass(frozen=True)
class GroupRisk:
    """The power of tests of membership of a group.

    Parameters
    ----------
    effective, effective_if_known
        Independent variants that those shown are worth, and are worth to who knows the linkage.
    realistic, realistic_known
        Power with the attacker's reference, linkage unknown and known.
    worst, worst_known
        Power with a perfect reference. With linkage known from any number of genomes every variant
        counts; and masked cells do, and alleles that the group is shown not to have.
    measured, measured_known
        Power, with the attacker's reference, of the attacks that were tried; None where nobody tried.
    """

    effective: float
    effective_if_known: float
    realistic: float
    realistic_known: float
    worst: float
    worst_known: float
    measured: float | None
    measured_known: float | None

    @property
    def judged(self) -> float:
        """The power that is held against the limit: the realistic one, or what was measured if more."""
        return max(self.realistic, self.measured or 0.0)


def group_risk(
    people: int, cells: ShownCells, known: Known, attacker: Attacker, min_allele_count: int
) -> GroupRisk:
    """Work out the risk of a group.

    Parameters
    ----------
    people
        n.
    cells
        What is shown of it.
    known
        What is known of its linkage.
    attacker
        The realistic attacker.
    min_allele_count
        k of the policy, below which cells are masked.
    """
    alpha, n_r = attacker.false_positive_rate, attacker.reference_people

    def found(variants: float, reference: float, exclusion: float = 0.0) -> float:
        return power(separation(variants, people, reference), alpha, exclusion)

    def tried(variants: float | None) -> float | None:
        return None if variants is None else found(variants, n_r)

    effective = known.effective(cells.varying)
    effective_if_known = known.effective_if_known(cells.varying, attacker.genomes)
    told = cells.varying + cells.masked * masked_information(min_allele_count, people, math.inf)
    return GroupRisk(
        effective=effective,
        effective_if_known=effective_if_known,
        realistic=found(effective, n_r),
        realistic_known=found(effective_if_known, n_r),
        worst=found(effective, math.inf),
        worst_known=found(told, math.inf, exclusion(people, cells)),
        measured=tried(known.tried(cells.varying)),
        measured_known=tried(known.tried_if_known(cells.varying)),
    )


def exclusion(people: int, cells: ShownCells) -> float:
    """Give the copies that another person is expected to carry of alleles the group is shown not to have.

    By Good's and Turing's estimate (Good, Biometrika 40:237, 1953) a new haplotype carries as many
    unseen alleles as the 2n of the group have singletons, over 2n. A masked cell may be a singleton;
    and there cannot be more unseen alleles than cells that show none.
    """
    return min(cells.absent, cells.single + cells.masked) / people


@dataclass(frozen=True)
class Remedy:
    """What would bring a group below a limit.

    Parameters
    ----------
    variants
        The most variants that it may show.
    min_allele_count
        Least copies of a cell by which no more are left; None where none of `FEWEST` does it.
    """

    variants: int
    min_allele_count: int | None


def remedy(
    limit: float, people: int, cells: ShownCells, known: Known, attacker: Attacker
) -> Remedy:
    """Work out what would bring the realistic power of a group down to a limit."""
    alpha, n_r = attacker.false_positive_rate, attacker.reference_people
    most = known.most(most_variants(limit, alpha, people, n_r))
    variants = min(cells.varying, math.floor(min(most, cells.varying)))
    passing = [k for k, left in zip(FEWEST, cells.at_least, strict=True) if left <= variants]
    return Remedy(variants, passing[0] if passing else None)
