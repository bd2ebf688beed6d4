"""Text that is read through a small buffer says what it says when all of it is at hand."""

import functools
import itertools
import random
from pathlib import Path

import pytest
from tests.builders import RICH_HEADERS, vcf_text
from tests.plain_reading import check_blocks, read_text

from afpanel.errors import BadInputError
from afpanel.io import prefetch, text_source
from afpanel.io.source import open_source
from afpanel.model.region import Region

FIELDS = ("GQ", "DP", "AD")
SAMPLES = [f"s{i}" for i in range(70)]
LENGTHS = {"1": 230, "2": 1, "3": 80, "4": 70}
"""Records by contig: what is at hand ends within contigs, between them, and at a single record."""


def lines(remarks: int) -> list[str]:
    """Make the lines of a file, some of them no records at all."""
    draw = random.Random(5)
    records = []
    for contig, length in LENGTHS.items():
        for at in range(1, length + 1):
            calls = draw.choices(["0|0", "0|1", "./.", "1", "0/0"], k=len(SAMPLES))
            form = "GT:GQ" if at % 7 == 0 else "GT"
            calls = [f"{call}:{at % 90}" if at % 7 == 0 else call for call in calls]
            records.append((contig, 10 * at, "A", "C", "PASS", form, *calls))
    text = vcf_text(SAMPLES, records, contigs=LENGTHS, headers=RICH_HEADERS).splitlines()
    for _ in range(remarks):
        text.insert(draw.randint(20, len(text)), draw.choice(["", "#", "# a remark"]))
    return text


@pytest.fixture(params=[1, 20_000, 64_000, 1 << 20])
def small_buffer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold only so much text at a time, and little more."""
    whole = text_source.pieces
    buffer = functools.partial(text_source.TextBuffer, capacity=request.param)
    monkeypatch.setattr(prefetch, "_WAIT", 0.001)  # a reader that stops early waits for so long
    monkeypatch.setattr(text_source, "TextBuffer", buffer)
    monkeypatch.setattr(text_source, "pieces", lambda *a, **o: whole(*a, **{**o, "size": 3_000}))


pytestmark = [
    pytest.mark.usefixtures("small_buffer"),
    pytest.mark.parametrize("remarks", [0, 30]),
]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 150, 151, 1_000])
def test_all_records_are_read_in_blocks_of_any_size(
    tmp_path: Path, size: int, remarks: int
) -> None:
    path, text = tmp_path / "a.vcf", "\n".join(lines(remarks)).encode()
    path.write_bytes(text)
    expected = read_text(text, FIELDS)
    regions = [None, *(Region(c, *span) for c in LENGTHS for span in ((0, 9999), (200, 600)))]
    for region in regions:
        source = open_source(path, None, FIELDS)
        inside = [
            record
            for record in expected
            if region is None
            or (record.contig == region.contig and region.start <= record.position <= region.end)
        ]
        check_blocks(source.blocks(region, size), source.filters, source.fields, inside)


@pytest.mark.parametrize("size", [7, 1_000])
def test_the_first_bad_line_is_the_one_that_is_named(
    tmp_path: Path, size: int, remarks: int
) -> None:
    path, good = tmp_path / "a.vcf", lines(remarks)
    records = [at for at, line in enumerate(good) if line[:1] in set("1234")]
    draw = random.Random(size)
    for first in [records[0], *draw.sample(records, 12), records[-1]]:
        text = list(good)
        for bad in (first, draw.choice(records)):
            text[bad] = text[bad].replace("0|1", "0|9")
        bad = min(at for at in records if "0|9" in text[at])
        path.write_text("\n".join(text))
        with pytest.raises(BadInputError) as refused:
            list(open_source(path).blocks(None, size))
        contig, position = text[bad].split("\t")[:2]
        column = text[bad].split("\t").index(next(c for c in text[bad].split("\t") if "0|9" in c))
        assert f", line {bad + 1}, column {column + 1}, {contig}:{position}" in str(refused.value)


@pytest.mark.parametrize("size", [7, 1_000])
def test_records_out_of_order_are_found_wherever_the_text_at_hand_ends(
    tmp_path: Path, size: int, remarks: int
) -> None:
    path, good = tmp_path / "a.vcf", lines(remarks)
    starts = [at for at, line in enumerate(good) if line.startswith("3\t")]
    for one, other in itertools.islice(itertools.pairwise(starts), None, None, 6):
        text = list(good)
        text[one], text[other] = text[other], text[one]
        path.write_text("\n".join(text))
        with pytest.raises(BadInputError, match="not sorted") as refused:
            list(open_source(path).blocks(None, size))
        contig, position = good[one].split("\t")[:2]
        assert f"{contig}:{position}: records are not sorted" in str(refused.value)
