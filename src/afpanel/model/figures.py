"""The figures that a release gives, and how every format names and describes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from afpanel.model.groups import TOTAL, is_population


class Scope(Enum):
    """Which groups have a figure."""

    EVERY_GROUP = "every group"
    POPULATIONS = "populations"
    POPULATIONS_AND_TOTAL = "populations, and all people"


@dataclass(frozen=True)
class Figure:
    """One figure per variant and group.

    Parameters
    ----------
    key
        Name in INFO and in Parquet, before the group's suffix.
    array
        Name in the Zarr store.
    number, type
        As VCF headers say it.
    doc
        What it is, with ``{who}`` for the group's people.
    scope
        Which groups have it.
    """

    key: str
    array: str
    number: str
    type: str
    doc: str
    scope: Scope = Scope.EVERY_GROUP

    @property
    def is_frequency(self) -> bool:
        """Whether it is a fraction, which is missing as NaN, and not a count."""
        return self.type == "Float"

    def name(self, group: str) -> str:
        """Name of the figure for a group; the total has no suffix.

        >>> AC.name("VN_KHV"), AC.name("total")
        ('AC_VN_KHV', 'AC')
        """
        return self.key if group == TOTAL else f"{self.key}_{group}"

    def has(self, group: str) -> bool:
        """Whether a group has the figure.

        >>> HWE.has("VN_KHV"), HWE.has("VN"), AC.has("VN")
        (True, False, True)
        """
        if self.scope is Scope.EVERY_GROUP or is_population(group):
            return True
        return self.scope is Scope.POPULATIONS_AND_TOTAL and group == TOTAL

    def describe(self, group: str) -> str:
        """Describe the figure for a group."""
        return self.doc.format(who=people_of(group))


AC = Figure("AC", "allele_count", "A", "Integer", "Copies of the ALT allele in {who}")
AN = Figure("AN", "allele_number", "1", "Integer", "Called alleles, of whatever kind, in {who}")
AF = Figure(
    "AF", "allele_frequency", "A", "Float", "Frequency of the ALT allele, AC / AN, in {who}"
)
NHOMALT = Figure(
    "nhomalt", "homozygote_count", "A", "Integer", "Individuals homozygous for ALT among {who}"
)
NHEMIALT = Figure(
    "nhemialt", "hemizygote_count", "A", "Integer", "Individuals hemizygous for ALT among {who}"
)

FAF95, FAF99 = (
    Figure(
        f"faf{level}",
        array,
        "A",
        "Float",
        f"Filtering allele frequency, the {level} % lower bound of AF, in {{who}}",
    )
    for level, array in ((95, "filtering_frequency_95"), (99, "filtering_frequency_99"))
)

CALL_RATE = Figure(
    "call_rate", "called_fraction", "1", "Float",
    "Called alleles as a share of the copies that {who} have of the place",
)  # fmt: skip

HWE = Figure(
    "hwe", "hwe_p_value", "A", "Float",
    "Hardy-Weinberg exact test, two-sided p, not mid-p, diploid calls alone, in {who}",
    Scope.POPULATIONS,
)  # fmt: skip
EXC_HET = Figure(
    "ExcHet", "excess_heterozygosity_p_value", "A", "Float",
    "Exact test of excess of heterozygotes, one-sided p, diploid calls alone, in {who}",
    Scope.POPULATIONS,
)  # fmt: skip
INBREEDING = Figure(
    "inbreeding_coeff", "inbreeding_coefficient", "A", "Float",
    "1 - observed / expected heterozygotes, diploid calls alone, in {who}",
    Scope.POPULATIONS_AND_TOTAL,
)  # fmt: skip

FIGURES = (AC, AN, AF, NHOMALT, NHEMIALT, FAF95, FAF99, CALL_RATE, HWE, EXC_HET, INBREEDING)
"""Every figure of a group, in the order in which all formats list them."""

STATE = Figure(
    "state", "state", "1", "Integer",
    "0 not-callable, 1 absent-callable, 2 observed, 3 masked, for {who}",
)  # fmt: skip
"""The state of a group. VCF goes without it: there AN 0 is not-callable and a missing AN masked."""


def figures_of(group: str) -> list[Figure]:
    """List the figures that a group has, in order."""
    return [figure for figure in FIGURES if figure.has(group)]


@dataclass(frozen=True)
class SiteFigure:
    """One figure per variant; names as in `Figure`, of which it is the like."""

    key: str
    array: str
    number: str
    type: str
    doc: str


_AMONG = "among the groups that are shown, {excluded}"

SITE_FIGURES = (
    SiteFigure("AC_raw", "raw_allele_count", "A", "Integer",
               "Copies of the ALT allele in all people before the genotype filter"),
    SiteFigure("AN_raw", "raw_allele_number", "1", "Integer",
               "Called alleles in all people before the genotype filter"),
    SiteFigure("AF_raw", "raw_allele_frequency", "A", "Float",
               "Frequency of the ALT allele in all people before the genotype filter"),
    SiteFigure("grpmax", "grpmax_group", "A", "String",
               f"Group with the greatest AF above 0 {_AMONG}"),
    SiteFigure("AC_grpmax", "grpmax_allele_count", "A", "Integer", "AC in the group of grpmax"),
    SiteFigure("AN_grpmax", "grpmax_allele_number", "A", "Integer", "AN in the group of grpmax"),
    SiteFigure("AF_grpmax", "grpmax_allele_frequency", "A", "Float", "AF in the group of grpmax"),
    SiteFigure("nhomalt_grpmax", "grpmax_homozygote_count", "A", "Integer",
               "nhomalt in the group of grpmax"),
    *(
        figure
        for level, array, of_group in (
            (95, "fafmax_95", "fafmax_95_group"),
            (99, "fafmax_99", "fafmax_99_group"),
        )
        for figure in (
            SiteFigure(f"fafmax_faf{level}_max", array, "A", "Float",
                       f"Greatest faf{level} above 0 {_AMONG}"),
            SiteFigure(f"fafmax_faf{level}_max_group", of_group, "A", "String",
                       f"Group with the greatest faf{level}"),
        )
    ),
)  # fmt: skip
"""Every figure of a variant, in the order in which all formats list them, after those of groups."""


SLIM = ("AC", "AN", "AF", "nhomalt", "faf95", "grpmax")
"""What the slim VCF has: of all people, and the group in which the allele is commonest."""


def excluding(doc: str, excluded: Sequence[str]) -> str:
    """Complete the description of a maximum with the groups that it leaves out.

    >>> excluding("the greatest {excluded}", ["VN_KHV"])
    'the greatest populations except VN_KHV'
    """
    besides = f" except {' '.join(excluded)}" if excluded else ""
    return doc.format(excluded=f"populations{besides}")


def people_of(group: str) -> str:
    """Name a group's people in a description.

    >>> people_of("VN_KHV")
    'people of population KHV of VN'
    """
    if group == TOTAL:
        return "all people"
    if group in ("XX", "XY"):
        return f"{group} people"
    country, _, population = group.partition("_")
    return (
        f"people of population {population} of {country}" if population else f"people of {country}"
    )
