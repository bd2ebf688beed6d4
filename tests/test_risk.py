"""Membership risk by the commands: from genotypes to a figure, a refusal, and what the manifest says."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.overlapping import LENGTH, Cohort, World, run
from tests.simulated_panel import read_table

from afpanel.core.linkage import LinkageSums
from afpanel.core.membership import most_variants, power, separation
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.stages.risk_outputs import read_risk

PEOPLE = 140
POLICY = "min_group_size: 10\nmin_allele_count: 3\n"


class Hub:
    """One cohort of two populations, in one of which there are a parent and a child."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, World(folder, seed=4)
        people = self.world.people([f"SYN{i:04d}" for i in range(PEOPLE)])
        # People in even places are of population P, the others of Q.
        people["SYN0010"] = self.world.child(people["SYN0002"], people["SYN0004"])
        self.cohort = Cohort(people, left_out=("SYN0001",))
        self.private = folder / "private"
        self.world.prepare("Alpha", self.cohort, self.private)
        self.sheet = folder / "Alpha.tsv"
        self.own = self.private / "Alpha"
        (folder / "policy.yaml").write_text(POLICY)
        reference = ("--reference", self.world.fasta)
        counts = {"chr1": [], "chr2": []}
        for store in sorted((self.own / "genotypes").iterdir()):
            out = folder / "counts" / store.name.replace(".vcz", ".zarr")
            run("count", store, "--alleles", self.own / "alleles.zarr.zip", "--samples", self.sheet,
                "--cohort", "Alpha", "--country", "VN", "--build", "GRCh38", "--out", out)  # fmt: skip
            counts[store.name[:4]].append(out)
        merged = [folder / "merged" / f"{contig}.zarr.zip" for contig in counts]
        for contig, out in zip(counts, merged, strict=True):
            run("merge", *counts[contig], "--contig", contig, *reference, "--build", "GRCh38",
                "--out", out)  # fmt: skip
        self.decision = folder / "decision.json"
        run("gate", *merged, "--policy", folder / "policy.yaml", "--out", folder / "releasable",
            "--decision", self.decision)  # fmt: skip
        self.panels = sorted((folder / "releasable").iterdir())

    def linkage(self, out: Path, *more: object, own: Path | None = None, panels=None) -> dict:
        run("linkage", *(self.panels if panels is None else panels), "--cohort", "Alpha",
            "--country", "VN", "--folder", own or self.own, "--samples", self.sheet,
            "--out", out, *more)  # fmt: skip
        return json.loads(out.read_text())

    def risk(self, out: Path, *more: object, code: int = 0) -> dict:
        run("risk", *self.panels, "--decision", self.decision, "--out", out, *more, code=code)
        return json.loads((out / "risk.json").read_text())


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub(tmp_path_factory.mktemp("risk"))


@pytest.fixture(scope="module")
def summary(hub, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("linkage") / "Alpha.linkage.json"
    hub.linkage(path)
    return path


def of_group(found: dict, group: str) -> dict:
    (one,) = [each for each in found["groups"] if each["group"] == group]
    return one


def copies_of(hub: Hub, rows: np.ndarray, population: str) -> np.ndarray:
    """Copies of ALT at some sites, of the people of a population who are included."""
    names = [name for i, name in enumerate(hub.cohort.people) if "PQ"[i % 2] == population]
    chosen = [name for name in names if name not in hub.cohort.left_out]
    return np.array([hub.cohort.people[name][rows].sum(axis=1) for name in chosen], np.int8).T


def shown_of(hub: Hub, group: str) -> np.ndarray:
    """Places in the world of the sites at which a group shows that it varies."""
    at = {
        (contig, position): i
        for i, (contig, position) in enumerate(
            zip(hub.world.contig.tolist(), hub.world.position.tolist(), strict=True)
        )
    }
    found = []
    for contig, path in enumerate(hub.panels):
        g = read_head(path).groups.index(group)
        for variants, counts in read_panel_blocks(path):
            ac, an = counts.allele_count[:, g], counts.allele_number[:, g]
            varies = np.flatnonzero((counts.state[:, g] != 3) & (ac > 0) & (ac < an))
            found += [at[contig, position] for position in variants.position[varies].tolist()]
    return np.array(sorted(found))


def test_the_summary_has_the_linkage_of_everybody_who_is_included(hub, summary):
    """Of the parents and their child the last is left out, and nobody else."""
    found = json.loads(summary.read_text())
    p, q = found["populations"]
    assert [each["group"] for each in (p, q)] == ["VN_P", "VN_Q"]
    assert [each["people"] for each in (p, q)] == [70, 69]
    assert p["relatives_left_out"] == 1
    assert q["relatives_left_out"] == 0
    # What masking left is nearly all that has three copies or more of either allele.
    sums = LinkageSums(69)
    copies = copies_of(hub, np.arange(len(hub.world.position)), "Q")
    alt = copies.sum(axis=1, dtype=int)
    shown = shown_of(hub, "VN_Q")
    enough = np.flatnonzero(np.minimum(alt, 2 * 69 - alt) >= 3)
    assert set(shown) <= set(enough)
    assert len(shown) > 0.9 * len(enough)
    for contig in (0, 1):
        rows = shown[hub.world.contig[shown] == contig]
        rows = rows[np.argsort(hub.world.position[rows], kind="stable")]
        for start in range(0, len(rows), 512):
            sums.add(copies[rows[start : start + 512]])
    expected = sums.result()
    linkage = q["linkage"]
    assert linkage["variants"] == expected.variants == len(shown)
    assert linkage["within"] == pytest.approx(expected.within, rel=0.01)
    assert linkage["effective"] == pytest.approx(expected.effective(len(shown)), rel=0.02)
    # These sites are independent.
    assert linkage["effective"] == pytest.approx(len(shown), rel=0.05)


def test_a_trial_is_made_of_each_population_and_finds_what_the_formula_says(summary):
    for population in json.loads(summary.read_text())["populations"]:
        trial = population["trial"]
        assert trial["pool"] == trial["others"] == trial["reference"] == 69 // 3
        ratio = trial["attacks"]["likelihood_ratio"]
        expected = separation(trial["variants"], trial["pool"], trial["reference"])
        assert ratio["separation"] == pytest.approx(expected, rel=0.1)
        assert ratio["auc"] > 0.99


def test_the_summary_and_the_risk_name_nobody(hub, summary, tmp_path):
    hub.risk(tmp_path, "--linkage", summary)
    texts = [path.read_text() for path in [summary, *tmp_path.iterdir()]]
    assert len(texts) == 5
    for text in texts:
        assert "SYN" not in text
        assert str(hub.folder) not in text


def test_the_summary_does_not_depend_on_partitions_or_on_the_order_of_the_sheet(
    hub, summary, tmp_path
):
    hub.world.prepare("Alpha", hub.cohort, tmp_path, tile=LENGTH // 7)
    lines = hub.sheet.read_text().splitlines()
    shuffled = tmp_path / "shuffled.tsv"
    shuffled.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    hub.linkage(tmp_path / "one.json", "--samples", shuffled, own=tmp_path / "Alpha")
    assert (tmp_path / "one.json").read_bytes() == summary.read_bytes()


def test_people_who_are_not_counted_are_not_looked_at(hub, tmp_path):
    (tmp_path / "dropped.txt").write_text("SYN0003\nSYN0005\n")
    found = hub.linkage(tmp_path / "one.json", "--exclude", tmp_path / "dropped.txt")
    assert [each["people"] for each in found["populations"]] == [70, 67]


def test_without_a_panel_the_cohorts_own_variants_count(hub, tmp_path):
    """As a programme would do it that hands over counts."""
    found = hub.linkage(tmp_path / "one.json", "--min-allele-count", 3, panels=[])
    q = found["populations"][1]
    alt = copies_of(hub, np.arange(len(hub.world.position)), "Q").sum(axis=1, dtype=int)
    assert q["linkage"]["variants"] == (np.minimum(alt, 138 - alt) >= 3).sum()


def test_the_figures_are_those_of_the_formulas_on_what_is_shown(hub, summary, tmp_path):
    found = hub.risk(tmp_path, "--linkage", summary, "--reference-people", 300, "--alpha", 0.01)
    copies = [copies_of(hub, np.arange(len(hub.world.position)), each) for each in "PQ"]
    for group, members, own in (
        ("VN_P", copies[:1], 0),
        ("VN_Q", copies[1:], 1),
        ("VN", copies, None),
    ):
        alt = sum(each.sum(axis=1, dtype=int) for each in members)
        n = sum(each.shape[1] for each in members)
        rarer = np.minimum(alt, 2 * n - alt)
        one = of_group(found, group)
        assert one["people"] == n
        assert one["linkage"] == "genotypes"
        shown = len(shown_of(hub, group))
        assert one["cells"]["varying"] == shown <= (rarer >= 3).sum()
        # Rows of which nothing is left are not in the panel; some cells are masked for others.
        hidden = (rarer > 0).sum() - shown
        assert (own is not None) <= one["cells"]["masked"] <= hidden
        assert one["reference_people"] == 300 + 139 - n
        expected = power(separation(one["effective"], n, 300 + 139 - n), 0.01)
        assert one["realistic"] == pytest.approx(expected, rel=1e-4)
        if own is not None:
            population = json.loads(summary.read_text())["populations"][own]["linkage"]
            shown = one["cells"]["varying"]
            formula = shown / (population["within"] + shown * population["between"])
            assert one["effective"] == pytest.approx(formula, rel=1e-4)
    for one in found["groups"]:
        assert one["effective"] <= one["effective_if_known"] <= one["cells"]["varying"]
        assert one["realistic"] <= one["realistic_known"] <= one["worst_known"]
        assert one["realistic"] <= one["worst"] <= one["worst_known"]


def test_without_a_summary_of_everybody_every_variant_is_taken_for_independent(
    hub, summary, tmp_path
):
    none = hub.risk(tmp_path / "none")
    partly = json.loads(summary.read_text())
    partly["populations"] = partly["populations"][1:]
    (tmp_path / "partly.json").write_text(json.dumps(partly))
    some = hub.risk(tmp_path / "some", "--linkage", tmp_path / "partly.json")
    for one in none["groups"]:
        assert one["linkage"] == "bound"
        assert one["effective"] == one["effective_if_known"] == one["cells"]["varying"]
        assert one["measured"] is None
    assert of_group(some, "VN_Q")["linkage"] == "genotypes"
    assert {of_group(some, name)["linkage"] for name in ("total", "VN", "VN_P")} == {"bound"}


def test_the_table_says_what_the_json_says(hub, summary, tmp_path):
    found = hub.risk(tmp_path, "--linkage", summary)
    rows = read_table(tmp_path / "risk.tsv")
    assert [row["group"] for row in rows] == [one["group"] for one in found["groups"]]
    for row, one in zip(rows, found["groups"], strict=True):
        for key in (
            "effective",
            "realistic",
            "realistic_known",
            "worst",
            "worst_known",
            "measured",
        ):
            told = None if row[key] == "." else float(row[key])
            assert told == (
                None
                if one[key] is None
                else pytest.approx(one[key], rel=1e-5, abs=0.051 if key == "effective" else 1e-6)
            )
    words = (tmp_path / "risk.txt").read_text()
    assert all(f"{one['group']}: {one['people']:,} people" in words for one in found["groups"])
    assert "No limit was set" in words


def test_above_the_limit_it_refuses_and_says_what_would_pass(hub, tmp_path, capsys):
    found = hub.risk(tmp_path, "--limit-realistic", 0.3, code=4)
    message = capsys.readouterr().err
    assert found["is_refused"]
    above = [one for one in found["groups"] if one["would_pass"]]
    assert {one["group"] for one in above} >= {"total", "VN", "VN_P", "VN_Q"}
    for one in above:
        most = most_variants(0.3, 1e-3, one["people"], one["reference_people"])
        assert one["would_pass"]["variants"] == int(most)
        assert f"{one['group']}: power {one['realistic']:.3f}" in message
        assert f"at most {int(most):,} would pass" in message
    assert "more controlled tier" in message
    words = " ".join((tmp_path / "risk.txt").read_text().split())
    assert words.count("ABOVE THE LIMIT") == len(above)


def test_where_the_total_passes_it_says_which_groups_to_withhold(hub, tmp_path, capsys):
    found = hub.risk(tmp_path / "free", "--reference-people", 5)
    total, others = found["groups"][0], found["groups"][1:]
    assert total["realistic"] < min(one["realistic"] for one in others if "_" in one["group"])
    limit = total["realistic"] + 1e-6
    hub.risk(tmp_path, "--reference-people", 5, "--limit-realistic", limit, code=4)
    message = capsys.readouterr().err
    above = [one["group"] for one in others if one["realistic"] > limit]
    assert f"withhold {', '.join(above)}" in message


def test_at_the_limit_it_does_not_refuse(hub, tmp_path):
    found = hub.risk(tmp_path, "--limit-realistic", 1)
    assert not found["is_refused"]
    assert "No group is above it." in (tmp_path / "risk.txt").read_text()


def test_a_limit_of_nothing_refuses_everything(hub, tmp_path):
    found = hub.risk(tmp_path, "--limit-realistic", 0, code=4)
    assert all(one["would_pass"] == {"variants": 0, "min_allele_count": None}
               or one["would_pass"]["variants"] == 0 for one in found["groups"])  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"linkage_version": 99},
        {"populations": [{"group": "VN_Q"}]},
        {"people": -5},
        {"within": 0.2},
        {"between": 2},
        {"variants": -1},
        {"ridges": []},
    ],
)
def test_a_summary_that_cannot_be_is_refused(hub, summary, tmp_path, change, capsys):
    """Lower figures would look safer."""
    content = json.loads(summary.read_text())
    ((key, value),) = change.items()
    at = content["populations"][1]
    place = content if key in content else at if key in at else at["linkage"]
    place[key] = value
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(content))
    run("risk", *hub.panels, "--decision", hub.decision, "--linkage", broken, "--out",
        tmp_path / "risk", code=3)  # fmt: skip
    assert str(broken) in capsys.readouterr().err


def test_a_cohort_that_is_given_twice_is_refused(hub, summary, tmp_path, capsys):
    run("risk", *hub.panels, "--decision", hub.decision, "--linkage", summary, "--linkage", summary,
        "--out", tmp_path, code=3)  # fmt: skip
    assert "a second linkage summary of cohort Alpha" in capsys.readouterr().err


def test_the_manifest_gets_the_main_figures_in_three_digits(hub, summary, tmp_path):
    found = hub.risk(tmp_path, "--linkage", summary)
    told = read_risk(tmp_path / "risk.json", json.loads(hub.decision.read_text()))
    assert [one["group"] for one in told["groups"]] == [one["group"] for one in found["groups"]]
    assert told["false_positive_rate"] == 1e-3
    for mine, one in zip(told["groups"], found["groups"], strict=True):
        for key in (
            "effective",
            "realistic",
            "realistic_known",
            "worst",
            "worst_known",
            "measured",
        ):
            assert mine[key] == pytest.approx(one[key], rel=0.006)
            assert mine[key] == float(f"{mine[key]:.3g}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"risk_version": 99}, "not a membership risk that this version reads"),
        ({"variants": 1}, "that of another panel"),
        ({"groups": []}, "that of another panel"),
    ],
)
def test_a_risk_that_is_not_that_of_the_panel_is_not_published(hub, tmp_path, change, said):
    found = hub.risk(tmp_path)
    (tmp_path / "risk.json").write_text(json.dumps(found | change))
    with pytest.raises(BadInputError, match=said):
        read_risk(tmp_path / "risk.json", json.loads(hub.decision.read_text()))


def test_a_release_that_was_refused_is_not_published(hub, tmp_path):
    hub.risk(tmp_path, "--limit-realistic", 0.3, code=4)
    with pytest.raises(PolicyRefusalError, match="above its limit"):
        read_risk(tmp_path / "risk.json", json.loads(hub.decision.read_text()))
