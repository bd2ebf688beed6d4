"""Making the indexes of a BGZF file of VCF lines while it is written: tabix (TBI) and CSI.

Both tell, for each of a tree of stretches of a contig (the bins of UCSC's scheme), where in the file the lines are
that fit into no smaller one. Written from the SAM and tabix specifications; htslib would read the whole file again.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.errors import BadInputError
from afpanel.io.bgzf_writer import BgzfWriter

_SHIFT, _DEPTH = 14, 5
_LONGEST = 1 << _SHIFT + 3 * _DEPTH
_PSEUDO_BIN = 37450
_VCF = (2, 1, 2, 0, ord("#"), 0)
"""What tabix is told of VCF: the format, columns of contig and position, comments, and lines to skip."""


@dataclass
class _Contig:
    """Lines of a contig, block by block: 0-based half-open spans, and where each line begins; where the last ends."""

    starts: list[NDArray[np.int64]] = field(default_factory=list)
    ends: list[NDArray[np.int64]] = field(default_factory=list)
    offsets: list[NDArray[np.uint64]] = field(default_factory=list)
    stop: int = 0


class LineIndex:
    """Gathers where lines are, and writes the indexes.

    Parameters
    ----------
    contigs
        Lengths of the contigs, in the order of the file.
    """

    def __init__(self, contigs: dict[str, int]) -> None:
        longest = max(contigs.values(), default=0)
        if longest > _LONGEST:
            raise BadInputError(
                "a contig is too long for a tabix index",
                expected=f"at most {_LONGEST:,} bases",
                found=f"{longest:,}",
                remedy="leave vcf out of publish.formats",
            )
        self._contigs: dict[str, _Contig] = {}

    def add(
        self,
        contig: str,
        position: NDArray[np.int32],
        length: NDArray[np.int64],
        offsets: NDArray[np.uint64],
    ) -> None:
        """Add lines, which follow those already added.

        Parameters
        ----------
        contig
            Their contig.
        position, length
            (n,) POS, and bases of REF.
        offsets
            (n + 1,) uint64: virtual offsets of each line, and of what follows the last.
        """
        if not len(position):
            return
        lines = self._contigs.setdefault(contig, _Contig())
        start = position.astype(np.int64) - 1
        lines.starts.append(start)
        lines.ends.append(start + length)
        lines.offsets.append(offsets[:-1])
        lines.stop = int(offsets[-1])

    def write(self, tabix: Path, csi: Path) -> None:
        """Write both indexes."""
        names = b"".join(name.encode() + b"\0" for name in self._contigs)
        about = struct.pack("<6i", *_VCF) + struct.pack("<i", len(names)) + names
        n = struct.pack("<i", len(self._contigs))
        of_tabix = [b"TBI\1", n, about]
        of_csi = [b"CSI\1", struct.pack("<3i", _SHIFT, _DEPTH, len(about)), about, n]
        for lines in self._contigs.values():
            bins = _Bins.of(lines)
            of_tabix.append(bins.tabix())
            of_csi.append(bins.csi())
        for path, parts in ((tabix, of_tabix), (csi, of_csi)):
            with BgzfWriter(path) as file:
                file.write_text(b"".join(parts))


@dataclass(frozen=True)
class _Bins:
    """The lines of a contig by bins.

    Parameters
    ----------
    number
        (b,) int64: bins, in order.
    first
        (b + 1,) int64: the first chunk of each, and how many there are.
    chunks
        (c, 2) uint64: virtual offsets of runs of lines, bin by bin.
    windows
        (w,) uint64: of each 16,384 bases the least virtual offset of a line that reaches into them.
    span, lines
        Virtual offsets of the first line and of the end; how many lines.
    """

    number: NDArray[np.int64]
    first: NDArray[np.int64]
    chunks: NDArray[np.uint64]
    windows: NDArray[np.uint64]
    span: tuple[int, int]
    lines: int

    @classmethod
    def of(cls, lines: _Contig) -> "_Bins":
        starts, ends = np.concatenate(lines.starts), np.concatenate(lines.ends)
        offsets = np.concatenate(lines.offsets)
        stops = np.append(offsets[1:], np.uint64(lines.stop))
        bins = bins_of(starts, ends)
        run = np.flatnonzero(np.diff(bins, prepend=-1))
        chunks = np.column_stack([offsets[run], np.append(offsets[run[1:]], stops[-1])])
        order = np.argsort(bins[run], kind="stable")
        number, first = np.unique(bins[run][order], return_index=True)
        return cls(
            number,
            np.append(first, len(run)),
            chunks[order],
            _windows(starts, ends, offsets),
            (int(offsets[0]), int(lines.stop)),
            len(starts),
        )

    def tabix(self) -> bytes:
        """Lay the bins out as tabix does, with how many lines there are in a bin that cannot be."""
        parts = [struct.pack("<i", len(self.number) + 1)]
        for i, number in enumerate(self.number.tolist()):
            chunks = self.chunks[self.first[i] : self.first[i + 1]]
            parts.append(struct.pack("<Ii", number, len(chunks)) + chunks.astype("<u8").tobytes())
        parts += [self._pseudo(b""), struct.pack("<i", len(self.windows))]
        return b"".join([*parts, self.windows.astype("<u8").tobytes()])

    def csi(self) -> bytes:
        """Lay the bins out as CSI does: each with the least offset of what reaches into it."""
        parts = [struct.pack("<i", len(self.number) + 1)]
        least = self.windows[_first_window(self.number)]
        for i, number in enumerate(self.number.tolist()):
            chunks = self.chunks[self.first[i] : self.first[i + 1]]
            head = struct.pack("<IQi", number, int(least[i]), len(chunks))
            parts.append(head + chunks.astype("<u8").tobytes())
        return b"".join([*parts, self._pseudo(struct.pack("<Q", 0))])

    def _pseudo(self, offset: bytes) -> bytes:
        head = struct.pack("<I", _PSEUDO_BIN) + offset + struct.pack("<i", 2)
        return head + struct.pack("<4Q", *self.span, self.lines, 0)


def bins_of(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the smallest bin that holds each span, 0-based and half-open.

    >>> bins_of(np.array([0, 0, 16383]), np.array([1, 16385, 16385])).tolist()
    [4681, 585, 585]
    """
    bins = np.zeros(len(starts), np.int64)
    for level in range(1, _DEPTH + 1):
        shift = _SHIFT + 3 * (_DEPTH - level)
        fits = starts >> shift == (ends - 1) >> shift
        bins[fits] = ((8**level - 1) // 7 + (starts >> shift))[fits]
    return bins


def _first_window(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the first window of 16,384 bases of each bin."""
    window = np.zeros(len(bins), np.int64)
    for level in range(_DEPTH + 1):
        first = (8**level - 1) // 7
        of_level = (bins >= first) & (bins < first + 8**level)
        window[of_level] = (bins[of_level] - first) << 3 * (_DEPTH - level)
    return window


def _windows(
    starts: NDArray[np.int64], ends: NDArray[np.int64], offsets: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Find the least offset of a line that reaches into each window, or into one after it."""
    first, last = starts >> _SHIFT, (ends - 1) >> _SHIFT
    unset = np.iinfo(np.uint64).max
    windows = np.full(int(last.max()) + 1, unset, np.uint64)
    for further in range(int((last - first).max()) + 1):
        reach = first + further <= last
        np.minimum.at(windows, first[reach] + further, offsets[reach])
    return np.minimum.accumulate(windows[::-1])[::-1]
