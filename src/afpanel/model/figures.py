"""The figures that a release gives for each group, and how every format names and describes them."""

from dataclasses import dataclass

from afpanel.model.groups import TOTAL


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
    """

    key: str
    array: str
    number: str
    type: str
    doc: str

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
        f"filtering_frequency_{level}",
        "A",
        "Float",
        f"Filtering allele frequency, the {level} % lower bound of AF, in {{who}}",
    )
    for level in (95, 99)
)

FIGURES = (AC, AN, AF, NHOMALT, NHEMIALT, FAF95, FAF99)
"""Every figure, in the order in which all formats list them."""

STATE = Figure(
    "state", "state", "1", "Integer",
    "0 not-callable, 1 absent-callable, 2 observed, 3 masked, for {who}",
)  # fmt: skip
"""The state of a group. VCF goes without it: there AN 0 is not-callable and a missing AN masked."""


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
