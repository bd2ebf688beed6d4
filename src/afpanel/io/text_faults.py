"""What to say of a line of VCF text that cannot be used, and where in the file it is."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.errors import BadInputError
from afpanel.io.inflate import LONGEST_LINE, pieces
from afpanel.io.sniff import Compression
from afpanel.io.vcf_calls import Fault

REPAIR = "look at the line: bcftools view FILE > /dev/null"
_FIXED_COLUMNS = 9
_SHOWN = 40


def line_fault(
    fault: Fault,
    text: NDArray[np.uint8],
    at: int,
    n_columns: int,
    where: str,
    last: str,
) -> BadInputError:
    """Make the error for a line.

    Parameters
    ----------
    fault
        What is wrong.
    text
        (bytes,) uint8: the line, and maybe others after it.
    at
        The byte of it that is wrong.
    n_columns
        Sample columns that the file has.
    where
        The file, and the line's number in it.
    last
        The last record that was good.
    """
    before = np.flatnonzero(text[:at] == ord("\t"))
    column = len(before) + 1
    start = int(before[-1]) + 1 if len(before) else 0
    seen = re.split(rb"[\t\r\n]", text[start : start + _SHOWN].tobytes(), maxsplit=1)[0]
    found: object = repr(seen.decode(errors="replace"))
    what, expected = _WORDS[fault]
    if fault in (Fault.FEW_COLUMNS, Fault.MANY_COLUMNS):
        expected = f"{_FIXED_COLUMNS + n_columns} columns"
        found = f"{column} or more" if fault is Fault.MANY_COLUMNS else column
    elif fault is Fault.ALLELE:
        expected = f"an allele number of at most {_count_alts(text)}"
    if column > _FIXED_COLUMNS and fault not in (Fault.FEW_COLUMNS, Fault.MANY_COLUMNS):
        what = f"{what}, sample number {column - _FIXED_COLUMNS}"
    contig, position = place_of(text)
    places = [f"{where}, column {column}"]
    if position:
        places.append(f"{contig}:{position}")
    return BadInputError(
        what,
        where=", ".join([*places, f"after {last}"]),
        expected=expected,
        found=found,
        remedy=REPAIR,
    )


_WORDS: dict[Fault, tuple[str, str]] = {
    Fault.FEW_COLUMNS: ("too few columns", ""),
    Fault.MANY_COLUMNS: ("too many columns", ""),
    Fault.EMPTY_ALLELE: (
        "an allele without a letter",
        "REF, and ALTs joined by commas, or one dot",
    ),
    Fault.POSITION: ("POS is not a position", "a whole number"),
    Fault.GENOTYPE: ("not a genotype", "GT such as 0/1, 1|1, ./. or 0"),
    Fault.ALLELE: ("a call names an allele that the record does not have", ""),
    Fault.POLYPLOID: (
        "polyploid call",
        "at most two alleles; genotypes.polyploid: missing takes such calls as missing",
    ),
    Fault.GT_NOT_FIRST: ("GT is not the first of FORMAT", "GT:…"),
    Fault.NUMBER: ("GQ, DP or AD is not a number", "a whole number, or ."),
    Fault.NUL: ("a NUL byte", "text"),
    Fault.FIELD_TWICE: ("a field stands in FORMAT twice", "each field once"),
    Fault.NO_CONTIG: ("CHROM is empty", "the name of a contig"),
    Fault.LONG_LINE: (
        "the line does not end",
        f"a line of at most {LONGEST_LINE >> 20} MB",
    ),
}


def place_of(text: NDArray[np.uint8]) -> tuple[str, int]:
    """Read contig and position at the beginning of a line; 0 where it has no position."""
    fields = text[:200].tobytes().split(b"\t", 2)
    is_number = len(fields) == 3 and fields[1].isdigit() and len(fields[1]) <= 10
    return fields[0].decode(errors="replace"), int(fields[1]) if is_number else 0


def _count_alts(text: NDArray[np.uint8]) -> int:
    alts = text[: 64 << 20].tobytes().split(b"\t", 5)[4]
    return 0 if alts == b"." else alts.count(b",") + 1


def lines_before(path: Path, compression: Compression, offset: int) -> int:
    """Count the lines of a file before a virtual offset, by going through it from its beginning."""
    text = pieces(path, compression, end=offset) if offset else ()
    return sum(piece.count(b"\n") for piece in text)
