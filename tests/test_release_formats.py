"""What the files of a release hold beside the figures that all formats share, and what reads and checks them."""

import gzip
import json
import random
import shutil

import allel
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pysam.bcftools
import pytest
from tests.published_files import release, simulate
from tests.releases import ABSENT, MASKED, NOT_CALLABLE, OBSERVED, counts_of, head_of, variants_of

import afpanel
from afpanel.cli.main import main
from afpanel.errors import PolicyRefusalError, VerificationError
from afpanel.io import release_parquet, release_vcf, release_zarr
from afpanel.io.leak_page_index import index_places
from afpanel.io.leak_pages import ThriftReader
from afpanel.io.panel_store import PanelHead, create_panel, read_heads, write_panel_block
from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.release_parquet import open_parquet
from afpanel.stages import publish_formats
from afpanel.stages.gate import gate
from afpanel.stages.leak_scan import NOWHERE, Forbidden, scan
from afpanel.stages.publish import PublishInputs, PublishOptions, publish
from afpanel.stages.publish_formats import FORMATS, write_formats
from afpanel.stages.verify_release import attack_release

POLICY = "min_group_size: 50\nmin_allele_count: 11\n"
PEOPLE = {"total": 60, "VN": 40, "VN_KHV": 40, "JP": 20, "XX": 30, "XY": 30}
CONTIGS = {
    "chr1": 248_956_422,
    "chrX": 156_040_895,
    "chrY": 57_227_415,
    "chrM": 16_569,
    "chrUn_1": 5_000,
}
HIDDEN, NOBODY = (-1, -1, -1, -1, MASKED), (-1, 0, -1, -1, NOT_CALLABLE)
ROWS = {
    ("chr1", 1, "A", "G"): [(9, 120, 2, 0, OBSERVED), (6, 80, 1, 0, OBSERVED), (6, 80, 1, 0, OBSERVED), (3, 40, 1, 0, OBSERVED), (5, 60, 1, 0, OBSERVED), (4, 60, 1, 0, OBSERVED)],
    ("chr1", 10_000_000, "AC", "A"): [(7, 80, 0, 0, OBSERVED), (7, 80, 0, 0, OBSERVED), (7, 80, 0, 0, OBSERVED), NOBODY, (3, 40, 0, 0, OBSERVED), (4, 40, 0, 0, OBSERVED)],
    ("chr1", 10_000_001, "AC", "GT"): [(2, 120, 0, 0, OBSERVED), (2, 80, 0, 0, OBSERVED), HIDDEN, (0, 40, 0, 0, ABSENT), HIDDEN, HIDDEN],
    ("chr1", 10_000_001, "AC", "TT"): [(1, 120, 0, 0, OBSERVED), HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN],
    ("chrX", 5_000_000, "C", "T"): [(20, 90, 3, 6, OBSERVED), (15, 60, 2, 5, OBSERVED), (15, 60, 2, 5, OBSERVED), (5, 30, 1, 1, OBSERVED), (14, 60, 3, 0, OBSERVED), (6, 30, 0, 6, OBSERVED)],
    ("chrY", 3_000_000, "C", "T"): [(3, 30, 0, 3, OBSERVED), (2, 20, 0, 2, OBSERVED), (2, 20, 0, 2, OBSERVED), (1, 10, 0, 1, OBSERVED), NOBODY, (3, 30, 0, 3, OBSERVED)],
    ("chrM", 100, "C", "T"): [(6, 60, 0, 6, OBSERVED), (4, 40, 0, 4, OBSERVED), (4, 40, 0, 4, OBSERVED), (2, 20, 0, 2, OBSERVED), (3, 30, 0, 3, OBSERVED), (3, 30, 0, 3, OBSERVED)],
    ("chrUn_1", 100, "C", "T"): [(6, 60, 0, 0, OBSERVED)] * 6,
}  # fmt: skip
"""AC, AN, nhomalt, nhemialt and state of the total, VN, VN_KHV, JP, XX and XY."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The rows above in every format."""
    folder = tmp_path_factory.mktemp("written")
    head = head_of(PEOPLE, CONTIGS)
    writers = [each.maker(folder / f"tiny-1{each.suffix}", head) for each in FORMATS.values()]
    for contig in CONTIGS:
        mine = sorted(variant for variant in ROWS if variant[0] == contig)
        block = ReleaseBlock.of(contig, variants_of(mine), counts_of(mine, ROWS, len(PEOPLE)), head)
        for writer in writers:
            writer.write(block)
    for writer in writers:
        writer.close()
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A gated panel of two contigs, in every format."""
    folder = tmp_path_factory.mktemp("formats")
    panels = simulate(folder / "merged", 300)
    (folder / "policy.yaml").write_text(POLICY)
    gate(panels, folder / "policy.yaml", folder / "out", folder / "decision.json")
    gated = [folder / "out" / path.name for path in panels]
    release(gated, folder / "decision.json", folder / "release", formats=tuple(FORMATS))
    return folder


def lines_of(path) -> list[list[str]]:
    text = gzip.decompress(path.read_bytes()).decode()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("##")]


def test_the_slim_vcf_has_six_keys_with_the_values_of_the_whole_one(made):
    whole, slim = (lines_of(made / f"release/p-1{end}.vcf.gz") for end in ("", ".slim"))
    keys = ["AC", "AN", "AF", "nhomalt", "faf95", "grpmax"]
    assert len(whole) == len(slim) > 400
    for full, short in zip(whole[1:], slim[1:], strict=True):
        assert full[:7] == short[:7]
        values = dict(pair.split("=") for pair in full[7].split(";"))
        assert short[7] == ";".join(f"{key}={values[key]}" for key in keys)


@pytest.mark.parametrize("end", ["", ".slim"])
def test_ids_are_contig_position_ref_and_alt_as_bcftools_reads_them(made, written, end):
    """Many positions have several ALTs, and some alleles are of more than one base."""
    kinds = set()
    for path in (made / f"release/p-1{end}.vcf.gz", written / f"tiny-1{end}.vcf.gz"):
        text = pysam.bcftools.query("-f", "%ID\t%CHROM-%POS-%REF-%ALT\t%CHROM:%POS\n", str(path))
        rows = [line.split("\t") for line in text.splitlines()]
        assert rows
        assert [row[0] for row in rows] == [row[1] for row in rows]
        assert len({row[0] for row in rows}) == len(rows)
        kinds |= {"several ALTs"} if len({row[2] for row in rows}) < len(rows) else set()
        kinds |= {"indels"} if any(len(row[0].split("-")[2]) > 1 for row in rows) else set()
    assert kinds == {"several ALTs", "indels"}


def test_alleles_of_thousands_of_bases_are_whole_in_their_ids_and_hardly_cost_bytes(tmp_path):
    """Up to some thousand: a repetition reaches back 32,768 bytes, as in any gzip file."""
    draw = random.Random(7)
    rows: dict = {}
    for i in range(200):
        sizes = (
            (20_000, 1) if i == 199 else (draw.choice([1, 30, 300, 3_000]), draw.choice([1, 30]))
        )
        ref, alt = ("".join(draw.choices("ACGT", k=size)) for size in sizes)
        rows["chr1", 100_000 + 7 * i, f"A{ref}", f"T{alt}"] = [(9, 120, 2, 0, OBSERVED)] * len(
            PEOPLE
        )
    head, writer_path = head_of(PEOPLE, CONTIGS), tmp_path / "a.vcf.gz"
    writer = FORMATS["vcf-slim"].maker(writer_path, head)
    block = ReleaseBlock.of(
        "chr1", variants_of(list(rows)), counts_of(list(rows), rows, len(PEOPLE)), head
    )
    writer.write(block)
    writer.close()
    lines = lines_of(writer_path)[1:]
    assert len(lines[-1][2]) > 20_000
    assert [line[2] for line in lines] == ["-".join(map(str, variant)) for variant in rows]
    text = "\n".join("\t".join([*line[:2], ".", *line[3:]]) for line in lines)
    packed = sum(
        len(gzip.compress(text[i : i + 60_000].encode())) for i in range(0, len(text), 60_000)
    )
    assert writer_path.stat().st_size < 1.3 * packed


@pytest.mark.parametrize("end", ["", ".slim"])
def test_an_id_that_is_not_that_of_its_variant_is_found(made, end, tmp_path):
    copy = shutil.copytree(made / "release", tmp_path / "release")
    path = copy / f"p-1{end}.vcf.gz"
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    row = next(i for i, line in enumerate(lines) if line[:1] != b"#") + 3
    for name in (b".", b"chr21-1-A-C"):
        cells = lines[row].split(b"\t")
        lines[row] = b"\t".join([*cells[:2], name, *cells[3:]])
        path.write_bytes(gzip.compress(b"\n".join(lines)))
        with pytest.raises(VerificationError, match="the ID of a variant"):
            attack_release(copy, 10)


def test_a_variant_is_found_by_its_id_and_by_what_gnomad_calls_it(written):
    """gnomAD's browser leaves ``chr`` out, and says M."""
    for path in (written / "tiny-1.zarr.zip", written / "tiny-1.parquet"):
        with afpanel.open_panel(path) as panel:
            for line in lines_of(written / "tiny-1.vcf.gz")[1:]:
                for name in {line[2], line[2].removeprefix("chr"), line[2].replace("-", ":")}:
                    found = panel.variant(name)
                    assert len(found) == 1
                    assert (found.contig[0], str(found.position[0])) == tuple(line[:2])
                    assert (found.ref[0], found.alt[0]) == tuple(line[3:5])
            with pytest.raises(afpanel.errors.BadInputError, match="no contig '7'"):
                panel.variant("7-1-A-C")


def test_every_field_of_the_header_is_described(made):
    header = gzip.decompress((made / "release/p-1.vcf.gz").read_bytes()).decode().splitlines()
    info = [line for line in header if line.startswith("##INFO")]
    assert len(info) > 100
    assert all('Description="' in line and 'Description=""' not in line for line in info)
    assert "##contig=<ID=chr21,length=46709983,assembly=GRCh38>" in header


def test_gdi_has_a_row_for_each_country_whose_counts_are_shown(written):
    """By hand; AC_HET + AC_HOM + AC_HEMI is AC, the last three being alleles."""
    folder = written / "tiny-1.gdi/GRCh38"
    found = {}
    for path in sorted(folder.iterdir()):
        table = pq.ParquetFile(path).read()
        assert table.schema.types == [
            pa.int32(), *[pa.string()] * 4, pa.float64(), *[pa.int32()] * 5
        ]  # fmt: skip
        assert table.schema.names == [
            "POS", "REF", "ALT", "VT", "POPULATION", "AF", "AC", "AC_HET", "AC_HOM", "AC_HEMI", "AN"
        ]  # fmt: skip
        assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
        found[path.name] = [tuple(row.values()) for row in table.to_pylist()]
    assert found == {
        "allele-freq-chr1.0.parquet": [
            (0, "A", "G", "SNP", "VN", 6 / 80, 6, 4, 2, 0, 80),
            (0, "A", "G", "SNP", "JP", 3 / 40, 3, 1, 2, 0, 40),
            (9_999_999, "AC", "A", "INDEL", "VN", 7 / 80, 7, 7, 0, 0, 80),
        ],
        "allele-freq-chr1.1.parquet": [
            (10_000_000, "AC", "GT", "MNP", "VN", 2 / 80, 2, 2, 0, 0, 80),
            (10_000_000, "AC", "GT", "MNP", "JP", 0.0, 0, 0, 0, 0, 40),
        ],
        "allele-freq-chrX.0.parquet": [
            (4_999_999, "C", "T", "SNP", "VN", 15 / 60, 15, 6, 4, 5, 60),
            (4_999_999, "C", "T", "SNP", "JP", 5 / 30, 5, 2, 2, 1, 30),
        ],
        "allele-freq-chrY.0.parquet": [
            (2_999_999, "C", "T", "SNP", "VN", 2 / 20, 2, 0, 0, 2, 20),
            (2_999_999, "C", "T", "SNP", "JP", 1 / 10, 1, 0, 0, 1, 10),
        ],
        "allele-freq-chrM.0.parquet": [
            (99, "C", "T", "SNP", "VN", 4 / 40, 4, 0, 0, 4, 40),
            (99, "C", "T", "SNP", "JP", 2 / 20, 2, 0, 0, 2, 20),
        ],
    }


def test_people_without_a_y_are_absent_there_and_not_0_in_every_format(written):
    info = next(line[7] for line in lines_of(written / "tiny-1.vcf.gz") if line[0] == "chrY")
    assert {"AC_XX=.", "AN_XX=0", "AF_XX=.", "nhomalt_XX=.", "AC_XY=3"} <= set(info.split(";"))
    (row,) = (
        pq.ParquetFile(written / "tiny-1.parquet/contig=chrY/part-0.parquet").read().to_pylist()
    )
    names = ("AC_XX", "AN_XX", "AF_XX", "nhomalt_XX", "state_XX")
    assert [row[name] for name in names] == [None, 0, None, None, NOT_CALLABLE]
    for path in (written / "tiny-1.zarr.zip", written / "tiny-1.parquet"):
        with afpanel.open_panel(path) as panel:
            found = panel.region("chrY", groups=["XX"])
        assert found.allele_count.tolist() == found.homozygote_count.tolist() == [[-1]]
        assert found.allele_number.tolist() == [[0]]
        assert found.state.tolist() == [[NOT_CALLABLE]]
        assert np.isnan(found.allele_frequency).all()


def test_masked_cells_are_missing_with_their_state_in_every_format(written):
    for path in (written / "tiny-1.zarr.zip", written / "tiny-1.parquet"):
        with afpanel.open_panel(path) as panel:
            found = panel.variant("chr1-10000001-AC-TT")
        assert found.state[0].tolist() == [OBSERVED, *[MASKED] * 5]
        for table in (found.allele_count, found.allele_number, found.homozygote_count):
            assert table[0, 1:].tolist() == [-1] * 5
    info = lines_of(written / "tiny-1.vcf.gz")[4][7].split(";")
    assert {"AC=1", "AC_VN=.", "AN_VN=.", "AF_XY=.", "nhomalt_JP=."} <= set(info)


def test_parquet_is_sorted_described_and_has_an_index_of_pages(made):
    for path in (made / "release/p-1.parquet").glob("*/*.parquet"):
        with pq.ParquetFile(path) as file:
            table, schema = file.read(), file.schema_arrow
            group = file.metadata.row_group(0)
            columns = {
                group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)
            }
        assert all(field.metadata[b"description"] for field in schema)
        keys = list(zip(*(table[name].to_pylist() for name in ("pos", "ref", "alt")), strict=True))
        assert keys == sorted(keys)
        assert columns["pos"].has_offset_index
        assert columns["pos"].has_column_index
        assert columns["AC"].has_dictionary_page
        assert not columns["AF"].has_dictionary_page
        assert [each.column_index for each in group.sorting_columns] == [0, 1, 2]


def test_the_indexes_of_pages_are_listed_by_our_own_reader_of_footers(made):
    """Oracle: Arrow says which columns have them."""
    (path, *_) = sorted((made / "release/p-1.parquet").glob("*/*.parquet"))
    data = path.read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    places = list(index_places(footer))
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        columns = [group.column(i) for i in range(group.num_columns)]
    assert [p.column for p in places if p.kind == "values"] == [
        each.path_in_schema for each in columns if each.has_column_index
    ]
    assert sum(p.kind == "offsets" for p in places) == sum(
        each.has_offset_index for each in columns
    )


def test_a_page_has_4096_rows_in_every_column(tmp_path):
    """Oracle: the index, read by our own reader of Thrift, which is held against Arrow above."""
    n = 10_000
    columns = {"pos": pa.array(range(n), pa.int32()), "ref": pa.array(["A"] * n)}
    columns |= {"AC": pa.array([0] * n, pa.int32()), "AF": pa.array(np.arange(n), pa.float32())}
    table = pa.table(columns)
    with open_parquet(tmp_path / "a.parquet", table.schema, ("pos", "ref"), 4_096) as writer:
        writer.write_table(table)
    data = (tmp_path / "a.parquet").read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    for place in index_places(footer):
        if place.kind == "offsets":
            pages = ThriftReader(data[place.start : place.start + place.size]).structure()[1]
            assert [page.get(3, 0) for page in pages] == [0, 4_096, 8_192], place.column


def test_a_panel_opened_by_its_parquet_is_the_panel_opened_by_its_zarr(made):
    folder = made / "release"
    with (
        afpanel.open_panel(folder) as one,
        afpanel.open_panel(folder / "p-1.parquet") as other,
    ):
        assert repr(one) == repr(other)
        assert one.contig_lengths == other.contig_lengths
        for region in (None, "chrX", "chr21:1500-2000", "chr21:1-2"):
            mine, theirs = (
                p.variants() if region is None else p.region(region) for p in (one, other)
            )
            for name, values in vars(mine).items():
                assert np.array_equal(
                    values,
                    getattr(theirs, name),
                    equal_nan=name != "groups" and np.asarray(values).dtype.kind == "f",
                ), name
        assert one.fst("AA", "DD") == other.fst("AA", "DD")
        left, right = (panel.window("chrX", 5_000_100, 5_000_900) for panel in (one, other))
        assert (left.variants.position == right.variants.position).all()
        assert (left.counts.allele_count == right.counts.allele_count).all()
        assert (left.no_alt_left == right.no_alt_left).all()


def test_fst_is_that_of_scikit_allel_over_the_autosome(made):
    with afpanel.open_panel(made / "release") as panel:
        found, in_region = panel.fst("AA", "BB"), panel.fst("AA", "BB", region="chrX")
        for region, fst in (("chr21", found), ("chrX", in_region)):
            counts = [panel.region(region).allele_counts(group) for group in ("AA", "BB")]
            numerator, denominator = allel.hudson_fst(*counts)
            assert fst == pytest.approx(np.nansum(numerator) / np.nansum(denominator), abs=1e-9)


def test_frequencies_of_chosen_groups_are_those_of_the_whole(made):
    with afpanel.open_panel(made / "release") as panel:
        every = panel.variants().allele_frequency
        chosen = panel.frequencies(groups=["DD", "AA"])
        at = [panel.groups.index(group) for group in ("DD", "AA")]
        np.testing.assert_array_equal(chosen, every[:, at])
        assert len(panel.variant("chr21-1000-A-AAAAA")) == 0
        with pytest.raises(afpanel.errors.BadInputError, match="not a variant"):
            panel.variant("rs123")


def test_the_verifier_reads_every_file_and_finds_nothing(made, capsys):
    assert main(["-q", "verify-release", str(made / "release"), "--sample", "20"]) == 0
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines()[:6]] == [
        "vcf", "parquet", "zarr", "bcf", "slim vcf", "gdi"
    ]  # fmt: skip
    assert main(["-q", "scan", str(made / "release")]) == 0


def changed_gdi(folder, change) -> None:
    path = next(folder.glob("p-1.gdi/*/*chr21.0.parquet"))
    table = pq.ParquetFile(path).read()
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:5], *rows[6:]],
        lambda rows: [*rows, rows[-1]],
        lambda rows: [{**rows[0], "AC": rows[0]["AC"] + 1}, *rows[1:]],
        lambda rows: [{**rows[0], "POPULATION": "ZZ"}, *rows[1:]],
    ],
    ids=["a row is gone", "a row too many", "another count", "another country"],
)
def test_the_verifier_finds_what_only_the_files_of_gdi_say(made, change, tmp_path):
    copy = shutil.copytree(made / "release", tmp_path / "release")
    changed_gdi(copy, change)
    verdicts = attack_release(copy, 10)
    assert verdicts["gdi"].found
    assert not verdicts["vcf"].found


def test_the_verifier_finds_a_cell_that_only_the_slim_vcf_shows(made, tmp_path):
    copy = shutil.copytree(made / "release", tmp_path / "release")
    path = copy / "p-1.slim.vcf.gz"
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"nhomalt=0", b"nhomalt=1", 1)))
    verdicts = attack_release(copy, 10)
    assert verdicts["slim vcf"].found == {"nhomalt is not as in vcf": 1}


def test_a_policy_that_withholds_homozygotes_refuses_gdi(tmp_path):
    shown = {"statistics.nhomalt": False, "statistics.nhemialt": True}
    rules = [{"rule": rule, "value": value, "by": ["open"]} for rule, value in shown.items()]
    decision = {"withheld_groups": [], "groups": [], "policy": {"effective": rules}}
    (tmp_path / "decision.json").write_text(json.dumps(decision))
    head = PanelHead("chr1", 1000, ["total"], [[5, 5, 0]])
    with create_panel(tmp_path / "chr1.zip", head) as writer:
        mine = [("chr1", 5, "A", "C")]
        counts = counts_of(mine, {mine[0]: [(1, 20, 0, 0, OBSERVED)]}, 1)
        write_panel_block(writer, variants_of(mine), counts)
    inputs = PublishInputs([tmp_path / "chr1.zip"], tmp_path / "decision.json", [], tmp_path, None)
    options = PublishOptions("p", "1", "GRCh38", ("vcf", "gdi"))
    with pytest.raises(PolicyRefusalError, match="gdi") as refused:
        publish(inputs, tmp_path / "out", tmp_path / "summary.txt", options)
    assert refused.value.exit_code == 4
    assert not (tmp_path / "out").exists()


def test_files_have_the_same_bytes_whichever_thread_is_first(made, tmp_path):
    gated = sorted((made / "out").glob("*.zarr.zip"))
    heads = read_heads(gated)
    contigs = {head.contig: head.contig_length for head in heads}
    head = ReleaseHead("p", "1", "GRCh38", contigs, heads[0].groups, heads[0].people_by_sex)
    write_formats(tmp_path / "p-1", head, gated, tuple(reversed(FORMATS)))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3 + 2 + 1 + 3 + 2 + 2
    for path in files:
        assert path.read_bytes() == (made / "release" / path.relative_to(tmp_path)).read_bytes()


def test_files_have_the_same_bytes_whatever_the_number_of_threads_and_the_size_of_blocks(
    made, tmp_path, monkeypatch
):
    """Chunks and row groups that no block ends with; of a VCF's lines so many at a time that all blocks have."""
    gated = sorted((made / "out").glob("*.zarr.zip"))
    heads = read_heads(gated)
    contigs = {head.contig: head.contig_length for head in heads}
    head = ReleaseHead("p", "1", "GRCh38", contigs, heads[0].groups, heads[0].people_by_sex)
    monkeypatch.setattr(release_vcf, "_ROWS", 64)
    monkeypatch.setattr(release_zarr, "_CHUNK", 97)
    monkeypatch.setattr(release_parquet, "_rows_of", lambda columns: 101)
    written = {}
    for threads, rows in ((1, 16_384), (2, 128), (3, 64)):
        monkeypatch.setattr(publish_formats, "_ROWS", rows)
        folder = tmp_path / f"{threads}"
        folder.mkdir()
        write_formats(folder / "p-1", head, gated, ("vcf", "parquet", "zarr"), threads=threads)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        written[threads] = {path.relative_to(folder): path.read_bytes() for path in files}
    assert written[1] == written[2] == written[3]
    for name in written[1]:
        if name.suffix == ".parquet":
            whole, parts = (pq.read_table(f / name) for f in (made / "release", tmp_path / "3"))
            assert parts.equals(whole)
            assert pq.ParquetFile(tmp_path / "3" / name).metadata.num_row_groups > 1
    whole, parts = (lines_of(f / "p-1.vcf.gz") for f in (made / "release", tmp_path / "3"))
    assert parts == whole


def test_a_block_without_groups_to_spare_is_of_few_rows_and_one_of_few_groups_of_many():
    assert release_parquet._rows_of(143) == release_parquet._ROW_GROUP
    for figures in (1_000, 10_000, 10**9):
        rows = release_parquet._rows_of(figures)
        assert rows % release_parquet._PAGE == 0
        assert rows == release_parquet._PAGE or rows * figures <= release_parquet._VALUES


def test_a_scan_tells_the_same_in_the_same_order_whatever_the_number_of_threads(
    made, tmp_path, monkeypatch
):
    folder = tmp_path / "release"
    shutil.copytree(made / "release", folder)
    (folder / "a.unknown").write_text("x")
    for path in folder.glob("*.vcf.gz"):
        path.write_bytes(path.read_bytes()[:-28])
    told = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        report = scan([folder], Forbidden(NOWHERE))
        told.append(([str(leak) for leak in report.leaks], report.looked))
    assert told[0] == told[1]
    assert len([leak for leak in told[0][0] if "no end-of-file block" in leak]) == 2
