"""The reference genome: contigs, sequences and their digests."""

import base64
import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam
from numpy.typing import NDArray

from afpanel.errors import BadInputError
from afpanel.io.files import whole_file
from afpanel.io.sniff import Compression, compression_of

_PIECE = 10_000_000
_CONCRETE = np.arange(256, dtype=np.uint8)
_CONCRETE[list(b"RYSWKMBDHV")] = list(b"ACCAGACAAA")
"""VCF 4.3 writes a base of ambiguity in the reference as the first base in the alphabet that it can be."""


@dataclass(frozen=True)
class ReferencePaths:
    """A FASTA and its indexes; `gzi` is needed where the FASTA is compressed."""

    fasta: Path
    fai: Path
    gzi: Path | None

    @classmethod
    def find(cls, fasta: Path, index_dir: Path | None = None) -> "ReferencePaths":
        """Locate the indexes, beside the FASTA or else in `index_dir`, where they may not exist yet.

        Raises
        ------
        BadInputError
            If the FASTA is missing, or compressed with plain gzip, which cannot be indexed.
        """
        try:
            compression = compression_of(fasta)
        except OSError as error:
            raise BadInputError(f"cannot be read: {error.strerror}", where=fasta) from error
        if compression is Compression.GZIP:
            raise BadInputError(
                "the reference is compressed with gzip, which allows no random access",
                where=fasta,
                expected="plain FASTA or BGZF",
                remedy=f"gunzip {fasta.name} && bgzip {fasta.stem}",
            )
        is_bgzf = compression is Compression.BGZF
        for folder in (fasta.parent, index_dir or fasta.parent):
            fai = folder / f"{fasta.name}.fai"
            gzi = folder / f"{fasta.name}.gzi" if is_bgzf else None
            if fai.is_file() and (gzi is None or gzi.is_file()):
                break
        return cls(fasta, fai, gzi)

    def build(self) -> bool:
        """Index the FASTA unless it is; say whether that was needed."""
        if self.fai.is_file() and (self.gzi is None or self.gzi.is_file()):
            return False
        try:
            # The .fai gets its name last: where it is, the other is too.
            with whole_file(self.fai) as fai, ExitStack() as stack:
                options = []
                if self.gzi is not None:
                    options = ["--gzi-idx", str(stack.enter_context(whole_file(self.gzi)))]
                pysam.faidx("--fai-idx", str(fai), *options, str(self.fasta))
        except pysam.SamtoolsError as error:
            raise BadInputError(
                "cannot be indexed as FASTA",
                where=self.fasta,
                expected="lines of equal length after each '>name'",
                remedy=f"see what samtools faidx {self.fasta.name} says",
            ) from error
        return True


class Reference:
    """An indexed FASTA, opened for reading.

    Parameters
    ----------
    paths
        The FASTA and its indexes.
    """

    def __init__(self, paths: ReferencePaths) -> None:
        self.path = paths.fasta
        if not paths.fai.is_file():
            raise BadInputError(
                "the FASTA has no index",
                where=paths.fasta,
                expected=paths.fai,
                remedy=f"samtools faidx {paths.fasta.name}, or afpanel validate, which makes one",
            )
        try:
            self._fasta = pysam.FastaFile(
                str(paths.fasta),
                filepath_index=str(paths.fai),
                filepath_index_compressed=None if paths.gzi is None else str(paths.gzi),
            )
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"the FASTA cannot be opened: {error}", where=paths.fasta
            ) from error
        lengths = zip(self._fasta.references, self._fasta.lengths, strict=True)
        self.lengths: dict[str, int] = dict(lengths)

    def bases(self, contig: str, start: int, end: int) -> str:
        """Read a few bases in upper case, 0-based and half-open; what lies outside is left out."""
        length = self.lengths[contig]
        start, end = min(max(start, 0), length), min(end, length)
        try:
            bases = str(self._fasta.fetch(contig, start, max(start, end))).upper()
        except (OSError, ValueError) as error:
            raise self._not_as_indexed(contig) from error
        return _CONCRETE[np.frombuffer(bases.encode(), np.uint8)].tobytes().decode()

    def sequence(self, contig: str) -> NDArray[np.uint8]:
        """Read a contig whole.

        Returns
        -------
        (bases,) uint8
            A, C, G, T and N, as REF has them.
        """
        return concrete(self.letters(contig))

    def letters(self, contig: str) -> NDArray[np.uint8]:
        """Read a contig whole, in upper case, whatever its letters; (bases,) uint8."""
        if contig not in self.lengths:
            raise BadInputError(
                f"no contig '{contig}'",
                where=self.path,
                found=", ".join(list(self.lengths)[:10]),
                remedy="use the FASTA that the variants were called against, or name an alias",
            )
        length = self.lengths[contig]
        bases = np.empty(length, np.uint8)
        for start in range(0, length, _PIECE):
            end = min(length, start + _PIECE)
            try:
                piece = self._fasta.fetch(contig, start, end).encode()
            except (OSError, ValueError):
                piece = b""
            if len(piece) != end - start:
                raise self._not_as_indexed(contig)
            bases[start:end] = np.frombuffer(piece, np.uint8)
        bases[(bases >= ord("a")) & (bases <= ord("z"))] -= 32
        return bases

    def _not_as_indexed(self, contig: str) -> BadInputError:
        return BadInputError(
            "the FASTA is shorter than its index says, or was changed",
            where=f"{self.path}, {contig}",
            remedy="copy the FASTA again, or remove the .fai and .gzi beside it, so that they are made anew",
        )


def concrete(letters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Spell a contig in A, C, G, T and N, from its letters in upper case; (bases,) uint8."""
    return _CONCRETE[letters]


def refget_digest(sequence: NDArray[np.uint8]) -> str:
    """Digest an upper-case sequence as GA4GH refget does (sha512t24u).

    >>> refget_digest(np.frombuffer(b"ACGT", np.uint8))
    'SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2'
    """
    return "SQ." + _sha512t24u(np.ascontiguousarray(sequence).data)


def seqcol_digest(names: Sequence[str], sequences: Sequence[str]) -> str:
    """Digest some contigs, in their order, as a sequence collection of GA4GH (version 1.0).

    Names and sequences are what makes a collection; their lengths follow.

    Parameters
    ----------
    names
        Names of the contigs.
    sequences
        Their digests, as `refget_digest` gives them.

    >>> sequences = [refget_digest(np.frombuffer(s, np.uint8)) for s in (b"TTGGGGAA", b"GGAA", b"GCGC")]
    >>> seqcol_digest(["chrX", "chr1", "chr2"], sequences)
    'XZlrcEGi6mlopZ2uD8ObHkQB1d0oDwKk'
    """
    columns = {"names": list(names), "sequences": list(sequences)}
    return _of_json({key: _of_json(column) for key, column in columns.items()})


def _of_json(content: Any) -> str:
    """Digest JSON in its canonical form (RFC 8785), which for text and no control characters is this."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return _sha512t24u(text.encode())


def _sha512t24u(content: bytes | memoryview) -> str:
    return base64.urlsafe_b64encode(hashlib.sha512(content).digest()[:24]).decode()
