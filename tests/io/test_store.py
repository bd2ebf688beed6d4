"""Stores: the bytes are a function of the content, and a reader gets what a writer gave."""

import hashlib
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import ZipStore

from afpanel.errors import BadInputError
from afpanel.io.files import (
    read_json,
    sha256,
    whole_file,
    write_if_changed,
    write_json,
    write_text,
)
from afpanel.io.store import Store
from afpanel.io.store_writer import create_store

SETTINGS = settings(max_examples=25, deadline=None, derandomize=True)


def content(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of every dtype that a store holds."""
    rng = np.random.default_rng(seed)
    alleles = np.array(["A", "C", "ACGT", "", "<DEL>", "T" * 50], object)
    return {
        "variant_position": rng.integers(0, 2**31 - 1, rows).astype(np.int32),
        "variant_allele": rng.choice(alleles, (rows, 2)),
        "variant_quality": rng.random(rows).astype(np.float32),
        "variant_filter": rng.random((rows, 3)) < 0.5,
        "call_genotype": rng.integers(-2, 3, (rows, 5, 2)).astype(np.int8),
        "call_GQ": rng.integers(-1, 100, (rows, 5)).astype(np.int16),
        "allele_flags": rng.integers(0, 4, rows).astype(np.uint8),
        "partition_offset": rng.integers(0, 2**60, rows),
    }


def write(path: Path, arrays: dict[str, np.ndarray], cuts: list[int], chunk: int) -> Path:
    """Write arrays in blocks, cut at the rows given."""
    rows = len(next(iter(arrays.values())))
    with create_store(path, "test", 1, chunk=chunk, attributes={"made": "for a test"}) as writer:
        edges = [0, *sorted(cuts), rows]
        for start, end in itertools.pairwise(edges):
            writer.append({name: values[start:end] for name, values in arrays.items()})
        writer.array("sample_id", ["s1", "s2", "ß3"])
    return path


@SETTINGS
@given(
    st.integers(0, 40).flatmap(
        lambda rows: st.tuples(
            st.just(rows),
            st.lists(st.integers(0, rows), max_size=6),
            st.lists(st.integers(0, rows), max_size=6),
        )
    ),
    st.integers(1, 17),
)
def test_the_bytes_do_not_depend_on_how_rows_were_cut_into_blocks(
    tmp_path_factory: pytest.TempPathFactory, cut: tuple[int, list[int], list[int]], chunk: int
) -> None:
    rows, one, other = cut
    folder = tmp_path_factory.mktemp("store")
    arrays = content(rows)
    paths = [write(folder / f"{i}.zip", arrays, cuts, chunk) for i, cuts in enumerate((one, other))]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Store(paths[0], "test", 1) as store:
        for name, values in arrays.items():
            found = store.read(name)
            assert found.shape == values.shape
            assert found.tolist() == values.tolist()


@pytest.mark.parametrize("chunk", [1, 2, 7, 19, 20, 21, 1_000])
def test_any_rows_of_any_chunk_size_are_read_back(tmp_path: Path, chunk: int) -> None:
    arrays = content(20)
    path = write(tmp_path / "a.zip", arrays, [3, 4, 11], chunk)
    with Store(path, "test", 1) as store:
        for name, values in arrays.items():
            assert store.rows(name) == 20
            assert store.shape(name) == values.shape
            assert store.chunk_rows(name) == chunk
            for start, stop in ((0, 20), (0, 0), (19, 20), (chunk % 20, 20), (5, 13)):
                found = store.read(name, start, stop)
                assert found.tolist() == values[start:stop].tolist()
                assert found.dtype == values.dtype or values.dtype == object
        assert store.texts("sample_id") == ["s1", "s2", "ß3"]
        assert store.attributes["made"] == "for a test"
        assert store.names() == {*arrays, "sample_id"}
        assert "call_GQ" in store
        assert "call_DP" not in store


def test_the_bytes_do_not_depend_on_the_time_or_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write(tmp_path / "one.zip", content(9), [], 4)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    (tmp_path / "folder").mkdir()
    other = write(tmp_path / "folder" / "other.zip", content(9), [], 4)
    assert sha256(one) == sha256(other)


@SETTINGS
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 5))
def test_a_second_dimension_that_widens_reads_as_if_it_had_been_wide(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("store")
    widest = max(widths)
    table = np.full((2 * len(widths), widest), "", object)
    filters = np.zeros((2 * len(widths), widest), np.bool_)
    for block, width in enumerate(widths):
        table[2 * block : 2 * block + 2, :width] = f"A{block}"
        filters[2 * block : 2 * block + 2, :width] = True
    with create_store(folder / "a.zip", "test", 1, chunk=chunk) as writer:
        for block, width in enumerate(widths):
            rows = slice(2 * block, 2 * block + 2)
            writer.append({"variant_allele": table[rows, :width]})
            writer.append({"variant_filter": filters[rows, :width]})
    with Store(folder / "a.zip", "test", 1) as store:
        assert store.read("variant_allele").tolist() == table.tolist()
        assert store.read("variant_filter").tolist() == filters.tolist()


@SETTINGS
@given(st.lists(st.integers(2, 7), min_size=1, max_size=9), st.data())
def test_the_bytes_do_not_depend_on_which_block_was_wide(
    tmp_path_factory: pytest.TempPathFactory, widths: list[int], data: st.DataObject
) -> None:
    """A block is as wide as its widest record, so other blocks have other widths."""
    folder = tmp_path_factory.mktemp("store")
    chunk = data.draw(st.integers(1, 4))
    paths = []
    for number in range(2):
        cuts = data.draw(st.sets(st.integers(1, max(1, len(widths) - 1)), max_size=4))
        edges = sorted({0, *cuts, len(widths)})
        paths.append(folder / f"{number}.zip")
        with create_store(paths[-1], "test", 1, chunk=chunk) as writer:
            for start, end in itertools.pairwise(edges):
                block = np.full((end - start, max(widths[start:end])), "", object)
                for row, width in zip(block, widths[start:end], strict=True):
                    row[:width] = "ACGT"
                writer.append({"variant_allele": block})
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_genotypes_may_be_wider_than_a_byte(tmp_path: Path) -> None:
    genotype = np.array([[[0, 300]], [[-1, -2]]], np.int16)
    with create_store(tmp_path / "a.zip", "test", 1, chunk=1) as writer:
        writer.append({"call_genotype": genotype})
    with Store(tmp_path / "a.zip", "test", 1) as store:
        found = store.read("call_genotype")
    assert found.dtype == np.int16
    assert found.tolist() == genotype.tolist()


@pytest.mark.parametrize("shape", [(0, 0, 2), (3, 0, 2), (0, 4, 2)])
def test_arrays_without_elements_keep_their_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with create_store(tmp_path / "a.zip", "test", 1, chunk=2) as writer:
        writer.append({"call_genotype": np.zeros(shape, np.int8)})
        writer.array("group_id", [])
        writer.array("region_index", np.zeros((0, 6), np.int32))
    with Store(tmp_path / "a.zip", "test", 1) as store:
        assert store.read("call_genotype").shape == shape
        assert store.texts("group_id") == []
        assert store.read("region_index").shape == (0, 6)


def test_every_array_says_what_it_is_and_names_its_dimensions(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", content(3), [], 2)
    with zarr.storage.ZipStore(path, mode="r") as store:
        for name, array in zarr.open_group(store, mode="r").arrays():
            assert array.attrs["description"], name
            assert len(array.metadata.dimension_names) == array.ndim, name


def test_a_zip_entry_is_written_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zip", content(50), [5, 9, 30], 7)
    names = zipfile.ZipFile(path).namelist()
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("kind", "version"), [("other", 1), ("test", 2), ("other", 2)])
def test_another_kind_or_version_is_refused_with_both_in_the_message(
    tmp_path: Path, kind: str, version: int
) -> None:
    path = write(tmp_path / "a.zip", content(1), [], 1)
    with pytest.raises(BadInputError) as refused:
        Store(path, kind, version)
    message = str(refused.value)
    assert str(path) in message
    assert f"expected: {kind}, format version {version}" in message
    assert "found:    test, format version 1" in message
    assert "remedy" in message


def a_zip_of_something_else(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("readme.txt", "hello")


def a_store_of_another_program(path: Path) -> None:
    with zarr.storage.ZipStore(path, mode="w") as store:
        zarr.create_group(store)


def half_a_store(path: Path) -> None:
    write(path, content(40), [], 4)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


STRANGERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("hello"),
    "empty": lambda path: path.write_bytes(b""),
    "zip": a_zip_of_something_else,
    "zarr": a_store_of_another_program,
    "half": half_a_store,
    "missing": lambda path: None,
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_is_no_store_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    STRANGERS[name](path)
    with pytest.raises(BadInputError, match=r"a\.zip"):
        Store(path, "test", 1)


class InterruptionError(Exception):
    """Whatever may go wrong."""


@pytest.mark.parametrize("existing", [False, True])
def test_after_an_error_nothing_new_is_under_any_name(tmp_path: Path, existing: bool) -> None:
    path = tmp_path / "a.zip"
    if existing:
        path.write_text("what was there before")

    def write_half() -> None:
        with create_store(path, "test", 1, chunk=2) as writer:
            writer.append({"variant_position": np.arange(5, dtype=np.int32)})
            raise InterruptionError

    with pytest.raises(InterruptionError):
        write_half()
    assert sorted(tmp_path.iterdir()) == ([path] if existing else [])
    if existing:
        assert path.read_text() == "what was there before"


def test_a_store_is_not_under_its_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with create_store(path, "test", 1, chunk=2) as writer:
        writer.append({"variant_position": np.arange(5, dtype=np.int32)})
        assert not path.exists()
    assert path.exists()
    assert sorted(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_behind_is_overwritten(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.zip") as partial:
        left_over = partial
        partial.write_text("")
    left_over.write_bytes(b"half a file" * 1_000)
    again = write(tmp_path / "a.zip", content(9), [], 4)
    assert sha256(again) == sha256(write(tmp_path / "b.zip", content(9), [], 4))
    assert not left_over.exists()


# ---------------------------------------------------------------------------------------------
# Files


def test_a_whole_file_is_made_with_its_folders_and_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    for text in ("one", "two"):
        with whole_file(path) as partial:
            assert partial.parent == path.parent
            partial.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_already_says_the_same_keeps_its_age(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert write_if_changed(path, "é one")
    before = path.stat().st_mtime_ns
    assert not write_if_changed(path, "é one")
    assert path.stat().st_mtime_ns == before
    assert write_if_changed(path, "two")
    assert path.read_text() == "two"


def test_json_reads_back_and_is_laid_out_the_same_every_time(tmp_path: Path) -> None:
    value = {"ß": [1, 2.5, None, True], "nested": {"b": 1, "a": 2}}
    write_json(tmp_path / "a.json", value)
    write_json(tmp_path / "b.json", read_json(tmp_path / "a.json"))
    assert read_json(tmp_path / "a.json") == value
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", "[1,]"])
def test_what_is_not_json_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    write_text(path, text)
    with pytest.raises(BadInputError, match=r"a\.json"):
        read_json(path)


def test_a_json_file_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"b\.json.*not exist"):
        read_json(tmp_path / "b.json")


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_digest_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    (tmp_path / "a").write_bytes(data)
    assert sha256(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_store_is_the_same_when_another_is_closed_while_it_is_open(tmp_path: Path) -> None:
    """Streamed ingest opens the next store before it closes the last; the order must not show."""
    wide = np.array([["A", "C", "G", "T", "AC", "AG", "AT", "CA", "CG"]] * 4, object)

    with create_store(tmp_path / "alone.zip", "test", 1, chunk=1) as writer:
        writer.append({"variant_allele": wide, "variant_position": np.arange(4)})
    alone = (tmp_path / "alone.zip").read_bytes()
    for number in range(10):
        outer = create_store(tmp_path / f"outer{number}.zip", "test", 1, chunk=1)
        writer = outer.__enter__()
        inner = create_store(tmp_path / f"inner{number}.zip", "test", 1, chunk=1)
        following = inner.__enter__()
        writer.append({"variant_position": np.arange(3)})
        outer.__exit__(None, None, None)
        following.append({"variant_allele": wide, "variant_position": np.arange(4)})
        inner.__exit__(None, None, None)
        assert (tmp_path / f"inner{number}.zip").read_bytes() == alone


# ---------------------------------------------------------------------------------------------
# Chunks are packed without Zarr, and must be what Zarr would have written


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("rows", [1, 4, 5, 12])
@pytest.mark.parametrize("samples", [1, 7, 70_001])
def test_the_bytes_of_chunks_are_those_that_zarr_writes(
    tmp_path: Path, rows: int, samples: int
) -> None:
    rng = np.random.default_rng(rows)
    columns = {
        "variant_position": rng.integers(1, 10**8, rows).astype(np.int32),
        "variant_quality": rng.random(rows).astype(np.float32),
        "variant_allele": np.array([["A", "C", "", "é" * (i % 3)] for i in range(rows)], object),
        "variant_filter": rng.random((rows, 3)) < 0.5,
        "call_genotype": rng.integers(-2, 3, (rows, samples, 2)).astype(np.int8),
        "call_DP": rng.integers(-1, 300, (rows, samples)).astype(np.int16),
    }
    with create_store(tmp_path / "a.zip", "test", 1, chunk=4) as writer:
        writer.append(columns)
    with (
        ZipStore(tmp_path / "a.zip", mode="r") as ours,
        ZipStore(tmp_path / "b.zip", mode="w") as b,
    ):
        theirs = zarr.create_group(b)
        for name, array in zarr.open_group(ours, mode="r").arrays():
            np.testing.assert_array_equal(np.asarray(array[...]), columns[name], name)
            again = theirs.create_array(
                name,
                shape=array.shape,
                chunks=array.chunks,
                dtype=array.dtype,
                compressors=array.compressors,
                config={"write_empty_chunks": name.startswith("call_")},
            )
            again[...] = np.asarray(array[...])
    expected, found = entries(tmp_path / "b.zip"), entries(tmp_path / "a.zip")
    chunks = {name for name in expected if "/c/" in name}
    assert chunks == {name for name in found if "/c/" in name}
    assert all(found[name] == expected[name] for name in chunks)


def test_a_chunk_read_at_once_is_what_zarr_reads(tmp_path: Path) -> None:
    calls = np.random.default_rng(3).integers(-1, 3, (10, 9, 2)).astype(np.int8)
    zeros = np.zeros((10, 2), np.bool_)
    with create_store(tmp_path / "a.zip", "test", 1, chunk=4) as writer:
        writer.append({"call_genotype": calls, "variant_filter": zeros})
    with Store(tmp_path / "a.zip", "test", 1) as store:
        for start in range(10):
            for stop in range(start, 11):
                read = store.read("call_genotype", start, stop)
                np.testing.assert_array_equal(read, calls[start:stop])
                read = store.read("variant_filter", start, stop)
                np.testing.assert_array_equal(read, zeros[start:stop])
