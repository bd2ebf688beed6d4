"""`afpanel popgen` beside scikit-allel on the genotypes that the panel was counted from."""

import logging
import shutil
from collections import Counter
from itertools import combinations
from xml.etree import ElementTree as ET

import allel
import numpy as np
import pytest
from allel.stats.misc import jackknife
from tests.simulated_panel import Simulated, read_table, simulate

from afpanel.cli.main import main
from afpanel.io import panel_store
from afpanel.model.groups import disjoint_groups
from afpanel.stages.popgen import popgen

STATISTICS = ("fst", "heterozygosity", "sfs", "sharing", "private", "pca")
ROUNDING = 0.51e-6
"""Tables have six decimals."""

BLOCK = 5_000_000


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def simulated():
    return simulate()


@pytest.fixture(scope="module")
def out(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("popgen")
    store = simulated.write(folder / "chr1.zarr.zip", "chr1")
    assert main(["popgen", str(store), "--out", str(folder / "out")]) == 0
    return folder / "out"


# ---------------------------------------------------------------------------------------------
# Statistics


def test_every_pair_of_groups_that_share_nobody_is_there_and_no_other(simulated, out):
    pairs = [(row["group_1"], row["group_2"]) for row in read_table(out / "fst.tsv")]
    assert len(pairs) == 3 + 6 + 1
    for one, other in pairs:
        assert not set(simulated.groups[one]) & set(simulated.groups[other])
    expected = [*combinations(("CN", "JP", "VN"), 2), ("XX", "XY")]
    expected += combinations(("CN_CDX", "CN_CHB", "JP_JPT", "VN_KHV"), 2)
    assert set(pairs) == set(expected)


def test_fst_and_its_error_are_those_of_scikit_allel_on_the_genotypes(simulated, out):
    """Per block of 5 Mb sums of `hudson_fst` over variants that both show, and its own jackknife."""
    for row in read_table(out / "fst.tsv"):
        one, other = row["group_1"], row["group_2"]
        rows = simulated.shown(one, other)
        counts = [simulated.counts(name, rows) for name in (one, other)]
        numerator, denominator = allel.hudson_fst(*counts)
        block = (simulated.position[rows] - 1) // BLOCK
        sums = [np.bincount(block, each) for each in (numerator, denominator)]
        used = np.bincount(block, denominator > 0) > 0
        _, error, _ = jackknife(tuple(each[used] for each in sums), lambda n, d: n.sum() / d.sum())
        assert float(row["fst"]) == pytest.approx(numerator.sum() / denominator.sum(), abs=ROUNDING)
        assert float(row["standard_error"]) == pytest.approx(error, abs=ROUNDING)
        varies = np.sum(counts, axis=0).min(axis=1) > 0
        assert (int(row["variants"]), int(row["blocks"])) == (varies.sum(), used.sum())
        assert int(row["block_bases"]) == BLOCK


def test_with_blocks_of_a_number_of_variants_it_is_scikit_allel_s_average_hudson_fst(tmp_path):
    """`average_hudson_fst` cuts blocks by number; with one variant a megabase the cuts are the same."""
    simulated = simulate(n=500, missing=0, masked=0)
    simulated.position = np.arange(500) * 1_000_000 + 1
    # A pair of groups that vary at all variants, so that none is left out of a block.
    simulated.genotypes[:, simulated.groups["CN"][0]] = 1
    simulated.genotypes[:, simulated.groups["JP"][0]] = 0
    popgen([simulated.write(tmp_path / "1.zarr.zip", "1")], tmp_path)
    row = next(r for r in read_table(tmp_path / "fst.tsv") if r["group_2"] == "JP")
    fst, error, _, _ = allel.average_hudson_fst(
        simulated.counts("CN"), simulated.counts("JP"), blen=5
    )
    assert float(row["fst"]) == pytest.approx(fst, abs=ROUNDING)
    assert float(row["standard_error"]) == pytest.approx(error, abs=ROUNDING)


def test_populations_that_drifted_farther_have_a_greater_fst(out):
    """Oracle: the model, in which FST of a pair is near the mean of both drifts."""
    fst = {(r["group_1"], r["group_2"]): float(r["fst"]) for r in read_table(out / "fst.tsv")}
    assert fst["CN_CHB", "JP_JPT"] == pytest.approx((0.01 + 0.08) / 2, abs=0.01)
    assert fst["CN_CDX", "CN_CHB"] == pytest.approx((0.02 + 0.01) / 2, abs=0.01)
    assert fst["XX", "XY"] == pytest.approx(0, abs=0.005)


def test_heterozygosity_is_that_of_scikit_allel_on_the_genotypes(simulated, out):
    table = {row["group"]: row for row in read_table(out / "heterozygosity.tsv")}
    assert list(table) == list(simulated.groups)
    for name, people in simulated.groups.items():
        row, rows = table[name], simulated.shown(name)
        counts = simulated.counts(name, rows)
        expected = allel.mean_pairwise_difference(counts)
        complete = np.flatnonzero(counts.sum(axis=1) == 2 * len(people))
        assert 100 < len(complete) < len(rows) == int(row["variants"])
        assert int(row["people"]) == len(people)
        assert int(row["complete_variants"]) == len(complete)
        assert int(row["segregating"]) == (counts.min(axis=1) > 0).sum()
        observed = allel.heterozygosity_observed(
            simulated.array(rows[complete]).take(people, axis=1)
        )
        for figure, values in (
            ("expected_heterozygosity", expected),
            ("expected_heterozygosity_complete", expected[complete]),
            ("observed_heterozygosity_complete", observed),
        ):
            assert float(row[figure]) == pytest.approx(values.mean(), abs=ROUNDING)


def test_transitions_and_transversions_are_told_by_the_letters(simulated, out):
    for row in read_table(out / "heterozygosity.tsv"):
        tally = Counter()
        rows = simulated.shown(row["group"])
        counts = simulated.counts(row["group"], rows)
        for i in rows[counts.min(axis=1) > 0].tolist():
            change = {simulated.ref[i], simulated.alt[i]}
            kind = "transitions" if change in ({"A", "G"}, {"C", "T"}) else "transversions"
            tally[kind if len(simulated.alt[i]) == 1 else "neither"] += 1
        assert tally["neither"] > 0
        assert int(row["transitions"]) == tally["transitions"]
        assert int(row["transversions"]) == tally["transversions"]
        ratio = tally["transitions"] / tally["transversions"]
        assert float(row["ti_tv"]) == pytest.approx(ratio, abs=ROUNDING)


def test_the_spectrum_puts_every_variant_of_a_group_into_one_class(simulated, out):
    """Oracle: plain Python on scikit-allel's counts."""
    found = {}
    for row in read_table(out / "sfs.tsv"):
        key = (row["class"], row["above"], row["up_to"])
        found.setdefault(row["group"], {})[key] = int(row["variants"])
    for g, name in enumerate(simulated.groups):
        expected = Counter()
        for i, (ref, alt) in enumerate(simulated.counts(name).tolist()):
            copies = min(ref, alt)
            if simulated.masked[i, g]:
                key = ("masked", ".", ".")
            elif ref + alt < 2:
                key = ("not_called", ".", ".")
            elif copies == 0:
                key = ("monomorphic", ".", ".")
            elif copies <= 10:
                key = ("minor_allele_count", str(copies - 1), str(copies))
            else:
                bounds = ("0", "0.01", "0.02", "0.05", "0.1", "0.2", "0.3", "0.4", "0.5")
                at = next(k for k in range(1, 9) if copies / (ref + alt) <= float(bounds[k]))
                key = ("minor_allele_frequency", bounds[at - 1], bounds[at])
            expected[key] += 1
        assert {key: n for key, n in found[name].items() if n} == expected
        assert sum(found[name].values()) == len(simulated.position)


def test_few_copies_are_counted_as_in_the_folded_spectrum_of_scikit_allel(simulated, out):
    for name in simulated.groups:
        spectrum = allel.sfs_folded(simulated.counts(name, simulated.shown(name)))
        found = [
            int(row["variants"])
            for row in read_table(out / "sfs.tsv")
            if row["group"] == name and row["class"] == "minor_allele_count"
        ]
        assert found == spectrum[1:11].tolist()


def test_sharing_is_counted_cell_by_cell(simulated, out):
    """Oracle: sets of variants."""
    seen, known = {}, {}
    for g, name in enumerate(simulated.groups):
        counts = simulated.counts(name)
        shown = ~simulated.masked[:, g]
        seen[name] = set(np.flatnonzero(shown & (counts[:, 1] > 0)).tolist())
        known[name] = set(np.flatnonzero(shown & (counts.sum(axis=1) > 0)).tolist())
    for row in read_table(out / "sharing.tsv"):
        one, other = row["group_1"], row["group_2"]
        both = known[one] & known[other]
        assert int(row["both_shown"]) == len(both)
        assert int(row["alt_in_1"]) == len(seen[one] & both)
        assert int(row["alt_in_2"]) == len(seen[other] & both)
        assert int(row["alt_in_both"]) == len(seen[one] & seen[other])
    kinds = disjoint_groups(list(simulated.groups))
    table = {row["group"]: row for row in read_table(out / "private.tsv")}
    assert len(table) == 3 + 4 + 2
    for members in kinds.values():
        names = [list(simulated.groups)[g] for g in members]
        for name in names:
            others = [other for other in names if other != name]
            alone = seen[name].difference(*(seen[other] for other in others))
            private = alone.intersection(*(known[other] for other in others))
            assert int(table[name]["private"]) == len(private) > 0
            assert int(table[name]["undetermined"]) == len(alone - private) > 0


def test_components_are_the_axes_of_the_frequencies(simulated, out):
    """Oracle: eigenvectors of the groups' covariance, which an SVD does not look at."""
    names = ["CN_CDX", "CN_CHB", "JP", "VN"]
    rows = np.intersect1d(simulated.shown("CN_CDX", "CN_CHB"), simulated.shown("JP", "VN"))
    frequency = np.column_stack(
        [c[:, 1] / c.sum(axis=1) for c in (simulated.counts(name, rows) for name in names)]
    )
    mean = frequency.mean(axis=1)
    frequency = frequency[(mean >= 0.05) & (mean <= 0.95)]
    mean = frequency.mean(axis=1, keepdims=True)
    scaled = (frequency - mean) / np.sqrt(mean * (1 - mean))
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    table = read_table(out / "pca.tsv")
    assert [row["group"] for row in table] == [name for name in names for _ in range(3)]
    assert {row["variants"] for row in table} == {str(len(frequency))}
    for i in range(3):
        found = [row for row in table if row["component"] == f"PC{i + 1}"]
        place = np.array([float(row["coordinate"]) for row in found])
        axis = vectors[:, -1 - i] * np.sqrt(values[-1 - i])
        np.testing.assert_allclose(place, axis * np.sign(axis @ place), atol=2e-6)
        assert place[np.abs(place).argmax()] > 0
        share = values[-1 - i] / values.sum()
        explained = [float(row["explained_variance"]) for row in found]
        assert explained == pytest.approx([share] * 4, abs=2e-6)


# ---------------------------------------------------------------------------------------------
# What must not matter


def test_a_second_run_gives_the_same_bytes(simulated, out, tmp_path):
    store = simulated.write(tmp_path / "chr1.zarr.zip", "chr1")
    popgen([store], tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(out)
    popgen([store], tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(out)
    assert set(bytes_of(out)) == {f"{s}.{end}" for s in STATISTICS for end in ("tsv", "svg")}


@pytest.mark.parametrize("chunk", [1, 7, 1_000])
def test_the_size_of_chunks_does_not_matter(chunk, simulated, tmp_path, monkeypatch):
    few = 150 if chunk == 1 else len(simulated.position)
    rows = slice(0, few)
    part = Simulated(
        simulated.genotypes[rows], simulated.position[rows], simulated.ref[rows],
        simulated.alt[rows], simulated.groups, simulated.masked[rows],
    )  # fmt: skip
    popgen([part.write(tmp_path / "1.zarr.zip", "1")], tmp_path / "plain")
    monkeypatch.setattr(panel_store, "_CHUNK", chunk)
    popgen([part.write(tmp_path / "2.zarr.zip", "1", cuts=(3, 4, 99))], tmp_path / "cut")
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "plain")


def test_the_number_of_threads_does_not_matter(simulated, out, tmp_path, monkeypatch):
    monkeypatch.setattr(panel_store, "_CHUNK", 150)
    stores = [simulated.write(tmp_path / "1.zarr.zip", "chr1")]
    arguments = ["popgen", *map(str, stores), "--threads", "3", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert bytes_of(tmp_path / "out") == bytes_of(out)


def test_the_figures_of_a_masked_cell_are_never_used(simulated, out, tmp_path):
    """Here the store still holds them, which no store that passed the gate does."""
    poisoned = simulated.write(tmp_path / "chr1.zarr.zip", "chr1", poison=True)
    popgen([poisoned], tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(out)


def test_x_y_and_mt_are_left_out(simulated, out, tmp_path):
    stores = [simulated.write(tmp_path / "1.zip", "chr1")]
    stores += [simulate(seed=9).write(tmp_path / f"{c}.zip", c) for c in ("chrX", "Y", "MT")]
    popgen(stores, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(out)


# ---------------------------------------------------------------------------------------------
# Figures


@pytest.mark.parametrize("name", STATISTICS)
def test_a_figure_is_well_formed_and_has_a_title_and_no_date(name, out):
    text = (out / f"{name}.svg").read_text()
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    title = root.findtext("{http://www.w3.org/2000/svg}title")
    drawn = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert title in drawn
    assert "autosomes" in title
    for word in ("dc:date", "Matplotlib", "<image"):
        assert word not in text


@pytest.mark.parametrize("name", STATISTICS)
def test_a_figure_names_every_group_that_it_shows(name, out):
    root = ET.fromstring((out / f"{name}.svg").read_text())
    drawn = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    shown = {
        value
        for row in read_table(out / f"{name}.tsv")
        for key, value in row.items()
        if key.startswith("group")
    }
    if name in ("fst", "sharing", "private"):
        shown -= {"XX", "XY"}
    assert len(shown) >= 4
    assert shown <= drawn


def test_settings_of_the_user_for_other_plots_do_not_change_the_bytes(
    simulated, out, tmp_path, monkeypatch
):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path"}):
        popgen([simulated.write(tmp_path / "chr1.zarr.zip", "chr1")], tmp_path / "out")
        assert mpl.rcParams["font.size"] == 30
    assert bytes_of(tmp_path / "out") == bytes_of(out)


# ---------------------------------------------------------------------------------------------
# Where there is little


def with_groups(simulated, names, rows=slice(None)):
    groups = {name: simulated.groups[name] for name in names}
    return Simulated(
        simulated.genotypes[rows], simulated.position[rows], simulated.ref[rows],
        simulated.alt[rows], groups,
    )  # fmt: skip


def test_of_one_country_there_is_nothing_to_compare_and_the_figures_say_so(simulated, tmp_path):
    one = with_groups(simulated, ["total", "JP", "JP_JPT"])
    popgen([one.write(tmp_path / "1.zip", "1")], tmp_path / "out")
    for name in ("fst", "sharing", "private", "pca"):
        assert read_table(tmp_path / "out" / f"{name}.tsv") == []
        assert (tmp_path / "out" / f"{name}.tsv").read_text().count("\n") == 1
        assert "fewer than two countries" in (tmp_path / "out" / f"{name}.svg").read_text()
    assert len(read_table(tmp_path / "out/heterozygosity.tsv")) == 3
    assert len(read_table(tmp_path / "out/sfs.tsv")) == 3 * 22


def test_of_two_countries_there_is_one_component(simulated, tmp_path):
    two = with_groups(simulated, ["total", "JP", "VN"])
    popgen([two.write(tmp_path / "1.zip", "1")], tmp_path / "out")
    (first, second) = read_table(tmp_path / "out/pca.tsv")
    assert (first["component"], second["component"]) == ("PC1", "PC1")
    assert float(first["coordinate"]) == -float(second["coordinate"]) > 0
    assert float(first["explained_variance"]) == 1
    assert "no second component" in (tmp_path / "out/pca.svg").read_text()


@pytest.mark.parametrize("contig", ["1", "X"])
def test_where_nothing_varies_figures_are_missing_and_nothing_fails(contig, simulated, tmp_path):
    rows = slice(0, 40)
    still = with_groups(simulated, ["total", "CN", "JP", "VN"], rows)
    still.genotypes = np.zeros_like(still.genotypes)
    popgen([still.write(tmp_path / "1.zip", contig)], tmp_path / "out")
    assert {row["fst"] for row in read_table(tmp_path / "out/fst.tsv")} == {"."}
    assert {row["standard_error"] for row in read_table(tmp_path / "out/fst.tsv")} == {"."}
    assert read_table(tmp_path / "out/pca.tsv") == []
    rows = read_table(tmp_path / "out/heterozygosity.tsv")
    of_none = {"0.000000"} if contig == "1" else {"."}
    assert {row["expected_heterozygosity"] for row in rows} == of_none
    for name in ("fst", "heterozygosity", "sfs", "sharing"):
        assert "No variant" in (tmp_path / "out" / f"{name}.svg").read_text()


def test_a_contig_without_variants_changes_nothing(simulated, out, tmp_path):
    none = with_groups(simulated, list(simulated.groups), slice(0, 0))
    stores = [none.write(tmp_path / "2.zip", "chr2"), simulated.write(tmp_path / "1.zip", "chr1")]
    popgen(stores, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(out)


def test_forty_groups_are_drawn(tmp_path):
    """Countries by letters; the figures grow, and points are named in a legend."""
    many = simulate(n=300, masked=0)
    people = np.array_split(np.arange(many.genotypes.shape[1]), 40)
    many.groups = {"total": list(range(many.genotypes.shape[1]))}
    many.groups |= {
        f"{chr(65 + i // 20)}{chr(65 + i % 20)}": p.tolist() for i, p in enumerate(people)
    }
    many.masked = np.zeros((300, 41), bool)
    popgen([many.write(tmp_path / "1.zip", "1")], tmp_path / "out")
    assert len(read_table(tmp_path / "out/fst.tsv")) == 780
    for name in STATISTICS:
        text = (tmp_path / "out" / f"{name}.svg").read_text()
        drawn = {"".join(each.itertext()) for each in ET.fromstring(text).iter()}
        assert set(many.groups) - {"total"} <= drawn


# ---------------------------------------------------------------------------------------------
# The command


def test_contigs_that_do_not_have_the_same_groups_are_refused(simulated, tmp_path, capsys):
    one = simulated.write(tmp_path / "1.zip", "1")
    other = with_groups(simulated, ["total", "CN", "JP"]).write(tmp_path / "2.zip", "2")
    assert main(["popgen", str(one), str(other), "--out", str(tmp_path / "out")]) == 3
    assert "2.zip: the contigs of the panel do not have the same groups" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_log_sums_up_in_a_line(simulated, out, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    popgen([simulated.write(tmp_path / "1.zip", "1")], tmp_path / "out")
    fst = [row for row in read_table(out / "fst.tsv") if row["kind"] == "country"]
    least, most = (pick(float(row["fst"]) for row in fst) for pick in (min, max))
    last = caplog.messages[-1]
    assert last.startswith("popgen: done, 3,000 variants of autosomes, 10 groups; FST of country")
    assert f"from {least:.4f} (" in last
    assert f" to {most:.4f} (" in last


def test_a_run_that_fails_leaves_no_table(simulated, tmp_path):
    store = simulated.write(tmp_path / "1.zip", "1")
    broken = tmp_path / "2.zip"
    shutil.copy(store, broken)
    broken.write_bytes(broken.read_bytes()[:5_000])
    assert main(["popgen", str(store), str(broken), "--out", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "out").exists()
