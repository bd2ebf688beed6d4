"""gVCFs of a few lines, and what becomes of them, worked out by hand."""

import numpy as np
import pysam
import pytest
from tests.builders import RICH_HEADERS, write_fasta, write_sheet
from tests.gvcfs import Cohort, ingest, read_calls, run_stages

from afpanel.core.counting import GenotypeFilter
from afpanel.errors import BadInputError
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION

BASES = "GATTACAGAT" * 4
WHOLE = [Region("chr1", 0, 1000)]
NON_REF = "<NON_REF>"
OFF = GenotypeFilter()


def block(position, end, call="0/0:40:20"):
    return (position, BASES[position - 1], NON_REF, ".", f"END={end}", "GT:GQ:DP", call)


def variant(position, ref, alt, call, kept="PASS"):
    return (position, ref, f"{alt},{NON_REF}", kept, ".", "GT:GQ:DP:AD", call)


@pytest.fixture
def cohort(tmp_path):
    """Make a cohort of people who have these lines: cohort({person: lines})."""

    def make(lines_of):
        fasta = write_fasta(tmp_path / "reference.fa", {"chr1": BASES})
        paths = []
        for name, lines in lines_of.items():
            head = ["##fileformat=VCFv4.2", *RICH_HEADERS, "##contig=<ID=chr1,length=40>",
                    '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base">',
                    '##FILTER=<ID=LowQ,Description="test">',
                    f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}"]  # fmt: skip
            rows = [
                f"chr1\t{position}\t.\t{ref}\t{alt}\t.\t{kept}\t{info}\t{form}\t{call}"
                for position, ref, alt, kept, info, form, call in lines
            ]
            paths.append(tmp_path / f"{name}.g.vcf.gz")
            with pysam.BGZFile(str(paths[-1]), "wb") as out:
                out.write(("\n".join([*head, *rows]) + "\n").encode())
            pysam.tabix_index(str(paths[-1]), preset="vcf")
        (tmp_path / "list.txt").write_text("".join(f"{path}\n" for path in paths))
        write_sheet(tmp_path / "sheet.tsv", [(name, "A", "XX") for name in lines_of])
        return Cohort(tmp_path / "list.txt", tmp_path / "sheet.tsv", fasta)

    return make


def test_a_deletion_over_the_snv_of_another_is_another_allele_there(cohort, tmp_path):
    made = cohort(
        {
            "P1": [variant(3, "TTA", "T", "0/1:50:20:10,10,0"), block(6, 20)],
            "P2": [block(1, 3), variant(4, "T", "C", "0/1:60:30:15,15,0"), block(5, 20)],
            "P3": [block(1, 2), variant(4, "T", "C", "1/1:60:30:0,30,0")],
        }
    )
    stores = ingest(made, WHOLE, tmp_path / "stores")
    called = read_calls(stores)
    assert called.position == [3, 4]
    assert called.alleles == [("TTA", "T", NON_REF), ("T", "C", NON_REF)]
    # P2 is REF or C over the deletion; of P3 there is nothing at its first base.
    assert called.genotype.tolist() == [[[0, 1], [0, 2], [-1, -1]], [[0, 2], [0, 1], [1, 1]]]
    assert called.gq.tolist() == [[50, 40, -1], [50, 60, 60]]
    assert called.dp.tolist() == [[20, 20, -1], [20, 30, 30]]
    assert called.het_alt_ad.tolist() == [[10, 15, -1], [10, 15, -1]]
    (found,) = run_stages(made, stores, tmp_path, [OFF])
    assert found.variants == [(3, "TTA", "T"), (4, "T", "C")]
    assert found.tables["allele_count"].tolist() == [[1], [3]]
    assert found.tables["allele_number"].tolist() == [[4], [6]]
    runs = zip(found.start.tolist(), found.end.tolist(), found.allele_number[:, 0], strict=True)
    assert list(runs) == [(0, 3, 4), (3, 4, 6), (4, 20, 4)]


def test_the_call_of_a_record_that_is_not_accepted_is_missing_over_its_bases(cohort, tmp_path):
    made = cohort(
        {
            "P1": [block(1, 3), variant(4, "TA", "T", "0/1:60:30:15,15,0", "LowQ"), block(6, 9)],
            "P2": [block(1, 4), variant(5, "A", "G", "0/1:60:30:15,15,0"), block(6, 9)],
        }
    )
    stores = ingest(made, WHOLE, tmp_path / "stores")
    called = read_calls(stores)
    assert called.alleles == [("TA", "T", NON_REF), ("A", "G")]
    assert called.genotype.tolist() == [[[-1, -1], [0, 2]], [[-1, -1], [0, 1]]]
    with Store(stores[0], GENOTYPES, GENOTYPES_VERSION) as store:
        assert store.attributes["filtered_calls"] == 1
    (found,) = run_stages(made, stores, tmp_path, [OFF])
    assert found.at(range(10))[:, 0].tolist() == [4, 4, 4, 2, 2, 4, 4, 4, 4, 0]
    used = ingest(made, WHOLE, tmp_path / "used", filters=())
    assert read_calls(used).genotype[0, 0].tolist() == [0, 1]


def test_two_other_alleles_of_one_call_stay_two(cohort, tmp_path):
    """The share of reads of each is looked at, as in 1/2, and not as in a homozygote."""
    made = cohort(
        {
            "P1": [variant(3, "TTA", "T,TT", "1/2:50:20:0,18,2,0"), block(6, 20)],
            "P2": [block(1, 3), variant(4, "T", "C", "0/1:60:30:15,15,0"), block(5, 20)],
        }
    )
    stores = ingest(made, WHOLE, tmp_path / "stores")
    called = read_calls(stores)
    assert called.alleles[1] == ("T", "C", NON_REF, "*")
    assert called.genotype[1].tolist() == [[2, 3], [0, 1]]
    assert called.het_alt_ad[1].tolist() == [2, 15]
    plain, balanced = run_stages(made, stores, tmp_path, [OFF, GenotypeFilter(0, 1, 1, 0.2)])
    row = plain.variants.index((4, "T", "C"))
    assert plain.tables["allele_number"][row] == plain.at([3])[0] == 4
    assert balanced.tables["allele_number"][row] == balanced.at([3])[0] == 2


def test_a_variant_is_called_by_what_lies_beyond_the_partition(cohort, tmp_path):
    """The deletion's REF goes from one partition into the next, where another has no call."""
    made = cohort(
        {
            "P1": [block(1, 8), variant(9, "ATGA", "A", "0/1:50:20:10,10,0"), block(13, 40)],
            "P2": [block(1, 10), block(11, 40, "0/0:7:3")],
            "P3": [block(1, 11), block(13, 40)],
        }
    )
    regions = [Region("chr1", 0, 10), Region("chr1", 11, 1000)]
    for number, windows in enumerate((WHOLE, regions)):
        called = read_calls(ingest(made, windows, tmp_path / str(number), window=8))
        assert (called.position, called.alleles) == ([9], [("ATGA", "A")])
        assert called.genotype.tolist() == [[[0, 1], [0, 0], [-1, -1]]]
        assert (called.gq.tolist(), called.dp.tolist()) == ([[50, 7, -1]], [[20, 3, -1]])


def test_more_alleles_than_a_byte_can_number_are_all_called(cohort, tmp_path):
    alts = ["T" + "G" * k for k in range(1, 141)]
    reads = ",".join(["5"] * 142)
    made = cohort(
        {
            "P1": [variant(3, "T", ",".join(alts), f"139/140:50:20:{reads}")],
            "P2": [variant(3, "T", alts[70], "0/1:50:20:10,10,0")],
            "P3": [block(1, 9)],
        }
    )
    stores = ingest(made, WHOLE, tmp_path / "stores")
    called = read_calls(stores)
    assert called.genotype.dtype == np.int16
    assert called.alleles == [("T", *sorted(alts))]
    assert called.genotype.tolist() == [[[139, 140], [0, 71], [0, 0]]]
    (found,) = run_stages(made, stores, tmp_path, [OFF])
    assert found.tables["allele_number"].max() == 6
    assert found.tables["allele_count"].sum() == 3


def test_a_place_past_the_end_that_the_header_gives_is_read_and_swept(cohort, tmp_path):
    made = cohort({"P1": [block(1, 20, "0/0:40:20"), block(30, 2_000_000)]})
    whole = ingest(made, [Region("chr1", 0, 2**31 - 2)], tmp_path / "stores")
    with Store(whole[0], GENOTYPES, GENOTYPES_VERSION) as store:
        start, end = store.read("span_start"), store.read("span_end")
    assert start.tolist() == [0, 29, 1 << 19, 2 << 19, 3 << 19]
    assert end.tolist() == [20, 1 << 19, 2 << 19, 3 << 19, 2_000_000]
    (found,) = run_stages(made, whole, tmp_path, [OFF])
    assert found.end.tolist() == [20, 2_000_000]


def test_two_other_alleles_of_an_own_record_stay_two(cohort, tmp_path):
    made = cohort(
        {
            "P1": [block(1, 3), variant(4, "T", "C,*", "2/3:50:20:0,0,18,2")],
            "P2": [block(1, 3), variant(4, "T", "C,*", "0/2:50:20:10,0,10,0")],
        }
    )
    stores = ingest(made, WHOLE, tmp_path / "stores")
    called = read_calls(stores)
    assert called.alleles == [("T", "C", NON_REF, "*")]
    assert called.genotype.tolist() == [[[2, 3], [0, 2]]]
    (found,) = run_stages(made, stores, tmp_path, [GenotypeFilter(0, 1, 1, 0.2)])
    assert found.tables["allele_number"].tolist() == [[2]]
    assert found.at([2, 3]).tolist() == [[4], [2]]


def test_a_block_is_cut_where_a_pseudoautosomal_region_begins_and_where_it_ends(tmp_path):
    """Of X, on GRCh38: the first region is of the bases 10,001 to 2,781,479."""
    fasta = write_fasta(tmp_path / "reference.fa", {"chrX": "A" * 2_781_600})
    head = ["##fileformat=VCFv4.2", *RICH_HEADERS, "##contig=<ID=chrX>",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1",
            f"chrX\t9991\t.\tA\t{NON_REF}\t.\t.\tEND=2781500\tGT:GQ:DP\t0/0:40:20"]  # fmt: skip
    with pysam.BGZFile(str(tmp_path / "P1.g.vcf.gz"), "wb") as out:
        out.write(("\n".join(head) + "\n").encode())
    pysam.tabix_index(str(tmp_path / "P1.g.vcf.gz"), preset="vcf")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/P1.g.vcf.gz\n")
    write_sheet(tmp_path / "sheet.tsv", [("P1", "A", "XY")])
    made = Cohort(tmp_path / "list.txt", tmp_path / "sheet.tsv", fasta)
    stores = ingest(made, [Region("chrX", 0, 3_000_000)], tmp_path / "stores")
    (found,) = run_stages(made, stores, tmp_path, [OFF])
    runs = zip(found.start.tolist(), found.end.tolist(), found.allele_number[:, 0], strict=True)
    assert list(runs) == [(9_990, 10_000, 1), (10_000, 2_781_479, 2), (2_781_479, 2_781_500, 1)]


def test_who_has_no_record_of_a_contig_has_no_call_there(cohort, tmp_path):
    """As of XX people on Y; the header need not name the contig."""
    made = cohort({"P1": [block(1, 3), variant(4, "T", "C", "0/1:50:20:10,10,0")], "P2": []})
    path = tmp_path / "P2.g.vcf.gz"
    text = pysam.BGZFile(str(path)).read().replace(b"##contig=<ID=chr1,length=40>\n", b"")
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text + b"chr2\t1\t.\tA\t<NON_REF>\t.\t.\tEND=9\tGT:GQ:DP\t0/0:40:20\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
    stores = ingest(made, WHOLE, tmp_path / "stores")
    assert read_calls(stores).genotype.tolist() == [[[0, 1], [-1, -1]]]
    with pytest.raises(BadInputError, match="no contig 'chr7'"):
        ingest(made, [Region("chr7", 0, 99)], tmp_path / "stores")
