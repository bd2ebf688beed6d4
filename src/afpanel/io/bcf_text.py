"""The text of a sites-only BCF as a release has it: its header and its lines, as the VCF would have them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from afpanel.core.strings import Strings
from afpanel.errors import VerificationError
from afpanel.io import bcf_kernel as kernel

_MAGIC = b"BCF\2\2"
_MOST_HEADER = 64 << 20
_MOST_RECORD = 64 << 20
_ROOM = 4 << 20
_PIECE = 1 << 20
_NAME = re.compile(r"##(contig|FILTER|INFO)=<ID=([^,>]+).*,IDX=([0-9]+)>")
_TYPE = re.compile(r",Type=(Integer|Float|String),")
_KINDS = {"Integer": kernel.INTEGER, "Float": kernel.FLOAT, "String": kernel.TEXT}


class NotBcfError(Exception):
    """Bytes that no BCF of a release has.

    Parameters
    ----------
    what
        What they are not.
    data
        The bytes, from there on, as far as they were read.
    """

    def __init__(self, what: str, data: bytes) -> None:
        super().__init__(what)
        self.what, self.data = what, data


@dataclass(frozen=True)
class _Names:
    """Names of the header by their numbers."""

    contigs: Strings
    names: Strings
    kinds: NDArray[np.uint8]


def text_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give the text of a BCF: the header first, then whole lines.

    Parameters
    ----------
    pieces
        Its bytes, inflated, in pieces of any size.

    Raises
    ------
    NotBcfError
        If any byte is not what htslib writes for that text.
    """
    source = iter(pieces)
    data = b""
    while len(data) < 9 or (len(data) < 9 + _size(data) and _size(data) <= _MOST_HEADER):
        piece = next(source, None)
        if piece is None:
            break
        data += piece
    end = 9 + _size(data)
    header = data[9:end]
    if not data.startswith(_MAGIC) or len(data) < end or header.find(b"\0") != len(header) - 1:
        raise NotBcfError("no BCF with a header", data)
    lines = header[:-1].decode("utf-8", "surrogateescape").split("\n")
    names = _names_of(lines, header)
    plain = [re.sub(r",IDX=[0-9]+>$", ">", line) for line in lines]
    yield "\n".join(plain).encode("utf-8", "surrogateescape")
    rest = data[end:]
    room = np.empty(_ROOM, np.uint8)
    for piece in _and_last(source):
        rest += piece
        while rest:
            lines_of, rest, room, is_all = _lines(rest, names, room)
            yield lines_of
            if is_all:
                break
        if len(rest) > _MOST_RECORD:
            raise NotBcfError("a record longer than any of a release", rest)
    if rest:
        raise NotBcfError("a record that is cut short", rest)


def _and_last(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield b""
    yield from pieces


def _size(data: bytes) -> int:
    return int.from_bytes(data[5:9], "little")


def _names_of(lines: list[str], header: bytes) -> _Names:
    """Read which name has which number: in the order of the lines, PASS before all."""
    contigs: list[str] = []
    names: list[str] = []
    kinds: list[int] = []
    for line in lines:
        match = _NAME.fullmatch(line)
        if match is None:
            continue
        kind, name, number = match[1], match[2], int(match[3])
        of = contigs if kind == "contig" else names
        if number != len(of):
            raise NotBcfError("a header whose numbers are not in order", header)
        of.append(name)
        if kind != "contig":
            said = _TYPE.search(line)
            kinds.append(kernel.FILTER if said is None else _KINDS[said[1]])
    of_contigs, of_names = Strings.of(contigs), Strings.of(names)
    return _Names(of_contigs, of_names, np.array(kinds, np.uint8))


def _lines(
    data: bytes, names: _Names, room: NDArray[np.uint8]
) -> tuple[bytes, bytes, NDArray[np.uint8], bool]:
    """Write lines; what is left of the records, room for more, and whether no more can be written."""
    done = np.zeros(4, np.int64)
    longest = max([1, *names.contigs.lengths.tolist(), *names.names.lengths.tolist()])
    kernel.put_records(
        np.frombuffer(data + bytes(8), np.uint8)[: len(data)],
        *(np.ascontiguousarray(each) for each in (names.contigs.data, names.contigs.offsets)),
        *(np.ascontiguousarray(each) for each in (names.names.data, names.names.offsets)),
        names.kinds,
        longest,
        room,
        done,
    )
    read, written, is_bad, needed = done.tolist()
    if is_bad:
        raise NotBcfError("a record that no release has", data[read:])
    lines = room[:written].tobytes()
    if needed > len(room):
        room = np.empty(needed, np.uint8)
    return lines, data[read:], room, not needed


def read_bcf(path: Path) -> Iterator[bytes]:
    """Read the text of a BCF, in pieces.

    Raises
    ------
    VerificationError
        Where the file is not as a release's is.
    """
    with igzip.open(path, "rb") as file:
        try:
            yield from text_of(iter(lambda: file.read(_PIECE), b""))
        except NotBcfError as error:
            raise VerificationError(
                f"{error.what} is in the BCF", where=path, remedy="publish the release again"
            ) from None
