"""The choice of sites: bounded, even over the genome, and a matter of places and counts alone."""

import numpy as np
import pytest

from afpanel.core.site_choice import MAX_SITES, RUN, SPACING, WINDOW, Sites, site_keys


def sites_of(contig: np.ndarray, position: np.ndarray, level: np.ndarray | int = 1) -> Sites:
    n = len(position)
    letters = np.full(n, ord("A"), np.uint8), np.full(n, ord("G"), np.uint8)
    levels = np.broadcast_to(np.asarray(level, np.int32), n)
    return Sites(contig.astype(np.int32), site_keys(position, *letters), levels)


def drawn(seed: int, n: int, length: int, contigs: int = 2) -> Sites:
    rng = np.random.default_rng(seed)
    places = np.unique(
        np.column_stack([rng.integers(contigs, size=n), rng.integers(1, length, n)]), axis=0
    )
    return sites_of(*places.T, rng.integers(1, 5, len(places)))


def test_keys_are_in_the_order_of_position_ref_and_alt() -> None:
    letters = np.frombuffer(b"ACGT", np.uint8)
    rows = [(p, r, a) for p in (1, 255, 248_956_422) for r in letters for a in letters if r != a]
    position, ref, alt = (np.array(column) for column in zip(*rows, strict=True))
    keys = site_keys(position, ref.astype(np.uint8), alt.astype(np.uint8))
    assert keys.tolist() == sorted(set(keys.tolist()))
    assert (keys >> 16).tolist() == position.tolist()


def test_a_run_has_the_sites_of_most_cohorts_and_of_these_the_middle_ones() -> None:
    position = np.arange(1, 2 * WINDOW, 50)
    level = np.where(position % 500 == 1, 2, 1)
    found = sites_of(np.zeros(len(position)), position, level).candidates()
    for window in (0, 1):
        mine = found.position[found.window == window]
        shared = position[(level == 2) & (position // WINDOW == window)]
        assert len(mine) == RUN
        assert set(shared) <= set(mine)
        others = np.setdiff1d(mine, shared)
        assert np.abs(others % WINDOW - WINDOW // 2).max() <= 50 * RUN / 2


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_windows_are_thinned_evenly_and_the_most_shared_of_neighbours_stay(limit: int) -> None:
    sites = drawn(1, 20_000, 400 * WINDOW)
    kept = sites.of_spread_windows(limit)
    windows = [
        tuple(pair) for pair in np.unique(np.column_stack([sites.contig, sites.window]), axis=0)
    ]
    found = {tuple(pair) for pair in np.column_stack([kept.contig, kept.window])}
    assert len(found) == limit
    number = {window: i for i, window in enumerate(windows)}
    assert sorted(number[w] * limit // len(windows) for w in found) == list(range(limit))
    best: dict[int, int] = {}
    for contig, window, level in zip(sites.contig, sites.window, sites.level, strict=True):
        group = number[contig, window] * limit // len(windows)
        best[group] = max(best.get(group, 0), level)
    for window in found:
        mine = (kept.contig == window[0]) & (kept.window == window[1])
        assert kept.level[mine].max() == best[number[window] * limit // len(windows)]
        assert mine.sum() == ((sites.contig == window[0]) & (sites.window == window[1])).sum()


def test_fewer_windows_than_the_limit_all_stay() -> None:
    sites = drawn(2, 500, 50 * WINDOW)
    assert len(sites.of_spread_windows(MAX_SITES)) == len(sites) < MAX_SITES


@pytest.mark.parametrize("seed", range(5))
def test_chosen_sites_are_common_one_of_a_window_and_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sites = drawn(seed, 3_000, 200 * WINDOW)
    common, cohorts = rng.random(len(sites)) < 0.5, rng.integers(1, 4, len(sites))
    rows = sites.one_of_each_window(common, cohorts)
    assert common[rows].all()
    assert (np.diff(rows) > 0).all()
    chosen = sites.take(rows)
    pairs = np.column_stack([chosen.contig, chosen.window])
    assert len(np.unique(pairs, axis=0)) == len(rows)
    for contig in (0, 1):
        position = chosen.position[chosen.contig == contig]
        assert (np.diff(position) >= SPACING).all()
        assert len(position) > 0.5 * 200
    for row in rows:
        same = common & (sites.contig == sites.contig[row]) & (sites.window == sites.window[row])
        assert cohorts[row] == cohorts[same].max()


def test_of_nothing_nothing_is_chosen() -> None:
    none = Sites.joined([]).candidates().of_spread_windows(MAX_SITES)
    assert len(none.one_of_each_window(np.empty(0, bool), np.empty(0, np.int64))) == 0
