"""Published alleles that are one variant: said twice they are counted once, and else not at all."""

import json
from pathlib import Path

import pytest
from tests.builders import write_fasta, write_vcf
from tests.published import NO_FILTER

from afpanel.io.reference import ReferencePaths
from afpanel.io.sites_form import SitesForm
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize
from afpanel.stages.ingest import Target
from afpanel.stages.ingest_sites import ingest_sites

REFERENCE = "ACGTTTTTTTTTGACCATGACGT" + "ACGT" * 20
HEADER = "\n".join(
    ["##fileformat=VCFv4.2", "##contig=<ID=chr1>"]
    + [f'##INFO=<ID={x},Number=A,Type=Integer,Description="x">' for x in ("AC", "AN", "nhomalt")]
    + ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", ""]
)
Line = tuple[int, str, str, str]


def run(
    folder: Path, lines: list[Line], step: int = 10**6
) -> tuple[
    dict[tuple[int, str, str], tuple[int, int, int]],
    dict[str, int],
    list[str],
    list[tuple[int, int]],
]:
    text = HEADER + "".join(
        f"chr1\t{at}\t.\t{ref}\t{alt}\t.\tPASS\t{info}\n" for at, ref, alt, info in lines
    )
    vcf = write_vcf(folder / "sites.vcf", text)
    fasta = write_fasta(folder / "ref.fa", {"chr1": REFERENCE})
    cells = folder / "cells.tsv"
    cells.write_text("population\tsex\tpeople\nAA\tXX\t50\n")
    starts = range(0, len(REFERENCE), step)
    targets = [
        Target(Region("chr1", at, at + step - 1), folder / f"{i}.vcz.zip")
        for i, at in enumerate(starts)
    ]
    ingest_sites(vcf, cells, targets, SitesForm())
    stores = [target.path for target in targets]
    alleles, summary, table = (folder / name for name in ("a.zip", "s.json", "d.tsv"))
    harmonize(
        stores,
        ReferencePaths.find(fasta),
        alleles,
        summary,
        HarmonizeOptions("T", duplicates=table),
    )
    found, refused = {}, []
    for store in stores:
        out = folder / "c.zip"
        count(store, alleles, cells, out, CountOptions("T", "ZZ", "GRCh38", NO_FILTER))
        with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
            sites = zip(
                *(counts.read(f"variant_{x}").tolist() for x in ("position", "ref", "alt")),
                strict=True,
            )
            names = ("allele_count", "allele_number", "homozygote_count")
            figures = zip(*(counts.read(n)[:, 0].tolist() for n in names), strict=True)
            found.update(zip(sites, figures, strict=True))
            spans = (counts.read(f"refused_{side}").tolist() for side in ("start", "end"))
            refused += list(zip(*spans, strict=True))
    listed = [line.split("\t")[4] for line in table.read_text().splitlines()[1:]]
    return found, json.loads(summary.read_text())["outcomes"], listed, refused


SNV = (14, "A", "C", "AC=1;AN=90;nhomalt=0")


def test_a_line_that_stands_twice_is_counted_once(tmp_path: Path) -> None:
    line = (13, "G", "T", "AC=5;AN=80;nhomalt=1")
    found, outcomes, listed, refused = run(tmp_path, [line, line, SNV])
    assert found == {(13, "G", "T"): (5, 80, 1), (14, "A", "C"): (1, 90, 0)}
    assert outcomes == {"as_is": 2, "duplicate": 1}
    assert listed == ["kept", "duplicate"]
    assert refused == []


@pytest.mark.parametrize("step", [10**6, 8])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Two spellings of one deletion, of the same count or another.
        ((3, "GT", "G", "AC=1;AN=80;nhomalt=0"), (11, "TT", "T", "AC=1;AN=80;nhomalt=0")),
        ((3, "GT", "G", "AC=1;AN=80;nhomalt=0"), (9, "TT", "T", "AC=3;AN=80;nhomalt=1")),
        # One spelling of which two things are said.
        ((13, "G", "T", "AC=5;AN=80;nhomalt=1"), (13, "G", "T", "AC=6;AN=80;nhomalt=1")),
        ((13, "G", "T", "AC=5;AN=80;nhomalt=1"), (13, "G", "T", "AC=5;AN=80;nhomalt=0")),
    ],
)
def test_of_alleles_that_contradict_each_other_or_may_add_up_none_is_counted(
    tmp_path: Path, one: Line, other: Line, step: int
) -> None:
    found, outcomes, listed, refused = run(tmp_path, [one, other, SNV], step)
    assert found == {(14, "A", "C"): (1, 90, 0)}
    assert outcomes == {"as_is": 1, "duplicate": 2}
    assert listed == ["duplicate", "duplicate"]
    # Nor does the cohort's silence say anything of that place.
    place = 2 if one[0] == 3 else 12
    assert {start for start, _ in refused} == {place}
