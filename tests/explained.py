"""What ``afpanel gate --explain`` says, taken apart, and held against what the gate did."""

import re
from dataclasses import dataclass

from afpanel.constants import State


@dataclass(frozen=True)
class Line:
    """What is said of a group: its cell, every reason, and every rule."""

    ac: str
    cell: str
    why: list[str]
    rule: list[str]


def taken_apart(text: str) -> tuple[str, dict[str, Line]]:
    """Give the fate of the variant, and what is said of each group."""
    first, *lines = text.splitlines()
    dashes = next(line for line in lines if re.fullmatch(r"[- ]+", line))
    starts = [match.start() for match in re.finditer(r"-+", dashes)]
    said: dict[str, Line] = {}
    for line in lines[lines.index(dashes) + 1 : lines.index("", lines.index(dashes))]:
        cells = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        group, _, ac, _, cell, why, rule = cells
        if group:
            latest = group
            said[group] = Line(ac, cell, [], [])
        said[latest].why.append(why)
        said[latest].rule.append(rule)
    return first.split(": ", 1)[1], said


def hold_against(text, row, states, groups, withheld) -> dict[str, Line]:
    """Fail where what is said is not what was done.

    Parameters
    ----------
    row
        Of the variant among those that are published, or None.
    states, groups
        States of what is published, and the groups they are of.
    withheld
        Groups that stay behind, with the reason of the decision.
    """
    fate, said = taken_apart(text)
    assert (fate.split(";")[0] == "published") == (row is not None), text
    assert set(said) == {*groups, *withheld}
    for group, line in said.items():
        assert (line.cell == "withheld") == (group in withheld)
        if group in withheld:
            assert line.why == [withheld[group]]
            assert "asked for by" in line.rule[0] or line.rule[0] == "that of its country"
        elif row is not None:
            masked = states[row, groups.index(group)] == State.MASKED
            assert line.cell == ("masked" if masked else "shown"), text
            assert all(line.rule) == masked or line.why[0].startswith("without figures"), text
    return said
