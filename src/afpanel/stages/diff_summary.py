"""The text that sums up a comparison of two releases."""

from collections.abc import Iterator, Sequence

import numpy as np

from afpanel.constants import State
from afpanel.model.arrays import COUNTS
from afpanel.model.figures import FIGURES
from afpanel.stages.comparison import Comparison, DiffOptions
from afpanel.stages.diff_tables import state_name
from afpanel.stages.summary import aligned

_ALLELE, _VALUE = 24, 60
"""Letters of an allele and of a manifest's value that the summary shows; the tables have all."""


def summary_of(found: Comparison, options: DiffOptions) -> str:
    """Sum up a comparison in plain text, its numbers aligned."""
    sections = (_heads, _variants, _cells, _states, _groups, _largest, _manifest)
    parts = ["\n".join(section(found, options)) for section in sections]
    return "\n\n".join(parts) + "\n"


def _heads(found: Comparison, _: DiffOptions) -> Iterator[str]:
    old, new = found.old, found.new
    rows = [
        ("panel", old.name, new.name),
        ("version", old.version, new.version),
        ("build", old.build, new.build),
        ("people", *(f"{panel.people['total']:,}" for panel in (old, new))),
        ("groups", *(f"{len(panel.groups):,}" for panel in (old, new))),
        ("variants", *(f"{len(panel):,}" for panel in (old, new))),
    ]
    yield from aligned(("", "old", "new"), rows, (1, 2))
    contigs = found.contigs.items()
    alone = {
        "groups in the old release alone": [g for g in old.groups if g not in new.groups],
        "groups in the new release alone": [g for g in new.groups if g not in old.groups],
        "contigs in the old release alone": [name for name, tally in contigs if not tally.in_new],
        "contigs in the new release alone": [name for name, tally in contigs if not tally.in_old],
    }
    yield from (f"{what}: {', '.join(names)}" for what, names in alone.items() if names)


def _variants(found: Comparison, _: DiffOptions) -> Iterator[str]:
    total = found.total
    tallies = {**found.contigs, "all": total}
    rows = [(name, *map(_n, (t.both, t.only_old, t.only_new))) for name, t in tallies.items()]
    yield from aligned(("variants of", "in both", "old alone", "new alone"), rows, range(1, 4))
    yield (
        f"FILTER of those in both: {_n(found.to_ac0)} from PASS to AC0,"
        f" {_n(found.from_ac0)} from AC0 to PASS; AC0 of the new ones: {_n(found.new_ac0)}"
    )


def _cells(found: Comparison, options: DiffOptions) -> Iterator[str]:
    cells = found.cells
    changed = int(cells.changed.sum())
    keys = {figure.array: figure.key for figure in FIGURES}
    rows = [
        ("the same", cells.cells - changed),
        ("changed", changed),
        ("  in state", cells.state_changed),
        *((f"  in {keys[name]}", n) for name, n in zip(COUNTS, cells.by_count, strict=True)),
        (f"  in AC, by fewer than {options.small} copies", int(cells.n_small.sum())),
    ]
    header = ("cells (groups at variants) in both", "")
    yield from aligned(header, [(what, _n(n)) for what, n in rows], (1,))


def _states(found: Comparison, _: DiffOptions) -> Iterator[str]:
    names = [state_name(state) for state in State]
    rows = [(name, *map(_n, of)) for name, of in zip(names, found.cells.states, strict=True)]
    yield from aligned(("state, old in rows", *names), rows, range(1, 5))


def _groups(found: Comparison, options: DiffOptions) -> Iterator[str]:
    cells = found.cells
    mean = cells.mean
    rows = []
    for name, old, new in found.all_groups():
        figures = ["-"] * 4
        if name in found.groups:
            g = found.groups.index(name)
            has_af = bool(cells.compared[g])
            figures = [
                _n(cells.changed[g]),
                _n(cells.n_small[g]),
                f"{cells.greatest[g]:.6f}" if has_af else "-",
                f"{mean[g]:.6f}" if has_af else "-",
            ]
        rows.append((name, *("-" if n is None else _n(n) for n in (old, new)), *figures))
    header = ("group", "people, old", "new", "cells changed", f"AC by < {options.small}",
              "largest AF change", "mean")  # fmt: skip
    yield from aligned(header, rows, range(1, 7))
    few = [
        f"{name} by {abs(new - old)}"
        for name, old, new in found.all_groups()
        if old is not None and new is not None and 0 < abs(new - old) < options.small
    ]
    if few:
        yield (
            f"groups whose number of people changed by fewer than {options.small}: {', '.join(few)}."
            " What changed in their cells is about so few people."
        )


def _largest(found: Comparison, options: DiffOptions) -> Iterator[str]:
    if not found.largest:
        yield "no AF changed" if options.top else "largest changes of AF: not asked for"
        return
    rows = [
        (
            f"{c.contig}:{c.position} {_short(c.ref)}>{_short(c.alt)}",
            c.group,
            *(f"{ac:,} / {an:,}" for ac, an in zip(c.allele_count, c.allele_number, strict=True)),
            f"{c.change:+.6f}",
        )
        for c in found.largest
    ]
    header = ("largest changes of AF", "group", "AC / AN, old", "AC / AN, new", "change")
    yield from aligned(header, rows, range(2, 5))


def _short(text: str, longest: int = _ALLELE) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _manifest(found: Comparison, _: DiffOptions) -> Sequence[str]:
    if found.manifest is None:
        return ["manifests: not compared, for a release is without one"]
    if not found.manifest:
        return ["manifests: nothing else changed"]
    return aligned(("manifest", "old", "new"), [_row(each) for each in found.manifest], ())


def _row(change: tuple[str, str, str]) -> tuple[str, str, str]:
    key, *values = change
    old, new = (_short(value, _VALUE) or "-" for value in values)
    return key, old, new


def _n(number: int | np.integer) -> str:
    return f"{number:,}"
