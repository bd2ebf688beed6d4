"""Attacks on masked cells from published files alone.

Each finds cells of few copies, exactly, where masking is primary alone, and none in what the gate lets
through. An attack gives its guesses: row -> group and copies.
"""

import json
from collections.abc import Iterator

import numpy as np
import pysam
import pytest
import zarr
from scipy.stats import gamma

from afpanel.stages.verify_release import attack_release

Guess = tuple[int, str, float]


def lone(published, whole: str, parts: list[str], values: dict[str, np.ndarray]) -> Iterator[Guess]:
    """Subtract what is shown of a sum from the whole where one part alone is masked."""
    known = np.stack([values[part] for part in parts])
    hidden = np.isnan(known)
    rows = np.flatnonzero((hidden.sum(axis=0) == 1) & ~np.isnan(values[whole]))
    for row in rows.tolist():
        part = parts[int(hidden[:, row].argmax())]
        yield row, part, float(values[whole][row] - np.nansum(known[:, row]))


def counts_of(published) -> dict[str, np.ndarray]:
    return {"total": published["AC"], **{g: published[f"AC_{g}"] for g in published.groups}}


def by_countries(published) -> Iterator[Guess]:
    yield from lone(published, "total", published.countries, counts_of(published))


def by_populations(published) -> Iterator[Guess]:
    for country in published.countries:
        yield from lone(published, country, published.populations(country), counts_of(published))


def by_lone_population(published) -> Iterator[Guess]:
    """Read a masked country off its only population, or the other way round."""
    values = counts_of(published)
    for country in published.countries:
        populations = published.populations(country)
        for row in np.flatnonzero(np.isnan(values[country])).tolist():
            each = [values[name][row] for name in populations]
            if not np.isnan(each).any():
                yield row, country, float(sum(each))


def by_sexes(published) -> Iterator[Guess]:
    yield from lone(published, "total", ["XX", "XY"], counts_of(published))


def by_haploid_calls(published) -> Iterator[Guess]:
    """On X all copies that are not of haploid calls are those of XX people."""
    values, haploid = counts_of(published), published["nhemialt"]
    on_x = published["contig"] == "chrX"
    for row in np.flatnonzero(on_x & np.isnan(values["XX"]) & ~np.isnan(values["total"])).tolist():
        yield row, "XX", float(values["total"][row] - haploid[row])


def people_of(published) -> dict[str, int]:
    """Read the size of each group in the header of the VCF."""
    people = {}
    with pysam.VariantFile(str(next(published.folder.glob("*.vcf.gz")))) as vcf:
        for group in ("total", *published.groups):
            key = "AC" if group == "total" else f"AC_{group}"
            people[group] = int(vcf.header.info[key].description.split("n = ")[1].rstrip(")"))
    return people


def copies_by_faf(published, group: str, level: int) -> np.ndarray:
    """Invert faf: it is a quantile of the gamma distribution of shape AC, over the copies that are called."""
    end = "" if group == "total" else f"_{group}"
    called = np.rint(2 * people_of(published)[group] * published[f"call_rate{end}"])
    quantile = published[f"faf{level}{end}"] * called
    every = gamma.ppf(1 - level / 100, np.arange(2, 2 * 600))  # of no copy and of one it is 0
    found = 2.0 + np.abs(quantile[:, None] - every[None]).argmin(axis=1)
    unknown = np.isnan(quantile) | (quantile == 0) | (published["contig"] != "chr21")
    return np.where(unknown, np.nan, found)


def by_faf(published, level: int = 95) -> Iterator[Guess]:
    """Use faf alone; where it is 0 nothing is known, so only sums of cells with more copies tell."""
    groups = ("total", *published.countries)
    yield from lone_told(published, {g: copies_by_faf(published, g, level) for g in groups})


def by_faf99(published) -> Iterator[Guess]:
    yield from by_faf(published, 99)


def lone_told(published, values: dict[str, np.ndarray]) -> Iterator[Guess]:
    """Subtract where one country alone is masked, and all others are told."""
    masked = np.stack([np.isnan(published[f"AC_{c}"]) for c in published.countries])
    for row, part, copies in lone(published, "total", published.countries, values):
        if masked[:, row].sum() == 1 and masked[published.countries.index(part), row]:
            yield row, part, copies


def by_greatest(published) -> Iterator[Guess]:
    """Read the copies of the group with the greatest frequency off this frequency."""
    people, autosome = people_of(published), published["contig"] == "chr21"
    groups, frequency = published["grpmax"], published["AF_grpmax"]
    for row in np.flatnonzero(autosome & ~np.isnan(frequency)).tolist():
        yield row, groups[row], float(np.rint(frequency[row] * 2 * people[groups[row]]))


def by_greatest_faf(published) -> Iterator[Guess]:
    """Invert the greatest faf likewise."""
    people, autosome = people_of(published), published["contig"] == "chr21"
    every = gamma.ppf(0.05, np.arange(2, 2 * 600))
    groups, greatest = published["fafmax_faf95_max_group"], published["fafmax_faf95_max"]
    for row in np.flatnonzero(autosome & ~np.isnan(greatest)).tolist():
        quantile = greatest[row] * 2 * people[groups[row]]
        yield row, groups[row], 2.0 + int(np.abs(every - quantile).argmin())


def by_statistics(published) -> Iterator[Guess]:
    """Use neither AC nor AN: copies are AF times the call rate times what people have."""
    people = people_of(published)
    autosome = published["contig"] == "chr21"
    values = {}
    for group, n in people.items():
        end = "" if group == "total" else f"_{group}"
        copies = published[f"AF{end}"] * published[f"call_rate{end}"] * 2 * n
        values[group] = np.where(autosome, np.rint(copies), np.nan)
    yield from lone(published, "total", published.countries, values)


ATTACKS = [
    by_countries, by_populations, by_lone_population, by_sexes, by_haploid_calls, by_statistics,
    by_faf, by_faf99,
]  # fmt: skip


def successes(attacked, published, attack) -> int:
    """Count the guesses that are right, of cells of few copies."""
    keys = published.keys
    right = 0
    for row, group, copies in attack(published):
        true = attacked.truth[keys[row]][group]
        right += copies == true and 0 < true < attacked.k
    return right


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a is not by_lone_population])
def test_an_attack_succeeds_where_masking_is_primary_alone(attacked, attack):
    assert successes(attacked, attacked.primary, attack) > 10


@pytest.mark.parametrize("attack", [by_greatest, by_greatest_faf])
def test_maxima_tell_few_copies_where_nothing_is_masked_and_none_in_what_the_gate_lets_through(
    attacked, unprotected, attack
):
    assert successes(attacked, unprotected, attack) > 100
    assert successes(attacked, attacked.released, attack) == 0
    # They are of groups that are shown; what they say of these is what is shown.
    values = counts_of(attacked.released)
    told = [(values[group][row], copies) for row, group, copies in attack(attacked.released)]
    assert len(told) > 100
    assert all(shown == copies for shown, copies in told)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_finds_a_cell_of_few_copies_in_what_the_gate_lets_through(attacked, attack):
    assert successes(attacked, attacked.released, attack) == 0


def few_left_at_sites(published, k: int) -> int:
    """Count the groups at sites of which AN less the copies of all alleles that are shown is few."""
    sites: dict[tuple, list[int]] = {}
    for row, key in enumerate(published.keys):
        sites.setdefault(key[:3], []).append(row)
    values, found = counts_of(published), 0
    for group in values:
        number = published["AN" if group == "total" else f"AN_{group}"]
        for rows in sites.values():
            shown = [row for row in rows if not np.isnan(number[row])]
            if len(shown) > 1:
                found += 0 < number[shown[0]] - values[group][shown].sum() < k
    return found


def test_alleles_of_a_site_do_not_give_away_few_copies_of_the_others(attacked):
    assert few_left_at_sites(attacked.primary, attacked.k) > 5
    assert few_left_at_sites(attacked.released, attacked.k) == 0


def test_a_row_is_there_only_where_a_group_shows_alt_or_nothing_is_hidden(attacked):
    """That a row exists says that somebody carries the allele; where all who may are hidden, there is none."""
    for published in (attacked.primary, attacked.released):
        values = np.stack(list(counts_of(published).values()))
        hides = np.isnan(values).any(axis=0)
        assert hides.sum() > 100
        assert (np.nansum(values, axis=0)[hides] > 0).all()
    rare = {key for key, copies in attacked.truth.items() if 0 < copies["total"] < attacked.k}
    assert len(rare) > 100
    assert not rare & set(attacked.released.keys)


def test_no_format_shows_what_another_masks(attacked):
    published = attacked.released
    groups = ("total", *published.groups)
    hidden = np.stack([np.isnan(published["AN" if g == "total" else f"AN_{g}"]) for g in groups], 1)
    assert hidden.sum() > 500
    with zarr.storage.ZipStore(next(published.folder.glob("*.zarr.zip")), mode="r") as store:
        arrays = {name: each[...] for name, each in zarr.open_group(store, mode="r").arrays()}
    for array in arrays.values():
        if array.ndim == 2 and array.shape == hidden.shape and array.dtype.kind in "if":
            missing = np.isnan(array) if array.dtype.kind == "f" else array < 0
            assert (missing | (array == 3))[hidden].all()
    with pysam.VariantFile(str(next(published.folder.glob("*.vcf.gz")))) as vcf:
        for row, record in enumerate(vcf):
            for g, group in enumerate(groups):
                if hidden[row, g]:
                    end = "" if group == "total" else f"_{group}"
                    said = [
                        record.info.get(f"{key}{end}")
                        for key in ("AC", "AN", "AF", "nhomalt", "faf95")
                    ]
                    assert {v[0] if isinstance(v, tuple) else v for v in said} == {None}
                    assert record.info.get("grpmax") not in (group, (group,))


def test_the_verifier_finds_them_where_masking_is_primary_alone_and_none_else(attacked):
    one, both = (attack_release(p.folder, 500) for p in (attacked.primary, attacked.released))
    assert list(one) == list(both) == ["vcf", "parquet", "zarr"]
    print({name: (verdict.derivable, both[name].derivable) for name, verdict in one.items()})
    right = sum(
        successes(attacked, attacked.primary, attack) for attack in (by_countries, by_sexes)
    )
    for name, verdict in one.items():
        assert verdict.derivable >= right > 50
        assert both[name].found == {}
        assert both[name].masked == np.isnan(
            np.stack([attacked.released[f"AN_{g}"] for g in attacked.released.groups] + [attacked.released["AN"]])
        ).sum()  # fmt: skip
    assert (
        json.loads((attacked.released.folder / "manifest.json").read_text())["policy"][
            "min_allele_count"
        ]
        == 11
    )
