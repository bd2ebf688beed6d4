"""The effective number of variants: beside scikit-allel, eigenvalues, and attacks on simulated genomes."""

import allel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulated_genomes import loci

from afpanel.core.linkage import RIDGES, WINDOW, Linkage, LinkageSums, scaled
from afpanel.core.membership import power, separation
from afpanel.core.membership_risk import Members
from afpanel.core.membership_trial import MembershipTrial

LINKED = {"number": 50, "length": 1e5, "recombination": 1e-8, "fewest": 11}
ONE_TREE_EACH = {"number": 300, "length": 1e4, "recombination": 0, "fewest": 11}


def independent(variants: int, people: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    frequency = draw.uniform(0.1, 0.9, (variants, 1))
    return draw.binomial(2, frequency, (variants, people)).astype(np.int8)


def windows_of(copies: np.ndarray) -> list[np.ndarray]:
    return [copies[start : start + WINDOW] for start in range(0, len(copies), WINDOW)]


def linkage_of(windows: list[np.ndarray]) -> Linkage:
    sums = LinkageSums(windows[0].shape[1])
    for window in windows:
        sums.add(window)
    return sums.result()


@pytest.fixture(scope="module")
def linked() -> list[np.ndarray]:
    """Two short windows of linked variants, which vary."""
    return [each[:60] for each in loci(80, 2, 4e4, 1e-8, 4, seed=3)]


def test_sums_of_r2_are_those_of_scikit_allel_less_what_chance_adds(linked):
    people = linked[0].shape[1]

    def unbiased(copies, pairs):
        r2 = allel.rogers_huff_r(copies)[pairs].astype(float) ** 2
        return r2 - (1 - r2) / (people - 2)

    found = linkage_of(linked)
    sizes = [len(window) for window in linked]
    m = sum(sizes)
    every = np.concatenate(linked)
    one, other = np.triu_indices(m, 1)
    same = (one < sizes[0]) == (other < sizes[0])
    within = 2 * unbiased(every, np.flatnonzero(same)).sum()
    assert found.variants == m
    assert found.people == people
    assert found.within == pytest.approx(1 + within / m, rel=1e-5)
    between = unbiased(every, np.flatnonzero(~same)).mean()
    assert found.between == pytest.approx(max(between, 0), abs=1e-6)
    assert found.within > 3


def test_sums_over_eigenvalues_are_those_of_the_correlations(linked):
    window = linked[0][:40]
    values = np.linalg.eigvalsh(np.corrcoef(window)).clip(0)
    for ridge, sums in zip(RIDGES, linkage_of([window]).ridge_sums, strict=True):
        share = values / (values + ridge)
        assert sums == pytest.approx((share.sum(), (share**2).sum()), rel=1e-6)


def test_copies_are_scaled_as_scikit_allel_scales_them_and_no_call_is_the_mean():
    copies = independent(30, 50, seed=4)
    whole = scaled(copies).values
    expected = (copies - copies.mean(axis=1, keepdims=True)) / copies.std(axis=1, keepdims=True)
    assert whole == pytest.approx(expected)
    copies[3, 7] = -1
    found = scaled(copies).values[3]
    assert found[7] == 0
    assert found.mean() == pytest.approx(0, abs=1e-12)
    assert found.std() == pytest.approx(1)


def test_variants_at_which_everybody_is_alike_are_left_out():
    copies = independent(20, 40, seed=5)
    copies[[2, 9]] = [[2], [-1]]
    assert np.flatnonzero(~scaled(copies).varies).tolist() == [2, 9]
    assert not scaled(copies).values[[2, 9]].any()
    assert linkage_of([copies]).variants == 18
    assert linkage_of([copies[[2, 9]]]).effective(0) == 0


def test_independent_variants_are_worth_what_they_are():
    found = linkage_of(windows_of(independent(3000, 400, seed=6)))
    assert found.effective(3000) == pytest.approx(3000, rel=0.02)
    assert found.effective_if_known(3000) == pytest.approx(3000, rel=0.02)


def test_variants_that_repeat_each_other_are_worth_one():
    found = linkage_of([np.repeat(independent(64, 600, seed=7), 4, axis=0)])
    assert found.effective(256) == pytest.approx(64, rel=0.02)
    assert found.effective_if_known(256) == pytest.approx(64, rel=0.05)


def test_a_mixed_population_has_linkage_between_windows_that_grows_with_the_variants():
    draw = np.random.default_rng(8)
    frequency = np.clip(0.5 + draw.normal(0, 0.2, (2, 1500, 1)), 0.05, 0.95)
    copies = np.concatenate([draw.binomial(2, p, (1500, 100)) for p in frequency], axis=1)
    found = linkage_of(windows_of(copies.astype(np.int8)))
    assert found.between > 0.005
    assert found.effective(1e9) == pytest.approx(1 / found.between, rel=0.01)
    assert found.effective_if_known(1500) > 3 * found.effective(1500)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 60), st.floats(0, 0.3))
def test_who_knows_the_linkage_gains_no_less_and_never_more_than_all_variants(seed, n, m, missing):
    draw = np.random.default_rng(seed)
    copies = draw.binomial(2, draw.uniform(0, 1, (m, 1)), (m, n)).astype(np.int8)
    copies[draw.random(copies.shape) < missing] = -1
    found = linkage_of([copies[: m // 2], copies[m // 2 :]])
    for variants in (1, m, 1000 * m):
        effective = found.effective(variants)
        known = found.effective_if_known(variants)
        assert 0 < effective <= known * (1 + 1e-9)
        assert known <= variants * (1 + 1e-9)


def test_the_error_of_a_sample_of_windows_is_that_of_many_samples():
    every = list(loci(60, 160, 3e4, 1e-8, 3, seed=9))
    parts = [linkage_of(every[i::16]) for i in range(16)]
    spread = np.std([part.within for part in parts], ddof=1)
    assert np.mean([part.within_error for part in parts]) == pytest.approx(spread, rel=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("genome", "genomes"), [(LINKED, 4), (ONE_TREE_EACH, 8)], ids=["linked", "one-tree-each"]
)
def test_power_by_the_formula_is_that_of_attacks_on_simulated_genomes(genome, genomes):
    """The naive figure within 0.03 of what is measured; the one that knows linkage never below."""
    alpha = 0.01
    naive, measured = [], []
    for seed in range(10_000, 10_000 * genomes + 1, 10_000):
        trial, sums = MembershipTrial(600), LinkageSums(600)
        for locus in loci(600, seed=seed, **genome):
            for window in windows_of(locus):
                trial.add(window)
                sums.add(window)
        found, attacks, n = sums.result(), trial.result(alpha), trial.each
        assert found.variants == trial.variants
        naive.append(power(separation(found.effective(found.variants), n, n), alpha))
        measured.append(attacks["likelihood_ratio"].found)
        known = power(separation(found.effective_if_known(found.variants), n, n), alpha)
        for attack in attacks.values():
            assert known >= max(attack.power, attack.found)
    assert 0.05 < np.mean(measured) < 0.8
    assert np.mean(naive) == pytest.approx(np.mean(measured), abs=0.03)


def test_without_linkage_the_figures_are_those_of_attacks_on_simulated_genomes():
    """One variant of each unlinked locus: both figures are within 0.03 of what is measured."""
    alpha, figures = 0.01, []
    for seed in range(7_000, 12_000, 1_000):
        alone = [each[len(each) // 2] for each in loci(300, 700, 3e3, 0, 6, seed) if len(each)]
        trial, sums = MembershipTrial(300), LinkageSums(300)
        for window in windows_of(np.array(alone)):
            trial.add(window)
            sums.add(window)
        found, attacks, n = sums.result(), trial.result(alpha), trial.each
        effective = (
            found.effective(found.variants),
            found.effective_if_known(found.variants),
        )
        figures.append(
            [power(separation(each, n, n), alpha) for each in effective]
            + [attacks["likelihood_ratio"].found, attacks["linkage_known"].found]
        )
    naive, known, measured, measured_known = np.array(figures).T
    error = np.std(measured, ddof=1) / np.sqrt(len(figures))
    assert naive.mean() == pytest.approx(measured.mean(), abs=0.03)
    assert known.mean() == pytest.approx(measured.mean(), abs=0.03)
    assert known.mean() >= max(measured.mean() - 2 * error, measured_known.mean())


@pytest.mark.slow
def test_power_where_some_of_the_variants_are_shown_is_that_of_attacks_with_these():
    """Linkage is known of all variants with 11 copies; a half, or a tenth, are shown by lot."""
    alpha, genomes = 0.01, (10_000, 20_000)
    draw = np.random.default_rng(1)
    figures = {"half": [], "tenth": []}
    for seed in genomes:
        trials, sums = {name: MembershipTrial(600) for name in figures}, LinkageSums(600)
        frequent = LinkageSums(600)
        for locus in loci(600, seed=seed, **LINKED):
            alt = locus.sum(axis=1, dtype=int)
            shown = {"half": draw.random(len(locus)) < 0.5, "tenth": draw.random(len(locus)) < 0.1}
            for window in windows_of(locus[np.minimum(alt, 1200 - alt) >= 30]):
                frequent.add(window)
            for window in windows_of(locus):
                sums.add(window)
            for name, trial in trials.items():
                for window in windows_of(locus[shown[name]]):
                    trial.add(window)
        found = sums.result()
        known = Members(found.variants, found)
        # Those with more copies are more linked than all; what is said of them is on the safe side.
        of = frequent.result()
        assert known.effective(of.variants) >= of.effective(of.variants)
        for name, trial in trials.items():
            attacks, n, m = trial.result(alpha), trial.each, trial.variants
            naive = power(separation(known.effective(m), n, n), alpha)
            aware = power(separation(known.effective_if_known(m, n), n, n), alpha)
            assert aware >= max(max(each.power, each.found) for each in attacks.values())
            figures[name].append((naive, attacks["likelihood_ratio"].found))
    for pairs in figures.values():
        naive, measured = np.mean(pairs, axis=0)
        assert naive == pytest.approx(measured, abs=0.03)


def test_an_attacker_with_thousands_of_genomes_gains_no_more_than_the_figure_that_knows_linkage():
    """The pool is of 300; the attacker learns frequencies and linkage from 2,400 others."""
    n, n_r, alpha, ridge = 300, 2400, 0.01, 0.01
    naive, known, formula = [], [], []
    for seed in (100, 200, 300, 400):
        scores = np.zeros((2, 2 * n))
        sums = LinkageSums(n_r)
        variants = 0
        for copies in loci(2 * n + n_r, 25, 4e4, 1e-8, 30, seed):
            people, reference = copies[:, : 2 * n], copies[:, 2 * n :]
            sums.add(reference)
            p, q = people[:, :n].mean(axis=1) / 2, reference.mean(axis=1) / 2
            deviation = reference.std(axis=1)
            correlations = np.corrcoef(reference) + ridge * np.eye(len(q))
            lead = 2 * (p - q) / deviation
            own = ((people - 2 * q[:, None]) / deviation[:, None]).T
            scores += own @ lead, own @ np.linalg.solve(correlations, lead)
            variants += len(copies)
        for found, score in zip((naive, known), scores, strict=True):
            found.append((score[:n] > np.quantile(score[n:], 1 - alpha)).mean())
        effective = sums.result().effective_if_known(variants)
        formula.append(power(separation(effective, n, n_r), alpha))
    assert np.mean(known) > np.mean(naive) + 0.2
    assert np.mean(formula) - 0.25 < np.mean(known) <= np.mean(formula)
