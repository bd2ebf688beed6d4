"""VCF text read slowly, a line at a time: what every reader of such files has to find.

It shares nothing with the readers under test but the meaning of their arrays.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from afpanel.io.records import RecordBlock

Pair = tuple[int, int]

_GENOTYPE = re.compile(rb"(\d+|\.)(?:[/|](\d+|\.))?")
_NUMBER = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_CAP = 32_767
_KNOWN = (b"GT", b"GQ", b"DP", b"AD")


class UnreadableError(Exception):
    """The text says nothing that could be counted: to read it all the same is an error."""


class Record(NamedTuple):
    """A line of a VCF, its calls as the arrays of a block have them."""

    contig: str
    position: int
    identifier: str
    alleles: tuple[str, ...]
    quality: float
    filters: frozenset[str]
    genotype: tuple[Pair, ...]
    gq: tuple[int, ...]
    dp: tuple[int, ...]
    het_alt_ad: tuple[int, ...]
    has_gt: bool


def read_text(
    text: bytes, fields: Collection[str] = (), samples: Collection[str] | None = None
) -> list[Record]:
    """Read the records of a VCF, for some of its samples or all of them.

    Raises
    ------
    UnreadableError
        If a line is no line of VCF, or the lines are out of order.
    """
    lines = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    if any(b"\0" in line for line in _header(lines)):
        raise UnreadableError("a NUL byte in the header")
    names = _column_names(lines)
    people = [name.decode(errors="replace") for name in names[9:]]
    wanted = [i for i, name in enumerate(people) if samples is None or name in samples]
    records: list[Record] = []
    done: set[str] = set()
    for line in lines:
        if not line or line.startswith(b"#"):
            continue
        columns = line.split(b"\t")
        if b"\0" in line:
            raise UnreadableError("a NUL byte")
        if len(columns) != len(names):
            raise UnreadableError(f"{len(columns)} columns, not {len(names)}")
        record = _record(columns, [columns[9 + i] for i in wanted], fields)
        if records and records[-1].contig != record.contig:
            done.add(records[-1].contig)
        elif records and records[-1].position > record.position:
            raise UnreadableError("a position that goes back")
        if record.contig in done:
            raise UnreadableError("a contig that comes back")
        records.append(record)
    return records


def _header(lines: Sequence[bytes]) -> Iterator[bytes]:
    return itertools.takewhile(lambda line: line.startswith(b"#"), lines)


def _column_names(lines: Sequence[bytes]) -> list[bytes]:
    """Find the names of columns: in the last line of the header."""
    *_, last = (b"", *_header(lines))
    names = last.split(b"\t")
    if names[0] != b"#CHROM":
        raise UnreadableError("no column names")
    return names


def _record(columns: Sequence[bytes], calls: Sequence[bytes], fields: Collection[str]) -> Record:
    contig, position, identifier, ref, alt, quality, filters = columns[:7]
    alts = [] if alt == b"." else alt.split(b",")
    if not contig or not ref or not all(alts) or (len(alts) > 1 and b"." in alts):
        raise UnreadableError("no contig, or an allele without a letter")
    if not (position.isdigit() and int(position) < 2**31 - 1):
        raise UnreadableError("POS is no position")
    keys = columns[8].split(b":") if len(columns) > 8 else []
    if any(keys.count(key) > 1 for key in _KNOWN) or b"GT" in keys[1:]:
        raise UnreadableError("GT is not the first of FORMAT, or a field stands in it twice")
    has_gt = b"GT" in keys
    try:
        return Record(
            contig.decode(),
            int(position),
            identifier.decode(),
            (ref.decode(), *(name.decode() for name in alts)),
            float("nan") if quality == b"." else float(quality),
            frozenset(filters.decode().split(";")) - {"", "."},
            _genotypes(calls, 1 + len(alts)) if has_gt else ((-1, -1),) * len(calls),
            *_fields(keys, calls, fields),
            has_gt,
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise UnreadableError(str(error)) from error


def _genotypes(calls: Iterable[bytes], n_alleles: int) -> tuple[Pair, ...]:
    genotypes = tuple(genotype_of(call.partition(b":")[0]) for call in calls)
    if max(map(max, genotypes), default=0) >= n_alleles:
        raise UnreadableError("an allele that the record does not have")
    return genotypes


@lru_cache(1 << 16)
def genotype_of(text: bytes) -> Pair:
    """Read GT: two alleles, -1 for a dot, and -2 for the second where there is but one."""
    found = _GENOTYPE.fullmatch(text)
    if found is None:
        raise UnreadableError(f"{text!r} is no genotype of at most two alleles")
    first, second = (-1 if part == b"." else -2 if part is None else int(part)
                     for part in found.groups())  # fmt: skip
    return first, second


def _fields(
    keys: Sequence[bytes], calls: Sequence[bytes], fields: Collection[str]
) -> Iterator[tuple[int, ...]]:
    """Read GQ, DP and the reads of ALTs; of a record without GT nothing is used, and nothing read."""
    missing = (-1,) * len(calls)
    for name in ("GQ", "DP"):
        at = keys.index(name.encode()) if name in fields and name.encode() in keys else 0
        used = b"GT" in keys and at
        yield tuple(_number(_part(call, at)) for call in calls) if used else missing
    used = "AD" in fields and b"GT" in keys and b"AD" in keys
    yield tuple(_het_alt_reads(call, keys.index(b"AD")) for call in calls) if used else missing


def _part(call: bytes, at: int) -> bytes:
    parts = call.split(b":")
    return parts[at] if at < len(parts) else b"."


def _number(text: bytes) -> int:
    """Read GQ or DP: decimals are cut, what is too large for the array is the largest it holds."""
    if text in (b"", b"."):
        return -1
    if not _NUMBER.fullmatch(text):
        raise UnreadableError(f"{text!r} is no number")
    value = float(text)
    return -1 if value < 0 else min(int(min(value, _CAP)), _CAP)


def _het_alt_reads(call: bytes, at: int) -> int:
    """Find the reads of the least supported ALT of a heterozygous call; -1 for any other call."""
    alleles = genotype_of(_part(call, 0))
    if min(alleles) < 0 or alleles[0] == alleles[1]:
        return -1
    reads = _part(call, at).split(b",")
    for text in reads:
        if not (text.isdigit() or text in (b"", b".")):
            raise UnreadableError(f"{text!r} is no number of reads")
    if len(reads) <= max(alleles):
        return -1
    return min(-1 if reads[a] in (b"", b".") else min(int(reads[a]), _CAP) for a in alleles if a)


def check_blocks(
    blocks: Iterable[RecordBlock],
    filters: Sequence[str],
    fields: Collection[str],
    expected: Sequence[Record],
) -> None:
    """Hold blocks against the records they should have, one after the other.

    Parameters
    ----------
    blocks
        What a source gives. Each is done with before the next is taken, for a source may use the
        arrays again.
    filters
        The source's list of FILTERs, which grows as it is read.
    fields
        Those of GQ, DP and AD that it reads.
    expected
        All the records.
    """
    done = 0
    for block in blocks:
        rows = expected[done : done + len(block)]
        done += len(block)
        assert done <= len(expected), "more records than the text has"
        assert {row.contig for row in rows} == {block.contig}
        assert block.position.tolist() == [row.position for row in rows]
        assert block.identifier.tolist() == [row.identifier for row in rows]
        found = [tuple(names) for names in block.alleles.tolist()]
        width = block.alleles.shape[1]
        assert found == [row.alleles + ("",) * (width - len(row.alleles)) for row in rows]
        assert block.ref_length.tolist() == [len(row.alleles[0].encode()) for row in rows]
        qualities = np.array([row.quality for row in rows], np.float32)
        assert np.array_equal(block.quality, qualities, equal_nan=True)
        passed = [{filters[i] for i in np.flatnonzero(row)} for row in block.filters]
        assert passed == [row.filters for row in rows]
        _check_calls(block, rows, fields)
    assert done == len(expected), "fewer records than the text has"


def _check_calls(block: RecordBlock, rows: Sequence[Record], fields: Collection[str]) -> None:
    calls = block.calls
    genotypes = np.array([row.genotype for row in rows], np.int64).reshape(len(rows), -1, 2)
    _check_equal("GT", calls.genotype, genotypes)
    for name, values in (("GQ", calls.gq), ("DP", calls.dp), ("AD", calls.het_alt_ad)):
        assert (values is not None) == (name in fields)
        if values is not None:
            attribute = "het_alt_ad" if name == "AD" else name.lower()
            _check_equal(name, values, np.array([getattr(row, attribute) for row in rows]))


def _check_equal(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape, name
    if not np.array_equal(found, expected):
        at = tuple(np.argwhere(found != expected)[0].tolist())
        raise AssertionError(f"{name} of {at} is {found[at]}, and {expected[at]} in the text")
