"""The text that ends a run: who took part, what became of the alleles, what was published."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from afpanel.io.release import ReleaseHead
from afpanel.stages.harmonize import is_kept, kept_and_rejected


def summarize(
    plan: dict[str, Any],
    outcomes: dict[str, dict[str, int]],
    decision: dict[str, Any],
    head: ReleaseHead,
    out: Path,
    overlap: dict[str, Any] | None,
    verdicts: Sequence[Mapping[str, str]] | None,
) -> str:
    """Sum up a run as a table and a list of what was written.

    Parameters
    ----------
    plan
        The plan of the run.
    outcomes
        Source alleles by outcome, per cohort.
    decision
        The gate's decision.
    head
        What the release is.
    out
        Folder of the release.
    overlap
        What was found of people who are in two cohorts, or None where nobody looked.
    verdicts
        Rows of the table of cohorts that `discordance` wrote, or None likewise.
    """
    dropped = {name: each["dropped"] for name, each in (overlap or _NOTHING)["cohorts"].items()}
    header = ("cohort", "country", "samples", "source alleles", "kept", "rejected", "why")
    rows: list[Sequence[str]] = []
    for name, tally in outcomes.items():
        cohort = plan["cohorts"].get(name, {})
        kept, rejected = kept_and_rejected(tally)
        why = [f"{label} {n:,}" for label, n in sorted(tally.items()) if not is_kept(label)]
        people = cohort.get("people")
        rows.append(
            (
                name,
                cohort.get("country", ""),
                "" if people is None else f"{people - dropped.get(name, 0):,}",
                f"{kept + rejected:,}",
                f"{kept:,}",
                f"{rejected:,}",
                ", ".join(why) or "-",
            )
        )
    totals = decision["totals"]
    unknown = totals["variants_unknown"]
    cells = totals["variants_out"] * len(head.groups)
    withheld = [each["group"] for each in decision["withheld_groups"]]
    lines = [
        f"Panel {head.name} {head.version} on {head.build}",
        "",
        *aligned(header, rows, range(2, 6)),
        "",
        f"variants merged     {totals['variants_in']:>12,}",
        f"variants published  {totals['variants_out']:>12,}",
        f"variants dropped    {totals['variants_dropped']:>12,}  ({_why_dropped(totals)})",
        *(
            []
            if unknown == 0
            else [f"variants unknown    {unknown:>12,}  (nobody is counted there)"]
        ),
        f"cells masked        {totals['masked_cells']:>12,}  (of {cells:,}: {_reasons(totals)})",
        *_alternatives(totals, cells),
        f"groups published    {len(head.groups):>12,}  ({', '.join(head.groups)})",
        f"groups withheld     {len(withheld):>12,}  ({', '.join(withheld) or '-'})",
        *([] if overlap is None else [f"people found twice  {_twice(overlap)}"]),
        *([] if verdicts is None else [f"cohorts that differ {_odd(verdicts)}"]),
        *(
            f"NOT in the panel    {name}, for it shares people with {instead} (double_count)"
            for name, instead in sorted(plan.get("left_out", {}).items())
        ),
        "",
        "Written:",
        *(f"  {path}" for path in _written(out)),
    ]
    return "\n".join(lines) + "\n"


_NOTHING: dict[str, Any] = {"cohorts": {}}


def _why_dropped(totals: dict[str, int]) -> str:
    """Say why variants are dropped, and how many of them secondary masking costs."""
    number = totals["variants_dropped_secondary"]
    beside = f"; {number:,} of them only with secondary masking" if number else ""
    return f"all that carries ALT is withheld{beside}"


def _alternatives(totals: dict[str, int], cells: int) -> list[str]:
    """Say what simpler rules would have left, where anything is masked."""
    if not totals["masked_cells"] and not totals["variants_dropped"]:
        return []
    alone, cells_alone = totals["total_alone_variants_out"], totals["total_alone_masked_cells"]
    without_them = totals["without_masked_variants_out"]
    simpler = f"with the total alone where one is masked: {alone:,} variants, {cells_alone:,} cells masked"
    lines = [f"  {simpler}; without these variants: {without_them:,}"]
    without = totals["cells_without_genotypes"]
    if without:
        lines.append(
            f"cells without genotypes {without:>8,}  (few people of a class; of {cells:,})"
        )
    return lines


def _reasons(totals: dict[str, int]) -> str:
    """Say why cells are masked."""
    parts = [
        f"{totals['masked_primary']:,} of few copies",
        f"{totals['masked_secondary']:,} that would give others away",
    ]
    if totals["masked_by_contributors"]:
        parts.append(f"{totals['masked_by_contributors']:,} withheld by contributors")
    return ", ".join(parts)


def _twice(overlap: dict[str, Any]) -> str:
    """Say what was found of people who are in two cohorts, or twice in one."""
    compared = overlap["comparisons"]
    untold = sum(not each["told"] for each in compared)
    left_out = sum(each["dropped"] for each in overlap["cohorts"].values())
    parts = [f"{overlap['pairs']:,} pairs found"]
    if left_out:
        parts.append(f"{left_out:,} samples left out")
    if untold:
        parts.append(f"cannot be told in {untold:,} of {len(compared):,} comparisons of cohorts")
    return "; ".join(parts)


def _odd(verdicts: Sequence[Mapping[str, str]]) -> str:
    """Say which cohorts disagree with the others of their populations, and in what."""
    compared = [row for row in verdicts if row["verdict"] != "not compared"]
    odd = [
        f"{row['cohort']} ({row['reasons'].replace(';', ', ')})"
        for row in compared
        if row["verdict"] == "flagged"
    ]
    if not compared and any(row["partners"] for row in verdicts):
        return (
            "none can be compared: those that share a population or a country have too few alleles"
        )
    if not compared:
        return "none can be compared: no two share a population or a country"
    found = "; ".join(odd) or "none"
    hint = ", see panel/discordance before you publish" if odd else ""
    return f"{found}, of {len(compared):,} compared{hint}"


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Container[int]
) -> list[str]:
    """Lay out a table as lines of text; the columns in `numeric` go to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if i in numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(aligned).rstrip()

    return [line(header), line(["-" * width for width in widths]), *map(line, rows)]


def _written(out: Path) -> list[Path]:
    return sorted(path for path in out.iterdir() if not path.name.startswith("."))
