"""Single-sample gVCFs of many people brought together: one record per site, and a call of everybody.

The records of a person say of each base what was called there, in blocks where it is REF. Here the
sites at which somebody has an ALT become records, and everybody without such a record of his own gets
the call of what covers it. The rules are those of `docs/callability.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.constants import FILL, MISSING
from afpanel.core.calls import CallBlock
from afpanel.core.compiled import READ_I4, compiled
from afpanel.core.strings import Strings, choose, joined
from afpanel.core.variants import Variants, sort_keys

ANY_OTHER = "<NON_REF>"
"""What a record's alleles end in where somebody has an allele that is none of its ALTs."""

SECOND_OTHER = "*"
"""What comes after it where somebody has two different ones of them."""

NO_ALTS = (ANY_OTHER, "<*>")
"""ALTs of reference blocks."""

_MOST_I2 = 32_767


@dataclass(frozen=True)
class CallSpans:
    """What was called of one person, span by span.

    Parameters
    ----------
    start, end
        (n,) int32, 0-based and half-open; in order, and disjoint.
    calls
        Of n records and one sample. Alleles are 0 for REF, 1 for any other, and 2 for the second of
        two different others.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    calls: CallBlock

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def joined(cls, parts: Sequence["CallSpans"]) -> "CallSpans":
        """Lay spans of consecutive stretches end to end."""
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            CallBlock.joined([part.calls for part in parts]),
        )


@dataclass(frozen=True)
class PersonRecords:
    """Records of one person on one contig, in the order of the file.

    Parameters
    ----------
    start, end
        (n,) int32: the bases that each speaks of, 0-based and half-open.
    calls
        Their calls, as those of `CallSpans`.
    own
        (v,) int64: those that have an ALT other than `NO_ALTS`.
    genotype
        (v, 2) int16: GT of these, by their own alleles.
    ref
        REF of these.
    n_alts, alts
        (v,) int64 how many ALTs they have, and the ALTs of all, laid end to end.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    calls: CallBlock
    own: NDArray[np.int64]
    genotype: NDArray[np.int16]
    ref: Strings
    n_alts: NDArray[np.int64]
    alts: Strings

    @classmethod
    def joined(cls, parts: Sequence["PersonRecords"]) -> "PersonRecords":
        """Lay consecutive records end to end."""
        before = np.cumsum([0, *(len(part.start) for part in parts[:-1])])
        return cls(
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            CallBlock.joined([part.calls for part in parts]),
            np.concatenate([part.own + n for part, n in zip(parts, before, strict=True)]),
            np.concatenate([part.genotype for part in parts]),
            joined([part.ref for part in parts]),
            np.concatenate([part.n_alts for part in parts]),
            joined([part.alts for part in parts]),
        )

    def spans(self, start: int, end: int) -> CallSpans:
        """Cut the records to a stretch of the contig, and to what no earlier record covers."""
        reach = np.maximum.accumulate(np.concatenate([[start], self.end]))[:-1]
        begin, stop = np.maximum(self.start, reach), np.minimum(self.end, end)
        kept = np.flatnonzero(begin < stop)
        return CallSpans(
            begin[kept].astype(np.int32), stop[kept].astype(np.int32), self.calls.take(kept)
        )


@dataclass(frozen=True)
class UnionRecords:
    """Records of sites at which somebody has an ALT, in order of position and REF.

    Parameters
    ----------
    position
        (n,) int32, 1-based.
    ref
        REFs, in upper case.
    n_alts, alts
        (n,) int64 how many ALTs each has, and the ALTs of all, sorted in each, laid end to end.
    """

    position: NDArray[np.int32]
    ref: Strings
    n_alts: NDArray[np.int64]
    alts: Strings

    def __len__(self) -> int:
        return len(self.position)

    @property
    def start(self) -> NDArray[np.int32]:
        """(n,) int32: first base of REF, 0-based."""
        return self.position - np.int32(1)

    @property
    def end(self) -> NDArray[np.int32]:
        """(n,) int32: end of REF, exclusive."""
        return (self.start + self.ref.lengths).astype(np.int32)

    def alleles(self, rows: slice, others: NDArray[np.int64]) -> NDArray[np.object_]:
        """Lay out alleles as VCF Zarr does: a row per record, REF first, filled with empty text.

        Parameters
        ----------
        rows
            Which records.
        others
            (rows,) int64: how many other alleles the calls of each name, 0 to 2.
        """
        n_alts = self.n_alts[rows]
        first = int(self.n_alts[: rows.start].sum())
        table = np.full((len(n_alts), 1 + int((n_alts + others).max(initial=1))), "", object)
        table[:, 0] = self.ref[rows].objects()
        row = np.repeat(np.arange(len(n_alts)), n_alts)
        column = np.arange(len(row)) - np.repeat(np.cumsum(n_alts) - n_alts, n_alts) + 1
        table[row, column] = self.alts[first : first + len(row)].objects()
        for number, name in enumerate((ANY_OTHER, SECOND_OTHER), 1):
            has = np.flatnonzero(others >= number)
            table[has, n_alts[has] + number] = name
        return table


@dataclass(frozen=True)
class OwnCalls:
    """Calls of people who have a record of their own at a site.

    Parameters
    ----------
    site
        (m,) int64, in order: the record of the union.
    person, record
        (m,) int64: whose it is, and which of his records.
    genotype
        (m, 2) int16, by the alleles of the union.
    """

    site: NDArray[np.int64]
    person: NDArray[np.int64]
    record: NDArray[np.int64]
    genotype: NDArray[np.int16]


def spanning_genotype(genotype: NDArray[np.integer]) -> NDArray[np.int8]:
    """Write genotypes by whether alleles are REF: 0, or 1 for any other, or 2 for a second other.

    >>> spanning_genotype(np.array([[0, 3], [3, 1], [2, 2], [4, -2], [-1, 5]])).tolist()
    [[0, 1], [1, 2], [1, 1], [1, -2], [-1, 1]]
    """
    result: NDArray[np.int8] = np.minimum(genotype, 1).astype(np.int8)
    both = (genotype > 0).all(axis=1) & (genotype[:, 0] != genotype[:, 1])
    result[both, 1] = 2
    return result


def unite(people: Sequence[PersonRecords], start: int, end: int) -> tuple[UnionRecords, OwnCalls]:
    """Make the union of the records of some people that start in a stretch of a contig.

    Parameters
    ----------
    people
        Their records.
    start, end
        The stretch, 0-based and half-open; -1 takes in POS 0.
    """
    mine = [_own_between(each, start, end) for each in people]
    record = np.concatenate([each.own[rows] for each, rows in zip(people, mine, strict=True)])
    person = np.repeat(np.arange(len(people)), [rows.stop - rows.start for rows in mine])
    position = (
        np.concatenate([p.start[p.own[rows]] for p, rows in zip(people, mine, strict=True)]) + 1
    )
    genotype = np.concatenate([p.genotype[rows] for p, rows in zip(people, mine, strict=True)])
    ref = _upper(joined([each.ref[rows] for each, rows in zip(people, mine, strict=True)]))
    n_alts = np.concatenate([each.n_alts[rows] for each, rows in zip(people, mine, strict=True)])
    alts = _upper(joined([_alts_of(each, rows) for each, rows in zip(people, mine, strict=True)]))
    of = np.repeat(np.arange(len(record)), n_alts)
    real = ~pc.is_in(
        alts.arrow(), value_set=pa.array([*NO_ALTS, SECOND_OTHER], pa.large_string())
    ).to_numpy(zero_copy_only=False)

    keys = sort_keys(Variants(position.astype(np.int32), ref, Strings.empty(len(record))))
    known, first, place = np.unique(keys, return_index=True, return_inverse=True)
    has_alt = np.zeros(len(known), np.bool_)
    has_alt[place[of[real]]] = True
    site = np.where(has_alt[place], (np.cumsum(has_alt) - 1)[place], MISSING)

    encoded = alts.take(np.flatnonzero(real)).arrow().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    pairs = (site[of[real]] << 32) | rank[encoded.indices.to_numpy(zero_copy_only=False)]
    distinct, number = np.unique(pairs, return_inverse=True)
    site_alts = np.bincount(distinct >> 32, minlength=int(has_alt.sum()))
    before = np.cumsum(site_alts) - site_alts
    texts = Strings.of_arrow(encoded.dictionary).take(order[distinct & 0xFFFFFFFF])
    chosen = first[has_alt]
    union = UnionRecords(position[chosen].astype(np.int32), ref.take(chosen), site_alts, texts)

    # Where the number of each allele of each record in the union is found; REF is the first of each.
    begin = np.cumsum(n_alts + 1) - (n_alts + 1)
    numbers = np.zeros(len(record) + len(of), np.int64)
    alt_at = begin[of] + 1 + np.arange(len(of)) - (np.cumsum(n_alts) - n_alts)[of]
    site_of = np.maximum(site[of], 0)
    numbers[alt_at] = (site_alts[site_of] if len(site_alts) else site_of) + 1
    numbers[alt_at[real]] = number - before[site[of[real]]] + 1
    kept = np.flatnonzero(site >= 0)
    # Of several records of one site in one file the first holds.
    _, kept_first = np.unique(site[kept] * len(people) + person[kept], return_index=True)
    kept = kept[kept_first]
    raw = genotype[kept]
    called = np.where(raw > 0, numbers[begin[kept, None] + np.maximum(raw, 0)], raw)
    two = (called > site_alts[site[kept], None]).all(axis=1) & (raw[:, 0] != raw[:, 1])
    called[two, 1] += 1
    own = OwnCalls(site[kept], person[kept], record[kept], called.astype(np.int16))
    return union, own


def _own_between(person: PersonRecords, start: int, end: int) -> slice:
    """Find which of a person's own records begin in a stretch."""
    first, last = np.searchsorted(person.start[person.own], (start, end)).tolist()
    return slice(first, last)


def _alts_of(person: PersonRecords, rows: slice) -> Strings:
    """Take the ALTs of some of a person's own records."""
    first = int(person.n_alts[: rows.start].sum())
    return person.alts[first : first + int(person.n_alts[rows].sum())]


def _upper(texts: Strings) -> Strings:
    """Write bases in upper case; symbolic alleles keep their names."""
    column = texts.arrow()
    is_name = pc.starts_with(column, "<").to_numpy(zero_copy_only=False)
    return choose(is_name, texts, Strings.of_arrow(pc.ascii_upper(column)))


def called_over(
    spans: CallSpans, union: UnionRecords, rows: slice
) -> tuple[NDArray[np.int16], dict[str, NDArray[np.int16]]]:
    """Find what a person's spans say of some records of the union.

    Allele by allele of the call: missing where it is missing in a span of REF, or a base of REF is in
    no span; another allele than those of the record where it is one in a span; else REF. GQ and DP
    are the least of the spans, and of a heterozygous call the reads of its ALT.

    Returns
    -------
    genotype
        (rows, 2) int16, by the records' alleles, others coming after the last ALT.
    fields
        By the names of `CallBlock`: (rows,) int16 of those that the spans have.
    """
    start, end = union.start[rows], union.end[rows]
    n_alts = union.n_alts[rows].astype(np.int32)
    first = int(np.searchsorted(spans.end, start[0], side="right")) if len(start) else 0
    part = slice(first, None)
    calls = spans.calls
    called = np.empty((len(start), 2), np.int16)
    named = {"gq": calls.gq, "dp": calls.dp, "het_alt_ad": calls.het_alt_ad}
    values = [_NO_FIELD if x is None else np.ascontiguousarray(x[part, 0]) for x in named.values()]
    out = [np.empty(0 if x is None else len(start), np.int16) for x in named.values()]
    _call_sites(
        start, end, n_alts, spans.start[part], spans.end[part],
        np.ascontiguousarray(calls.genotype[part, 0]), *values, called, *out,
    )  # fmt: skip
    found = zip(named.items(), out, strict=True)
    return called, {name: filled for (name, x), filled in found if x is not None}


_NO_FIELD = np.empty(0, np.int16)
_READ_I2 = nb.types.Array(nb.i2, 1, "C", readonly=True)
_READ_I1_2D = nb.types.Array(nb.i1, 2, "C", readonly=True)
_I2 = nb.i2[::1]
_FILL, _MISSING = FILL, MISSING


@compiled(
    nb.void(
        READ_I4, READ_I4, READ_I4, READ_I4, READ_I4, _READ_I1_2D, _READ_I2, _READ_I2, _READ_I2,
        nb.i2[:, ::1], _I2, _I2, _I2,
    )
)  # fmt: skip
def _call_sites(  # type: ignore[no-untyped-def]
    site_start, site_end, n_alts, span_start, span_end, genotype, gq, dp, het_alt_ad,
    called, called_gq, called_dp, called_ad,
):  # fmt: skip
    """Combine the spans over each site; an empty field is neither read nor filled."""
    first = 0
    for i in range(len(site_start)):
        reach = site_start[i]
        while first < len(span_start) and span_end[first] <= reach:
            first += 1
        at = first
        least_a = least_b = nb.i8(_MOST_I2)
        most_a = most_b = nb.i8(_FILL)
        least_gq = least_dp = least_ad = nb.i8(_MOST_I2)
        while reach < site_end[i] and at < len(span_start) and span_start[at] <= reach:
            a, b = nb.i8(genotype[at, 0]), nb.i8(genotype[at, 1])
            least_a, most_a = min(least_a, a), max(most_a, a)
            least_b, most_b = min(least_b, b), max(most_b, b)
            if len(gq):
                least_gq = min(least_gq, nb.i8(gq[at]))
            if len(dp):
                least_dp = min(least_dp, nb.i8(dp[at]))
            if len(het_alt_ad) and a >= 0 and b >= 0 and a != b:
                least_ad = min(least_ad, nb.i8(het_alt_ad[at]))
            reach = span_end[at]
            at += 1
        covered = reach >= site_end[i]
        a = (least_a if least_a < 0 else most_a) if covered else nb.i8(_MISSING)
        b = (least_b if least_b < 0 else most_b) if covered else nb.i8(_MISSING)
        called[i, 0] = a + n_alts[i] if a > 0 else a
        called[i, 1] = b + n_alts[i] if b > 0 else b
        if len(called_gq):
            called_gq[i] = least_gq if covered else _MISSING
        if len(called_dp):
            called_dp[i] = least_dp if covered else _MISSING
        if len(called_ad):
            called_ad[i] = least_ad if covered and a >= 0 and b >= 0 and a != b else _MISSING
