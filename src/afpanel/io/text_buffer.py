"""A window over a file's text that always ends in a whole line."""

from collections.abc import Iterator

import numpy as np

from afpanel.io.inflate import LONGEST_LINE, DamagedError
from afpanel.io.vcf_kernel import PAD

_CAPACITY = 8 << 20


class LongLineError(Exception):
    """A line goes on for longer than any true one; its beginning is what the buffer holds."""


class TextBuffer:
    """Text to be scanned, refilled as it is used up.

    Parameters
    ----------
    source
        The text, in pieces.
    capacity
        Bytes to hold at a time; a longer line makes it grow.

    Attributes
    ----------
    data
        (bytes,) uint8, readable for `PAD` bytes after `stop`.
    stop
        End of the last whole line.
    """

    def __init__(self, source: Iterator[bytes], capacity: int = _CAPACITY) -> None:
        self._source = source
        self._capacity = capacity
        self.data = np.zeros(capacity + PAD, np.uint8)
        self._filled = 0
        self._ended = False
        self._damage: DamagedError | None = None
        self.stop = 0

    def advance(self, at: int) -> bool:
        """Drop the text before `at`, and read more; False when nothing is left."""
        left = self._filled - at
        self.data[:left] = self.data[at : self._filled].copy()
        self._filled = left
        self.stop = 0
        while not self._ended and (not self.stop or self._filled < self._capacity // 2):
            try:
                piece = next(self._source, None)
            except DamagedError as error:
                # What came before is good, and is read first, so that the error can name the place.
                self._damage = error
                self._ended = True
                break
            if piece is not None and not self.stop and self._filled > LONGEST_LINE:
                raise LongLineError
            if piece is None:
                self._ended = True
                if self._filled and self.data[self._filled - 1] != ord("\n"):
                    self._append(b"\n")
                self.stop = self._filled
            else:
                self._append(piece)
                newline = piece.rfind(b"\n")
                if newline >= 0:
                    self.stop = self._filled - len(piece) + newline + 1
        if self._damage is None and self._ended:
            self.stop = self._filled
        if self._damage is not None and not self.stop:
            raise self._damage
        return self.stop > 0

    def _append(self, piece: bytes) -> None:
        end = self._filled + len(piece)
        if end + PAD > len(self.data):
            larger = np.zeros(2 * end + PAD, np.uint8)
            larger[: self._filled] = self.data[: self._filled]
            self.data = larger
        self.data[self._filled : end] = np.frombuffer(piece, np.uint8)
        self._filled = end
