"""Changes of single bytes, anywhere in a contribution: no byte of it is free."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from tests.contributions import MANIFEST, SIGNATURE, Programme, random_genome, reasons

from afpanel.io.stored_zip import StoredZip

EVERY = [pytest.param(1, marks=pytest.mark.fuzz, id="all"), pytest.param(20, id="some")]
"""All changes, which takes minutes, or one in twenty."""

FLIPS = 10_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """A contribution of one contig and few variants."""
    folder = tmp_path_factory.mktemp("small")
    return Programme(folder, {"chr1": random_genome(300)}, {"chr1": 6})


def where_of(path: Path, at: int) -> str:
    """The entry that a byte belongs to, or the headers and the directory."""
    with StoredZip(path, 100) as archive:
        for entry in archive.entries.values():
            if entry.offset <= at < entry.offset + entry.size:
                return entry.name
    return "around the entries"


def flipped(small: Programme, changes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Try changes of a byte; gives those after which the file is accepted."""
    whole = small.path.read_bytes()
    path = small.folder / "flipped.afc.zip"
    accepted = []
    for at, value in changes:
        content = bytearray(whole)
        content[at] = value
        path.write_bytes(bytes(content))
        if small.verdict(path).accepted:
            accepted.append((at, value))
    return accepted


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("every", EVERY)
def test_no_flip_of_ten_thousand_is_accepted(small: Programme, every: int) -> None:
    whole = small.path.read_bytes()
    rng = np.random.default_rng(20)
    places = rng.integers(len(whole), size=FLIPS)
    values = (np.frombuffer(whole, np.uint8)[places] + rng.integers(1, 256, FLIPS)) % 256
    changes = list(zip(places.tolist(), values.tolist(), strict=True))
    accepted = flipped(small, changes[::every])
    assert [where_of(small.path, at) for at, _ in accepted] == []


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("every", EVERY)
def test_no_value_of_a_byte_around_the_entries_is_accepted(small: Programme, every: int) -> None:
    """Headers and directory are signed by nothing: every one of their bits is tried, and their numbers."""
    whole = small.path.read_bytes()
    around = [at for at in range(len(whole)) if where_of(small.path, at) == "around the entries"]
    changes = [
        (at, value)
        for at in around
        for value in {*(whole[at] ^ 1 << bit for bit in range(8)), 0, 3, 20, 45, 255} - {whole[at]}
    ]
    assert len(changes) > 5_000
    assert flipped(small, changes[::every]) == []


def with_mended_checksum(path: Path, name: str, at: int, value: int) -> bytes:
    """The file with a byte of an entry changed, and the entry's two CRC-32 with it."""
    with StoredZip(path, 100) as archive:
        entry = archive.entries[name]
    content = bytearray(path.read_bytes())
    content[entry.offset + at] = value
    crc = zlib.crc32(content[entry.offset : entry.offset + entry.size])
    old, new = (number.to_bytes(4, "little") for number in (entry.crc, crc))
    before = bytes(content[: entry.offset])
    header = before.rindex(old)
    content[header : header + 4] = new
    directory = bytes(content).rindex(old)
    content[directory : directory + 4] = new
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "part"), [(MANIFEST, 40), (SIGNATURE, 3), ("counts/chr1.zarr.zip", 40)]
)
def test_a_flip_is_refused_though_the_checksum_of_the_zip_file_is_mended(
    small: Programme,
    name: str,
    part: int,
    request: pytest.FixtureRequest,
) -> None:
    """Each nth byte: by the digest or by the signature, whose own bytes have one form too."""
    if name == "counts/chr1.zarr.zip":
        request.getfixturevalue("remembering")
    path = small.folder / "mended.afc.zip"
    rng = np.random.default_rng(21)
    with StoredZip(small.path, 100) as archive:
        content = archive.read(name, 1 << 20)
    for at in range(0, len(content), part):
        value = int(content[at] + rng.integers(1, 256)) % 256
        path.write_bytes(with_mended_checksum(small.path, name, at, value))
        verdict = small.verdict(path)
        assert not verdict.accepted, (name, at, value)
        assert "entry" not in reasons(verdict)
