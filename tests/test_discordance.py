"""Cohorts of shared populations held against one another: clean ones, and ones with batch effects."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, fisher_exact
from tests.discordant_cohorts import (
    BOTH,
    Simulated,
    Study,
    find,
    read_tables,
    run,
    simulate,
    write_counts,
    write_reference,
)

from afpanel.cli.main import main
from afpanel.constants import Sex

VARIANTS = {"chr1": 2500, "chrX": 700}
CLEAN_RUNS = 20


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reference(tmp_path_factory.mktemp("reference"))


def people(labels: Sequence[str], n: int) -> list[tuple[str, Sex, int]]:
    return [(label, sex, n) for label in labels for sex in BOTH]


def four_cohorts() -> list[Simulated]:
    """Two labels, of which not every cohort has both; sexes in different parts; half have BEDs."""
    some = [("KHV", Sex.XX, 130), ("KHV", Sex.XY, 50), ("TAY", Sex.XX, 40), ("TAY", Sex.XY, 90)]
    return [
        Simulated("A", "VN", some, callable_everywhere=True),
        Simulated("B", "VN", people(["KHV"], 70)),
        Simulated(
            "C", "LA", [*people(["TAY"], 80), ("TAY", Sex.UNKNOWN, 5)], callable_everywhere=True
        ),
        Simulated("D", "TH", people(["KHV", "TAY", "THA"], 60)),
    ]


def odd(tables: dict, kind: str, cohort: str | None = None) -> set[tuple[str, int]]:
    """Places of the flags of a kind, of one cohort or of all."""
    return {
        (each["contig"], int(each["position"]))
        for each in tables["variants"]
        if each["kind"] == kind and cohort in (None, each["cohort"])
    }


def places(study: Study, contig: str, rows: np.ndarray) -> set[tuple[str, int]]:
    return {(contig, int(position)) for position in study.positions[contig][rows]}


def verdicts(tables: dict) -> dict[str, str]:
    return {each["cohort"]: each["verdict"] for each in tables["cohorts"]}


def far_from_half(study: Study, contig: str, label: str, margin: float = 0.15) -> np.ndarray:
    return np.abs(study.frequency[contig][label] - 0.5) >= margin


@pytest.mark.parametrize("seed", range(CLEAN_RUNS))
def test_nothing_is_flagged_where_all_cohorts_are_of_the_same_populations(
    seed, fasta, tmp_path, caplog
):
    with caplog.at_level(logging.WARNING):
        tables = find(simulate(seed, four_cohorts(), VARIANTS), fasta, tmp_path)
    assert tables["variants"] == []
    assert verdicts(tables) == dict.fromkeys("ABCD", "passed")
    assert caplog.messages == []
    tests = [int(each["allele_tests"]) for each in tables["cohorts"]]
    assert min(tests) > 2000
    assert all(0.8 < float(each["lambda_alleles"]) < 1.25 for each in tables["cohorts"])


def test_chance_flags_as_seldom_as_alpha_says(fasta, tmp_path):
    """With one chance in two a run has a flag, or less: exact tests of few alleles are careful."""
    flagged = [
        bool(
            find(simulate(seed, four_cohorts()[:2], {"chr1": 400}), fasta, tmp_path / str(seed),
                 alpha=0.5)["variants"]
        )
        for seed in range(100, 140)
    ]  # fmt: skip
    # Of 40 runs at most 20 are expected; 28 and more have a chance of less than 1 in 100.
    assert 0 < sum(flagged) < 28


@pytest.mark.parametrize("share", [0.02, 1.0])
def test_a_cohort_whose_alleles_are_exchanged_is_caught_and_no_other(
    share, fasta, tmp_path, caplog
):
    study = simulate(30, four_cohorts(), VARIANTS)
    chosen = {}
    for contig, n in VARIANTS.items():
        chosen[contig] = study.rng.choice(n, round(n * share), replace=False)
        study.cohort("B").genotypes[contig].swap(chosen[contig])
    with caplog.at_level(logging.WARNING):
        tables = find(study, fasta, tmp_path)
    found = odd(tables, "swapped", "B")
    for contig, rows in chosen.items():
        informative = rows[far_from_half(study, contig, "KHV")[rows]]
        expected = places(study, contig, informative)
        assert len(expected - found) <= 0.02 * len(expected)
        assert {place for place in found if place[0] == contig} <= places(study, contig, rows)
    assert {each["cohort"] for each in tables["variants"]} == {"B"}
    assert {each["kind"] for each in tables["variants"]} <= {"swapped", "frequency"}
    assert verdicts(tables) == {**dict.fromkeys("ACD", "passed"), "B": "flagged"}
    assert any("cohort B is flagged" in m and "REF and ALT" in m for m in caplog.messages)
    assert not any(f"cohort {name} is flagged" in m for m in caplog.messages for name in "ACD")


def test_of_two_cohorts_either_may_be_the_one_whose_alleles_are_exchanged(fasta, tmp_path, caplog):
    study = simulate(31, four_cohorts()[:2], {"chr1": 2000})
    rows = np.arange(0, 2000, 50)
    study.cohort("A").genotypes["chr1"].swap(rows)
    with caplog.at_level(logging.WARNING):
        tables = find(study, fasta, tmp_path)
    assert odd(tables, "swapped", "A") == odd(tables, "swapped", "B") != set()
    assert {each["others"] for each in tables["variants"]} == {"1"}
    assert verdicts(tables) == {"A": "flagged", "B": "flagged"}
    assert all("either may be" in message for message in caplog.messages)


def test_lost_alleles_are_caught_by_the_genotypes(fasta, tmp_path):
    study = simulate(32, four_cohorts(), VARIANTS)
    rows = np.arange(0, 2500, 25)
    study.cohort("D").genotypes["chr1"].drop_alleles(rows, 0.8, study.rng)
    tables = find(study, fasta, tmp_path)
    common = rows[
        np.minimum(study.frequency["chr1"]["KHV"], study.frequency["chr1"]["TAY"])[rows] > 0.2
    ]
    common = common[far_from_half(study, "chr1", "KHV", 0)[common]]
    common = common[study.frequency["chr1"]["KHV"][common] < 0.8]
    assert len(common) > 10
    assert len(places(study, "chr1", common) - odd(tables, "hwe", "D")) <= 0.05 * len(common)
    assert odd(tables, "hwe") == odd(tables, "hwe", "D") <= places(study, "chr1", rows)
    flags = [each for each in tables["variants"] if each["kind"] == "hwe"]
    # It is found in the labels that another cohort has, too; THA is compared with nobody.
    assert {each["population"] for each in flags} == {"KHV", "TAY"}
    assert all(float(each["effect"]) > 0.3 for each in flags)
    assert verdicts(tables)["D"] == "flagged"


def test_with_many_cohorts_one_of_which_is_a_little_off_by_chance_lost_alleles_are_caught(
    fasta, tmp_path
):
    cohorts = [Simulated(f"C{i:02d}", "VN", people(["KHV"], 60)) for i in range(15)]
    study = simulate(39, cohorts, {"chr1": 600}, frequencies=(8, 8))
    rows = np.arange(0, 600, 10)
    study.cohort("C07").genotypes["chr1"].drop_alleles(rows, 0.9, study.rng)
    found = odd(find(study, fasta, tmp_path), "hwe")
    assert found <= places(study, "chr1", rows)
    assert len(found) >= 0.9 * len(rows)


def test_genotypes_that_are_out_of_proportion_everywhere_are_nobodys_batch_effect(fasta, tmp_path):
    study = simulate(33, four_cohorts(), {"chr1": 1500})
    for cohort in study.cohorts:
        cohort.genotypes["chr1"].drop_alleles(np.arange(0, 1500, 15), 0.8, study.rng)
    assert odd(find(study, fasta, tmp_path), "hwe") == set()


def test_other_frequencies_at_some_variants_are_caught(fasta, tmp_path):
    cohorts, shifted = four_cohorts(), four_cohorts()
    study = simulate(34, cohorts, {"chr1": 2500})
    other = simulate(35, shifted, {"chr1": 2500})
    rows = np.arange(7, 2500, 40)
    for table in ("diploid", "het", "hom"):
        mine, theirs = (getattr(s.cohort("C").genotypes["chr1"], table) for s in (study, other))
        mine[rows] = theirs[rows]
    tables = find(study, fasta, tmp_path)
    apart = rows[
        np.abs(study.frequency["chr1"]["TAY"] - other.frequency["chr1"]["TAY"])[rows] > 0.25
    ]
    found = odd(tables, "frequency") | odd(tables, "swapped")
    assert len(apart) > 15
    assert places(study, "chr1", apart) <= found <= places(study, "chr1", rows)
    # Where only one other cohort has a say, it may be that one, too.
    others = {e["position"] for e in tables["variants"] if e["cohort"] != "C"}
    alone = {e["position"] for e in tables["variants"] if e["cohort"] == "C" and e["others"] == "1"}
    assert others <= alone
    assert len(others) < len(apart) / 4
    assert verdicts(tables) == {**dict.fromkeys("ABD", "passed"), "C": "flagged"}


def test_people_who_are_not_called_where_others_are_are_caught(fasta, tmp_path):
    study = simulate(36, four_cohorts(), {"chr1": 1000}, frequencies=(2, 2))
    rows = np.arange(0, 1000, 20)
    study.cohort("A").genotypes["chr1"].lose_calls(rows, 0.3, study.rng)
    tables = find(study, fasta, tmp_path)
    flags = [each for each in tables["variants"] if each["kind"] == "callability"]
    assert odd(tables, "callability", "A") == places(study, "chr1", rows)
    assert {each["cohort"] for each in flags} == {"A"}
    assert all(float(each["observed"]) < 0.5 and float(each["expected"]) >= 0.9 for each in flags)


def test_cohorts_that_are_known_to_have_looked_take_part_without_a_record(fasta, tmp_path):
    """A and C have BEDs, so what they do not have they lack; B's and D's silence says nothing."""
    study = simulate(37, four_cohorts(), {"chr1": 400}, frequencies=(4, 4))
    for name, row in zip("ABCD", (50, 100, 150, 200), strict=True):
        genotypes = study.cohort(name).genotypes["chr1"]
        genotypes.het[row] = genotypes.hom[row] = 0
    tables = find(study, fasta, tmp_path)
    assert odd(tables, "frequency") | odd(tables, "swapped") == places(
        study, "chr1", np.array([50, 150])
    )
    assert {(each["cohort"], each["allele_count"]) for each in tables["variants"]} >= {
        ("A", "0"),
        ("C", "0"),
    }


def test_small_differences_everywhere_are_measured_and_not_flagged(fasta, tmp_path, caplog):
    """Two programmes of one country with labels of their own: their people are not quite the same."""
    cohorts = [
        Simulated("A", "VN", people(["KINH"], 300)),
        Simulated("B", "VN", people(["TAY"], 300)),
    ]
    study = simulate(38, cohorts, {"chr1": 3000}, frequencies=(2, 2))
    with caplog.at_level(logging.WARNING):
        tables = find(study, fasta, tmp_path)
    assert tables["variants"] == []
    for cohort in tables["cohorts"]:
        assert cohort["strata"] == "country VN"
        assert float(cohort["lambda_alleles"]) > 3
    assert all("differs a little nearly everywhere" in message for message in caplog.messages)
    study.cohort("A").genotypes["chr1"].swap(np.arange(0, 3000, 50))
    tables = find(study, fasta, tmp_path / "swapped")
    informative = np.arange(0, 3000, 50)
    informative = informative[far_from_half(study, "chr1", "TAY", 0.25)[informative]]
    assert len(informative) > 10
    assert places(study, "chr1", informative) <= odd(tables, "swapped", "A")


@pytest.fixture(scope="module")
def disturbed(fasta, tmp_path_factory) -> tuple[Study, Path, dict]:
    """A study with all kinds of flags, and its tables."""
    study = simulate(40, four_cohorts(), VARIANTS)
    study.cohort("B").genotypes["chr1"].swap(np.arange(0, 2500, 50))
    study.cohort("B").genotypes["chrX"].swap(np.arange(0, 700, 50))
    study.cohort("B").genotypes["chr1"].add_alt(np.arange(30, 2500, 50), 0.3, study.rng)
    study.cohort("D").genotypes["chr1"].drop_alleles(np.arange(10, 2500, 50), 0.8, study.rng)
    study.cohort("A").genotypes["chr1"].lose_calls(np.arange(20, 2500, 50), 0.3, study.rng)
    folder = tmp_path_factory.mktemp("disturbed")
    return study, folder, find(study, fasta, folder)


def test_p_values_are_fishers_but_for_inflation(disturbed):
    """B has one label, so it is in one table of two by two: with A and D."""
    study, _, tables = disturbed
    (divisor,) = (
        max(1, float(c["lambda_alleles"])) for c in tables["cohorts"] if c["cohort"] == "B"
    )
    checked = 0
    for flag in tables["variants"]:
        if flag["cohort"] != "B" or flag["kind"] not in {"frequency", "swapped"}:
            continue
        contig = flag["contig"]
        row = int(np.flatnonzero(study.positions[contig] == int(flag["position"]))[0])
        alt, number = {}, {}
        for name in "ABD":
            cohort = study.cohort(name)
            g, cells = cohort.genotypes[contig], [c[0] == "KHV" for c in cohort.cells]
            alt[name] = int((2 * g.hom + g.het + g.hemi)[row, cells].sum())
            number[name] = int((2 * g.diploid + g.haploid)[row, cells].sum())
            all_cells = (2 * g.hom + g.het + g.hemi)[row].sum()
            if all_cells == 0 and not cohort.callable_everywhere:
                number[name] = 0
        assert (flag["allele_count"], flag["allele_number"]) == (str(alt["B"]), str(number["B"]))
        if any(alt[name] == 0 for name in "AD"):
            continue  # what they say is by evidence, which has tests of its own
        rest = (alt["A"] + alt["D"], number["A"] + number["D"])
        table = [[alt["B"], number["B"] - alt["B"]], [rest[0], rest[1] - rest[0]]]
        p = max(fisher_exact(table).pvalue, 1e-40)
        if p > 1e-40 or divisor == 1:
            p = chi2.sf(chi2.isf(p, 1) / divisor, 1)
            assert np.log10(float(flag["p"])) == pytest.approx(np.log10(p), rel=2e-3)
            checked += 1
        expected = rest[0] / rest[1] if flag["kind"] == "frequency" else 1 - rest[0] / rest[1]
        assert float(flag["expected"]) == pytest.approx(expected, rel=1e-3)
        assert float(flag["observed"]) == pytest.approx(alt["B"] / number["B"], rel=1e-3)
    assert checked > 20


def test_the_summaries_add_up_what_is_listed(disturbed):
    _, _, tables = disturbed
    flags = tables["variants"]
    kinds = ("frequency", "swapped", "hwe", "callability")
    assert {each["kind"] for each in flags} == set(kinds)
    for cohort in tables["cohorts"]:
        name = cohort["cohort"]
        for kind in kinds:
            assert int(cohort[kind]) == len(odd(tables, kind, name))
        assert int(cohort["flagged"]) == len(set().union(*(odd(tables, k, name) for k in kinds)))
    expected = Counter()
    for cohort, contig, position in {(f["cohort"], f["contig"], f["position"]) for f in flags}:
        expected[cohort, contig, str((int(position) - 1) // 1_000_000 * 1_000_000 + 1)] += 1
    listed = {(r["cohort"], r["contig"], r["start"]): int(r["flagged"]) for r in tables["regions"]}
    assert listed.items() <= expected.items()
    for name in "ABD":
        mine = sorted((n for (c, _, _), n in expected.items() if c == name), reverse=True)[:10]
        assert [int(r["flagged"]) for r in tables["regions"] if r["cohort"] == name] == mine


def test_tables_are_the_same_for_any_partitions_windows_order_and_threads(
    disturbed, fasta, tmp_path
):
    study, folder, _ = disturbed
    expected = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert len(expected) == 4
    study.cohorts.reverse()
    paths, beds = write_counts(study, tmp_path / "counts", lambda position: position // 1_700_000)
    assert len(paths) > 8
    run(paths[::-1], beds, fasta, tmp_path / "out", window_rows=97, threads=2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == expected


def test_nothing_that_is_written_speaks_of_fewer_than_the_people_of_a_label(disturbed):
    """No array of samples is read, and no line is of one sex."""
    _, folder, tables = disturbed
    assert {path.name for path in (folder / "out").iterdir()} == {
        "variants.tsv", "cohorts.tsv", "regions.tsv", "quantiles.tsv",
    }  # fmt: skip
    assert {each["population"] for each in tables["variants"]} <= {"", "KHV", "TAY"}


def test_quantiles_are_laid_out_for_a_figure(disturbed):
    _, _, tables = disturbed
    rows = [q for q in tables["quantiles"] if (q["cohort"], q["test"]) == ("C", "alleles")]
    observed = [float(q["observed"]) for q in rows]
    assert observed == sorted(observed)
    for q in rows:
        assert float(q["expected"]) == pytest.approx(chi2.ppf(float(q["quantile"]), 1), rel=1e-3)
    (median,) = (float(q["observed"]) for q in rows if q["quantile"] == "0.5")
    (cohort,) = (c for c in tables["cohorts"] if c["cohort"] == "C")
    assert median / chi2(1).median() == pytest.approx(float(cohort["lambda_alleles"]), rel=1e-3)


def test_a_cohort_is_not_condemned_by_what_one_wrong_cohort_alone_says_of_it(disturbed):
    """Only A and B are known at some variants, and B is wrong at many of them."""
    _, _, tables = disturbed
    either = [f for f in tables["variants"] if f["cohort"] == "A" and f["kind"] == "frequency"]
    assert len(either) >= 5
    assert {each["others"] for each in either} == {"1"}
    reasons = {each["cohort"]: each["reasons"].split(";") for each in tables["cohorts"]}
    assert reasons == {
        "A": ["callability"], "B": ["frequency", "swapped"], "C": [""], "D": ["hwe"],
    }  # fmt: skip


def test_one_cohort_is_compared_with_nobody_and_the_log_says_so(fasta, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        tables = find(simulate(50, four_cohorts()[:1], {"chr1": 300}), fasta, tmp_path)
    assert (tables["variants"], tables["regions"], tables["quantiles"]) == ([], [], [])
    assert verdicts(tables) == {"A": "not compared"}
    assert any("no two cohorts" in message for message in caplog.messages)
    heads = [path.read_text().splitlines()[0] for path in (tmp_path / "out").glob("*.tsv")]
    assert all("cohort" in head for head in heads)


def test_cohorts_with_too_few_alleles_to_compare_have_not_passed(fasta, tmp_path):
    study = simulate(50, four_cohorts(), {"chr1": 300})
    tables = find(study, fasta, tmp_path, min_alleles=100_000)
    assert {each["partners"] for each in tables["cohorts"]} != {""}
    assert verdicts(tables) == dict.fromkeys("ABCD", "not compared")


def test_a_share_and_a_number_of_flags_decide_on_a_cohort(fasta, tmp_path):
    study = simulate(51, four_cohorts(), {"chr1": 2000}, frequencies=(2, 2))
    study.cohort("A").genotypes["chr1"].lose_calls(np.arange(0, 40, 10), 0.3, study.rng)
    study.cohort("D").genotypes["chr1"].lose_calls(np.arange(5, 105, 10), 0.3, study.rng)
    tables = find(study, fasta, tmp_path)
    assert len(odd(tables, "callability", "A")) == 4
    assert verdicts(tables) == {**dict.fromkeys("ABC", "passed"), "D": "flagged"}
    tables = find(study, fasta, tmp_path / "lenient", max_share=0.02)
    assert set(verdicts(tables).values()) == {"passed"}


def test_the_command_reads_a_list_of_counts_and_ends_well(disturbed, fasta, tmp_path):
    _, folder, tables = disturbed
    listed = tmp_path / "counts.txt"
    listed.write_text("".join(f"{p}\n" for p in sorted((folder / "counts").glob("*.zip"))))
    beds = [x for n in "AC" for x in ("--callable", f"{n}={folder / 'counts' / n}.bed")]
    out = tmp_path / "out"
    code = main(["-q", "discordance", "--list", str(listed), "--reference", str(fasta),
                 "--build", "GRCh38", *beds, "--out", str(out)])  # fmt: skip
    assert code == 0
    assert read_tables(out) == tables


def test_counts_of_a_contig_that_the_reference_lacks_are_refused(disturbed, tmp_path, capsys):
    from tests.builders import write_fasta

    _, folder, _ = disturbed
    other = write_fasta(tmp_path / "other.fa", {"chr1": "ACGT"})
    counts = sorted(map(str, (folder / "counts").glob("*.zip")))
    arguments = ["--reference", str(other), "--build", "GRCh38", "--out", str(tmp_path / "out")]
    assert main(["discordance", *counts, *arguments]) == 3
    assert "chrX" in capsys.readouterr().err
