"""Files damaged at random: each is refused as bad input, or read as what is left of its text says.

To be run in a process of its own, for what is damaged may crash it. Every file is made from a seed
and a number alone, so that one that was read wrongly can be made again.
"""

import copy
import faulthandler
import functools
import gzip
import json
import random
import resource
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from tests.builders import BGZF_END, GT_HEADER, RICH_HEADERS, bgzf, bgzf_block, vcf_text
from tests.plain_reading import Record, UnreadableError, check_blocks, read_text

from afpanel.errors import BadInputError
from afpanel.io.records import WideGenotypeError
from afpanel.io.source import open_source
from afpanel.model.region import Region

FIELDS = ("GQ", "DP", "AD")
ALPHABET = b"\t\t\n\r:;,./|*<>0123456789ACGTN-#\x00\xff e+"
CALLS = (
    b"0|0", b"0/0", b"0|1", b"1/1", b"./.", b".|1", b"0|.", b".", b"0", b"1", b"0/0:7", b"1/0:9,3:12:40",
    b"0/1:9,3,1:12", b"0|1:.:3:19", b"0/1:3,40000:50000:1e+02", b"0/0:8", b"./.:.:.:.",
)  # fmt: skip
JUNK = (
    b"2|1", b"9|9", b"0/2", b"000", b"0|", b"|||", b"x|0", b"10|0", b"12", b"0/0/1", b"0|0:", b"", b"GT",
    b"1/2:1,2,3", b"0/1:1.5,2:3:19.9", b"0/1:-3,4:-1:.5e-5", b"0|1:3,x", b"GT:GQ", b"GT:DP:AD",
    b"DP:GT", b"GT:GQ:GQ", b"PASS", b"A,C", b".,A", b"99999999999", b"-1", b"1e3", b"1|\xff", b"128|127",
)  # fmt: skip
MEMORY = 8 << 30
SECONDS = 30
MOST_FAILURES = 20

Damage = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Base:
    """A good file, and how it is damaged.

    Parameters
    ----------
    text
        Its text.
    suffix
        How it is kept: ``.vcf``, ``.gz`` or ``.bgz``.
    index
        Suffix of its index, which is then what is damaged; or nothing.
    """

    text: bytes
    suffix: str = ".vcf"
    index: str = ""


def long_rows(headers: Sequence[str], n_samples: int) -> bytes:
    """Rows of genotypes alone, most of them 0|0 or 0/0."""
    draw = random.Random(n_samples)
    usual = ["0|0", "0/0"] * 20 + ["0|1", "1/1", "./.", ".", "1", "1|2"]
    records = []
    for at in range(8):
        row = draw.choices(usual, k=n_samples) if at % 2 else [usual[at % 4 // 2]] * n_samples
        records.append((str(1 + at // 5), 5 + at, "A", "C,G", *row))
    records[3] = (*records[3][:4], "PASS", "GT:GQ", *(f"{call}:7" for call in records[3][4:]))
    return vcf_text(
        [f"s{i}" for i in range(n_samples)], records, contigs=("1", "2"), headers=headers
    ).encode()


def rich_calls() -> bytes:
    """All kinds of calls with all kinds of fields, on two contigs."""
    records = [
        ("1", 5, "A", "C", "0|0", "0|0", "0|0", "0|1", "0|0"),
        ("1", 9, "A", "C,G", "LowQual", "GT:AD:DP:GQ",
         "0/1:1,2:3:40", "1/2:1,2,3:6:9", ".:.:.:.", "./1", "0"),
        ("1", 9, "A", "C,G", "PASS", "GT:AD:DP:GQ",
         "0/1:10,20,0:30:40", "1/2:1,2,3:6:9", "0|0:5,0,0:5:15", "1/1:0,7,0:7:99", "0/2:3,.,4:7:1"),
        ("1", 12, "AT", "*,A", ".", "GT:DP", "0|1:3", "2/2:7", "0/0:40000", "./.:.", "1:3"),
        ("2", 9, "AT", "*,A", ".", "GT:GQ", "0/1:3", "2/2", "0/0:99", "./.", "1"),
        ("2", 10, "A", ".", "PASS", "DP", "3", "4", ".", "5", "6"),
        ("2", 11, "A", "<DEL>", "q;r", "GT:XX:GQ:AD", "0/1:a:19:3,4", "1", ".", "0/0:b", "0|1:.:.:9"),
    ]  # fmt: skip
    return vcf_text("abcde", records, contigs=("1", "2"), headers=RICH_HEADERS).encode()


def many_alts() -> bytes:
    """Records of more alleles than a digit, and than a byte, can number."""
    alts = {n: ",".join("A" * k for k in range(2, n + 2)) for n in (11, 127, 140)}
    records = [
        ("1", 5, "A", alts[11], "0|0", "11|10", "0/11", "9|9"),
        ("1", 6, "A", alts[127], "127|0", "100", "./99", "0|0"),
        ("1", 7, "A", alts[140], "140/0", "127|128", "0|0", "."),
        ("1", 8, "A", "C", "0|0", "0|1", "0|0", "1/1"),
    ]
    return vcf_text("abcd", records, contigs=("1",)).encode()


def many_sites() -> bytes:
    """Records enough for several blocks of BGZF and several bins of an index."""
    draw = random.Random(3)
    records = [
        (contig, at * step, "A", "C", *draw.choices(["0|0", "0|1", "1|1", "./."], k=3))
        for contig, step in (("1", 40_000), ("2", 7), ("chrX", 900_000))
        for at in range(40)
    ]
    return vcf_text("abc", records, contigs=("1", "2", "chrX")).encode()


BASES = {
    "rich calls": Base(rich_calls()),
    "long rows": Base(long_rows([GT_HEADER], 150)),
    "long rows among fields": Base(long_rows(RICH_HEADERS, 131)),
    "many ALTs": Base(many_alts()),
    "gzip": Base(rich_calls(), ".gz"),
    "BGZF": Base(long_rows([GT_HEADER], 70), ".bgz"),
    "BGZF with tabix index": Base(many_sites(), ".bgz", ".tbi"),
    "BGZF with CSI index": Base(many_sites(), ".bgz", ".csi"),
}
TEXT = [name for name, base in BASES.items() if base.suffix == ".vcf"]


# ---------------------------------------------------------------------------------------------
# Damage


def damage_text(text: bytes, rng: random.Random) -> bytes:
    """Change, take out, put in, cut off or move a few bytes, columns or lines."""
    data = bytearray(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        # Most damage is to records, of which there is less than of the header.
        first = 0 if rng.random() < 0.1 else max(0, data.rfind(b"\n#") + 1)
        at = rng.randint(first, len(data))
        kind = rng.choice("ccccddiizkttttttllm")
        if kind == "c":
            data[at : at + 1] = bytes([rng.choice(ALPHABET)])
        elif kind == "d":
            del data[at : at + rng.randint(1, 9)]
        elif kind == "i":
            data[at:at] = bytes(rng.choice(ALPHABET) for _ in range(rng.randint(1, 5)))
        elif kind == "z" and rng.random() < 0.3:
            del data[max(1, at) :]
        elif kind == "t":
            start = max(data.rfind(b"\t", 0, at), data.rfind(b"\n", 0, at)) + 1
            ends = [end for end in (data.find(b"\t", at), data.find(b"\n", at)) if end >= 0]
            data[start : min(ends, default=len(data))] = rng.choice(
                rng.choice((CALLS, CALLS, JUNK))
            )
        elif kind == "l":
            lines = bytes(data).split(b"\n")
            move = lines.pop(rng.randrange(len(lines)))
            lines[(to := rng.randrange(len(lines) + 1)) : to] = [move] * rng.randrange(3)
            data = bytearray(b"\n".join(lines))
        else:
            length = rng.choice((3, 4, 8, 64, 256))
            start = rng.randrange(len(data) + 1)
            piece = data[start : start + length]
            data[at : at + (len(piece) if kind == "m" else 0)] = piece
    return bytes(data)


def damage_bytes(packed: bytes, rng: random.Random) -> bytes:
    """Change bits and bytes of a packed file, or cut, lose and repeat parts of it."""
    data = bytearray(packed)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        kind = rng.choice("bbbccdizrm")
        if kind == "b" and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "c":
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == "d":
            del data[at : at + rng.choice((1, 2, 30))]
        elif kind == "i":
            data[at:at] = rng.randbytes(rng.choice((1, 2, 30)))
        elif kind == "z":
            # The end that BGZF has to have is often kept.
            data[max(1, at) :] = BGZF_END if rng.random() < 0.5 else b""
        elif kind == "r":
            data[at : at + 20] = bytes(len(data[at : at + 20]))
        else:
            start = rng.randrange(len(data) + 1)
            data[at:at] = data[start : start + 40]
    return bytes(data)


def damage_blocks(text: bytes, rng: random.Random) -> bytes:
    """Pack text as BGZF, and lose, repeat or exchange whole blocks."""
    size = rng.choice((100, 333, 4000))
    blocks = [bgzf_block(text[at : at + size]) for at in range(0, len(text), size)]
    kind = rng.choice("lrx")
    at, other = rng.randrange(len(blocks)), rng.randrange(len(blocks))
    if kind == "l":
        del blocks[at]
    elif kind == "r":
        blocks.insert(other, blocks[at])
    else:
        blocks[at], blocks[other] = blocks[other], blocks[at]
    return b"".join([*blocks, BGZF_END])


def damage_inside(packed: bytes, rng: random.Random) -> bytes:
    """Damage what is packed, and pack it again."""
    return gzip.compress(damage_bytes(gzip.decompress(packed), rng), mtime=0)


@functools.cache
def pack(text: bytes, suffix: str) -> bytes:
    """Pack text as the suffix says, in several parts."""
    if suffix == ".bgz":
        return bgzf(text, (700, 333))
    if suffix == ".gz":
        return b"".join(gzip.compress(part, mtime=0) for part in (text[:500], text[500:]))
    return text


def damaged(base: Base, rng: random.Random) -> bytes:
    """Make a damaged file."""
    if base.suffix == ".vcf":
        return damage_text(base.text, rng)
    kind = rng.random()
    if kind < 0.2:
        return pack.__wrapped__(damage_text(base.text, rng), base.suffix)
    if kind < 0.4 and base.suffix == ".bgz":
        return damage_blocks(base.text, rng)
    return damage_bytes(pack(base.text, base.suffix), rng)


# ---------------------------------------------------------------------------------------------
# Reading


def unpacked(data: bytes) -> bytes:
    """Read packed bytes, all of them."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(str(error)) from error


def check(
    path: Path,
    text: Callable[[], bytes],
    rng: random.Random,
    region: Region | None = None,
    *,
    all_of_it: bool = True,
) -> str:
    """Read a file; returns how that ended.

    Parameters
    ----------
    path, text
        The file, and how to get its text.
    rng
        Chooses what is read of it.
    region
        Where; None is everything.
    all_of_it
        Whether records must not be missed.

    Raises
    ------
    AssertionError, UnreadableError
        If something was read that the text does not say.
    """
    fields = rng.choice((FIELDS, FIELDS, ("AD",), ()))
    samples = rng.choice((None, None, None, ["b", "a"], ["s0", "s64", "s65", "s69"]))
    size = rng.choice((1, 2, 5, 100))
    for dtype in (np.int8, np.int16):
        try:
            source = open_source(path, samples, fields, dtype)
            # A source may use the arrays of calls again.
            blocks = [copy.deepcopy(block) for block in source.blocks(region, size)]
        except BadInputError as error:
            if str(path) not in str(error):
                raise AssertionError(f"the message does not name the file: {error}") from error
            return "refused"
        except WideGenotypeError:
            continue
        expected = read_text(text(), source.fields, samples)
        if region is not None:
            expected = [record for record in expected if lies_in(record, region)]
        if not all_of_it:
            seen = {(block.contig, at) for block in blocks for at in block.position.tolist()}
            expected = [record for record in expected if record[:2] in seen]
        check_blocks(blocks, source.filters, source.fields, expected)
        return "read"
    raise AssertionError("an allele number that int16 does not hold")


def lies_in(record: Record, region: Region) -> bool:
    return record.contig == region.contig and region.start <= record.position <= region.end


def indexed(folder: Path, base: Base) -> tuple[Path, bytes]:
    """Write the good file of a base that has an index; the file, and the bytes of the index."""
    path = folder / f"good{base.index}.bgz"
    index = path.with_name(path.name + base.index)
    if not path.exists():
        path.write_bytes(pack(base.text, base.suffix))
        pysam.tabix_index(str(path), preset="vcf", force=True, csi=base.index == ".csi")
        index.rename(index.with_suffix(".kept"))
    return path, index.with_suffix(".kept").read_bytes()


def run_file(folder: Path, name: str, seed: str) -> str:
    """Make a damaged file and read it; returns how that ended. What it wrote is left if it fails."""
    rng = random.Random(seed)
    base = BASES[name]
    if base.index:
        path, index = indexed(folder, base)
        written = path.with_name(path.name + base.index)
        # Of an index that is whole in itself and names other places, no reader could know it.
        inside = rng.random() < 0.5
        written.write_bytes(damage_inside(index, rng) if inside else damage_bytes(index, rng))
        contig = rng.choice(("1", "2", "chrX"))
        start = rng.choice((0, 1, 100, 200_000, 1_000_000, 20_000_000))
        region = Region(contig, start, start + rng.choice((0, 100, 1_000_000, 100_000_000)))
        region = rng.choice((None, region, region, region))
        outcome = check(path, lambda: base.text, rng, region, all_of_it=not inside)
    else:
        written = folder / f"{seed.replace(':', '-')}{base.suffix}"
        data = damaged(base, rng)
        written.write_bytes(data)
        outcome = check(written, lambda: unpacked(data), rng)
    written.unlink()
    return outcome


def run(folder: Path, seed: int, files: int) -> dict[str, object]:
    """Damage files, those of all bases in turn.

    Returns
    -------
    dict
        For each base how often the reading ended how; and under ``failures`` what went wrong.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in BASES}
    failures: list[str] = []
    for number in range(files):
        name = list(BASES)[number % len(BASES)]
        try:
            # If the process dies, or is killed for taking too long, this tells in which file.
            (folder / "running").write_text(f"run_file(folder, {name!r}, '{seed}:{number}')")
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            counts[name][run_file(folder, name, f"{seed}:{number}")] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of the reader
            failures.append(f"run_file(folder, {name!r}, '{seed}:{number}'): {error!r}")
            if len(failures) == MOST_FAILURES:
                break
    faulthandler.cancel_dump_traceback_later()
    return {**counts, "failures": failures}


def main(folder: str, seed: str, files: str) -> None:
    """Run in a process of its own, with the memory that it may take; prints JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    print(json.dumps(run(Path(folder), int(seed), int(files))))
