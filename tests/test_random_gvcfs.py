"""Small gVCFs of all sorts, run through the stages, against a plain reading of their lines."""

import random

import numpy as np
import pysam
import pytest
from tests.builders import RICH_HEADERS, write_fasta, write_sheet
from tests.gvcfs import Cohort, ingest, read_calls, run_stages
from tests.plain_gvcf import read_gvcf, tracks, unite

from afpanel.core.counting import GenotypeFilter
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION

BORDER = 2_781_479
"""Last base of the first pseudoautosomal region of X, on GRCh38."""

FIRST, LAST = BORDER - 130, BORDER + 130
BUILD = "GRCh38"
FILTERS = (
    GenotypeFilter(),
    GenotypeFilter(20, 10, 5, 0.2),
    GenotypeFilter(0, 8, 8, 0.4, half_calls_missing=True),
)
SEXES = ("XX", "XY", "XY", "XX", "unknown")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A contig that has bases about the border of the pseudoautosomal region, and N elsewhere."""
    draw = random.Random(5)
    bases = "".join(draw.choices("ACGT", k=LAST - FIRST + 60))
    path = tmp_path_factory.mktemp("reference") / "x.fa"
    sequence = "N" * (FIRST - 1) + bases
    write_fasta(path, {"chrX": sequence, "chr1": sequence})
    return path, sequence


class Writer:
    """Writes the gVCF of a person, a record after another, as callers of several kinds would."""

    def __init__(self, draw, sequence, contig, sex):
        self.draw, self.sequence, self.contig, self.sex = draw, sequence, contig, sex
        self.style = draw.choice(("gatk", "deepvariant", "dots"))

    def genotype(self, n_alleles, position, *, is_block=False):
        draw = self.draw
        alleles = ["0"] if is_block else [*map(str, range(n_alleles))]
        roll = draw.random()
        haploid = self.contig == "chrX" and self.sex == "XY" and position > BORDER
        if roll < 0.06:
            return draw.choice(("./.", "."))
        if roll < 0.12:
            return draw.choice(("0/.", "./0", f"{alleles[-1]}/."))
        if (haploid and roll < 0.7) or roll < 0.15:
            return draw.choice(alleles)
        return draw.choice("/|").join(draw.choices(alleles, k=2))

    def values(self, n_alleles):
        draw = self.draw
        quality = draw.choice((".", *range(5, 60, 5), 99))
        depth = draw.choice((".", 0, *range(3, 30)))
        reads = ",".join(str(draw.choice((0, 1, 4, 9, 20))) for _ in range(n_alleles))
        return quality, depth, draw.choice((reads, reads, reads, "."))

    def block(self, position, end):
        quality, depth, _ = self.values(1)
        call = self.genotype(1, position, is_block=True)
        alt = "." if self.style == "dots" else ("<NON_REF>", "<*>")[self.style == "deepvariant"]
        form = "GT:GQ:MIN_DP" if self.style == "deepvariant" else "GT:GQ:DP:MIN_DP"
        more = "" if self.style == "deepvariant" else ":1"
        return (
            position,
            self.base(position),
            alt,
            f"END={end}",
            form,
            f"{call}:{quality}:{depth}{more}",
        )

    def base(self, position, length=1):
        text = self.sequence[position - 1 : position - 1 + length]
        return text.lower() if self.draw.random() < 0.05 else text

    def variant(self, position):
        draw = self.draw
        length = draw.choice((1, 1, 1, 1, 2, 3, 8))
        ref = self.base(position, length)
        others = [b for b in "ACGT" if b != ref[0].upper()]
        alts = []
        if length > 1:
            alts.append(ref[0])
            if draw.random() < 0.3:
                alts.append(ref[0] + "GT")
        else:
            alts.append(draw.choice(others))
            if draw.random() < 0.3:
                alts.append(next(b for b in others if b != alts[0]))
            if draw.random() < 0.2:
                alts.append(ref + "TTG")
        if draw.random() < 0.2:
            alts.insert(draw.randrange(len(alts) + 1), "*")
            if draw.random() < 0.3:
                alts = ["*"]
        if self.style != "dots":
            alts.append("<NON_REF>" if self.style == "gatk" else "<*>")
        n = 1 + len(alts)
        quality, depth, reads = self.values(n)
        call = self.genotype(n, position)
        line = (
            position,
            ref,
            ",".join(alts),
            ".",
            "GT:AD:DP:GQ",
            f"{call}:{reads}:{depth}:{quality}",
        )
        return line, position + length

    def lines(self):
        draw, at = self.draw, FIRST + self.draw.randrange(20)
        rows = []
        while at < LAST - 10:
            roll = draw.random()
            if roll < 0.1:
                at += draw.randrange(1, 12)
            elif roll < 0.45:
                row, after = self.variant(at)
                rows.append(row)
                # Records may overlap, and a file may have several at one place.
                at = max(at, after - draw.choice((0, 0, 0, 1, 2, 9)))
                at += draw.choice((0, 0, 0, 1))
            else:
                end = min(at + draw.choice((0, 3, 10, 80)), LAST)
                rows.append(self.block(at, end))
                at = end + 1 - (draw.random() < 0.05)
        rows.sort(key=lambda row: row[0])
        return rows


def write_cohort(folder, draw, reference, contig):
    path, sequence = reference
    files, sheet = [], []
    for number, sex in enumerate(SEXES):
        name = f"P{number}"
        head = ["##fileformat=VCFv4.2", *RICH_HEADERS, "##contig=<ID=chr1>", "##contig=<ID=chrX>",
                '##FILTER=<ID=LowQ,Description="test">',
                '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base">']  # fmt: skip
        columns = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", name]
        text = "\n".join([*head, "#" + "\t".join(columns)]) + "\n"
        for position, ref, alt, info, form, call in Writer(draw, sequence, contig, sex).lines():
            kept = draw.choices((".", "PASS", "LowQ"), (5, 5, 1))[0]
            text += (
                "\t".join((contig, str(position), ".", ref, alt, ".", kept, info, form, call))
                + "\n"
            )
        files.append(folder / f"{name}.g.vcf.gz")
        with pysam.BGZFile(str(files[-1]), "wb") as out:
            out.write(text.encode())
        pysam.tabix_index(str(files[-1]), preset="vcf", csi=number % 2 == 1)
        sheet.append((name, "AB"[number % 2], sex, "no" if number == 3 else "yes"))
    (folder / "list.txt").write_text("# files\n\n" + "".join(f"{file}\n" for file in files))
    write_sheet(folder / "sheet.tsv", sheet, include=True)
    people = [
        (read_gvcf(file, row[2], contig), (row[1], row[2]) if row[3] == "yes" else None)
        for file, row in zip(files, sheet, strict=True)
    ]
    return Cohort(folder / "list.txt", folder / "sheet.tsv", path, BUILD), people


def filtered_calls(stores):
    found = 0
    for path in stores:
        with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
            found += store.attributes["filtered_calls"]
    return found


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 12))]
)
def test_random_gvcfs_are_counted_as_a_plain_reading_counts_them(tmp_path, reference, seed):
    draw = random.Random(seed)
    contig = ("chrX", "chr1")[seed % 3 == 2]
    cohort, people = write_cohort(tmp_path, draw, reference, contig)
    # Far from all records there is nothing to be found; one of the cohorts is read there, too.
    low, high = (0, 5_000_000) if seed == 0 else (FIRST - 500, LAST + 500)
    whole = ingest(cohort, [Region(contig, low, high)], tmp_path / "whole")
    called = read_calls(whole)
    sites = unite([person for person, _ in people])
    assert called.position == [site.position for site in sites]
    assert called.alleles == [site.alleles for site in sites]
    for number, found in enumerate((called.genotype, called.gq, called.dp, called.het_alt_ad)):
        expected = [[list(c[0]) if number == 0 else c[number] for c in s.calls] for s in sites]
        np.testing.assert_array_equal(found, expected)

    size = draw.choice((19, 70, 100))
    cuts = [*range(FIRST - 20, LAST + 20, size)]
    regions = [
        Region(contig, start, end - 1)
        for start, end in zip([low, *cuts], [*cuts, high], strict=True)
    ]
    options = {"window": draw.choice((16, 64)), "chunk": draw.choice((1, 5))}
    parts = ingest(cohort, regions, tmp_path / "parts", **options)
    assert filtered_calls(parts) == filtered_calls(whole) > 0
    bases = range(FIRST - 30, LAST + 30)
    results = run_stages(cohort, whole, tmp_path / "whole", FILTERS)
    others = run_stages(cohort, parts, tmp_path / "parts", FILTERS)
    for each, found, other in zip(FILTERS, results, others, strict=True):
        for column, (population, sex, _) in enumerate(found.cells):
            members = [person for person, cell in people if cell == (population, sex)]
            expected = tracks(members, contig, BUILD, bases, each)
            assert found.at(bases)[:, column].tolist() == expected
        assert len(found.variants) > 10
        assert found.allele_number.sum() > 20
        assert other.variants == found.variants
        for name, table in found.tables.items():
            assert other.tables[name].tobytes() == table.tobytes()
        for name in ("start", "end", "allele_number"):
            assert getattr(other, name).tobytes() == getattr(found, name).tobytes()
