"""Text damaged at random: it is read, or refused as bad input; nothing else ever happens."""

import random
from pathlib import Path

import pytest
from tests.builders import RICH_HEADERS, vcf_text

from afpanel.errors import AfpanelError
from afpanel.io.records import WideGenotypeError
from afpanel.io.source import open_source

SAMPLES = ("a", "b", "c", "d", "e")
RECORDS = [
    ("1", 5, "A", "C", "0|0", "0|0", "0|0", "0|1", "0|0"),
    ("1", 9, "A", "C,G", "LowQual", "GT:AD:DP:GQ",
     "0/1:1,2:3:40", "1/2:1,2,3:6:9", ".:.:.:.", "./1", "0"),
    ("2", 9, "AT", "*,A", ".", "GT:GQ", "0/1:3", "2/2", "0/0:99", "./.", "1"),
]  # fmt: skip
BYTES = b"\t\n\r:;,./|*<>0123456789ACGTN-#\x00\xff "
FILES = 400


def damage(text: bytes, rng: random.Random) -> bytes:
    """Change, take out, put in or cut off a few bytes."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.choice("ccccddiiiz")
        if kind == "c":
            data[at : at + 1] = bytes([rng.choice(BYTES)])
        elif kind == "d":
            del data[at : at + rng.randint(1, 9)]
        elif kind == "i":
            data[at:at] = bytes(rng.choice(BYTES) for _ in range(rng.randint(1, 5)))
        else:
            del data[max(1, at) :]
    return bytes(data)


@pytest.mark.parametrize("seed", range(5))
def test_damaged_text_is_read_or_refused_and_never_crashes(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    text = vcf_text(SAMPLES, RECORDS, contigs=("1", "2"), headers=RICH_HEADERS).encode()
    path = tmp_path / "a.vcf"
    refused = 0
    for _ in range(FILES):
        path.write_bytes(damage(text, rng))
        try:
            source = open_source(path, None, ("GQ", "DP", "AD"))
            for block in source.blocks(None, rng.choice((1, 2, 5))):
                n_alleles = (block.alleles != "").sum(axis=1)
                highest = block.calls.genotype.max(axis=(1, 2), initial=-2)
                assert (highest < n_alleles).all()
                assert block.calls.genotype.min(initial=0) >= -2
        except (AfpanelError, WideGenotypeError):
            refused += 1
    assert FILES // 10 < refused < FILES, "the damage must matter, and not always"
