"""A cohort some of whose alleles are the wrong way round: what is kept has the true figures."""

from pathlib import Path

import numpy as np
import pytest
from tests.builders import vcf_text, write_fasta, write_vcf
from tests.counts import Staged, run_stages

from afpanel.errors import BadInputError
from afpanel.model.arrays import COUNTS
from afpanel.model.region import Region

SITES, PEOPLE = 900, 60
COMPLEMENT = dict(zip("ACGT", "TGCA", strict=True))
Record = tuple[int, str, str, list[str]]


def simulate(seed: int, position_of: np.ndarray) -> tuple[str, list[Record]]:
    """A reference, and true records of single bases on it: some calls are missing, half or haploid."""
    rng = np.random.default_rng(seed)
    sequence = "".join(rng.choice(list("ACGT"), 10 * (SITES + 2)))
    records = []
    for position in position_of.tolist():
        ref = sequence[position - 1]
        alt = str(rng.choice([base for base in "ACGT" if base != ref]))
        copies = (rng.random((PEOPLE, 2)) < rng.beta(0.4, 1)).astype(int)
        calls = [f"{a}/{b}" for a, b in copies]
        for person in np.flatnonzero(rng.random(PEOPLE) < 0.05):
            calls[person] = str(rng.choice(["./.", "0/.", "1/.", "0", "1"]))
        records.append((position, ref, alt, calls))
    return sequence, records


def swapped(record: Record) -> Record:
    position, ref, alt, calls = record
    return position, alt, ref, [call.translate(str.maketrans("01", "10")) for call in calls]


def flipped(record: Record) -> Record:
    position, ref, alt, calls = record
    return position, COMPLEMENT[ref], COMPLEMENT[alt], calls


def both(record: Record) -> Record:
    return flipped(swapped(record))


def is_palindromic(record: Record) -> bool:
    return COMPLEMENT[record[1]] == record[2]


@pytest.fixture
def positions() -> np.ndarray:
    return np.arange(1, SITES + 1) * 10


def run(folder: Path, sequence: str, records: list[Record], **harmonizing: object) -> Staged:
    folder.mkdir()
    names = [f"p{i}" for i in range(PEOPLE)]
    fasta = write_fasta(folder / "ref.fa", {"chr1": sequence})
    lines = [("chr1", position, ref, alt, *calls) for position, ref, alt, calls in records]
    vcf = write_vcf(folder / "a.vcf.gz", vcf_text(names, lines))
    sheet = folder / "sheet.tsv"
    rows = [f"{name}\t{'PQ'[i % 2]}\t{('XX', 'XY')[i % 3 == 0]}" for i, name in enumerate(names)]
    sheet.write_text("\n".join(["sample\tpopulation\tsex", *rows, ""]))
    return run_stages(vcf, sheet, fasta, [Region.parse("chr1")], folder, **harmonizing)


def figures(staged: Staged) -> dict[tuple, tuple]:
    """The counts of every kept variant, of all cells."""
    columns = [staged.figures[name].tolist() for name in COUNTS]
    return dict(zip(staged.variants, zip(*columns, strict=True), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_of_a_cohort_with_swaps_and_flips_every_kept_allele_has_its_true_figures(
    tmp_path: Path, positions: np.ndarray, seed: int
) -> None:
    sequence, records = simulate(seed, positions)
    truth = figures(run(tmp_path / "true", sequence, records))
    assert len(truth) == SITES
    rng = np.random.default_rng(seed)
    change = rng.choice([0, 1, 2, 3], SITES, p=[0.7, 0.1, 0.1, 0.1])
    ways = (lambda record: record, swapped, flipped, both)
    spoiled = [ways[i](record) for i, record in zip(change, records, strict=True)]
    found = run(tmp_path / "spoiled", sequence, spoiled, max_ref_mismatch=0.5)
    got = figures(found)
    assert got == {variant: truth[variant] for variant in got}
    palindromic = sum(map(is_palindromic, records))
    assert len(got) == SITES - palindromic
    assert found.outcomes["ambiguous_strand"] == palindromic
    assert found.outcomes["swapped"] == sum(change[i] == 1 for i in told(records))
    assert found.outcomes["flipped"] == sum(change[i] == 2 for i in told(records))
    assert found.outcomes["swapped+flipped"] == sum(change[i] == 3 for i in told(records))


def told(records: list[Record]) -> list[int]:
    return [i for i, record in enumerate(records) if not is_palindromic(record)]


@pytest.mark.parametrize("turned", [swapped, flipped, both])
def test_a_cohort_that_is_turned_as_a_whole_is_turned_back_with_its_palindromes(
    tmp_path: Path, positions: np.ndarray, turned
) -> None:
    sequence, records = simulate(11, positions)
    truth = figures(run(tmp_path / "true", sequence, records))
    spoiled = [turned(record) for record in records]
    found = run(tmp_path / "spoiled", sequence, spoiled, max_ref_mismatch=1.0)
    assert figures(found) == truth


def test_nothing_is_resolved_unless_it_is_asked_for(tmp_path: Path, positions: np.ndarray) -> None:
    sequence, records = simulate(3, positions)
    spoiled = [swapped(record) if i % 5 == 0 else record for i, record in enumerate(records)]
    for resolve, kept in (((), SITES * 4 // 5), (("strand",), SITES * 4 // 5), (("swap",), SITES)):
        folder = tmp_path / ("with" + "".join(resolve))
        found = run(folder, sequence, spoiled, max_ref_mismatch=0.5, resolve=resolve)
        assert len(found.variants) == kept
        assert found.outcomes["ref_mismatch"] == SITES - kept


def test_positions_that_are_off_by_one_are_refused_and_not_resolved(
    tmp_path: Path, positions: np.ndarray
) -> None:
    sequence, records = simulate(4, positions)
    shifted = [(position + 1, *rest) for position, *rest in records]
    with pytest.raises(BadInputError, match="looks like: positions that are one too high"):
        run(tmp_path / "refused", sequence, shifted)
    found = run(tmp_path / "forced", sequence, shifted, max_ref_mismatch=1.0)
    assert set(found.outcomes) == {"as_is", "ref_mismatch"}
    assert found.outcomes["as_is"] == sum(
        sequence[position - 1] == ref for position, ref, _, _ in shifted
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (swapped, "REF and ALT exchanged at 100% of them"),
        (flipped, "alleles of the reverse strand at 100% of the telling sites"),
        (lambda record: (record[0] - 1, *record[1:]), "positions that are one too low"),
        (lambda record: (record[0] // 2 + 7, *record[1:]), "another build, or another contig"),
    ],
)
def test_a_refusal_says_what_the_cohort_looks_like(
    tmp_path: Path, positions: np.ndarray, spoil, said: str
) -> None:
    sequence, records = simulate(6, positions)
    with pytest.raises(BadInputError, match=said):
        run(tmp_path / "refused", sequence, [spoil(record) for record in records])


def test_swapped_records_count_among_the_mismatches(tmp_path: Path, positions: np.ndarray) -> None:
    sequence, records = simulate(5, positions)
    spoiled = [swapped(record) if i < 20 else record for i, record in enumerate(records)]
    with pytest.raises(BadInputError, match="20 of 900 records") as error:
        run(tmp_path / "refused", sequence, spoiled)
    position, ref, _, _ = spoiled[0]
    assert f"chr1:{position} REF {ref}, reference {records[0][1]}" in str(error.value)
    found = run(tmp_path / "accepted", sequence, spoiled, max_ref_mismatch=20 / 900)
    assert figures(found) == figures(run(tmp_path / "true", sequence, records))


@pytest.mark.parametrize("together", [True, False])
def test_copies_of_ref_are_known_only_where_a_record_lists_every_alt(
    tmp_path: Path, positions: np.ndarray, together: bool
) -> None:
    """Reference C, REF A: C is swapped. In lines of their own, carriers of G are 0 beside C, or missing."""
    sequence, records = simulate(7, positions)
    sequence = f"{sequence[:4]}C{sequence[5:]}"
    carried = ["0/1", "0/2", "1/2", "0/0"] * (PEOPLE // 4)
    lines: list[Record] = [(5, "A", "C,G", carried)]
    if not together:
        calls = {alt: [call.replace(other, "0") for call in carried] for alt, other in ("12", "21")}
        second = [call.replace("2", "1") for call in calls["2"]]
        lines = [(5, "A", "C", calls["1"]), (5, "A", "G", second)]
    found = run(tmp_path / "run", sequence, [*lines, *records])
    there = {v[2:]: f for v, f in figures(found).items() if v[1] == 5}
    if together:
        totals = {v: (sum(f[0]), sum(f[1])) for v, f in there.items()}
        quarter = PEOPLE // 4
        assert totals == {
            ("C", "A"): (4 * quarter, 8 * quarter),
            ("C", "G"): (2 * quarter, 8 * quarter),
        }
    else:
        assert there == {}
        assert found.outcomes["ref_mismatch"] == 2
