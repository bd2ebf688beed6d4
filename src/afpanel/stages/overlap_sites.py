"""Sites that cohorts have in common, from their allele maps: no genotype is read here."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import ContigKind, Outcome
from afpanel.core.contigs import contig_kind
from afpanel.core.site_choice import Sites, site_keys
from afpanel.io.store import Store
from afpanel.stages.allele_map import ALLELES, ALLELES_VERSION


@dataclass(frozen=True)
class Places:
    """Where a cohort's calls at some sites are.

    Parameters
    ----------
    key
        (n,) int64: the sites, in order; see `site_keys`.
    partition, record, allele
        (n,) int32: number of the partition, record in it, and number of the allele that is ALT.
    """

    key: NDArray[np.int64]
    partition: NDArray[np.int32]
    record: NDArray[np.int32]
    allele: NDArray[np.int32]

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> "Places":
        """Copy some places."""
        return Places(
            self.key[which], self.partition[which], self.record[which], self.allele[which]
        )

    @classmethod
    def joined(cls, parts: Sequence["Places"]) -> "Places":
        """Lay tables end to end."""
        names = (field.name for field in fields(cls))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


_NONE = Places(np.empty(0, np.int64), *np.empty((3, 0), np.int32))


class ComparableSites:
    """The sites of a cohort at which its people can be compared with those of others.

    These are SNVs that are a record's only ALT and were kept. Where a cohort has several variants of
    single bases at one place, or several records that are counted as one, none of them is used: a call
    of one record does not tell the whole of the genotype there.

    Parameters
    ----------
    path
        Allele map.

    Attributes
    ----------
    partitions
        Names of the cohort's partitions.
    contigs
        Autosomes of the panel on which it has alleles.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partitions_of: dict[str, list[int]] = {}
        with Store(path, ALLELES, ALLELES_VERSION) as store:
            self.partitions = store.texts("partition_id")
            self._names = store.texts("contig_id")
            self._bounds = store.read("partition_offset").tolist()
            for number in range(len(self.partitions)):
                present = np.unique(store.read("allele_contig", *self._bounds[number : number + 2]))
                for contig in present[present >= 0].tolist():
                    self._partitions_of.setdefault(self._names[contig], []).append(number)
        self.contigs = [
            name for name in self._partitions_of if contig_kind(name) is ContigKind.AUTOSOME
        ]

    def on(self, contig: str) -> Places:
        """Read the cohort's sites on a contig, in order."""
        parts = [_NONE]
        alone = [np.empty(0, bool)]
        with Store(self._path, ALLELES, ALLELES_VERSION) as store:
            for number in self._partitions_of.get(contig, ()):
                places, is_alone = self._snvs(store, number, self._names.index(contig))
                parts.append(places)
                alone.append(is_alone)
        places, is_alone = Places.joined(parts), np.concatenate(alone)
        order = np.argsort(places.key, kind="stable")
        places, is_alone = places.take(order), is_alone[order]
        position = places.key >> 16
        repeats = position[1:] == position[:-1]
        is_alone[1:] &= ~repeats
        is_alone[:-1] &= ~repeats
        return places.take(is_alone)

    def _snvs(self, store: Store, number: int, contig: int) -> tuple[Places, NDArray[np.bool_]]:
        """Read the SNVs of a partition on a contig, and which are the only allele of their record."""
        rows = self._bounds[number : number + 2]
        record = store.read("allele_record", *rows)
        ref, alt = (store.strings(f"allele_{name}", *rows).only for name in ("ref", "alt"))
        kept = store.read("allele_outcome", *rows) == Outcome.KEPT
        is_snv = kept & (store.read("allele_contig", *rows) == contig) & (ref > 0) & (alt > 0)
        # A REF that a lift made a variant has a row too, beside that of its ALT.
        alone = np.bincount(record)[record] == 1
        places = Places(
            site_keys(store.read("allele_position", *rows), ref, alt),
            np.full(len(record), number, np.int32),
            record.astype(np.int32),
            store.read("allele_index", *rows).astype(np.int32),
        )
        return places.take(is_snv), alone[is_snv]


def candidate_sites(cohorts: Sequence[ComparableSites], most: int) -> tuple[list[str], Sites]:
    """Choose the sites of which calls are looked at: of `most` windows.

    Memory grows with the SNVs of all cohorts on the largest contig: about 50 bytes for each.

    Returns
    -------
    contigs
        Names, by which the sites number them.
    sites
        In order of contig, position, REF and ALT.
    """
    contigs = sorted({contig for cohort in cohorts for contig in cohort.contigs})
    parts = []
    for number, contig in enumerate(contigs):
        key, level = np.empty(0, np.int64), np.empty(0, np.int32)
        for cohort in cohorts:
            own = cohort.on(contig).key
            union, rows = np.unique(np.concatenate([key, own]), return_inverse=True)
            added = np.zeros(len(union), np.int32)
            added[rows[: len(key)]] = level
            added[rows[len(key) :]] += 1
            key, level = union, added
        sites = Sites(np.full(len(key), number, np.int32), key, level)
        parts.append(sites.candidates())
    return contigs, Sites.joined(parts).of_spread_windows(most)


def places_of(
    cohort: ComparableSites, contigs: Sequence[str], sites: Sites
) -> tuple[NDArray[np.int64], Places]:
    """Find where a cohort has its calls at the sites that it has.

    Returns
    -------
    sites
        (n,) int64: rows of `sites`.
    places
        Of each of these.
    """
    rows, parts = [np.empty(0, np.int64)], [_NONE]
    for number, contig in enumerate(contigs):
        first, last = np.searchsorted(sites.contig, (number, number + 1))
        if first == last:
            continue
        own = cohort.on(contig)
        _, here, there = np.intersect1d(
            sites.key[first:last], own.key, assume_unique=True, return_indices=True
        )
        rows.append(here + first)
        parts.append(own.take(there))
    return np.concatenate(rows), Places.joined(parts)
