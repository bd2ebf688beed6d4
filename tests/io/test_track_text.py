"""Tracks of allele numbers as text, against a plain reading of their lines."""

import gzip
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pysam
import pytest
from tests.builders import bgzf, bgzf_block

from afpanel.constants import Sex
from afpanel.core.contigs import ContigNames
from afpanel.errors import BadInputError
from afpanel.io import track_text
from afpanel.io.inflate import pieces
from afpanel.io.track_text import TrackText, column_of, is_track
from afpanel.model.cohort import Cell

CELLS = [Cell("AAA", Sex.XX, 30), Cell("AAA", Sex.XY, 20), Cell("BBB", Sex.UNKNOWN, 4)]
PANEL = ["chr1", "chr2", "chr10", "chr22", "chrX", "chrM"]
NAMES = ContigNames(PANEL, {"ten": "chr10"})
OWN_NAMES = ["1", "chr2", "ten", "GL000191.1", "22"]
"""Names in the file; one is of no contig of the panel, and chrX and chrM have no line."""

Row = tuple[str, int, int, tuple[int, ...]]


def random_rows(seed: int, per_contig: int = 400) -> list[Row]:
    draw = random.Random(seed)
    rows = []
    for name in OWN_NAMES:
        at = 0
        for _ in range(draw.randint(1, per_contig)):
            start = at + draw.choice((0, 0, 1, 5_000))
            at = start + draw.choice((1, 2, 70, 30_000))
            rows.append((name, start, at, tuple(draw.randint(0, 8) for _ in CELLS)))
    return rows


def text_of(rows: list[Row], order: tuple[int, ...] = (0, 1, 2), first: str = "#contig") -> str:
    named = [first, "start", "end", "AN", *(column_of(CELLS[i]) for i in order)]
    lines = [
        [name, start, end, sum(number), *(number[i] for i in order)]
        for name, start, end, number in rows
    ]
    return "".join("\t".join(map(str, line)) + "\n" for line in [named, *lines])


def read_plainly(rows: list[Row], contig: str) -> list[Row]:
    return [row for row in rows if NAMES.resolve(row[0]) == contig]


def read(path: Path, contig: str, cells: list[Cell] = CELLS) -> list[tuple[int, int, list[int]]]:
    found = []
    for track in TrackText(path, cells).of_contig(NAMES, contig):
        assert len(track)
        assert track.number.dtype == "int32"
        found += list(
            zip(track.start.tolist(), track.end.tolist(), track.number.tolist(), strict=True)
        )
    return found


def _plain(path: Path, text: str) -> None:
    path.write_text(text)


def _gzip(path: Path, text: str) -> None:
    data = text.encode()
    path.write_bytes(gzip.compress(data[:5_000]) + gzip.compress(data[5_000:]))


def _bgzf(path: Path, text: str) -> None:
    path.write_bytes(bgzf(text.encode(), (501, 40, 2_000)))


def _indexed(path: Path, text: str, *, csi: bool) -> None:
    _bgzf(path, text)
    columns = {"seq_col": 0, "start_col": 1, "end_col": 2, "zerobased": True}
    pysam.tabix_index(str(path), force=True, csi=csi, **columns)
    assert path.with_name(path.name + (".csi" if csi else ".tbi")).exists()


FORMS: dict[str, Callable[[Path, str], None]] = {
    "plain": _plain,
    "gzip": _gzip,
    "bgzf": _bgzf,
    "tbi": partial(_indexed, csi=False),
    "csi": partial(_indexed, csi=True),
}


@pytest.mark.parametrize("size", [1, 13, 997, 1 << 20])
@pytest.mark.parametrize("form", FORMS)
def test_every_contig_is_read_as_its_lines_say(
    form: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the file is packed, and wherever the pieces in which it is read begin."""
    monkeypatch.setattr(track_text, "pieces", partial(pieces, size=size))
    path = tmp_path / "track.tsv.gz"
    rows = random_rows(size, 400 if size > 1 else 30)
    FORMS[form](path, text_of(rows, (2, 0, 1)))
    TrackText(path, CELLS).check(NAMES, "GRCh38")
    assert is_track(path)
    for contig in PANEL:
        expected = [(s, e, list(number)) for _, s, e, number in read_plainly(rows, contig)]
        assert read(path, contig) == expected
        assert bool(expected) == (contig not in ("chrX", "chrM"))


def test_a_track_that_is_longer_than_a_piece_is_read_in_several(tmp_path: Path) -> None:
    rows: list[Row] = [("chr1", 3 * i, 3 * i + 2, (i % 7, i % 5, i % 3)) for i in range(150_000)]
    path = tmp_path / "track.tsv"
    path.write_text(text_of(rows))
    assert path.stat().st_size > 2 << 20
    assert len(list(TrackText(path, CELLS).of_contig(NAMES, "chr1"))) > 1
    assert read(path, "chr1") == [(s, e, list(number)) for _, s, e, number in rows]


@pytest.mark.parametrize("form", ["tbi", "csi"])
def test_of_an_indexed_file_one_contig_is_read(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes before it is not looked at, be it no line of a track, and nor is what follows."""
    bad = [("chr1", 10_000, 20_000, (1, 1, 1)), ("chr1", 0, 100_000, (1, 1, 1))]
    good = [("chr2", 100 * i, 100 * i + 100, (1, 2, 3)) for i in range(200)]
    path = tmp_path / "track.tsv.gz"
    lines = text_of([bad[0], *good]).splitlines(keepends=True)
    broken = [line.replace("\t3\t1\t1\t1", "\t9\t1\t1\t1") for line in lines]
    FORMS[form](path, "".join(broken))
    assert len(read(path, "chr2")) == 200
    with pytest.raises(BadInputError, match="AN is not the sum of its cells"):
        read(path, "chr1")


@pytest.mark.parametrize(
    "start",
    [
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\n",
        "contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\n",
        "##made=yesterday\n#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\n",
        "# Of the people of AAA and BBB.\n#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\n",
        "\n#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\n\n",
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\r\n",
    ],
)
def test_remarks_may_stand_before_the_header(start: str, tmp_path: Path) -> None:
    path = tmp_path / "track.tsv"
    end = "\r\n" if "\r" in start else "\n"
    path.write_bytes((start + f"chr1\t5\t9\t6\t1\t2\t3{end}chr1\t9\t10\t0\t0\t0\t0{end}").encode())
    assert is_track(path)
    assert read(path, "chr1") == [(5, 9, [1, 2, 3]), (9, 10, [0, 0, 0])]


def test_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    path = tmp_path / "track.tsv"
    path.write_text(text_of([("chr1", 5, 9, (1, 2, 3)), ("chr1", 9, 12, (1, 2, 4))]).rstrip("\n"))
    assert read(path, "chr1") == [(5, 9, [1, 2, 3]), (9, 12, [1, 2, 4])]


@pytest.mark.parametrize("columns", ["AN", "AN\tAN_AAA_XX"])
def test_a_cohort_of_one_cell_may_have_an_alone(columns: str, tmp_path: Path) -> None:
    path = tmp_path / "track.tsv"
    number = "\t".join(["7"] * len(columns.split("\t")))
    path.write_text(f"#contig\tstart\tend\t{columns}\nchr1\t5\t9\t{number}\n")
    assert read(path, "chr1", CELLS[:1]) == [(5, 9, [7])]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chr1\t0\t100\n",
        "chr1\t0\t100\tAN\n",
        "# callable regions\nchr1\t0\t100\texon\n",
        "track name=x\nchr1\t0\t100\n",
        "chrom\tstart\tend\nchr1\t0\t100\n",
    ],
)
def test_a_bed_file_is_no_track(text: str, tmp_path: Path) -> None:
    path = tmp_path / "callable.bed"
    path.write_text(text)
    assert not is_track(path)
    with pytest.raises(BadInputError, match="not a track of allele numbers"):
        TrackText(path, CELLS)


@pytest.mark.parametrize(
    "header",
    [
        "#chrom\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown",
        "#contig\tbegin\tend\tan\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown",
        "#contig\tstart\tend\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown",
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY",
        "#contig\tstart\tend\tAN",
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_XX",
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown\tAN_BBB_XX",
        "#contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XX\tAN_BBB_unknown",
        "# first a remark\n#Contig\tstart\tend\tAN\tAN_AAA_XX\tAN_AAA_XY\tAN_BBB_unknown",
    ],
)
def test_columns_of_other_names_are_refused_and_not_read_as_bed(
    header: str, tmp_path: Path
) -> None:
    """Read as BED it would say that everybody can be called wherever it has a line."""
    path = tmp_path / "track.tsv"
    path.write_text(header + "\nchr1\t0\t100\t0\t0\t0\t0\n")
    assert is_track(path)
    with pytest.raises(BadInputError, match="not those of the cohort's cells") as error:
        TrackText(path, CELLS)
    message = str(error.value)
    expected = "contig, start, end, AN, AN_AAA_XX, AN_AAA_XY, AN_BBB_unknown"
    assert str(path) in message
    assert f"expected: {expected}\n" in message
    assert "remedy" in message


def test_numbers_that_do_not_fit_are_refused_and_do_not_wrap_around(tmp_path: Path) -> None:
    path = tmp_path / "track.tsv"
    path.write_text(text_of([("chr1", 0, 9, (1, 2, 3))]).replace("\t6\t1\t2", "\t6\t4294967297\t2"))
    with pytest.raises(BadInputError):
        read(path, "chr1")


def _cut_at_a_block(path: Path) -> None:
    text = text_of(random_rows(3))
    path.write_bytes(bgzf_block(text[: text.index("\n", 5_000) + 1].encode()))


def _cut_gzip(path: Path) -> None:
    packed = gzip.compress(text_of(random_rows(3)).encode())
    path.write_bytes(packed[: len(packed) // 2])


def _cut_within_a_block(path: Path) -> None:
    packed = bgzf(text_of(random_rows(3)).encode(), (3_000,))
    path.write_bytes(packed[: len(packed) // 2])


def _other_bytes(path: Path) -> None:
    packed = bytearray(bgzf(text_of(random_rows(3)).encode(), (3_000,)))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(bytes(packed))


def _index_of_less(path: Path) -> None:
    """The file was made anew, with more contigs, and its index is the old one."""
    text = text_of(random_rows(3))
    _indexed(
        path,
        "".join(line for line in text.splitlines(keepends=True) if line[:2] != "22"),
        csi=False,
    )
    old = path.with_name(path.name + ".tbi").read_bytes()
    _bgzf(path, text)
    path.with_name(path.name + ".tbi").write_bytes(old)


@pytest.mark.parametrize(
    "spoil", [_cut_at_a_block, _cut_gzip, _cut_within_a_block, _other_bytes, _index_of_less]
)
def test_a_damaged_file_is_refused_wherever_it_is_read(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    """Contigs that are not there any more would be places where nobody can be called."""
    path = tmp_path / "track.tsv.gz"
    spoil(path)
    with pytest.raises(BadInputError, match=r"track\.tsv\.gz") as error:
        TrackText(path, CELLS).check(NAMES, "GRCh38")
    assert "remedy" in str(error.value)
    with pytest.raises(BadInputError, match=r"track\.tsv\.gz"):
        read(path, "chr22")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", [("chr1", "1", "chr2"), ("chr1", "chr2", "1")])
def test_one_contig_under_two_names_is_refused(
    form: str, order: tuple[str, ...], tmp_path: Path
) -> None:
    """One after the other they would not be in order."""
    rows = [(name, 10 * i, 10 * i + 10, (1, 1, 1)) for name in order for i in range(20)]
    path = tmp_path / "track.tsv.gz"
    FORMS[form](path, text_of(rows))
    track = TrackText(path, CELLS)
    for reading in (
        lambda: track.check(NAMES, "GRCh38"),
        lambda: list(track.of_contig(NAMES, "chr1")),
    ):
        with pytest.raises(BadInputError, match="lines of chr1 stand under two names"):
            reading()
    assert len(read(path, "chr2")) == 20


@pytest.mark.parametrize("size", [64, 1 << 20])
@pytest.mark.parametrize("form", ["plain", "gzip", "bgzf"])
def test_a_contig_in_two_places_is_refused(
    form: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index the rest of the file is read: else the second place would not be seen."""
    monkeypatch.setattr(track_text, "pieces", partial(pieces, size=size))
    rows = [(name, at + 10 * i, at + 10 * i + 10, (1, 1, 1))
            for name, at in (("chr1", 0), ("chr2", 0), ("chr1", 900)) for i in range(20)]  # fmt: skip
    path = tmp_path / "track.tsv.gz"
    FORMS[form](path, text_of(rows))
    track = TrackText(path, CELLS)
    for reading in (
        lambda: track.check(NAMES, "GRCh38"),
        lambda: list(track.of_contig(NAMES, "chr1")),
    ):
        with pytest.raises(BadInputError, match="lines of chr1 stand in two places"):
            reading()


PAR_END = 2_781_479


@pytest.mark.parametrize(
    ("contig", "start", "end", "number", "what"),
    [
        ("X", PAR_END - 9, PAR_END, (60, 40, 8), None),
        ("X", PAR_END - 9, PAR_END + 1, (60, 40, 0), "AAA XY"),
        ("X", PAR_END, PAR_END + 1, (60, 20, 0), None),
        ("X", PAR_END, PAR_END + 1, (60, 21, 0), "AAA XY"),
        ("X", PAR_END, PAR_END + 1, (60, 20, 1), "BBB unknown"),
        ("chr2", 0, 9, (61, 0, 0), "AAA XX"),
        ("chrM", 0, 9, (31, 0, 0), "AAA XX"),
        ("GL000191.1", 0, 9, (99, 99, 99), None),
    ],
)
def test_more_alleles_than_people_have_copies_are_refused(
    contig: str, start: int, end: int, number: tuple[int, ...], what: str | None, tmp_path: Path
) -> None:
    """Of a contig that the panel does not have nothing is known."""
    path = tmp_path / "track.tsv"
    path.write_text(text_of([("chr1", 0, 9, (60, 40, 8)), (contig, start, end, number)]))
    track = TrackText(path, CELLS)
    if what is None:
        track.check(NAMES, "GRCh38")
    else:
        with pytest.raises(
            BadInputError, match="more called alleles than people can have"
        ) as error:
            track.check(NAMES, "GRCh38")
        assert f"{NAMES.resolve(contig)}:{start + 1}, {what}" in str(error.value)


def test_where_the_pseudoautosomal_regions_are_not_known_x_is_not_looked_at(tmp_path: Path) -> None:
    """The panel cannot have it either."""
    path = tmp_path / "track.tsv"
    path.write_text(text_of([("X", 0, 9, (61, 0, 0))]))
    TrackText(path, CELLS).check(NAMES, "T2T-CHM13v2.0")
    path.write_text(text_of([("chr1", 0, 9, (61, 0, 0))]))
    with pytest.raises(BadInputError, match="more called alleles"):
        TrackText(path, CELLS).check(NAMES, "T2T-CHM13v2.0")
