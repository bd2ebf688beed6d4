"""Source alleles of a cohort that turn out to be one variant: counted together, or one of them alone.

A caller may write two deletions of one repeat in two places; each record then knows the carriers of its
own spelling, and the variant's carriers are those of both. A file may also say the same thing twice;
then nothing may be added. Which it is shows in the genotypes, and these records' alone are looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.constants import Flag, Outcome
from afpanel.core.liftover import FARTHEST
from afpanel.core.variants import concatenate, sort_keys
from afpanel.io.store import Store
from afpanel.stages.genotype_stores import GENOTYPES, GENOTYPES_VERSION, partition_of, people_as_in
from afpanel.stages.source_alleles import SourceAlleles, Spans

_CALLS_AT_A_TIME = 20_000_000


@dataclass(frozen=True)
class Settled:
    """What became of source alleles that others have the same canonical form as.

    Parameters
    ----------
    row
        (n,) int64: which of all source alleles, counted over all parts; those of one variant follow
        one another, the first of them being the one that is kept.
    leader
        (n,) int64: the row that is kept of each one's variant.
    part
        (n,) int64: the store that each is in.
    """

    row: NDArray[np.int64]
    leader: NDArray[np.int64]
    part: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


def settle_duplicates(
    parts: Sequence[SourceAlleles], stores: Sequence[Path], counted: Collection[str] | None = None
) -> Settled:
    """Find kept alleles that are one variant; merge them, or keep one and reject the others.

    Parameters
    ----------
    parts
        Source alleles of each store, of which `outcome` and `flags` are changed.
    stores
        The genotype stores, in the same order.
    counted
        Samples whose calls are looked at; None is all. Others must have no say in what is published.
    """
    bounds = np.concatenate([[0], np.cumsum([len(part.outcome) for part in parts])])
    group, row = groups_of_alleles(parts, bounds)
    leader = np.empty(len(row), np.int64)
    part_of = np.searchsorted(bounds, row, side="right") - 1
    for first, last in _batches(group, stores):
        rows = slice(first, last)
        place = row[rows] - bounds[part_of[rows]]
        calls = _calls(parts, stores, part_of[rows], place, counted)
        leader[rows] = _settle(parts, calls, part_of[rows], place, group[rows], row[rows])
    order = np.lexsort((row, row != leader, group))
    return Settled(row[order], leader[order], part_of[order])


COLUMNS = (
    "contig", "position", "ref", "alt", "outcome",
    "partition", "source_position", "source_ref", "source_alt",
)  # fmt: skip
"""Columns of the list of duplicates."""


def list_duplicates(
    parts: Sequence[SourceAlleles],
    stores: Sequence[Path],
    settled: Settled,
    contigs: Sequence[str],
) -> list[str]:
    """Write a line for each allele that has been settled, the one kept of each variant first.

    Parameters
    ----------
    parts, stores
        As for `settle_duplicates`.
    settled
        What it gave.
    contigs
        Names of the panel's contigs.
    """
    starts = np.cumsum([0, *(len(part.outcome) for part in parts)])
    lines = np.empty(len(settled), object)
    for number in np.unique(settled.part):
        part, partition = parts[number], partition_of(stores[number])
        at = np.flatnonzero(settled.part == number)
        rows = settled.row[at] - starts[number]
        leads = settled.row[at] == settled.leader[at]
        outcome = part.outcome[rows]
        rejected = [outcome == reason for reason in (Outcome.DUPLICATE, Outcome.LIFT_MULTIPLE)]
        label = np.select([*rejected, leads], ["duplicate", "lift_multiple", "kept"], "merged")
        variants = part.variants.take(rows)
        columns = (
            [contigs[number] for number in part.contig[rows]],
            variants.position.tolist(),
            variants.ref.objects(),
            variants.alt.objects(),
            label.tolist(),
            [partition] * len(rows),
            part.sites.position[rows].tolist(),
            part.sites.ref.take(rows).objects(),
            part.sites.alt.take(rows).objects(),
        )
        lines[at] = ["\t".join(map(str, fields)) for fields in zip(*columns, strict=True)]
    listed: list[str] = lines.tolist()
    return listed


def groups_of_alleles(
    parts: Sequence[SourceAlleles], bounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the rows of variants that several rows have: the variant's number, and the row."""
    place = np.concatenate([np.empty(0, np.int64), *map(_place_of, parts)])
    # Few alleles share their place with another; only of these is the sequence compared.
    order = np.argsort(place, kind="stable")
    rows = np.sort(order[_repeated(np.diff(place[order]) == 0, len(order))])
    rows = rows[place[rows] >= 0]
    cuts = np.searchsorted(rows, bounds)
    mine = [rows[a:b] - start for a, b, start in zip(cuts, cuts[1:], bounds, strict=False)]
    keys = sort_keys(concatenate([p.variants.take(k) for p, k in zip(parts, mine, strict=True)]))
    contig = place[rows] >> 32
    order = np.lexsort((rows, keys, contig))
    same = (np.diff(keys[order]) == 0) & (np.diff(contig[order]) == 0)
    repeated = _repeated(same, len(order))
    group = np.cumsum(np.concatenate([[True], ~same])[: len(order)])
    return group[repeated].astype(np.int64), rows[order][repeated]


def _repeated(same: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """Mark, of n in a row, what equals its neighbour; `same` tells whether the next one does."""
    repeated = np.zeros(n, np.bool_)
    repeated[:-1] |= same
    repeated[1:] |= same
    return repeated


def _place_of(part: SourceAlleles) -> NDArray[np.int64]:
    """Give contig and position of each row as a number; -1 where it is rejected; (n,) int64."""
    number = (part.contig.astype(np.int64) << 32) | part.variants.position
    return np.where(part.outcome == Outcome.KEPT, number, -1)


def _batches(group: NDArray[np.int64], stores: Sequence[Path]) -> list[tuple[int, int]]:
    """Cut the rows, whole groups together, so that the calls of each batch fit into memory."""
    if not len(group):
        return []
    with Store(stores[0], GENOTYPES, GENOTYPES_VERSION) as store:
        people = max(1, store.rows("sample_id"))
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    wanted = np.arange(0, len(group), max(2, _CALLS_AT_A_TIME // people))
    cuts = np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])
    return list(zip(cuts.tolist(), [*cuts[1:].tolist(), len(group)], strict=True))


def _settle(
    parts: Sequence[SourceAlleles],
    calls: tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int64]],
    part_of: NDArray[np.int64],
    place: NDArray[np.int64],
    group: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Settle some groups; tell for each row which one is kept of its variant."""
    copies, called, record = calls
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    of_row = np.cumsum(np.diff(group, prepend=-1) != 0) - 1
    apart = lie_apart(parts, part_of, place, starts)
    moves = _can_move(parts, part_of[starts], place[starts])
    spelling = spellings(parts, part_of, place)
    together = _are_additive(copies, called, record, spelling, starts, moves)
    # The record with more calls speaks for the variant, and of equal ones the first.
    n_called = called.sum(axis=1, dtype=np.int64)
    n_called[together[of_row]] = 0
    best = np.lexsort((row, -n_called, group))[starts]
    leader: NDArray[np.int64] = row[best][of_row]
    counted = (together[of_row] | (record == record[best][of_row])) & ~apart[of_row]
    for number in np.unique(part_of):
        others = (part_of == number) & (row != leader)
        parts[number].flags[place[others & counted]] |= np.uint8(Flag.MERGED)
        parts[number].outcome[place[others & ~counted]] = Outcome.DUPLICATE
        several = (part_of == number) & apart[of_row]
        parts[number].outcome[place[several]] = Outcome.LIFT_MULTIPLE
    return leader


def _calls(
    parts: Sequence[SourceAlleles],
    stores: Sequence[Path],
    part_of: NDArray[np.int64],
    place: NDArray[np.int64],
    counted: Collection[str] | None,
) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int64]]:
    """Read what people have of each row: copies of the allele, called alleles, and its record."""
    first = stores[int(part_of[0])]
    columns = _columns(first, counted)
    copies, called = (np.empty((len(place), len(columns)), np.int8) for _ in range(2))
    record = np.empty(len(place), np.int64)
    for number in np.unique(part_of):
        at = np.flatnonzero(part_of == number)
        part = parts[number]
        records = part.sites.record[place[at]].astype(np.int64)
        index = part.index[place[at]]
        record[at] = records + (int(number) << 32)
        with Store(stores[number], GENOTYPES, GENOTYPES_VERSION) as store:
            people = people_as_in(first, store)
            wanted = columns if people is None else people[columns]
            step = store.chunk_rows("call_genotype")
            for chunk in np.unique(records // step):
                inside = records // step == chunk
                start, stop = chunk * step, min((chunk + 1) * step, store.rows("call_genotype"))
                genotype = store.read("call_genotype", int(start), int(stop))
                genotype = genotype[records[inside] - start][:, wanted]
                called[at[inside]] = (genotype >= 0).sum(axis=2)
                copies[at[inside]] = (genotype == index[inside][:, None, None]).sum(axis=2)
    return copies, called, record


def _columns(store: Path, counted: Collection[str] | None) -> NDArray[np.intp]:
    """Find the columns of a genotype store whose people are counted."""
    with Store(store, GENOTYPES, GENOTYPES_VERSION) as opened:
        ids = opened.texts("sample_id")
    return np.flatnonzero([counted is None or sample in counted for sample in ids])


def spellings(
    parts: Sequence[SourceAlleles], part_of: NDArray[np.int64], place: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give every way in which source alleles were written a number; (n,) int64."""
    written = np.empty(len(place), object)
    for number in np.unique(part_of):
        at = np.flatnonzero(part_of == number)
        rows, site = place[at], parts[number].sites
        position, ref, alt = site.position[rows], site.ref.take(rows), site.alt.take(rows)
        texts = zip(position.tolist(), ref.objects(), alt.objects(), strict=True)
        written[at] = [f"{p} {r} {a}".upper() for p, r, a in texts]
    return np.unique(written, return_inverse=True)[1].astype(np.int64)


def lie_apart(
    parts: Sequence[SourceAlleles],
    part_of: NDArray[np.int64],
    place: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell which groups were lifted from several places, which are one on the panel's build."""
    locus = np.empty(len(place), np.int64)
    for number in np.unique(part_of):
        at = np.flatnonzero(part_of == number)
        locus[at] = parts[number].locus[place[at]]
    most, least = np.maximum.reduceat(locus, starts), np.minimum.reduceat(locus, starts)
    result: NDArray[np.bool_] = most - least > FARTHEST
    return result


def with_several_loci(refused: Spans, part: SourceAlleles) -> Spans:
    """Add to a store's refused spans its variants that were lifted from several places."""
    rows = np.flatnonzero((part.outcome == Outcome.LIFT_MULTIPLE) & (part.contig >= 0))
    variants = part.variants.take(rows)
    return Spans(
        np.concatenate([refused.contig, part.contig[rows]]).astype(np.int32),
        np.concatenate([refused.start, variants.start]),
        np.concatenate([refused.end, variants.end]),
    )


def _can_move(
    parts: Sequence[SourceAlleles], part_of: NDArray[np.int64], place: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which variants are insertions or deletions, which can be written in several places."""
    result = np.empty(len(place), np.bool_)
    for number in np.unique(part_of):
        at = np.flatnonzero(part_of == number)
        variants = parts[number].variants.take(place[at])
        result[at] = variants.ref.lengths != variants.alt.lengths
    return result


def _are_additive(
    copies: NDArray[np.integer],
    called: NDArray[np.int8],
    record: NDArray[np.int64],
    spelling: NDArray[np.int64],
    starts: NDArray[np.int64],
    moves: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Tell of which groups the copies add up, person by person; (groups,) bool.

    Not where somebody would have more copies than alleles. Nor where records say one thing twice: they
    are written alike and both have calls of somebody, or all have the same carriers; of what can be
    written in several places, a carrier alone may have a copy in each.
    """
    # ALTs of one record that are one variant make one statement.
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(copies))))
    first = np.flatnonzero((np.diff(record, prepend=-1) != 0) | (np.diff(group, prepend=-1) != 0))
    copies = np.add.reduceat(copies, first, axis=0, dtype=np.int16)
    called, group, spelling = called[first], group[first], spelling[first]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    n_records = np.diff(np.append(starts, len(group)))
    total = np.add.reduceat(copies, starts, axis=0, dtype=np.int16)
    fits = (total <= np.maximum.reduceat(called, starts, axis=0)).all(axis=1)
    order = np.lexsort((spelling, group))
    alike = (np.diff(group[order], prepend=-1) != 0) | (np.diff(spelling[order], prepend=-1) != 0)
    alike_starts = np.flatnonzero(alike)
    n_said = np.add.reduceat(called[order] > 0, alike_starts, axis=0, dtype=np.int16)
    said_twice = (n_said > 1).any(axis=1)
    repeats = np.bincount(group[order][alike_starts], said_twice, len(starts)) > 0
    least = np.minimum.reduceat(copies, starts, axis=0)
    most = np.maximum.reduceat(copies, starts, axis=0)
    agree = (least == most).all(axis=1)
    repeats |= (n_records > 1) & agree & ((most > 0).sum(axis=1) > moves)
    result: NDArray[np.bool_] = fits & ~repeats
    return result
