"""The figures of `afpanel popgen`: what of the tables is drawn, and how."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from afpanel.core.frequency_spectrum import FREQUENCIES, MOST_COPIES, STATES
from afpanel.io.charts import (
    HeatMap,
    draw_dots,
    draw_heat_maps,
    draw_nothing,
    draw_scatter,
    draw_stacked_bars,
)
from afpanel.model.groups import GroupKind, country_of
from afpanel.stages.popgen_results import PopulationGenetics

_PLURALS = {GroupKind.COUNTRY: "Countries", GroupKind.POPULATION: "Populations"}
"""Kinds that are drawn; XX and XY are in the tables alone."""

_ONE_GROUP = "The release has fewer than two countries, and fewer than two populations."
_NO_VARIANT = "No variant of an autosome varies in a group that is shown."


def draw_figures(results: PopulationGenetics, out: Path) -> None:
    """Draw every figure; one of which there is too little says so instead."""
    _draw_fst(results, out / "fst.svg")
    _draw_heterozygosity(results, out / "heterozygosity.svg")
    _draw_spectrum(results, out / "sfs.svg")
    _draw_sharing(results, out / "sharing.svg")
    _draw_private(results, out / "private.svg")
    _draw_components(results, out / "pca.svg")


def _kinds(results: PopulationGenetics) -> dict[GroupKind, list[int]]:
    return {kind: groups for kind, groups in results.kinds.items() if kind in _PLURALS}


def _names(results: PopulationGenetics, groups: list[int]) -> list[str]:
    return [results.groups[g] for g in groups]


def _draw_fst(results: PopulationGenetics, path: Path) -> None:
    title = "Differentiation of groups: Hudson's FST, autosomes"
    everything = np.full((len(results.groups), len(results.groups)), np.nan)
    for (one, other), fst in zip(results.pairs, results.differentiation.fst, strict=True):
        everything[one, other] = everything[other, one] = fst
    _draw_by_kind(results, path, title, everything, ("FST (ratio of averages)", ".4f"))


def _draw_heterozygosity(results: PopulationGenetics, path: Path) -> None:
    title = "Heterozygosity at the variants of the panel, autosomes"
    found = results.diversity
    if not found.segregating.any():
        draw_nothing(path, title, _NO_VARIANT)
        return
    series = {
        "expected": found.expected_heterozygosity,
        "expected, everybody called": found.expected_heterozygosity_complete,
        "observed, everybody called": found.observed_heterozygosity_complete,
    }
    draw_dots(path, title, results.groups, series, "heterozygosity, mean over variants")


def _draw_spectrum(results: PopulationGenetics, path: Path) -> None:
    title = "Site frequency spectrum, folded: variants by the rarer allele, autosomes"
    tally = results.spectrum.variants[:, len(STATES) :]
    if not tally.any():
        draw_nothing(path, title, _NO_VARIANT)
        return
    few = ((1, 1), (2, 2), (3, 5), (6, MOST_COPIES))
    parts: dict[str, NDArray[np.int64]] = {}
    for low, high in few:
        name = f"{low} copies" if low == high else f"{low}-{high} copies"
        parts["1 copy" if high == 1 else name] = tally[:, low - 1 : high].sum(axis=1)
    for i, (above, up_to) in enumerate(pairwise(FREQUENCIES)):
        parts[f"{above * 100:g}-{up_to * 100:g} %"] = tally[:, MOST_COPIES + i]
    draw_stacked_bars(path, title, results.groups, parts, "variants that segregate in the group")


def _draw_sharing(results: PopulationGenetics, path: Path) -> None:
    title = "Shared variants: how many of the row's the column has, autosomes"
    here, both = results.sharing.alt_here, results.sharing.alt_in_both
    share = np.full(here.shape, np.nan)
    np.divide(both, here, out=share, where=here > 0)
    np.fill_diagonal(share, np.nan)
    _draw_by_kind(results, path, title, share, ("share of variants", ".2f"))


def _draw_by_kind(
    results: PopulationGenetics,
    path: Path,
    title: str,
    values: NDArray[np.float64],
    scale: tuple[str, str],
) -> None:
    """Draw a heat map of values over pairs of groups, (g, g), for each kind of groups that has some.

    `scale` is what the values are, and how they are written.
    """
    kinds = _kinds(results)
    maps = [
        HeatMap(_PLURALS[kind], _names(results, groups), values[np.ix_(groups, groups)], *scale)
        for kind, groups in kinds.items()
        if not np.isnan(values[np.ix_(groups, groups)]).all()
    ]
    if not maps:
        draw_nothing(path, title, _NO_VARIANT if kinds else _ONE_GROUP)
        return
    draw_heat_maps(path, title, maps)


def _draw_private(results: PopulationGenetics, path: Path) -> None:
    title = "Private variants: ALT in one country, or in one population, autosomes"
    kinds = _kinds(results)
    if not kinds:
        draw_nothing(path, title, _ONE_GROUP)
        return
    labels = [name for groups in kinds.values() for name in _names(results, groups)]
    private, undetermined = (
        np.concatenate([found[kind] for kind in kinds])
        for found in (results.sharing.private, results.sharing.undetermined)
    )
    parts = {"private": private, "cannot be told: another group is not shown": undetermined}
    draw_stacked_bars(path, title, labels, parts, "variants")


def _draw_components(results: PopulationGenetics, path: Path) -> None:
    title = (
        f"Principal components of {len(results.component_groups)} groups,"
        f" {results.component_variants:,} common variants, autosomes"
    )
    found = results.components
    if not len(found.explained):
        reason = "No common variant at which all groups are shown tells groups apart."
        draw_nothing(path, title, reason if len(results.component_groups) > 1 else _ONE_GROUP)
        return
    places = np.zeros((len(found.coordinates), 2))
    places[:, : min(2, len(found.explained))] = found.coordinates[:, :2]
    first, second = (
        f"PC{i + 1} ({found.explained[i]:.1%} of variance)"
        if i < len(found.explained)
        else "no second component"
        for i in range(2)
    )
    labels = _names(results, results.component_groups)
    draw_scatter(
        path, title, labels, [country_of(name) for name in labels], places, (first, second)
    )
