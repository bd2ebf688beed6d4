"""What whoever opens a release should know before they use it, in words."""

import textwrap

from afpanel.core.data_use import words_of_term
from afpanel.core.dataset import Dataset, told_groups

_WIDTH = 100

_HOLDS = (
    "This folder holds how often alleles were seen in groups of people, and nothing about a single person. It"
    " is of {people:,} people of {countries} on {build}: {groups}."
)
_DO_NOT = (
    "Do not try to find out whether a person is in it, who a person in it is, or what was withheld; do not put"
    " it together with other data to that end, and do not help others to. If you find that somebody can be"
    " recognised, tell the publisher and nobody else."
)
_MASKED = (
    "A missing count is not 0. A masked cell is withheld because few people carry the allele, or because it"
    " would give another away; where AN is 0, nobody knows. A variant that is not listed may have been"
    " withheld whole."
)
_CARE = (
    "Frequencies of countries and populations are those of the people who were asked, not of everybody there,"
    " and say nothing about the worth, the health or the origin of anybody. They are no medical advice."
)


def data_use_notice(of: Dataset) -> str:
    """Write the notice, in plain text."""
    holds = _HOLDS.format(
        people=of.people,
        countries=", ".join(of.countries),
        build=of.build,
        groups=told_groups(of),
    )
    paragraphs = [f"{of.title}, version {of.version}", holds, _DO_NOT, _MASKED, _CARE]
    if of.terms:
        paragraphs.append(
            "Terms of use: "
            + "; ".join(words_of_term(*each, identified=True) for each in of.terms)
            + "."
        )
    if of.about.get("license"):
        paragraphs.append(f"Licence: {of.about['license']}")
    contact = of.about.get("contact")
    if contact:
        paragraphs.append(f"Questions: {contact['role']}, {contact['url']}")
    paragraphs.append("To check that the files are whole: sha256sum --check SHA256SUMS")
    return "\n\n".join(textwrap.fill(each, _WIDTH) for each in paragraphs) + "\n"
