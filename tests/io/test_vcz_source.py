"""VCF Zarr stores that bio2zarr wrote are read as the VCF that they were made from, and damaged ones refused."""

import random
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from tests.builders import vcf_text, write_sheet, write_vcf

from afpanel.errors import BadInputError
from afpanel.io.source import open_source
from afpanel.model.region import Region
from afpanel.stages.ingest import Target, ingest

bio2zarr = pytest.importorskip("bio2zarr.vcf", reason="bio2zarr is not installed")

SAMPLES = [f"S{i}" for i in range(11)]
HEADERS = [
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="t">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="t">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="t">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="t">',
]
FIELDS = ("GQ", "DP", "AD")


def random_vcf(path: Path, records: int, seed: int = 3) -> Path:
    """Records of two contigs with one to three ALTs, missing, half and haploid calls, and fields that lack."""
    rng = random.Random(seed)
    rows = []
    for contig in ("chr2", "chr1"):  # not in the order in which stores list them
        position = 0
        for _ in range(records):
            position += rng.choice([0, 1, 5, 700])
            alts = rng.sample(["C", "G", "T", "AT"], rng.randint(1, 3))
            calls = []
            for _ in SAMPLES:
                alleles = [rng.choice([".", *map(str, range(len(alts) + 1))]) for _ in range(2)]
                genotype = rng.choice(["/", "|"]).join(alleles[: rng.choice([1, 2, 2, 2])])
                depth = ",".join(rng.choice(["0", "7", "."]) for _ in range(len(alts) + 1))
                quality = rng.choice([".", "0", "33", "99"])
                calls.append(f"{genotype}:{quality}:{rng.choice(['.', '0', '41'])}:{depth}")
            filter_ = rng.choice(["PASS", ".", "LowQual"])
            rows.append((contig, position + 1, "A", ",".join(alts), filter_, "GT:GQ:DP:AD", *calls))
    return write_vcf(path, vcf_text(SAMPLES, rows, contigs=("chr2", "chr1"), headers=HEADERS))


@pytest.fixture(scope="module")
def vcf(tmp_path_factory) -> Path:
    return random_vcf(tmp_path_factory.mktemp("vcf") / "a.vcf.gz", 90)


@pytest.fixture(scope="module")
def made(vcf, tmp_path_factory):
    """Stores of that VCF, by format of Zarr and kind of file, in chunks of awkward sizes."""
    folder = tmp_path_factory.mktemp("stores")

    def make(name: str, form: int) -> Path:
        path = folder / f"{form}.{name}"
        if not path.exists():
            bio2zarr.convert(
                [vcf],
                path,
                variants_chunk_size=13,
                samples_chunk_size=4,
                zarr_format=form,
            )
        return path

    return make


STORES = [("a.vcz", 2), ("b.vcz.zip", 2), ("a.vcz", 3), ("b.vcz.zip", 3)]


def columns(path: Path, **how) -> dict[str, np.ndarray]:
    """Everything that a source gives, from its first record to its last."""
    region, size = how.pop("region", None), how.pop("size", 17)
    source = open_source(path, fields=FIELDS, **how)
    # Copies: a reader may write to its arrays again.
    blocks = [block.take(np.arange(len(block))) for block in source.blocks(region, size)]
    assert all(0 < len(block) <= size for block in blocks)
    names = [
        sorted(source.filters[i] for i in np.flatnonzero(row)) for b in blocks for row in b.filters
    ]
    width = max((block.alleles.shape[1] for block in blocks), default=2)
    return {
        "samples": np.array(source.samples),
        "filters": np.array(["+".join(each) for each in names]),
        "contig": np.concatenate([[block.contig] * len(block) for block in blocks]),
        "alleles": np.concatenate(
            [
                np.pad(b.alleles, ((0, 0), (0, width - b.alleles.shape[1])), constant_values="")
                for b in blocks
            ]
        ),
        **{
            name: np.concatenate([np.array(getattr(block, name)) for block in blocks])
            for name in ("position", "ref_length", "identifier", "polyploid")
        },
        **{
            name: np.concatenate([np.array(getattr(block.calls, name)) for block in blocks])
            for name in ("genotype", "gq", "dp", "het_alt_ad")
        },
    }  # fmt: skip


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name]), name


@pytest.mark.parametrize(("name", "form"), STORES)
def test_a_store_is_read_as_the_vcf_that_it_was_made_from(vcf, made, name, form):
    same(columns(vcf), columns(made(name, form)))


@pytest.mark.parametrize("size", [1, 5, 13, 1000])
def test_blocks_of_any_size_hold_the_same(vcf, made, size):
    same(columns(vcf), columns(made("a.vcz", 2), size=size))


@pytest.mark.parametrize("samples", [["S9"], ["S3", "S0", "S10"], list(reversed(SAMPLES))])
def test_only_the_samples_asked_for_are_read_in_the_store_s_order(vcf, made, samples):
    found = columns(made("a.vcz", 3), samples=samples)
    assert set(found["samples"]) == set(samples)
    same(columns(vcf, samples=samples), found)


@pytest.mark.parametrize("region", ["chr1", "chr2:1-900", "chr1:700-9000", "chr2"])
def test_a_region_has_the_records_that_start_in_it(vcf, made, region):
    wanted = Region.parse(region)
    same(columns(vcf, region=wanted), columns(made("b.vcz.zip", 2), region=wanted))


def test_ingest_writes_the_same_store_of_both(vcf, made, tmp_path):
    sheet = write_sheet(tmp_path / "s.tsv", [(s, "P", "XX") for s in SAMPLES[2:9]])
    written = []
    for number, source in enumerate((vcf, made("a.vcz", 2))):
        out = tmp_path / f"{number}.vcz.zip"
        ingest(source, sheet, [Target(Region.parse("chr1:1-30000"), out)], fields=FIELDS)
        with zarr.storage.ZipStore(out, mode="r") as store:
            written.append({n: a[...] for n, a in zarr.open_group(store, mode="r").arrays()})
    assert written[0].keys() == written[1].keys()
    # Both list their own FILTERs, in an order of their own.
    for name in written[0].keys() - {"variant_filter", "filter_id"}:
        one, other = (each[name] for each in written)
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), name


def copy_of(made, tmp_path: Path, form: int = 2) -> Path:
    return Path(shutil.copytree(made("a.vcz", form), tmp_path / "copy.vcz"))


@pytest.mark.parametrize("form", [2, 3])
@pytest.mark.parametrize(
    "array", ["call_genotype", "variant_position", "call_GQ", "variant_allele"]
)
def test_a_store_with_a_chunk_missing_is_refused(made, tmp_path, form, array):
    """Zarr would read zeros, or what else fills arrays: genotypes of REF, say."""
    path = copy_of(made, tmp_path, form)
    chunks = [
        each for each in (path / array).rglob("*") if each.is_file() and each.name[0] not in ".z"
    ]
    max(chunks).unlink()
    with pytest.raises(BadInputError, match=f"a chunk of {array} is missing"):
        columns(path)


def test_a_zip_with_a_chunk_missing_is_refused(made, tmp_path):
    path = tmp_path / "cut.vcz.zip"
    with zipfile.ZipFile(made("b.vcz.zip", 2)) as whole, zipfile.ZipFile(path, "w") as cut:
        for entry in whole.namelist():
            if entry != "call_genotype/3.1.0":
                cut.writestr(entry, whole.read(entry))
    with pytest.raises(BadInputError, match="a chunk of call_genotype is missing"):
        columns(path)


@pytest.mark.parametrize(("form", "chunk"), [(2, "0.0.0"), (3, "c/0/0/0")])
def test_a_chunk_that_was_cut_short_is_refused(made, tmp_path, form, chunk):
    path = copy_of(made, tmp_path, form) / "call_genotype" / chunk
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(BadInputError, match="a chunk was cut short"):
        columns(tmp_path / "copy.vcz")


def changed(made, tmp_path: Path, array: str, change) -> Path:
    path = copy_of(made, tmp_path)
    found = zarr.open_group(path, mode="r+")[array]
    values = found[...]
    change(values)
    found[...] = values
    return path


def test_a_call_of_an_allele_that_the_record_lacks_is_refused_with_its_place(made, tmp_path):
    def change(values):
        values[20, 6, 1] = 9

    path = changed(made, tmp_path, "call_genotype", change)
    position = int(zarr.open_group(path, mode="r")["variant_position"][20])
    with pytest.raises(BadInputError, match="sample number 7 ") as error:
        columns(path)
    assert f"chr2:{position}" in str(error.value)


def test_records_that_are_not_sorted_are_refused(made, tmp_path):
    def change(values):
        values[40] = 1

    path = changed(made, tmp_path, "variant_position", change)
    with pytest.raises(BadInputError, match="records are not sorted"):
        columns(path)


def test_contigs_that_were_lost_are_found_by_the_index(made, tmp_path):
    path = copy_of(made, tmp_path)
    (path / "variant_contig/13").unlink()
    with pytest.raises(BadInputError, match=r"region_index|not sorted"):
        columns(path)


def test_a_contig_that_comes_twice_is_refused(made, tmp_path):
    def change(values):
        values[-1] = values[0]

    path = changed(made, tmp_path, "variant_contig", change)
    with pytest.raises(BadInputError, match="records are not sorted"):
        columns(path)


@pytest.mark.parametrize("what", ["folder", "zip", "zarr"])
def test_what_is_no_vcf_zarr_store_is_refused(tmp_path, what):
    path = tmp_path / "other"
    if what == "folder":
        path.mkdir()
    elif what == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "b")
    else:
        zarr.open_group(path, mode="w").create_array("a", shape=(3,), dtype="i4")
    with pytest.raises(BadInputError, match="not a VCF Zarr store"):
        open_source(path)


def test_calls_of_three_alleles_are_refused_or_taken_as_missing(tmp_path):
    rows = [("chr1", 5, "A", "C", "0/1/1", "0/1"), ("chr1", 9, "A", "C", "0/1", "1")]
    vcf = write_vcf(tmp_path / "p.vcf.gz", vcf_text(["a", "b"], rows))
    store = tmp_path / "p.vcz"
    bio2zarr.convert([vcf], store, ploidy=3)
    with pytest.raises(BadInputError, match="polyploid call, sample number 1"):
        columns(store)
    for path in (vcf, store):
        (block,) = open_source(path, polyploid_missing=True).blocks(None, 10)
        assert block.polyploid.tolist() == [1, 0]
        assert block.calls.genotype.tolist() == [[[-1, -1], [0, 1]], [[0, 1], [1, -2]]]
