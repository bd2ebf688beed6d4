"""The part of a report on what changed since an earlier release: only what both releases show."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from afpanel.constants import State
from afpanel.core.changed_values import changed_values
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.chart_parts import NEUTRAL, Part, ramp
from afpanel.io.files import read_json
from afpanel.io.html_page import Figure, paragraph, table
from afpanel.io.page_charts import stacked_bars
from afpanel.io.tsv import MISSING_TEXT, TextTable, Value
from afpanel.stages.comparison import DiffOptions
from afpanel.stages.diff import compare
from afpanel.stages.report_data import ReportData, counted

_NOT_COMPARED = ("files", "panel", "groups", "risk", "decision", "discordance", "software")
_DIGESTS = ("sha256", "refget", "signed_by")
_LONGEST = 80


def changes_since(
    old: Path, new: Path, manifest: Mapping[str, Any], options: DiffOptions
) -> dict[str, Any]:
    """Compare a release with an earlier one, for its report.

    Parameters
    ----------
    old
        Folder of the earlier release.
    new
        Folder of the release.
    manifest
        Its manifest, which need not be written yet.
    options
        How they are compared.

    Raises
    ------
    PolicyRefusalError
        If the earlier release is of another tier: this one's readers may not know what it shows.
    BadInputError
        If the earlier release has no manifest, is the same one, or is on another reference.
    """
    before = read_json(old / "manifest.json")
    _refuse_others(before, manifest, old)
    with compare(old, new, None, options) as found:
        total, cells = found.total, found.cells
        return {
            "old": dict(before["panel"]),
            "contigs": [
                (name, tally.both, tally.only_new, tally.only_old) for name, tally in found.contigs.items()
            ],
            "variants": (total.both, total.only_new, total.only_old),
            "groups": [
                (name, was, now, *_of_group(found.groups, cells, name)) for name, was, now in found.all_groups()
            ],
            "states": cells.states.tolist(),
            "small": [
                (name, int(cells.n_small[g])) for g, name in enumerate(found.groups)
            ],
            "smaller_than": options.small,
            "manifest": [
                change
                for change in changed_values(_compared(before), _compared(manifest))
                if not change[0].endswith(_DIGESTS)
            ],
        }  # fmt: skip


def _compared(manifest: Mapping[str, Any]) -> dict[str, Any]:
    compared = {key: value for key, value in manifest.items() if key not in _NOT_COMPARED}
    policy = dict(manifest["policy"])
    policy["effective"] = {rule["rule"]: rule["value"] for rule in policy.get("effective", ())}
    return compared | {"policy": policy}


def _refuse_others(before: Mapping[str, Any], after: Mapping[str, Any], old: Path) -> None:
    tiers = [each["policy"].get("tier") for each in (before, after)]
    if before["panel"] == after["panel"]:
        raise BadInputError(
            "the earlier release is this one",
            where=old,
            expected="another version",
            found=f"{before['panel']['name']} {before['panel']['version']}",
            remedy="give panel.version a new value, or take report.previous out",
        )
    if tiers[0] != tiers[1]:
        raise PolicyRefusalError(
            "the earlier release is of another tier",
            where=old,
            expected=tiers[1] or "a release without a tier",
            found=tiers[0] or "a release without a tier",
            remedy="the report would tell its readers what another tier shows; take an earlier release of this"
            " tier, or compare the two with afpanel diff and keep the result",
        )


def _of_group(groups: list[str], cells: Any, name: str) -> tuple[Value, ...]:
    if name not in groups:
        return (MISSING_TEXT, MISSING_TEXT, MISSING_TEXT)
    g = groups.index(name)
    has_any = bool(cells.compared[g])
    return (
        int(cells.changed[g]),
        float(cells.greatest[g]) if has_any else MISSING_TEXT,
        float(cells.mean[g]),
    )


def change_figures(data: ReportData) -> Iterator[Figure]:
    """Draw which variants came and went, and what can be seen of cells that could not be, or the other way."""
    changes = data.changes
    if changes is None:
        return
    old = f"{changes['old']['name']} {changes['old']['version']}"
    names = [row[0] for row in changes["contigs"]]
    both, came, went = changes["variants"]
    yield Figure(
        "changed_variants",
        f"Variants of this release and of {old}",
        stacked_bars(
            names,
            [
                Part("in both", NEUTRAL, [row[1] for row in changes["contigs"]]),
                Part("new", "#0072b2", [row[2] for row in changes["contigs"]]),
                Part("no longer there", "#d55e00", [row[3] for row in changes["contigs"]]),
            ],
            "variants",
        ),
        f"{both:,} variants are in both releases, {came:,} are new and {went:,} are no longer there.",
        "Variants by contig, position, REF and ALT. New ones are of new people, or were withheld before; those"
        " that went were carried by people who left, or are withheld now.",
        "many variants that went although people joined: a filter or the policy changed.",
        TextTable.of(("contig", "both", "new", "gone"), changes["contigs"]),
    )
    order = (State.OBSERVED, State.ABSENT_CALLABLE, State.NOT_CALLABLE, State.MASKED)
    states = [_name(state) for state in order]
    yield Figure(
        "changed_states",
        "What cells were, and what they are now",
        stacked_bars(
            [f"were {name}" for name in states],
            [
                Part(f"now {_name(now)}", ramp(i, len(order)), [changes["states"][was][now] for was in order])
                for i, now in enumerate(order)
            ],
            "cells that both releases have",
            share=True,
        ),
        "; ".join(
            f"{name}: {sum(changes['states'][state]):,}" for name, state in zip(states, order, strict=True)
        )
        + " cells before.",
        "A cell is a group at a variant that both releases have. Each bar is what such cells were in the earlier"
        " release, its parts what they are now.",
        "observed cells that are masked now: a group became smaller, or the policy stricter. Masked cells that"
        " can be seen now say that few more people were enough.",
        TextTable.of(
            ("old_state", "new_state", "cells"),
            (
                (_name(was), _name(now), changes["states"][was][now])
                for was in order
                for now in order
            ),
        ),
    )  # fmt: skip


def changes_in_words(data: ReportData) -> Iterator[str]:
    """Say what changed: groups, and what the manifests say of the reasons."""
    changes = data.changes
    if changes is None:
        yield paragraph("No earlier release was named, so nothing is compared.")
        return
    yield table(
        f"Groups, beside {changes['old']['name']} {changes['old']['version']}",
        (
            "group",
            "people before",
            "people now",
            "cells changed",
            "largest change of AF",
            "mean change of AF",
        ),
        ([_text(value) for value in row] for row in changes["groups"]),
        numeric=range(1, 6),
    )
    if changes["manifest"]:
        yield table(
            "What the manifests say otherwise",
            ("key", "before", "now"),
            ([_cut(text) for text in row] for row in changes["manifest"]),
            long=(1, 2),
        )
    if data.findings is not None:
        small = sum(n for _, n in changes["small"])
        yield paragraph(
            f"For the hub: AC of {counted(small, 'cell')} changed by fewer than {changes['smaller_than']} copies."
            " Whoever has both releases sees what so few people carry; docs/versions.md says what to do."
        )


def _name(state: State) -> str:
    return state.name.lower().replace("_", "-")


def _text(value: Any) -> str:
    if value is None or value == MISSING_TEXT or value != value:  # noqa: PLR0124 - NaN
        return "-"
    return (
        f"{value:.6f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _cut(text: str) -> str:
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…") or "-"
