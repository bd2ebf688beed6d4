"""What a hostile file may cost: seconds and memory, measured of the command itself."""

import json
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numcodecs import blosc
from tests.contributions import Opened, Programme

from afpanel.io.files import json_text
from afpanel.io.stored_zip import write_stored_zip

SECONDS = 30
MEMORY = 1_500_000  # KiB at most in use
ADDRESSES = 4 << 30  # what may be asked for: libraries reserve more than they use
CHUNK = 16_384


def run(path: Path, programme: Programme) -> tuple[int, str]:
    """Verify a file in a process of limited means; gives its exit code and what it said."""
    command = [sys.executable, "-m", "afpanel", "-q", "verify", str(path)]
    command += ["--reference", str(programme.fasta)]
    said = path.with_suffix(".said")
    started = time.monotonic()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.execvpe(command[0], command, os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - started
    assert seconds < SECONDS
    assert used.ru_maxrss < MEMORY, f"{used.ru_maxrss / 1024:.0f} MiB"
    print(f"{seconds:.1f} s, {used.ru_maxrss / 1024:.0f} MiB, {path.stat().st_size:,} bytes")
    return os.waitstatus_to_exitcode(status), said.read_text()


def refused(path: Path, programme: Programme) -> str:
    """Why it is refused."""
    code, said = run(path, programme)
    assert code == 5, said[-3000:]
    assert "Traceback" not in said
    assert len(said) < 200_000
    path.unlink()
    return said


def unsigned(opened: Opened) -> Path:
    """Mend everything but the signature, which takes no part in what this costs."""
    opened.mend()
    opened.parts.pop("manifest.json.sig", None)
    return opened.write("costly.afc.zip")


def zeros(n: int, itemsize: int) -> bytes:
    """A chunk of nothing but zeros."""
    found: bytes = blosc.compress(bytes(n * itemsize), b"zstd", 3, int(itemsize > 1), 0, itemsize)
    return found


def grown(opened: Opened, dims: dict[str, int], chunks: Callable[[str], dict[str, bytes]]) -> None:
    """Give arrays other lengths, by their dimension, and other chunks."""
    entries = opened.store()
    for name in [name for name in entries if name.endswith("/zarr.json")]:
        meta = json.loads(entries[name])
        for at, dim in enumerate(meta["dimension_names"]):
            if dim in dims:
                meta["shape"][at] = dims[dim]
                entries |= chunks(name.removesuffix("/zarr.json"))
        entries[name] = json.dumps(meta, indent=2).encode()
    opened.set_store(entries)


def test_a_good_file_costs_little(programme: Programme) -> None:
    code, said = run(programme.path, programme)
    assert code == 0, said


def test_a_bomb_in_a_chunk(opened: Opened) -> None:
    bomb = zeros(1 << 28, 4)
    assert len(bomb) < 8 << 20
    for name in ("allele_count/c/0/0", "variant_ref/c/0", "contig_id/c/0"):
        altered = Opened(opened.programme, dict(opened.parts))
        altered.set_store(altered.store() | {name: bomb})
        assert "does not hold what it should" in refused(unsigned(altered), opened.programme)


def test_two_billion_variants_without_a_chunk(opened: Opened) -> None:
    grown(opened, {"variants": 2**31 - 1, "refusals": 2**31 - 1}, lambda _: {})
    assert "lacks some of 131,072 chunks" in refused(unsigned(opened), opened.programme)


@pytest.mark.parametrize(("dim", "name"), [("variants", "variant_position"), ("intervals", "callable_end"),
                                           ("refusals", "refused_end")])  # fmt: skip
def test_a_billion_rows_of_zeros(opened: Opened, dim: str, name: str) -> None:
    """A chunk of zeros takes a few bytes of the file, and 64 KiB of memory."""
    n = 60_000
    chunk = zeros(CHUNK, 4)
    ends = {f"{name}/c/{k}": chunk for k in range(n)}
    grown(opened, {dim: n * CHUNK}, lambda each: ends if each == name else {})
    said = refused(unsigned(opened), opened.programme)
    assert "out of order" in said or "spans are not in order" in said or "no sequence" in said


def test_alleles_of_megabytes(opened: Opened) -> None:
    """Of as much text as a chunk may have, in four chunks, where one allele or each is long."""
    for lengths in ([(1 << 26) - 4 * (CHUNK + 1)], [4091] * CHUNK):
        rows = b"".join(struct.pack("<I", n) + b"A" * n for n in lengths)
        rest = b"\0\0\0\0" * (CHUNK - len(lengths))
        text = blosc.compress(struct.pack("<I", CHUNK) + rows + rest, b"zstd", 3, 0, 0, 1)
        assert len(text) < 1 << 20
        n = 4 * CHUNK if len(lengths) > 1 else 1
        positions = np.arange(4 * CHUNK, dtype=np.int32) + 1
        packed = {
            f"variant_position/c/{k}": blosc.compress(positions[k * CHUNK :][:CHUNK].tobytes(), b"zstd", 3, 1, 0, 4)
            for k in range(4)
        }  # fmt: skip
        if n == 1:
            first = np.zeros(CHUNK, np.int32)
            first[0] = 1
            packed = {"variant_position/c/0": blosc.compress(first.tobytes(), b"zstd", 3, 1, 0, 4)}
        texts = {
            f"variant_{x}/c/{k}": text for x in ("ref", "alt") for k in range(4 if n > 1 else 1)
        }
        altered = Opened(opened.programme, dict(opened.parts))
        entries = {
            k: v
            for k, v in altered.store().items()
            if "/c/" not in k or k[:2] in ("co", "re", "ca")
        }
        altered.set_store(entries)
        grown(altered, {"variants": n}, lambda _, more=packed | texts: more)
        said = refused(unsigned(altered), opened.programme)
        assert "REF is not what the reference has" in said


def test_a_thousand_cells_of_zeros(opened: Opened) -> None:
    n = 1000
    names = [f"P{k:04d}" for k in range(n)]
    opened.edit_manifest(
        lambda m: m.update(
            people=n,
            cells=[{"population": p, "sex": "XX", "people": {"XX": 1, "XY": 0, "unknown": 0}} for p in names],
        )
    )  # fmt: skip

    def sums(manifest: dict[str, Any]) -> None:
        for part in manifest["parts"]:
            if "contig" in part:
                part |= {"allele_count": [0] * n, "allele_number": [0] * n}

    opened.edit_manifest(sums)
    entries = opened.store()
    root = json.loads(entries["zarr.json"])
    root["attributes"]["cells"] = [[p, "XX", [1, 0, 0]] for p in names]
    entries["zarr.json"] = json.dumps(root, indent=2).encode()
    tables = [name.removesuffix("/zarr.json") for name in entries if name.endswith("zarr.json")]
    for name in tables:
        meta = json.loads(entries[f"{name}/zarr.json"]) if name != "zarr.json" else {}
        if meta.get("dimension_names") == ["variants", "cells"]:
            meta["shape"][1] = n
            meta["chunk_grid"]["configuration"]["chunk_shape"][1] = n
            entries[f"{name}/zarr.json"] = json.dumps(meta, indent=2).encode()
            entries[f"{name}/c/0/0"] = zeros(CHUNK * n, 4)
    for name in ("raw_allele_count", "raw_allele_number"):
        entries[f"{name}/c/0"] = zeros(CHUNK, 4)
    opened.set_store(entries)
    opened.edit_json("metadata.json", lambda d: d.clear())
    said = refused(unsigned(opened), opened.programme)
    assert "metadata.json" in said


def test_a_store_of_a_million_entries(opened: Opened) -> None:
    path = opened.programme.folder / "entries.zip"
    write_stored_zip(path, {f"variant_ref/c/{n}": b"" for n in range(600_000)})
    opened.parts["counts/chr1.zarr.zip"] = path.read_bytes()
    assert "too many entries" in refused(unsigned(opened), opened.programme)


@pytest.mark.parametrize(
    "content",
    [
        lambda: {str(n): 0 for n in range(900_000)},
        lambda: {"cells": [0] * 1_800_000},
        pytest.param(
            lambda: {"parts": [{"path": n} for n in range(300_000)]}, marks=pytest.mark.long
        ),
        pytest.param(lambda: {"contigs": [[], {}, "a", 1] * 200_000}, marks=pytest.mark.long),
        pytest.param(lambda: {"cohort": "x" * (15 << 20)}, marks=pytest.mark.long),
        lambda: {"software": {"afpanel": "1" * (15 << 20) + "\n"}},
    ],
    ids=["keys", "cells", "parts", "contigs", "cohort", "version"],
)
def test_a_manifest_of_megabytes(opened: Opened, content: Callable[[], dict[str, Any]]) -> None:
    whole = {"contribution_version": 2} | content()
    opened.parts["manifest.json"] = json_text(whole).encode()
    assert len(opened.parts["manifest.json"]) > 6 << 20
    opened.parts.pop("manifest.json.sig")
    refused(opened.write("costly.afc.zip"), opened.programme)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["cohort"].update(title="x" * 1_000_000),
        *(
            pytest.param(
                lambda d, each=each: d["cohort"].update(title=each), marks=pytest.mark.long
            )
            for each in ("x@" * 500_000, "@" + "x" * 1_000_000, "/x" * 500_000)
        ),
        lambda d: d["cohort"].update(title="x." * 500_000),
        lambda d: d["cohort"].update({f"key{n}": 0 for n in range(50_000)}),
        lambda d: d.update(populations=d["populations"] + [{"label": "A"}] * 20_000),
        lambda d: d.update(data_use=[{"term": "DUO:0000042"}] * 20_000),
    ],
)
def test_metadata_of_a_megabyte(opened: Opened, edit: Callable[[dict[str, Any]], object]) -> None:
    opened.edit_json("metadata.json", edit)
    code, said = run(unsigned(opened), opened.programme)
    assert code in (0, 5)
    assert "Traceback" not in said
