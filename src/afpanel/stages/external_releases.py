"""What countries show elsewhere, such as in a browser of their own: cells that a reader of the panel knows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Sex, State
from afpanel.core.contigs import ContigNames
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants, union
from afpanel.errors import BadInputError
from afpanel.io.files import sha256
from afpanel.io.release_reader import Panel
from afpanel.io.sites_form import SitesForm
from afpanel.io.sites_source import open_sites
from afpanel.model.cohort import Cell, GivenCell
from afpanel.model.groups import country_of

_BLOCK = 16_384


class ExternalRelease:
    """A file of AC and AN of a country, or a release of a panel that has groups of it.

    Parameters
    ----------
    country
        Whose people it shows.
    path
        A sites file (VCF with AC and AN, or a table), or the folder of a release.
    groups
        The panel's groups that may be shown.
    """

    def __init__(self, country: str, path: Path, groups: Sequence[str]) -> None:
        self._country, self._path = country, path
        self._groups = list(groups)
        self._contig = ""
        self._shown: tuple[Variants, NDArray[np.bool_]] | None = None
        if not path.exists():
            raise BadInputError(
                "file does not exist", where=path, remedy="correct disclosure.external_releases"
            )

    @property
    def described(self) -> dict[str, str]:
        """Say which it is."""
        file = self._path / "manifest.json" if self._path.is_dir() else self._path
        return {"country": self._country, "sha256": sha256(file)}

    def known(self, contig: str, variants: Variants) -> NDArray[np.bool_]:
        """Tell which cells it shows; (n, groups) bool."""
        if contig != self._contig:
            read = self._of_release if self._path.is_dir() else self._of_sites
            self._contig, self._shown = contig, read(contig)
        result = np.zeros((len(variants), len(self._groups)), np.bool_)
        if self._shown is None:
            return result
        theirs, shown = self._shown
        first, last = np.searchsorted(
            theirs.position, (variants.position[0], variants.position[-1] + 1)
        ).tolist()
        rows = np.arange(first, last)
        whole, (at, found) = union([variants, theirs.take(rows)])
        of_union = np.zeros((len(whole), len(self._groups)), np.bool_)
        of_union[found] = shown[rows]
        return of_union[at]

    def _of_release(self, contig: str) -> tuple[Variants, NDArray[np.bool_]] | None:
        """Read the cells of the country that a release shows of a contig."""
        with Panel(self._path) as panel:
            name = ContigNames(dict.fromkeys(panel.contigs, 0)).resolve(contig)
            if name is None or not len(panel.positions(name)):
                return None
            window = panel.window(name, 0, int(panel.positions(name)[-1]) + 1)
            shown = np.zeros((len(window.variants), len(self._groups)), np.bool_)
            for g, group in enumerate(self._groups):
                if group in panel.groups and country_of(group) == self._country:
                    state = window.counts.state[:, panel.groups.index(group)]
                    shown[:, g] = state != State.MASKED
            return window.variants, shown

    def _of_sites(self, contig: str) -> tuple[Variants, NDArray[np.bool_]] | None:
        """Read the variants of a contig of which a sites file gives AC."""
        found = [each for each in self._blocks(contig) if len(each)]
        if not found or self._country not in self._groups:
            return None
        whole, _ = union(found)
        shown = np.zeros((len(whole), len(self._groups)), np.bool_)
        shown[:, self._groups.index(self._country)] = True
        return whole, shown

    def _blocks(self, contig: str) -> Iterator[Variants]:
        cell = GivenCell(Cell("everybody", Sex.UNKNOWN, 1))
        source = open_sites(self._path, [cell], SitesForm())
        for block in source.blocks(None, _BLOCK):
            if ContigNames({contig: 0}).resolve(block.contig) != contig:
                continue
            assert block.counts is not None
            record = block.counts.record
            place = np.arange(len(record)) - np.searchsorted(record, record)
            told = np.flatnonzero(block.counts.allele_count[:, 0] >= 0)
            yield Variants(
                block.position[record[told]],
                Strings.of(block.alleles[record[told], 0].tolist()),
                Strings.of(block.alleles[record[told], 1 + place[told]].tolist()),
            )
