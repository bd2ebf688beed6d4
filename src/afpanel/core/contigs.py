"""Names of contigs: how a cohort's name for one is found among the panel's.

Only names are compared. A name that no rule maps is left to the caller, who refuses it: a contig
that silently went missing would be a silent loss of variants.
"""

from collections.abc import Iterable, Mapping

from afpanel.constants import ContigKind

_MITOCHONDRIAL = ("M", "MT")
_NUMBERED = {"23": "X", "24": "Y", "26": "MT"}  # as PLINK numbers them in human data
_NUCLEAR = (*map(str, range(1, 23)), "X", "Y")
_REFSEQ_GRCH37 = (
    10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9
)  # fmt: skip
"""Versions of NC_000001 to NC_000024 that are GRCh37; the next of each is GRCh38."""


def _accessions() -> dict[str, str]:
    """List RefSeq and GenBank accessions of GRCh37, GRCh38 and T2T-CHM13v2.0, as NCBI assigned them."""
    names = {"NC_012920.1": "MT", "J01415.2": "MT", "CP068254.1": "MT", "CP086569.2": "Y"}
    for i, name in enumerate(_NUCLEAR):
        for later in (0, 1):
            names[f"NC_{i + 1:06d}.{_REFSEQ_GRCH37[i] + later}"] = name
            names[f"CM{663 + i:06d}.{1 + later}"] = name
        names[f"NC_{60925 + i:06d}.1"] = name
        if name != "Y":  # it comes from another person than the rest of CHM13
            names[f"CP{68277 - i:06d}.2"] = name
    return names


_ACCESSIONS = _accessions()


def bare_name(name: str) -> str:
    """Reduce a contig name to what UCSC, Ensembl, NCBI and PLINK have in common.

    An accession names a contig of one build; whether that is the build of the rest is for the check of
    REF alleles to say.

    >>> [bare_name(name) for name in ("chr1", "CHRX", "23", "chrM", "MT", "GL000191.1")]
    ['1', 'X', 'X', 'MT', 'MT', 'GL000191.1']
    >>> [bare_name(name) for name in ("NC_000001.11", "CM000685.2", "NC_060946.1", "J01415.2")]
    ['1', 'X', '22', 'MT']
    """
    if name in _ACCESSIONS:
        return _ACCESSIONS[name]
    bare = name[3:] if name[:3].lower() == "chr" and len(name) > 3 else name
    if bare.upper() in ("X", "Y", *_MITOCHONDRIAL):
        bare = bare.upper()
    bare = _NUMBERED.get(bare, bare)
    return "MT" if bare in _MITOCHONDRIAL else bare


def contig_kind(name: str) -> ContigKind:
    """Tell the sex chromosomes and the mitochondrial genome by their names."""
    bare = bare_name(name)
    return ContigKind(bare) if bare in ("X", "Y", "MT") else ContigKind.AUTOSOME


class ContigNames:
    """Maps any cohort's contig names to those of the panel's reference.

    Parameters
    ----------
    panel
        Names in the reference FASTA.
    aliases
        The user's own table, from alias to panel name; it comes before the built-in rules.
    """

    def __init__(self, panel: Iterable[str], aliases: Mapping[str, str] | None = None) -> None:
        names = list(panel)
        self.panel = names
        by_bare: dict[str, list[str]] = {}
        for name in names:
            by_bare.setdefault(bare_name(name), []).append(name)
        # Two contigs of the reference with one bare name: only their exact names are safe.
        self._panel = {found[0] for found in by_bare.values()} | set(names)
        self._by_bare = {bare: found[0] for bare, found in by_bare.items() if len(found) == 1}
        self._aliases = dict(aliases or {})

    def resolve(self, name: str) -> str | None:
        """Find the panel's name for a contig, or None where no rule knows it."""
        name = self._aliases.get(name, name)
        if name in self._panel:
            return name
        return self._by_bare.get(bare_name(name))
