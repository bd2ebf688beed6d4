"""The callable regions of a cohort, lifted to the panel's build."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from afpanel.core.intervals import Intervals
from afpanel.core.lifted_regions import differences
from afpanel.core.liftover import lift
from afpanel.errors import BadInputError
from afpanel.io.files import write_text
from afpanel.io.reference import Reference
from afpanel.io.tables import read_beds
from afpanel.stages.lift import Lifter


def lift_callable(bed: Path, lifter: Lifter, panel: Reference, out: Path) -> None:
    """Lift a BED, without the places where the references of the two builds differ.

    Parameters
    ----------
    bed
        Where the cohort is callable, on its own build.
    lifter
        What lifts the cohort.
    panel
        The panel's reference.
    out
        BED to write, by the panel's names.

    Raises
    ------
    BadInputError
        Without the FASTA of the cohort's build: nobody can tell then where they differ.
    """
    if not lifter.knows_source:
        raise BadInputError(
            "callable regions cannot be lifted without the FASTA of the cohort's build",
            where=bed,
            remedy="name it in harmonize.source_fastas (--source-reference), or leave the regions out",
        )
    found: dict[int, list[Intervals]] = {}
    for contig, spans in read_beds(bed, lifter.names, list(lifter.lengths)).items():
        source, blocks = lifter.sequence(contig), lifter.blocks(contig)
        for number, lifted in lift(blocks, spans).items():
            if number >= 0:
                there = panel.sequence(lifter.panel_names[number])
                inside = Intervals.of(lifted.start, np.minimum(lifted.end, len(there)))
                holes = differences(blocks, number, source, there)
                found.setdefault(number, []).append(inside.without(holes))
    lines: list[str] = []
    for number, parts in sorted(found.items()):
        lines.extend(_lines(lifter.panel_names[number], parts))
    write_text(out, "".join(lines))


def _lines(name: str, parts: Iterable[Intervals]) -> Iterable[str]:
    start = np.concatenate([part.start for part in parts])
    end = np.concatenate([part.end for part in parts])
    for i in np.lexsort((end, start)):
        yield f"{name}\t{start[i]}\t{end[i]}\n"
