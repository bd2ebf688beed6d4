"""Nothing that leaves `results/private` names a sample, a path, a user or a host.

The scan reads each file as bytes and as its format's readers would: inflated, unzipped, decoded. That
it would find a name if there were one is shown by planting some.
"""

import gzip
import json
import shutil
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from zarr.storage import ZipStore

from afpanel.io.files import read_json
from afpanel.stages.leak_scan import Forbidden, Machine, scan

WORDS = ("resources/1000g", "ALL.chr22.phase3", "G1K-CN/genotypes")
"""Parts of the paths of inputs and private files."""


@pytest.fixture(scope="module")
def everybody(test_data):
    """All sample IDs of the source, those of other countries too."""
    with gzip.open(test_data / "grch37/1000g.phase3.chr22.vcf.gz", "rt") as lines:
        header = next(line for line in lines if line.startswith("#CHROM"))
    samples = header.rstrip("\n").split("\t")[9:]
    assert len(samples) == 2_504
    return samples


@pytest.fixture
def copy(seven_countries, tmp_path):
    """A release that a test may spoil."""
    return shutil.copytree(seven_countries.release, tmp_path / "release")


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_no_file_of_the_release_names_a_sample_or_the_machine(seven_countries, everybody, leaks):
    words = (*WORDS, str(seven_countries.folder), "pytest-of-")
    found = files(seven_countries.release)
    assert len(found) >= 6
    assert leaks(found, everybody, words) == []


def test_no_file_outside_the_private_results_does(seven_countries, everybody, leaks):
    private = seven_countries.results / "private"
    found = [path for path in files(seven_countries.results) if private not in path.parents]
    assert len(found) > len(files(seven_countries.release))
    words = (*WORDS, str(seven_countries.folder), "pytest-of-")
    assert leaks(found, everybody, words) == []


def test_no_store_outside_the_private_results_has_an_array_per_sample(seven_countries):
    """Of all arrays only the sites and the groups give the shape; nothing is as long as a sheet."""
    stores = [
        path
        for path in files(seven_countries.results)
        if path.suffix == ".zip" and seven_countries.results / "private" not in path.parents
    ]
    assert len(stores) >= 3
    for path in stores:
        with ZipStore(path, mode="r") as store:
            for name, array in zarr.open_group(store, mode="r").arrays():
                assert not name.startswith(("call_", "sample")), path
                assert "samples" not in (array.metadata.dimension_names or ()), path
                sizes = {len(samples) for samples in seven_countries.groups.values()} | {2_504}
                assert not sizes.intersection(array.shape), (path, name)


def test_private_genotype_stores_do_name_samples(seven_countries, everybody, leaks):
    """So the scan sees through Zarr: what must be there is found."""
    store = next((seven_countries.results / "private").rglob("*.vcz.zip"))
    found = leaks([store], everybody)
    assert any("array sample_id" in place for place in found)


def test_a_sample_planted_in_the_manifest_is_found(copy, everybody, leaks):
    path = copy / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": everybody[7]}))
    assert leaks([path], everybody) == [f"manifest.json, bytes: {everybody[7]}"]


def test_a_sample_planted_in_the_vcf_header_is_found(copy, everybody, leaks):
    (path,) = copy.glob("*.vcf.gz")
    text = gzip.decompress(path.read_bytes()).replace(
        b"##source=", f"##sample={everybody[99]}\n##source=".encode(), 1
    )
    path.write_bytes(gzip.compress(text))
    assert leaks([path], everybody) == [f"{path.name}, inflated: {everybody[99]}"]


def test_a_sample_planted_in_a_parquet_file_is_found(copy, everybody, leaks):
    (path,) = copy.rglob("*.parquet/*/*.parquet")
    table = pq.ParquetFile(path).read().slice(0, 100)
    about = {**table.schema.metadata, b"note": everybody[3].encode()}
    pq.write_table(table.replace_schema_metadata(about), path, compression="zstd")
    assert f"{path.name}, metadata: {everybody[3]}" in leaks([path], everybody)
    values = [*table["ref"].to_pylist()[:-1], everybody[4]]
    spoiled = table.set_column(table.column_names.index("ref"), table.schema.field("ref"), [values])
    pq.write_table(spoiled, path, compression="zstd")
    assert f"{path.name}, column ref: {everybody[4]}" in leaks([path], everybody)


@pytest.mark.parametrize("where", ["array", "member", "entry name", "comment"])
def test_a_sample_planted_in_a_zarr_store_is_found(where, copy, everybody, leaks):
    (path,) = copy.glob("*.zarr.zip")
    sample = everybody[42]
    if where == "array":
        with ZipStore(path, mode="a") as store:
            values = np.array(["text"] * 999 + [sample], object)
            array = zarr.open_group(store, mode="r+").create_array("who", shape=(1000,), dtype=str)
            array[...] = values
    else:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            if where == "comment":
                archive.comment = sample.encode()
            elif where == "member":
                archive.writestr("group_id/more.json", json.dumps({"note": sample * 50}))
            else:
                archive.writestr(f"group_id/c/{sample}", b"")
    assert any(place.endswith(sample) for place in leaks([path], everybody))


@pytest.mark.parametrize("kind", ["user", "host", "folder", "input"])
def test_a_name_of_the_machine_planted_in_the_manifest_is_found(
    kind, copy, seven_countries, everybody, known_names, leaks
):
    word = {
        "user": known_names[0],
        "host": known_names[1],
        "folder": str(seven_countries.folder),
        "input": "resources/1000g/samples/CN.tsv",
    }[kind]
    path = copy / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": f"made by {word}"}))
    assert leaks([path], everybody, (*WORDS, str(seven_countries.folder)))


def test_the_scan_finds_no_leak_in_the_release_of_seven_countries(
    seven_countries, everybody, known_names, monkeypatch
):
    """Those of other countries are looked for too, who are in no sheet."""
    monkeypatch.chdir(seven_countries.folder)
    forbidden = Forbidden(
        Machine(*((name,) for name in known_names), (str(seven_countries.folder),))
    )
    forbidden.add_plan(read_json(seven_countries.results / "private/plan.json"))
    forbidden.add_samples("1000g", everybody)
    popgen = seven_countries.results / "panel/popgen"
    report = scan([seven_countries.release, popgen], forbidden)
    assert report.leaks == []
    assert report.searcher.names > 3_000
    assert not report.searcher.passed_over
