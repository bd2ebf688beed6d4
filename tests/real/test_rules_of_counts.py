"""Counts of real people keep the rules that contributions are held to."""

from collections.abc import Mapping
from pathlib import Path

import cyvcf2
import numpy as np
import pytest
from tests.counts import count_file

from afpanel.constants import Sex
from afpanel.core.callability import people_by_copies
from afpanel.core.contigs import contig_kind
from afpanel.core.count_checks import impossible
from afpanel.core.ploidy import loci_of
from afpanel.model.cohort import Cell

FILES = {
    "grch37/1000g.phase3.chr22.vcf.gz": "22",
    "grch37/1000g.asia.gatk.chr22.vcf.gz": "22",
    "grch37/1000g.phase3.chrX.thinned.vcf.gz": "X",
    "grch38/1000g.nygc30x.chr1.vcf.gz": "1",
}


@pytest.mark.parametrize("path", FILES)
def test_counts_of_real_people_keep_all_rules(
    path: str, test_data: Path, people_of_1000g: Mapping[str, tuple[str, str]]
) -> None:
    samples = [
        name.removeprefix("SRP150637__").removesuffix(".hs37d5")
        for name in cyvcf2.VCF(str(test_data / path)).samples
    ]
    known = [people_of_1000g.get(name, ("untold", "unknown")) for name in samples]
    names = sorted(set(known))
    cell = np.array([names.index(each) for each in known])
    cells = [Cell(p, Sex(s), known.count((p, s))) for p, s in names]
    counted = count_file(test_data / path, cell, [Sex(sex) for _, sex in known])
    figures, record = counted.figures, counted.row_record
    loci = loci_of(contig_kind(FILES[path]), "GRCh37", counted.position)[record]
    tables = {
        "allele_count": figures.allele_count,
        "allele_number": figures.allele_number[record],
        "homozygote_count": figures.homozygotes,
        "hemizygote_count": figures.hemizygotes,
        "single_allele_count": figures.single_allele_count,
        "single_allele_number": figures.single_allele_number[record],
        "raw_allele_count": figures.raw_allele_count.sum(axis=1),
        "raw_allele_number": figures.raw_allele_number.sum(axis=1)[record],
    }
    assert len(record) > 1000
    people = people_by_copies(loci, cells)
    rules = impossible(tables, *people, has_missing=False)
    assert [rule for rule, rows in rules if rows.any()] == []
