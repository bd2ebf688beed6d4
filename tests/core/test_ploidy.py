"""Copies of a locus, base by base at the edges of the pseudoautosomal regions."""

import numpy as np
import pytest

from afpanel.constants import ContigKind, Sex
from afpanel.core.ploidy import PLOIDY, loci_of, sex_codes
from afpanel.errors import BadInputError

XX, XY, UNKNOWN = sex_codes([Sex.XX, Sex.XY, Sex.UNKNOWN])


def copies(kind: ContigKind, build: str, *positions: int) -> list[tuple[int, int, int]]:
    """Copies that XX people, XY people and people of unknown sex have at each position."""
    loci = loci_of(kind, build, np.array(positions, np.int32))
    return [tuple(int(PLOIDY[place, sex]) for sex in (XX, XY, UNKNOWN)) for place in loci]


EVERYBODY = (2, 2, 2)
X_OUTSIDE = (2, 1, 0)
Y_OUTSIDE = (0, 1, 0)
Y_INSIDE = (0, 2, 0)


@pytest.mark.parametrize(
    ("kind", "build", "start", "end"),
    [
        (ContigKind.X, "GRCh37", 60_001, 2_699_520),
        (ContigKind.X, "GRCh37", 154_931_044, 155_260_560),
        (ContigKind.Y, "GRCh37", 10_001, 2_649_520),
        (ContigKind.Y, "GRCh37", 59_034_050, 59_363_566),
        (ContigKind.X, "GRCh38", 10_001, 2_781_479),
        (ContigKind.X, "GRCh38", 155_701_383, 156_030_895),
        (ContigKind.Y, "GRCh38", 10_001, 2_781_479),
        (ContigKind.Y, "GRCh38", 56_887_903, 57_217_415),
    ],
)
def test_pseudoautosomal_regions_begin_and_end_at_their_exact_base(
    kind: ContigKind, build: str, start: int, end: int
) -> None:
    inside, outside = {
        ContigKind.X: (EVERYBODY, X_OUTSIDE),
        ContigKind.Y: (Y_INSIDE, Y_OUTSIDE),
    }[kind]
    positions = (start - 1, start, (start + end) // 2, end, end + 1)
    assert copies(kind, build, *positions) == [outside, inside, inside, inside, outside]


@pytest.mark.parametrize("build", ["GRCh37", "GRCh38"])
def test_the_middle_of_a_sex_chromosome_is_outside_both_regions(build: str) -> None:
    assert copies(ContigKind.X, build, 0, 1, 80_000_000) == [X_OUTSIDE] * 3
    assert copies(ContigKind.Y, build, 0, 1, 20_000_000) == [Y_OUTSIDE] * 3


def test_autosomes_are_diploid_and_mitochondria_haploid_in_everybody_on_any_build() -> None:
    assert copies(ContigKind.AUTOSOME, "T2T-CHM13", 1, 60_001) == [EVERYBODY] * 2
    assert copies(ContigKind.MT, "T2T-CHM13", 1, 16_569) == [(1, 1, 1)] * 2


@pytest.mark.parametrize("kind", [ContigKind.X, ContigKind.Y])
def test_a_build_without_known_regions_is_refused_on_sex_chromosomes(kind: ContigKind) -> None:
    with pytest.raises(BadInputError, match=r"T2T-CHM13.*not known") as refused:
        loci_of(kind, "T2T-CHM13", np.array([1], np.int32))
    assert "GRCh37 or GRCh38" in str(refused.value)


@pytest.mark.parametrize("kind", list(ContigKind))
def test_no_positions_give_no_loci(kind: ContigKind) -> None:
    assert loci_of(kind, "GRCh38", np.array([], np.int32)).shape == (0,)
