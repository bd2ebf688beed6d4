"""Zip files of stored entries, written and read, the long numbers of large files among them."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.errors import VerificationError
from afpanel.io import stored_zip
from afpanel.io.stored_zip import StoredZip, write_stored_zip

NAMES = st.from_regex(r"[A-Za-z0-9_.%*-]{1,12}(/[A-Za-z0-9_-]{1,8}){0,2}", fullmatch=True).filter(
    lambda name: not {".", ".."} & set(name.split("/"))
)


def contents(path: Path, most: int = 100_000) -> dict[str, bytes]:
    """All entries, read in both ways."""
    with StoredZip(path, most) as archive:
        found = {name: archive.read(name, 1 << 30) for name in archive.entries}
        for name, content in found.items():
            held = io.BytesIO()
            archive.copy(name, held)
            assert held.getvalue() == content
            assert archive.start_of(name, 3) == content[:3]
    return found


@settings(max_examples=60, deadline=None)
@given(parts=st.dictionaries(NAMES, st.binary(max_size=200), max_size=6))
def test_what_is_written_is_read_in_its_order_and_by_python_too(
    parts: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    write_stored_zip(path, parts)
    assert list(contents(path).items()) == list(parts.items())
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == parts
        assert archive.testzip() is None


def test_files_and_bytes_give_the_same_bytes(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"counts")
    write_stored_zip(tmp_path / "a.zip", {"x": part, "y": b""})
    write_stored_zip(tmp_path / "b.zip", {"x": b"counts", "y": b""})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("n", [65_535, 65_536])
def test_as_many_entries_as_take_longer_numbers_are_read(tmp_path: Path, n: int) -> None:
    path = tmp_path / "a.zip"
    write_stored_zip(path, {f"{k}": b"" for k in range(n)})
    with StoredZip(path, n) as archive:
        assert len(archive.entries) == n
    with pytest.raises(VerificationError, match="too many entries"):
        StoredZip(path, n - 1)


@pytest.mark.parametrize("size", [10, 952, 953, 1000, 1001])
def test_large_entries_and_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Where sizes and places take 8 bytes is moved down from 2 GB, for Python and for us."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(stored_zip, "_WIDE_FROM", 1001)
    path = tmp_path / "a.zip"
    parts = {"a": b"x" * size, "b": b"y" * 3, "c": b"z" * (size // 2), "d": b""}
    write_stored_zip(path, parts)
    assert contents(path) == parts
    whole = path.read_bytes()
    # Every number that only large files have has one value, as all others.
    (start,) = struct.unpack_from("<L", whole, len(whole) - 6)
    for at in (*range(30), *range(start, len(whole))):
        for value in {whole[at] ^ 1, 20, 45} - {whole[at]}:
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            with pytest.raises(VerificationError):
                contents(path)


def test_a_large_entry_is_refused_where_only_a_small_one_is_read(tmp_path: Path) -> None:
    write_stored_zip(tmp_path / "a.zip", {"a": b"x" * 11})
    with (
        StoredZip(tmp_path / "a.zip", 1) as archive,
        pytest.raises(VerificationError, match="too large"),
    ):
        archive.read("a", 10)


@pytest.mark.parametrize("how", ["stream", "folder", "old", "utf-8"])
def test_zip_files_that_others_write_are_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "a.zip"
    entry = zipfile.ZipInfo("x", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    if how == "stream":  # sizes come after the entry

        class Pipe(io.BytesIO):
            def seekable(self) -> bool:
                return False

            def seek(self, *_: int) -> int:
                raise OSError

            def tell(self) -> int:
                raise OSError

        held = Pipe()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(entry, b"x")
        path.write_bytes(held.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            if how == "folder":
                archive.mkdir("folder")
            elif how == "old":
                entry.date_time = (2026, 1, 1, 0, 0, 0)
                archive.writestr(entry, b"x")
            else:
                entry.filename = "é"
                archive.writestr(entry, b"x")
    with pytest.raises(VerificationError):
        StoredZip(path, 10)
