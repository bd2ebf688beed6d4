"""gVCFs read by region: ends of records, those that reach into a region, and MIN_DP."""

import pysam
import pytest
from tests.builders import GT_HEADER

from afpanel.errors import BadInputError
from afpanel.io.gvcf import open_gvcf
from afpanel.io.index import Index
from afpanel.io.text_source import TextSource
from afpanel.model.region import Region

HEADER = f"""##fileformat=VCFv4.2
{GT_HEADER}
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least reads">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last base">
##contig=<ID=chr1,length=248956422>
##contig=<ID=chr2,length=242193529>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP1
"""


def block(contig, start, end, calls="0/0:30:20", form="GT:GQ:DP", info="END={}"):
    return (contig, start, ".", "A", "<NON_REF>", ".", ".", info.format(end), form, calls)


def write(path, lines, *, csi=False, header=HEADER):
    text = header + "".join("\t".join(map(str, line)) + "\n" for line in lines)
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", csi=csi)
    return path


def read(source: TextSource, region: str, records: int = 3):
    return [
        (int(position), int(end))
        for each in source.blocks(Region.parse(region), records)
        for position, end in zip(each.position, each.end, strict=True)
    ]


LONG = [
    block("chr1", 100, 199),
    block("chr1", 200, 40_000_000),
    *(block("chr1", 40_000_001 + 10 * k, 40_000_010 + 10 * k) for k in range(5000)),
    block("chr1", 60_000_000, 200_000_000),
    block("chr1", 200_000_001, 200_000_001),
    block("chr2", 5, 90_000_000),
]


@pytest.fixture(scope="module", params=[False, True], ids=["tabix", "csi"])
def long(request, tmp_path_factory):
    """A file of `LONG`, with an index of each kind."""
    return write(tmp_path_factory.mktemp("long") / "a.g.vcf.gz", LONG, csi=request.param)


@pytest.mark.parametrize("first", [1, 150, 199, 200, 16_385, 20_000_000, 39_999_999, 40_000_000,
    40_000_001, 40_012_345, 40_050_001, 55_000_000, 60_000_000, 67_108_865, 134_217_729,
    199_999_999, 200_000_001, 240_000_000])  # fmt: skip
def test_a_region_has_the_blocks_that_reach_into_it(long, first):
    """The longest are of many megabases, over the borders of an index's bins of every size."""
    source = open_gvcf(long)
    for contig in ("chr1", "chr2"):
        for last in (first, first + 20_000, 248_000_000):
            spans = [(line[1], int(line[7][4:])) for line in LONG if line[0] == contig]
            expected = [span for span in spans if span[1] >= first and span[0] <= last]
            assert read(source, f"{contig}:{first}-{last}", 64) == expected


@pytest.mark.parametrize("csi", [False, True], ids=["tabix", "csi"])
def test_an_index_tells_where_a_contig_has_records(tmp_path, csi):
    path = write(tmp_path / "a.g.vcf.gz", LONG, csi=csi)
    index = Index(path.with_name(path.name + (".csi" if csi else ".tbi")))
    for contig in ("chr1", "chr2", "chr3"):
        spans = [(line[1] - 1, int(line[7][4:])) for line in LONG if line[0] == contig]
        where = index.covered(contig)
        for start, end in spans:
            assert where.start[0] <= start
            assert where.end[-1] >= end
        assert bool(spans) == bool(len(where.start))
    near = write(tmp_path / "b.g.vcf.gz", [block("chr1", 100_000_000, 100_000_005)], csi=csi)
    where = open_gvcf(near).covered("chr1")
    assert (where.start.tolist(), where.end.tolist()) == ([6103 << 14], [6104 << 14])


@pytest.mark.parametrize(
    ("info", "end"),
    [("END=12", 12), ("DP=3;END=12;X=1", 12), ("CIEND=3", 10), ("XEND=99", 10), (".", 10),
     ("DP=3;END=10", 10), ("BLEND=7;END=11", 11)],
)  # fmt: skip
def test_a_record_ends_where_info_says_or_else_where_ref_does(tmp_path, info, end):
    source = open_gvcf(write(tmp_path / "a.g.vcf.gz", [block("chr1", 10, 0, info=info)]))
    assert read(source, "chr1:1-100") == [(10, end)]


@pytest.mark.parametrize("info", ["END=9", "END=x", "END=", "END=2147483647", "END=-1"])
def test_an_end_that_is_no_place_after_pos_is_refused(tmp_path, info):
    lines = [block("chr1", 10, 0, info=info), block("chr1", 20, 30)]
    source = open_gvcf(write(tmp_path / "a.g.vcf.gz", lines, csi=True))
    with pytest.raises(BadInputError, match="chr1:10: END in INFO"):
        read(source, "chr1:1-100")


def test_min_dp_stands_for_dp_only_where_there_is_no_dp(tmp_path):
    lines = [
        block("chr1", 10, 12, "0/0:30:7", "GT:GQ:MIN_DP"),
        block("chr1", 13, 14, "0/0:30:7:9", "GT:GQ:MIN_DP:DP"),
        block("chr1", 15, 15, "0/0:9:30:7", "GT:DP:GQ:MIN_DP"),
        block("chr1", 16, 16, "0/0:30:.:7", "GT:GQ:DP:MIN_DP"),
        block("chr1", 17, 17, "0/0:30", "GT:GQ"),
    ]
    path = write(tmp_path / "a.g.vcf.gz", lines)
    (found,) = open_gvcf(path, ("GQ", "DP")).blocks(Region.parse("chr1"), 9)
    assert found.calls.dp[:, 0].tolist() == [7, 9, 9, -1, -1]
    assert found.calls.gq[:, 0].tolist() == [30] * 5
    header = HEADER.replace("##FORMAT=<ID=DP,", "##FORMAT=<ID=XX,")
    only = open_gvcf(write(tmp_path / "b.g.vcf.gz", lines[:1], header=header), ("GQ", "DP"))
    assert only.fields == ("GQ", "DP")


def test_min_dp_that_stands_twice_is_refused(tmp_path):
    lines = [block("chr1", 10, 12, "0/0:30:7:7", "GT:GQ:MIN_DP:MIN_DP")]
    source = open_gvcf(write(tmp_path / "a.g.vcf.gz", lines), ("DP",))
    with pytest.raises(BadInputError, match="twice"):
        read(source, "chr1")
