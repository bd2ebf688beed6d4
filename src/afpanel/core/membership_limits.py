"""Limits on membership risk: those of the policy and of the configuration together, and who asked for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from afpanel.core.policy import SIGNED_OFF, Ruling, stricter

_PREFIX = "membership_risk."
_DEFAULTS: Mapping[str, float] = {
    "max_realistic_power": 1.0,
    "false_positive_rate": 1e-3,
    "reference_people": 500,
    f"worst_case.{SIGNED_OFF}": False,
}
CONFIGURATION = "configuration"


@dataclass(frozen=True)
class SignOff:
    """Who has seen the worst case and answers for the release.

    Parameters
    ----------
    by
        A role, not the name of a person.
    reference
        Of the decision, as the number of its minutes.
    power
        The worst case that was signed: more than this is not.
    """

    by: str
    reference: str
    power: float


@dataclass(frozen=True)
class RiskLimits:
    """The limits that hold.

    Parameters
    ----------
    rulings
        By name of the line, without its rule; those whom nobody asked for are of nobody.
    """

    rulings: Mapping[str, Ruling]

    @classmethod
    def of(cls, effective: Iterable[Mapping[str, Any]], own: Mapping[str, float]) -> "RiskLimits":
        """Take the strictest of what the policy and the configuration say.

        Parameters
        ----------
        effective
            Lines of the gate's decision; those of other rules are passed over.
        own
            What the configuration says, by name of the line.
        """
        asked = {
            each["rule"].removeprefix(_PREFIX): each
            for each in effective
            if each["rule"].startswith(_PREFIX)
        }
        rulings = {}
        for name, default in _DEFAULTS.items():
            given = [(asked[name]["value"], asked[name]["by"])] if name in asked else []
            given += [(own[name], [CONFIGURATION])] if name in own else []
            value = stricter(f"{_PREFIX}{name}", [each for each, _ in given] or [default])
            by = sorted({who for each, names in given if each == value for who in names})
            rulings[name] = Ruling(name, value, tuple(by))
        return cls(rulings)

    def value(self, name: str) -> float:
        """Look up a limit."""
        return self.rulings[name].value

    @property
    def limit(self) -> float | None:
        """The most realistic power; None where it has no limit."""
        most = self.value("max_realistic_power")
        return None if most >= 1 and not self.rulings["max_realistic_power"].by else most

    @property
    def false_positive_rate(self) -> float:
        """Alpha."""
        return self.value("false_positive_rate")

    @property
    def reference_people(self) -> int:
        """People of the realistic attacker's reference, besides those of other groups."""
        return int(self.value("reference_people"))

    @property
    def worst_case_is_signed(self) -> bool:
        """Whether the worst case has to be signed off."""
        return bool(self.value(f"worst_case.{SIGNED_OFF}"))

    def asked_by(self, name: str) -> str:
        """Name those who asked for a limit; empty where nobody did."""
        return ", ".join(self.rulings[name].by)

    def describe(self) -> list[dict[str, Any]]:
        """Lay the limits out: rule, value, by whom."""
        return [
            {"rule": f"{_PREFIX}{name}", "value": each.value, "by": list(each.by)}
            for name, each in self.rulings.items()
        ]
