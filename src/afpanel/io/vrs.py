"""Alleles as GA4GH's Variation Representation Specification (VRS 2) writes and names them, by a local FASTA.

Normalizing and digesting is done by GA4GH's own package, which this installs with ``afpanel[ga4gh]``;
here are the sequences that it asks for. Importing this module without the package is an ImportError.
"""

from typing import Any

from ga4gh.core import ga4gh_identify
from ga4gh.vrs import models, normalize
from ga4gh.vrs.dataproxy import _DataProxy

from afpanel.io.reference import Reference, refget_digest


class _Sequences(_DataProxy):  # type: ignore[misc] # the package tells mypy nothing of it
    """Contigs of a FASTA by their refget digests, as the package asks for them."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self.contig_of: dict[str, str] = {}

    def get_sequence(
        self, identifier: str, start: int | None = None, end: int | None = None
    ) -> str:
        """Read bases, 0-based and half-open."""
        contig = self.contig_of[identifier]
        whole = self._reference.lengths[contig]
        return self._reference.bases(contig, start or 0, whole if end is None else end)

    def get_metadata(self, identifier: str) -> dict[str, Any]:
        """Tell of a sequence what the package needs: its length and its names."""
        contig = self.contig_of[identifier]
        return {
            "length": self._reference.lengths[contig],
            "alphabet": "ACGTN",
            "aliases": [identifier, contig],
        }


class VrsAlleles:
    """Makes VRS alleles of canonical variants.

    Parameters
    ----------
    reference
        The reference that the variants are written against.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._sequences = _Sequences(reference)
        self._digests: dict[str, str] = {}

    def digest(self, contig: str) -> str:
        """Digest a contig as refget does, ``SQ.…``; the contig is read whole, once."""
        if contig not in self._digests:
            digest = refget_digest(self._reference.letters(contig))
            self._digests[contig] = digest
            self._sequences.contig_of[f"ga4gh:{digest}"] = contig
        return self._digests[contig]

    def allele(self, contig: str, position: int, ref: str, alt: str) -> dict[str, Any]:
        """Make the allele of a variant, normalized and with its computed identifiers.

        Parameters
        ----------
        contig
            The reference's name of the contig.
        position
            1-based, of the first base of `ref`.
        ref, alt
            As VCF has them.

        Returns
        -------
        dict
            An ``Allele`` of VRS 2, as JSON has it; ``id`` is ``ga4gh:VA.…``.
        """
        sequence = models.SequenceReference(refgetAccession=self.digest(contig))
        start = position - 1
        allele = models.Allele(
            location=models.SequenceLocation(
                sequenceReference=sequence, start=start, end=start + len(ref)
            ),
            state=models.LiteralSequenceExpression(sequence=alt),
        )
        allele = normalize(allele, self._sequences)
        allele.id = ga4gh_identify(allele)
        allele.location.id = ga4gh_identify(allele.location)
        content: dict[str, Any] = allele.model_dump(mode="json", exclude_none=True)
        return content
