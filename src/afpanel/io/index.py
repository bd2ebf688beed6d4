"""Tabix and CSI indexes: where in a BGZF file a region begins, and what the file must hold.

Written from the formats' specifications. An index is also a witness: it knows how many records each
contig has and where the last one ends, so a file that was cut short, or replaced, is found out.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from afpanel.core.intervals import Intervals
from afpanel.errors import BadInputError

_LINEAR_SHIFT = 14


@dataclass(frozen=True)
class _Contig:
    """The index of one contig: chunks by bin, and the lowest offsets by bin or by 16 kb window."""

    bins: dict[int, list[tuple[int, int]]]
    lowest: dict[int, int]
    linear: NDArray[np.uint64]
    records: int | None

    @property
    def start(self) -> int:
        return min(begin for chunks in self.bins.values() for begin, _ in chunks)

    @property
    def end(self) -> int:
        return max(end for chunks in self.bins.values() for _, end in chunks)


class Index:
    """An index of a BGZF-compressed VCF, or of a BCF.

    Parameters
    ----------
    path
        The ``.tbi`` or ``.csi`` file.
    contigs
        Contigs of the file's header, for the index of a BCF file, which does not name them.

    Raises
    ------
    BadInputError
        If it is not an index.
    """

    def __init__(self, path: Path, contigs: list[str] | None = None) -> None:
        self.path = path
        self._given = contigs
        self._contigs: dict[str, _Contig] = {}
        try:
            with pysam.BGZFile(str(path)) as source:
                self._data = bytes(source.read())
            self._at = 4
            read = {b"TBI\x01": self._read_tabix, b"CSI\x01": self._read_csi}
            read[self._data[:4]]()
        except (OSError, ValueError, LookupError, struct.error) as error:
            raise BadInputError(
                f"not a usable index: {error}",
                where=path,
                remedy="make it again: bcftools index --force --tbi FILE",
            ) from error
        del self._data

    @property
    def contigs(self) -> dict[str, int | None]:
        """Contigs that have records, and how many; None where the index does not say."""
        return {name: contig.records for name, contig in self._contigs.items()}

    @property
    def end(self) -> int:
        """Virtual offset at which the last record ends; 0 where there is none."""
        return max((contig.end for contig in self._contigs.values()), default=0)

    def offset_of(self, contig: str, position: int) -> int | None:
        """Find where to begin to read for records that start at a position (1-based) or after it.

        Returns
        -------
        int or None
            Virtual offset of the start of a record; None where the contig has no record.
        """
        known = self._contigs.get(contig)
        if known is None:
            return None
        return self._lowest_offset(known, max(0, position - 1)) or known.start

    def narrow(self, contig: str) -> None:
        """Forget all contigs but one, where many indexes are to be held at a time."""
        self._contigs = {name: c for name, c in self._contigs.items() if name == contig}

    def covered(self, contig: str) -> Intervals:
        """Find where a contig may have records: no base of any record is elsewhere.

        Every bin that has records counts whole, so it is more than they cover: a bin may be much larger
        than a record in it, since indexes put small bins into the larger ones around them.
        """
        known = self._contigs.get(contig)
        number = np.array([] if known is None else [n for n, at in known.bins.items() if at])
        level = np.zeros(len(number), np.int64)
        for depth in range(1, self._depth + 1):
            level += number >= ((1 << 3 * depth) - 1) // 7
        shift = self._min_shift + 3 * (self._depth - level)
        start = (number - ((1 << 3 * level) - 1) // 7).astype(np.int64) << shift
        end = start + (1 << shift)
        if known is not None and len(known.linear):
            end = np.minimum(end, len(known.linear) << _LINEAR_SHIFT)
        return Intervals.of(start, end)

    def _lowest_offset(self, contig: _Contig, at: int) -> int:
        """Find the lowest offset of a record that reaches position `at` (0-based) or comes after."""
        if len(contig.linear):
            window = min(at >> _LINEAR_SHIFT, len(contig.linear) - 1)
            return int(contig.linear[window])
        # CSI keeps the lowest offset with each bin: the nearest bin that is there, at or before `at`.
        number = ((1 << 3 * self._depth) - 1) // 7 + (at >> self._min_shift)
        while number and number not in contig.lowest:
            first_sibling = ((number - 1) >> 3 << 3) + 1
            number = number - 1 if number > first_sibling else (number - 1) >> 3
        return contig.lowest.get(number, 0)

    def _take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def _take_linear(self) -> NDArray[np.uint64]:
        (n,) = self._take("i")
        if n < 0 or self._at + 8 * n > len(self._data):
            raise ValueError("the index is cut short")
        linear = np.frombuffer(self._data, "<u8", n, self._at).copy()
        self._at += 8 * n
        return linear

    def _names(self, length: int) -> list[str]:
        names = self._data[self._at : self._at + length].rstrip(b"\0").split(b"\0")
        self._at += length
        return [name.decode() for name in names]

    def _read_tabix(self) -> None:
        self._min_shift, self._depth = _LINEAR_SHIFT, 5
        n_contigs, *_, length = self._take("8i")
        self._read_contigs(self._names(length), n_contigs, is_csi=False)

    def _read_csi(self) -> None:
        self._min_shift, self._depth, length = self._take("3i")
        if not 0 <= self._min_shift <= 32 or not 0 <= self._depth <= 10:
            raise ValueError("bins of impossible size")
        after = self._at + length
        if self._given is None:
            *_, names_length = self._take("7i")
            names = self._names(names_length)
        else:
            names = self._given
        self._at = after
        (n_contigs,) = self._take("i")
        self._read_contigs(names, n_contigs, is_csi=True)

    def _read_contigs(self, names: list[str], n_contigs: int, *, is_csi: bool) -> None:
        about = ((1 << 3 * (self._depth + 1)) - 1) // 7 + 1  # the number of the bin with the counts
        for name in names[:n_contigs]:
            bins: dict[int, list[tuple[int, int]]] = {}
            lowest: dict[int, int] = {}
            records = None
            (n_bins,) = self._take("i")
            for _ in range(n_bins):
                if is_csi:
                    number, offset, n_chunks = self._take("IQi")
                else:
                    (number, n_chunks), offset = self._take("Ii"), 0
                bounds = self._take(f"{2 * n_chunks}Q")
                if number == about:
                    records = bounds[2] + bounds[3] if n_chunks == 2 else None
                else:
                    bins[number] = list(zip(bounds[::2], bounds[1::2], strict=True))
                    lowest[number] = offset
            linear = self._take_linear() if not is_csi else np.empty(0, np.uint64)
            if bins and not any(bins.values()):
                raise ValueError(f"no place of a record of {name}")
            if bins:
                self._contigs[name] = _Contig(bins, lowest, linear, records)
