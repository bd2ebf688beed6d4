"""The gVCFs of a cohort, a person each: who they are of, and their records, as arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.calls import CallBlock
from afpanel.core.gvcf import NO_ALTS, PersonRecords, spanning_genotype
from afpanel.core.strings import Strings
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.gvcf import open_gvcf
from afpanel.io.records import RecordBlock, check_contig
from afpanel.io.tables import raise_any
from afpanel.io.text_source import TextSource
from afpanel.model.region import Region
from afpanel.stages.source_alleles import passing

_BLOCK = 16_384


class Person:
    """The gVCF of one person.

    Parameters
    ----------
    source
        The file.
    filters
        FILTER values whose records are used, ``.`` among them; empty is all.

    Attributes
    ----------
    filtered_calls, polyploid_calls
        Records that began in a region read so far, and whose call was taken as missing because of
        their FILTER, or because it has more than two alleles.
    """

    def __init__(self, source: TextSource, filters: tuple[str, ...]) -> None:
        self.source = source
        (self.name,) = source.samples
        self._filters = filters
        self.filtered_calls = 0
        self.polyploid_calls = 0

    @property
    def index(self) -> Path:
        """The index of the file."""
        assert self.source.kind.index is not None
        return self.source.kind.index

    def read(self, region: Region) -> PersonRecords:
        """Read the records that reach into a region."""
        parts = [self._part(block, region) for block in self.source.blocks(region, _BLOCK)]
        return PersonRecords.joined(parts or [self._part(self.source.empty_block(), region)])

    def _part(self, block: RecordBlock, region: Region) -> PersonRecords:
        assert block.end is not None
        calls = block.calls
        used = passing(block.filters, self.source.filters, self._filters)
        begins = block.position >= region.start
        self.filtered_calls += int(np.count_nonzero(begins & ~used))
        self.polyploid_calls += int(block.polyploid[begins].sum())
        genotype = np.where(used[:, None, None], calls.genotype, MISSING).astype(np.int16)
        # The reader uses its arrays again.
        gq, dp = (None if field is None else field.copy() for field in (calls.gq, calls.dp))
        reads = None
        if calls.het_alt_ad is not None:
            reads = np.where(used[:, None], calls.het_alt_ad, np.int16(MISSING))
        alts = block.alleles[:, 1:]
        rows = _own_records(alts)
        is_alt = alts[rows] != ""
        return PersonRecords(
            block.position - np.int32(1),
            block.end,
            CallBlock(spanning_genotype(genotype[:, 0])[:, None], gq, dp, reads),
            rows,
            genotype[rows, 0],
            Strings.of(block.alleles[rows, 0]),
            is_alt.sum(axis=1),
            Strings.of(alts[rows][is_alt]),
        )


def _own_records(alts: NDArray[np.object_]) -> NDArray[np.int64]:
    """Find the records that have an ALT other than `NO_ALTS`; nearly all have none."""
    first = alts[:, 0]
    maybe = first != ""
    for name in NO_ALTS:
        maybe &= first != name
    if alts.shape[1] > 1:
        maybe |= alts[:, 1] != ""
    rows = np.flatnonzero(maybe)
    is_own = ~np.isin(alts[rows].astype(str), ("", *NO_ALTS))
    return rows[is_own.any(axis=1)]


def open_people(
    files: Sequence[Path],
    samples: Sequence[str],
    fields: tuple[str, ...],
    filters: tuple[str, ...] = (),
    *,
    polyploid_missing: bool = False,
    contig: str | None = None,
) -> tuple[list[Person], list[Path]]:
    """Open the gVCFs of a cohort, and find out whose each is.

    Parameters
    ----------
    files
        The gVCFs.
    samples
        IDs of the people who are read; files of others are passed over.
    fields
        FORMAT fields to keep beside GT, where the files have them: GQ, DP, AD.
    filters
        See `Person`.
    polyploid_missing
        Whether calls of more than two alleles are taken as missing, and not refused.
    contig
        The contig to read, by the files' own name; None is any. It takes less memory to know.

    Returns
    -------
    people
        In the order of their files.
    others
        Files that were passed over.

    Raises
    ------
    BadInputError
        With every file that cannot be used, is of a person whom another one is of, or has not the
        fields that the others have; and with the people of whom there is no file.
    """
    faults: list[AfpanelError] = []
    people: dict[str, Person] = {}
    others = []
    known: dict[str, None] = {}
    wanted = set(samples)
    for path in files:
        try:
            source = open_gvcf(path, fields, polyploid_missing=polyploid_missing)
        except FaultsError as several:
            faults.extend(several.faults)
            continue
        except BadInputError as fault:
            faults.append(fault)
            continue
        (name,) = source.samples
        if name not in wanted:
            others.append(path)
        elif name in people:
            faults.append(
                BadInputError(
                    f"a second gVCF of sample '{name}'",
                    where=path,
                    found=f"{people[name].source.path} is of the same",
                    remedy="list one of the two",
                )
            )
        else:
            if contig is not None:
                known.update(dict.fromkeys([*source.contigs, *source.indexed_contigs]))
                source.narrow(contig)
            people[name] = Person(source, filters)
    absent = [name for name in samples if name not in people]
    if absent and not faults:
        faults.append(
            BadInputError(
                f"{len(absent)} of the {len(samples)} samples of the sheet have no gVCF in the list",
                found=f"none of {', '.join(absent[:5])}{' …' if len(absent) > 5 else ''}",
                remedy="list their gVCFs, or take them out of the sample sheet",
            )
        )
    faults.extend(_lacking(list(people.values())))
    raise_any(faults)
    if contig is not None:
        # Somebody may have no record of it, as XX people of Y, but not everybody.
        first = next(iter(people.values())).source.path
        check_contig(first, Region(contig, 0, 0), list(known))
    return list(people.values()), others


def _lacking(people: Sequence[Person]) -> list[BadInputError]:
    """Make the errors for files without a field that others have: a threshold applies to all or none."""
    known = {field for person in people for field in person.source.fields}
    return [
        BadInputError(
            f"declares no FORMAT {' and '.join(sorted(known - set(person.source.fields)))}, which"
            " other gVCFs of the cohort have",
            where=person.source.path,
            remedy="make it with the caller of the others, or give it in a cohort of its own",
        )
        for person in people
        if known - set(person.source.fields)
    ]
