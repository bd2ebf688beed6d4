"""Files that are no contribution, or not as `afpanel package` writes one: refused before anything is unpacked."""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contributions import MANIFEST, Opened, Programme, reasons

from afpanel.errors import BadInputError

DATE = (1980, 1, 1, 0, 0, 0)


def plain(name: str) -> zipfile.ZipInfo:
    """An entry as the project writes it."""
    entry = zipfile.ZipInfo(name, date_time=DATE)
    entry.external_attr = 0o644 << 16
    return entry


def zipped(entries: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip file by Python's own library."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return held.getvalue()


def with_entry(opened: Opened, entry: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    """The contribution with one more entry."""
    own = [(plain(name), part) for name, part in opened.parts.items()]
    return zipped([*own, (entry, content)])


def refusal(programme: Programme, content: bytes) -> str:
    """Why a file is refused; it leaves nothing behind."""
    path = programme.folder / "hostile.afc.zip"
    path.write_bytes(content)
    out = programme.folder / "taken"
    verdict = programme.verdict(path, out)
    assert not verdict.accepted
    assert not out.exists()
    assert not list(programme.folder.glob(".verify.*"))
    return reasons(verdict)


def test_the_contribution_itself_is_accepted(programme: Programme, tmp_path: Path) -> None:
    verdict = programme.verdict(out=tmp_path / "taken")
    assert verdict.accepted
    assert verdict.findings == []
    assert {path.name for path in (tmp_path / "taken").iterdir()} == {
        "README.txt", "counts", "harmonization.json", "linkage.json", "metadata.json",
        "received.json",
    }  # fmt: skip


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.99, 0.9999])
def test_a_truncated_file_is_refused(programme: Programme, share: float) -> None:
    whole = programme.path.read_bytes()
    assert "not a whole zip file" in refusal(programme, whole[: int(share * len(whole))])


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "counts/../../evil", "a//b", "./a", "C:evil", "a\\b", "caf\u00e9", "a\nb"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(opened: Opened, name: str) -> None:
    content = with_entry(opened, plain("x" * len(name.encode())))
    raw = name.encode()
    found = refusal(opened.programme, content.replace(b"x" * len(raw), raw))
    assert "name leads out of the file" in found or "strange characters" in found
    assert not (opened.programme.folder.parent / "evil").exists()


def test_a_name_of_kilobytes_is_refused(opened: Opened) -> None:
    found = refusal(opened.programme, with_entry(opened, plain("x" * 60_000)))
    assert "larger than its entries" in found or "too long" in found


def test_compressed_entries_are_refused_however_much_they_hold(opened: Opened) -> None:
    bomb = plain("bomb")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    content = with_entry(opened, bomb, bytes(1 << 30))
    assert len(content) < 2 << 20
    assert "compressed (method 8, 1,073,741,824 bytes" in refusal(opened.programme, content)


def test_two_entries_of_one_name_are_refused(opened: Opened) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = with_entry(opened, plain(MANIFEST), opened.parts[MANIFEST])
    assert "two entries are called manifest.json" in refusal(opened.programme, content)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_ISUID])
def test_an_entry_that_is_no_plain_file_is_refused(opened: Opened, kind: int) -> None:
    entry = plain("link")
    entry.external_attr = (kind | 0o644) << 16
    assert "entry link is not plain" in refusal(opened.programme, with_entry(opened, entry))


def test_comments_and_extra_fields_are_refused(opened: Opened) -> None:
    entry = plain("x")
    entry.comment = b"HG00096"
    assert "not plain" in refusal(opened.programme, with_entry(opened, entry))
    entry = plain("x")
    entry.extra = struct.pack("<2H7s", 0x7075, 7, b"HG00096")
    assert "field that it should not have" in refusal(opened.programme, with_entry(opened, entry))
    held = io.BytesIO(opened.programme.path.read_bytes())
    with zipfile.ZipFile(held, "a") as archive:
        archive.comment = b"HG00096"
    assert "not a whole zip file" in refusal(opened.programme, held.getvalue())


def test_bytes_that_belong_to_no_entry_are_refused(programme: Programme) -> None:
    whole = programme.path.read_bytes()
    start = struct.unpack_from("<L", whole, len(whole) - 6)[0]
    moved = whole[:-6] + struct.pack("<L", start + 7) + whole[-2:]
    assert "belong to" in refusal(programme, moved[:start] + b"HG00096" + moved[start:])
    assert "not a whole zip" in refusal(programme, whole + b"HG00096")
    assert "not as it should be" in refusal(programme, b"HG00096" + whole)


@pytest.mark.parametrize(
    ("offset", "size"), [(4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (28, 2)]
)
def test_an_entry_whose_own_header_differs_is_refused(
    programme: Programme, offset: int, size: int
) -> None:
    whole = bytearray(programme.path.read_bytes())
    whole[offset] ^= 1
    assert refusal(programme, bytes(whole))


def test_an_entry_that_is_there_and_not_in_the_manifest_is_refused(opened: Opened) -> None:
    found = refusal(opened.programme, with_entry(opened, plain("samples.txt")))
    assert "not named: ['samples.txt']" in found


def test_parts_in_another_order_are_refused(opened: Opened) -> None:
    names = list(opened.parts)
    opened.parts = {name: opened.parts[name] for name in (names[1], names[0], *names[2:])}
    found = refusal(opened.programme, opened.write().read_bytes())
    assert "in another order" in found


def test_a_part_that_is_missing_is_refused(opened: Opened) -> None:
    for name in ("README.txt", "harmonization.json", "counts/chr2.zarr.zip"):
        parts = {each: part for each, part in opened.parts.items() if each != name}
        altered = Opened(opened.programme, parts)
        assert name in refusal(opened.programme, altered.write().read_bytes())
        altered.edit_manifest(
            lambda m, gone=name: m.update(parts=[p for p in m["parts"] if p["path"] != gone])
        )
        found = refusal(opened.programme, altered.resent().read_bytes())
        assert "is missing" in found or "contigs of the reference are not those" in found


def test_an_empty_file_a_folder_and_a_pipe_are_refused_at_once(
    programme: Programme, tmp_path: Path
) -> None:
    assert "not a whole zip file" in refusal(programme, b"")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(BadInputError, match="not a file"):
            programme.verdict(path)
    with pytest.raises(BadInputError, match="does not exist"):
        programme.verdict(tmp_path / "nothing")


def test_a_file_that_changes_while_it_is_read_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is checked is a copy, and the copy is held against the digests that were signed."""
    from afpanel.io.stored_zip import StoredZip

    path = opened.write()
    copy: Callable[..., None] = StoredZip.copy

    def meanwhile(self: StoredZip, name: str, target: io.BytesIO) -> None:
        content = bytearray(path.read_bytes())
        entry = self.entries[name]
        content[entry.offset + entry.size // 2] ^= 1
        path.write_bytes(bytes(content))
        copy(self, name, target)

    monkeypatch.setattr(StoredZip, "copy", meanwhile)
    assert "is damaged" in reasons(opened.programme.verdict(path))


def test_ten_million_entries_are_refused_unread(programme: Programme) -> None:
    """The end says how many there are; the directory is sparse."""
    n = 10_000_000
    path = programme.folder / "many.afc.zip"
    size = 46 * n
    with path.open("wb") as out:
        out.truncate(size)
        out.seek(size)
        out.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, n, n, size, 0))
        out.write(struct.pack("<4sLQL", b"PK\6\7", 0, size, 1))
        out.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, size, 0, 0))
    found = reasons(programme.verdict(path))
    path.unlink()
    assert "too many entries" in found
    assert "10,000,000" in found


def test_a_directory_that_is_longer_than_its_entries_is_refused_unread(
    programme: Programme,
) -> None:
    path = programme.folder / "long.afc.zip"
    size = 3 << 30
    with path.open("wb") as out:
        out.truncate(size)
        out.seek(size)
        out.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 5, 5, size, 0, 0))
    found = reasons(programme.verdict(path))
    path.unlink()
    assert "larger than its entries" in found


def test_an_entry_whose_checksum_is_wrong_is_refused(programme: Programme) -> None:
    whole = bytearray(programme.path.read_bytes())
    with zipfile.ZipFile(programme.path) as archive:
        offset = archive.getinfo("counts/chr1.zarr.zip").header_offset
    wrong = struct.pack("<L", zlib.crc32(b"another"))
    crc = bytes(whole[offset + 14 : offset + 18])
    damaged = bytes(whole).replace(crc, wrong)
    assert "is damaged" in refusal(programme, damaged)
