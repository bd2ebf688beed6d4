"""The verdict on a cohort whose REF alleles do not match the reference."""

from collections.abc import Sequence

from afpanel.core.strand import SnvTally, Verdict
from afpanel.errors import BadInputError

EXAMPLES = 10
"""How many mismatches an error shows, and how many letters of each."""


def mismatch(contig: str, position: int, ref: str, there: str) -> str:
    """Describe a REF that is not what the reference has at its place, in a few letters.

    >>> mismatch("chr1", 7, "A", "G")
    'chr1:7 REF A, reference G'
    >>> mismatch("chr1", 7, "A" * 20, "A" * 12)
    'chr1:7 REF ...AAAAAAAAAA, reference ...AA'
    >>> mismatch("chr1", 0, "A", "")
    'chr1:0 REF A, reference has nothing there'
    """
    pairs = zip(ref.upper(), there.upper(), strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ref), len(there)))
    start = 0 if same < EXAMPLES else same - 2
    dots = "..." if start else ""
    shown = f"{dots}{there[start : start + EXAMPLES]}" if there else "has nothing there"
    return f"{contig}:{position} REF {dots}{ref[start : start + EXAMPLES]}, reference {shown}"


_MOST = 0.9  # share of single bases that must fit for a guess at what went wrong
_MANY = 0.2


def looks_like(seen: SnvTally, before: int, after: int) -> str:
    """Guess what is wrong with a cohort whose REF alleles do not match, from its single bases.

    Parameters
    ----------
    seen
        Records of single bases, by what they look like.
    before, after
        How many of them have the reference base that stands one before, or one after their position.

    >>> looks_like(SnvTally(as_is=250, swapped=250, flipped=250, flipped_swapped=250), 990, 260)
    'positions that are one too high'
    >>> looks_like(SnvTally(as_is=500, flipped=500), 240, 250)
    'alleles of the reverse strand at 50% of the telling sites, as arrays have them'
    """
    telling = seen.as_is + seen.swapped + seen.flipped + seen.flipped_swapped
    n = telling + seen.palindromic_match + seen.palindromic_mismatch + seen.palindromic_stray
    if not telling:
        return "too few single bases to tell"
    if before > _MOST * n:
        return "positions that are one too high"
    if after > _MOST * n:
        return "positions that are one too low, counted from 0"
    if seen.verdict is Verdict.UNEXPLAINED:
        return "another build, or another contig than the name says: the bases fit by chance alone"
    reverse = (seen.flipped + seen.flipped_swapped) / telling
    swapped = (seen.swapped + seen.flipped_swapped) / telling
    said = []
    if reverse > _MANY:
        said.append(
            f"alleles of the reverse strand at {reverse:.0%} of the telling sites, as arrays have them"
        )
    if swapped > _MANY:
        said.append(f"REF and ALT exchanged at {swapped:.0%} of them, as by minor and major allele")
    return "; ".join(said) or "single errors, or another release of the reference"


def refuse_wrong_reference(
    cohort: str,
    mismatched: int,
    checked: int,
    limit: float,
    examples: Sequence[str],
    looks: str = "",
) -> BadInputError | None:
    """Make the error for a cohort with too many REF mismatches, or None where they are few enough.

    Parameters
    ----------
    cohort
        Name of the cohort.
    mismatched, checked
        Records whose REF differs from the reference, and records looked at.
    limit
        Greatest share that is accepted.
    examples
        Mismatches as ``contig:position REF, reference BASES``.
    looks
        What it looks like, if that can be said.
    """
    if not checked or mismatched <= limit * checked:
        return None
    shown = "; ".join(examples[:EXAMPLES])
    return BadInputError(
        f"REF differs from the reference at {mismatched:,} of {checked:,} records"
        f" ({mismatched / checked:.1%})",
        where=f"cohort {cohort}",
        expected=f"at most {limit:.1%} (harmonize.max_ref_mismatch)",
        found=f"{shown}\n  looks like: {looks}" if looks else shown,
        remedy="check that the cohort's build, its contig names and the FASTA belong together; if they"
        " do, and alleles are swapped or flipped, a higher max_ref_mismatch lets them be resolved",
    )
