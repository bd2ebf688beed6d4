"""The limits of a release as its manifest states them, for the verifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What a release says that it keeps to.

    Parameters
    ----------
    k
        Fewest copies that a cell shows unless it has none.
    alt, other
        Whether that goes for copies of ALT; for those of all other alleles.
    zeros
        Whether none is masked as well.
    genotypes
        Fewest people of a class of genotypes that a cell shows unless there are none.
    insiders
        Whether it holds against each country that knows its own figures.
    never_shown
        Populations that are never shown.
    """

    k: int
    alt: bool = True
    other: bool = True
    zeros: bool = False
    genotypes: int = 0
    insiders: bool = False
    never_shown: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> "Limits":
        """Read them from the policy of a manifest; one without lines for them asks for none of them."""
        lines = {each["rule"]: each["value"] for each in policy.get("effective", ())}
        named = "populations_never_shown."
        return cls(
            policy["min_allele_count"],
            bool(lines.get("sides.alt", True)),
            bool(lines.get("sides.other", True)),
            bool(lines.get("zeros.masked", False)),
            int(lines.get("min_genotype_count", 0)),
            bool(lines.get("insider_protection", False)),
            tuple(sorted(name.removeprefix(named) for name in lines if name.startswith(named))),
        )

    @property
    def fewest(self) -> int:
        """What counts as few: from 1 on, or from 0."""
        return 0 if self.zeros and self.k > 0 else 1

    def never_shown_faults(self, groups: Sequence[str], withheld: Sequence[str]) -> list[str]:
        """Find populations that are shown, or are what is left of their country, though they never are to be."""
        faults = [name for name in self.never_shown if name in groups]
        for name in self.never_shown:
            country = name[:2]
            if [each for each in withheld if each.startswith(f"{country}_")] != [name]:
                continue
            alone = [each for each in withheld if _is_country(each)] == [country]
            if country in groups:
                faults.append(f"{country} without its published populations")
            elif alone and any(map(_is_country, groups)):
                faults.append("the total without its published countries")
        return faults


def _is_country(group: str) -> bool:
    return len(group) == len("VN") and group not in ("XX", "XY")
