"""Stores of counts made to do harm, in a contribution that is whole and well signed.

Every part is as its digest says, so that nothing but looking at the store itself can tell.
"""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numcodecs import blosc
from tests.contributions import Opened, Programme, reasons

Entries = dict[str, bytes]


def refused(opened: Opened) -> str:
    """Send it, and tell why it is refused."""
    verdict = opened.programme.verdict(opened.resent(sums=False))
    assert not verdict.accepted
    return reasons(verdict)


def edit_meta(entries: Entries, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Alter a document of metadata, laid out as Zarr does it."""
    content = json.loads(entries[name])
    edit(content)
    entries[name] = json.dumps(content, indent=2).encode()


def packed(content: bytes, cname: str = "zstd") -> bytes:
    """Pack bytes as Blosc does."""
    found: bytes = blosc.compress(content, cname.encode(), 3, blosc.NOSHUFFLE, 0, 1)
    return found


def test_altering_nothing_changes_no_byte(opened: Opened) -> None:
    """What the other tests build on."""
    opened.set_store(opened.store())
    opened.edit_array("allele_count", lambda _: None)
    opened.edit_text("variant_ref", lambda _: None)
    assert opened.resent().read_bytes() == opened.programme.path.read_bytes()


def test_an_array_for_each_sample_is_refused(opened: Opened) -> None:
    entries = opened.store()
    meta = json.loads(entries["allele_count/zarr.json"])
    meta |= {"dimension_names": ["variants", "samples"]}
    extra = {
        "call_genotype/zarr.json": json.dumps(meta, indent=2).encode(),
        "call_genotype/c/0/0": entries["allele_count/c/0/0"],
    }
    opened.set_store(entries | extra)
    assert "array that does not belong here, 'call_genotype'" in refused(opened)


@pytest.mark.parametrize("name", ["secret", "allele_count/c/0/1", "allele_count/c/1/0", "variant_ref/c/00",
                                  "variant_ref/c/-1", "variant_ref/c/9999999999", "variant_ref/c/0/zarr.json",
                                  "allele_count/c/0", "variant_position/c/1", "zarr.json/zarr.json"])  # fmt: skip
def test_an_entry_that_no_array_has_is_refused(opened: Opened, name: str) -> None:
    opened.set_store(opened.store() | {name: packed(b"HG00096")})
    found = refused(opened)
    assert "no array has" in found or "does not belong here" in found


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m["attributes"].update(sample="HG00096"),
        lambda m: m["attributes"]["cells"][0].append("HG00096"),
        lambda m: m["attributes"].update(has_missing=0),
        lambda m: m["attributes"].update(cohort="LA1"),
        lambda m: m.update(consolidated_metadata={"HG00096": 1}),
        lambda m: m.update(zarr_format=3.0),
        lambda m: m.update(HG00096=[]),
    ],
)
def test_an_attribute_that_is_not_expected_is_refused(
    opened: Opened, edit: Callable[[dict[str, Any]], object]
) -> None:
    entries = opened.store()
    edit_meta(entries, "zarr.json", edit)
    opened.set_store(entries)
    assert "attributes are not those expected" in refused(opened)


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m["attributes"].update(sample="HG00096"),
        lambda m: m.update(HG00096=[]),
        lambda m: m.update(fill_value=1),
        lambda m: m.update(fill_value=False),
        lambda m: m.update(shape=[2**40, 4]),
        lambda m: m.update(shape=[-1, 4]),
        lambda m: m.update(shape=[41, 4]),
        lambda m: m.update(shape=[40.0, 4]),
        lambda m: m.update(shape=[40, 4, 1]),
        lambda m: m.update(data_type="float64"),
        lambda m: m.update(storage_transformers=[{"name": "x"}]),
        lambda m: m["codecs"].append({"name": "gzip", "configuration": {"level": 1}}),
        lambda m: m["codecs"][1]["configuration"].update(blocksize=1),
        lambda m: m["chunk_grid"]["configuration"].update(chunk_shape=[2**31, 4]),
        lambda m: m.update(chunk_key_encoding={"name": "default", "configuration": {"separator": "."}}),
    ],
)  # fmt: skip
def test_an_array_that_is_laid_out_otherwise_is_refused(
    opened: Opened, edit: Callable[[dict[str, Any]], object]
) -> None:
    entries = opened.store()
    edit_meta(entries, "allele_count/zarr.json", edit)
    opened.set_store(entries)
    found = refused(opened)
    assert any(x in found for x in ("not as afpanel writes it", "no such shape", "another length"))


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda raw: raw.replace(b'"zarr_format": 3', b'"zarr_format": 2, "zarr_format": 3'),
        lambda raw: raw.replace(b'"attributes"', b'"attributes": {"s": "HG00096"}, "attributes"', 1),
        lambda raw: raw + b" " * 1000,
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: b"[" * 100_000,
        lambda raw: b"{" + b'"a":{' * 500 + b"}" * 501,
        lambda raw: b'"' + b"x" * (2 << 20) + b'"',
        lambda raw: b"\xff\xfe",
        lambda raw: b"null",
        lambda raw: b"1" * 10_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["zarr.json", "variant_position/zarr.json"])
def test_metadata_that_are_written_otherwise_are_refused(
    opened: Opened, rewrite: Callable[[bytes], bytes], name: str
) -> None:
    entries = opened.store()
    entries[name] = rewrite(entries[name])
    opened.set_store(entries)
    assert refused(opened)


@pytest.mark.parametrize("gone", ["zarr.json", "allele_count/zarr.json", "variant_position/c/0", "refused_end/c/0"])  # fmt: skip
def test_a_store_that_lacks_something_is_refused(opened: Opened, gone: str) -> None:
    entries = opened.store()
    del entries[gone]
    opened.set_store(entries)
    found = refused(opened)
    assert "missing" in found or "lacks" in found or "no metadata" in found


def chunk_with(header: dict[int, bytes]) -> Callable[[bytes], bytes]:
    def edit(raw: bytes) -> bytes:
        altered = bytearray(raw)
        for at, value in header.items():
            altered[at : at + len(value)] = value
        return bytes(altered)

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        chunk_with({4: struct.pack("<I", 0xFFFFFFFF)}),  # holds 4 GB
        chunk_with({4: struct.pack("<I", 0)}),
        chunk_with({8: struct.pack("<I", 0xFFFFFFFF)}),  # in blocks of 4 GB
        chunk_with({8: struct.pack("<I", 0)}),
        chunk_with({12: struct.pack("<I", 5)}),  # is 5 bytes long
        chunk_with({16: struct.pack("<I", 0xFFFFFFF0)}),  # its first block is elsewhere
        chunk_with({20: struct.pack("<I", 0x7FFFFFFF)}),
        chunk_with({0: b"\xff"}),
        chunk_with({2: b"\xff"}),
        chunk_with({3: b"\x00"}),
        lambda raw: raw[:10],
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: raw + b"HG00096",
        lambda raw: packed(bytes(1 << 30)),
        lambda raw: packed(bytes(100)),
    ],
)
@pytest.mark.parametrize("name", ["allele_count/c/0/0", "variant_position/c/0", "variant_ref/c/0", "contig_id/c/0"])  # fmt: skip
def test_a_chunk_that_lies_about_its_size_is_refused(
    opened: Opened, name: str, edit: Callable[[bytes], bytes]
) -> None:
    entries = opened.store()
    altered = edit(entries[name])
    if altered == entries[name]:
        pytest.skip("this changes nothing of this chunk")
    opened.set_store(entries | {name: altered})
    verdict = opened.programme.verdict(opened.resent(sums=False))
    unpacked = chunk_of(entries[name])
    assert not verdict.accepted or chunk_of(altered) == unpacked


@pytest.mark.parametrize("name", ["allele_count/c/0/0", "variant_ref/c/0", "variant_position/c/0"])
def test_bytes_that_unpacking_passes_over_are_refused(opened: Opened, name: str) -> None:
    """The chunk says itself that it is longer, and unpacks to the same."""
    entries = opened.store()
    longer = bytearray(entries[name] + b"HG00096")
    longer[12:16] = struct.pack("<I", len(longer))
    assert chunk_of(bytes(longer)) == chunk_of(entries[name])
    opened.set_store(entries | {name: bytes(longer)})
    assert "has bytes that nothing is made of" in refused(opened)


def chunk_of(raw: bytes) -> bytes:
    """What Blosc makes of a chunk."""
    found: bytes = blosc.decompress(raw)
    return found


def text(rows: list[bytes], n: int | None = None, sizes: list[int] | None = None) -> bytes:
    """A chunk of text, whose lengths may lie."""
    lengths = sizes or [len(row) for row in rows]
    body = b"".join(struct.pack("<I", s) + row for s, row in zip(lengths, rows, strict=True))
    return packed(struct.pack("<I", len(rows) if n is None else n) + body)


CHUNK = 16_384


@pytest.mark.parametrize(
    "chunk",
    [
        text([b"A"] * 40),
        text([b"A"] * CHUNK, n=0xFFFFFFFF),
        text([b"A"] * CHUNK, n=CHUNK - 1),
        text([b"A"] * CHUNK, sizes=[0xFFFFFFFF] + [1] * (CHUNK - 1)),
        text([b"A"] * CHUNK, sizes=[1] * (CHUNK - 1) + [0xFFFF]),
        text([b"A"] * 39 + [b""] * (CHUNK - 39)),
        text([b"\xff\xfe"] * 40 + [b""] * (CHUNK - 40)),
        text(["Á".encode()] * 40 + [b""] * (CHUNK - 40)),
        text([b"a"] * 40 + [b""] * (CHUNK - 40)),
        text([b"R"] * 40 + [b""] * (CHUNK - 40)),
        text([b"*"] * 40 + [b""] * (CHUNK - 40)),
        text([b"<DEL>"] * 40 + [b""] * (CHUNK - 40)),
        text([b"N"] * 40 + [b""] * (CHUNK - 40)),
        text([b"A\0"] * 40 + [b""] * (CHUNK - 40)),
    ],
)
@pytest.mark.parametrize("name", ["variant_ref", "variant_alt"])
def test_text_that_is_no_text_of_alleles_is_refused(
    opened: Opened, name: str, chunk: bytes
) -> None:
    opened.set_store(opened.store() | {f"{name}/c/0": chunk})
    assert refused(opened)


@pytest.mark.parametrize(
    "names",
    [[b"chr2"], [b"chr1", b"x"], [b""], [b"\xff"], [b"chr1\0"]],
)
def test_a_store_of_another_contig_is_refused(opened: Opened, names: list[bytes]) -> None:
    opened.set_store(opened.store() | {"contig_id/c/0": text(names)})
    assert refused(opened)


def test_rows_after_the_end_of_an_array_are_refused(opened: Opened) -> None:
    """A chunk has room for 16,384 rows: where there are fewer, something could hide in it."""
    names = ("variant_position", "allele_count", "raw_allele_count", "refused_end", "callable_end")
    for name in names:
        altered = Opened(opened.programme, dict(opened.parts))
        altered.edit_array(name, lambda a: a.__setitem__(-1, 96))
        assert f"array {name} goes on after its end" in refused(altered)
    altered = Opened(opened.programme, dict(opened.parts))
    altered.edit_text("variant_alt", lambda a: a.__setitem__(-1, "HG00096"))
    assert "array variant_alt goes on after its end" in refused(altered)


def test_a_chunk_whose_checksum_in_the_store_is_wrong_is_refused(opened: Opened) -> None:
    name = "counts/chr1.zarr.zip"
    chunk = opened.store()["homozygote_count/c/0/0"]
    for part in (chunk, opened.store()["refused_end/c/0"]):
        content = bytearray(opened.parts[name])
        content[content.find(part) + 30] ^= 1
        altered = Opened(opened.programme, opened.parts | {name: bytes(content)})
        assert refused(altered)


def test_a_store_that_is_compressed_is_refused(opened: Opened) -> None:
    import io
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in opened.store().items():
            archive.writestr(name, content)
    opened.parts["counts/chr1.zarr.zip"] = held.getvalue()
    assert "not plain" in refused(opened)


@pytest.mark.usefixtures("remembering")
def test_random_changes_of_a_store_are_refused_or_change_no_claim(
    programme: Programme, tmp_path: Path
) -> None:
    """Bytes of chunks are changed, and everything over them is made to fit, signature and all.

    Nothing but a refusal may come of it, or a contribution that is as good as the first.
    """
    rng = np.random.default_rng(7)
    opened = programme.opened()
    before = opened.store()
    names = sorted(name for name in before if "/c/" in name)
    accepted = 0
    for _ in range(400):
        name = names[rng.integers(len(names))]
        content = bytearray(before[name])
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        altered = Opened(programme, dict(opened.parts))
        altered.set_store(before | {name: bytes(content)})
        altered.mend()
        del altered.parts["manifest.json.sig"]  # to sign takes longer than all else
        path = altered.write("random.afc.zip")
        verdict = programme.verdict(path, signature_required=False, allowed_signers=None)
        accepted += verdict.accepted
        if verdict.accepted:
            assert chunk_of(bytes(content)) == chunk_of(before[name]) or name.startswith(
                ("hemi", "single", "homo", "refused", "callable", "raw", "allele")
            )
    assert accepted < 100
