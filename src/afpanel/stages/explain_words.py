"""Words for rules, groups and copies, as the gate's explanations have them."""

import re
from collections.abc import Sequence

from afpanel.core.group_tree import GroupTree
from afpanel.core.policy import EffectivePolicy
from afpanel.model.groups import GroupKind, kind_of


def name_of_node(node: int, names: Sequence[str], tree: GroupTree) -> str:
    """Name a group, or the people of a sum who are in none of its published parts."""
    if node < len(names):
        return names[node]
    for parent, parts in tree.sums():
        if node in parts:
            shown = [names[part] for part in parts if part < len(names)]
            return f"{names[parent]} less {', '.join(shown)}"
    raise AssertionError(node)


def copies_in_words(number: int) -> str:
    """Say copy or copies."""
    return "copy" if number == 1 else "copies"


def rule_in_words(rules: EffectivePolicy, line: str) -> str:
    """Name a line of what holds, its value and who asked for it."""
    ruling = rules.ruling(line)
    value = str(ruling.value).lower() if isinstance(ruling.value, bool) else f"{ruling.value:,}"
    return f"{line} {value}, asked for by {', '.join(ruling.by)}"


def rule_of_group(rules: EffectivePolicy, name: str, reason: str) -> str:
    """Name the lines for which a group stays behind, by the reason that the decision gives."""
    kind = kind_of(name)
    lines: list[str] = [
        line
        for words, line in (
            ("no group of this kind", f"groups.{kind}"),
            ("people", f"min_group_size.{kind}"),
            ("cohorts together", "min_contributors"),
            ("insider_protection", "insider_protection"),
        )
        if words in reason
    ]
    if "never shown" in reason:
        lines = [
            each.line
            for each in rules.listed("populations_never_shown")
            if each.line.partition(".")[2] in (name, *re.findall(r"[A-Z]{2}_\w+", reason))
        ]
    elif reason.startswith("so that"):
        lines = [f"min_group_size.{kind}", "min_contributors"]
        lines += [each.line for each in rules.listed("populations_never_shown")]
    elif "is withheld" in reason:
        return "that of its country"
    elif kind is GroupKind.POPULATION and not lines:
        lines = [
            each.line
            for each in rules.listed("no_populations_under")
            if each.line.partition(".")[2] in reason
        ]
    # What is no limit keeps nothing back.
    return "; ".join(
        rule_in_words(rules, line)
        for line in lines
        if rules.value(line) or line.startswith("groups.")
    )
