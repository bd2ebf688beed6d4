"""Names of contigs: how a cohort's name for one is found among the panel's.

Only names are compared. A name that no rule maps is left to the caller, who refuses it: a contig
that silently went missing would be a silent loss of variants.
"""

from collections.abc import Iterable, Mapping

from afpanel.constants import ContigKind

_MITOCHONDRIAL = ("M", "MT")
_NUMBERED = {"23": "X", "24": "Y", "26": "MT"}  # as PLINK numbers them in human data


def bare_name(name: str) -> str:
    """Reduce a contig name to what UCSC, Ensembl and PLINK have in common.

    >>> [bare_name(name) for name in ("chr1", "CHRX", "23", "chrM", "MT", "GL000191.1")]
    ['1', 'X', 'X', 'MT', 'MT', 'GL000191.1']
    """
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
        by_bare: dict[str, list[str]] = {}
        for name in names:
            by_bare.setdefault(bare_name(name), []).append(name)
        # Two contigs of the reference with one bare name: only their exact names are safe.
        self._panel = {found[0] for found in by_bare.values()} | set(names)
        self._by_bare = {bare: found[0] for bare, found in by_bare.items() if len(found) == 1}
        self._aliases = dict(aliases or {})

    def resolve(self, name: str) -> str | None:
        """Find the panel's name for a contig, or None where no rule knows it."""
        if name in self._aliases:
            alias = self._aliases[name]
            return alias if alias in self._panel else None
        if name in self._panel:
            return name
        return self._by_bare.get(bare_name(name))
