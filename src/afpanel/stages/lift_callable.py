"""The callable regions of a cohort, lifted to the panel's build."""

from pathlib import Path

import numpy as np

from afpanel.core.intervals import Intervals
from afpanel.core.lifted_regions import differences
from afpanel.core.liftover import lift
from afpanel.errors import BadInputError
from afpanel.io.files import write_text
from afpanel.io.tables import read_beds
from afpanel.stages.lifter import Lifter


def lift_callable(bed: Path, lifter: Lifter, out: Path) -> None:
    """Lift a BED, without the places where the references of the two builds differ.

    Parameters
    ----------
    bed
        Where the cohort is callable, on its own build.
    lifter
        What lifts the cohort.
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
    lifted: dict[int, list[Intervals]] = {}
    holes: dict[int, list[Intervals]] = {}
    for contig, spans in read_beds(bed, lifter.names, list(lifter.lengths)).items():
        source, blocks = lifter.sequence(contig), lifter.blocks(contig)
        for number, found in lift(blocks, spans).items():
            if number >= 0:
                there = lifter.panel_sequence(number)
                inside = Intervals.of(found.start, np.minimum(found.end, len(there)))
                lifted.setdefault(number, []).append(inside)
                holes.setdefault(number, []).append(differences(blocks, number, source, there))
    lines: list[str] = []
    for number, parts in sorted(lifted.items()):
        # Where several contigs of the source lead to one place, all have to be like the panel's.
        whole = Intervals.union(parts).without(Intervals.union(holes[number]))
        name = lifter.panel_names[number]
        lines += [
            f"{name}\t{start}\t{end}\n" for start, end in zip(whole.start, whole.end, strict=True)
        ]
    write_text(out, "".join(lines))
