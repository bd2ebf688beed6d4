"""Membership risk by the commands: from genotypes to a figure, a refusal, and what the manifest says."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.contributions import defaults_of
from tests.overlapping import LENGTH, Cohort, World, run
from tests.simulated_panel import read_table

from afpanel.core.linkage import LinkageSums
from afpanel.core.membership import most_variants, power, separation
from afpanel.core.policy import CountryRules, DisclosurePolicy, Rules, effective, more_controlled
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
        self.counts = [*counts["chr1"], *counts["chr2"]]
        merged = [folder / "merged" / f"{contig}.zarr.zip" for contig in counts]
        for contig, out in zip(counts, merged, strict=True):
            run("merge", *counts[contig], "--contig", contig, *reference, "--build", "GRCh38",
                "--out", out)  # fmt: skip
        self.decision = folder / "decision.json"
        run("gate", *merged, "--policy", folder / "policy.yaml", "--out", folder / "releasable",
            "--decision", self.decision)  # fmt: skip
        self.panels = sorted((folder / "releasable").iterdir())

    def linkage(self, out: Path, *more: object, own: Path | None = None, counts=None) -> dict:
        run("linkage", *(counts or self.counts), "--cohort", "Alpha", "--folder", own or self.own,
            "--samples", self.sheet, "--out", out, *more)  # fmt: skip
        return json.loads(out.read_text())

    def risk(self, out: Path, *more: object, code: int = 0) -> dict:
        run("risk", *self.panels, "--decision", self.decision, "--out", out, *more, code=code)
        if code == 2:
            return {}
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


def of_class(population: dict, fewest: int) -> dict:
    (one,) = [each for each in population["classes"] if each["min_allele_count"] == fewest]
    return one


def effective_of(linkage: dict, variants: int) -> float:
    return variants / (linkage["within"] + variants * linkage["between"])


@pytest.mark.parametrize("fewest", [1, 3, 5, 11])
def test_the_summary_has_the_linkage_of_everybody_who_is_included(hub, summary, fewest):
    """Of the parents and their child the last is left out, and nobody else."""
    found = json.loads(summary.read_text())
    assert (found["cohort"], found["country"]) == ("Alpha", "VN")
    p, q = found["populations"]
    assert [each["population"] for each in (p, q)] == ["P", "Q"]
    assert [each["people"] for each in (p, q)] == [70, 69]
    assert p["relatives_left_out"] == 1
    assert q["relatives_left_out"] == 0
    sums = LinkageSums(69)
    copies = {each: copies_of(hub, np.arange(len(hub.world.position)), each) for each in "PQ"}
    rarer = {}
    for each, own in copies.items():
        alt = own.sum(axis=1, dtype=int)
        rarer[each] = np.minimum(alt, 2 * own.shape[1] - alt)
    # A window has 512 sites of which any of the populations has so many copies.
    either = np.flatnonzero(np.maximum(rarer["P"], rarer["Q"]) >= fewest)
    for contig in (0, 1):
        rows = either[hub.world.contig[either] == contig]
        rows = rows[np.argsort(hub.world.position[rows], kind="stable")]
        for start in range(0, len(rows), 512):
            window = rows[start : start + 512]
            sums.add(copies["Q"][window[rarer["Q"][window] >= fewest]])
    expected = sums.result()
    enough = int((rarer["Q"] >= fewest).sum())
    own = of_class(q, fewest)
    assert own["variants"] == own["linkage"]["variants"] == expected.variants == enough
    assert own["linkage"]["people"] == 69
    assert own["linkage"]["within"] == pytest.approx(expected.within, rel=1e-4)
    assert own["linkage"]["between"] == pytest.approx(expected.between, rel=1e-4, abs=1e-9)
    assert effective_of(own["linkage"], enough) == pytest.approx(
        expected.effective(enough), rel=1e-3
    )
    # These sites are independent.
    assert effective_of(own["linkage"], enough) == pytest.approx(enough, rel=0.05)


def test_a_trial_is_made_of_each_population_and_finds_what_the_formula_says(summary):
    for population in json.loads(summary.read_text())["populations"]:
        for each in population["classes"]:
            trial = each["trial"]
            assert trial["pool"] == 69 // 3
            ratio = trial["attacks"]["likelihood_ratio"]
            expected = separation(trial["variants"], trial["pool"], trial["pool"])
            if each["min_allele_count"] > 1:
                # Singletons are in one part alone, and tell less than the formula says.
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
    own = tmp_path / "Alpha"
    stores = sorted((own / "genotypes").iterdir())
    counts = [tmp_path / "counts" / each.name for each in stores]
    for store, out in zip(stores, counts, strict=True):
        run("count", store, "--alleles", own / "alleles.zarr.zip", "--samples", shuffled,
            "--cohort", "Alpha", "--country", "VN", "--build", "GRCh38", "--out", out)  # fmt: skip
    assert len(counts) > len(hub.counts)
    hub.linkage(tmp_path / "one.json", "--samples", shuffled, own=own, counts=counts[::-1])
    assert (tmp_path / "one.json").read_bytes() == summary.read_bytes()


def test_people_who_are_not_counted_are_not_looked_at(hub, tmp_path):
    (tmp_path / "dropped.txt").write_text("SYN0003\nSYN0005\n")
    found = hub.linkage(tmp_path / "one.json", "--exclude", tmp_path / "dropped.txt")
    assert [each["people"] for each in found["populations"]] == [70, 67]


def plan_of(folder: Path, **sharing: object) -> Path:
    """A plan that shares what is said."""
    chosen = defaults_of("sharing") | {"populations": {"merge": {}, "leave_out": []}} | sharing
    path = folder / "plan.json"
    path.write_text(json.dumps({"config": {"sharing": chosen, "harmonize": {"aliases": None}}}))
    return path


def test_a_cohort_that_shares_all_hands_over_the_summary_that_a_hub_makes(hub, summary, tmp_path):
    hub.linkage(tmp_path / "one.json", "--plan", plan_of(tmp_path))
    assert (tmp_path / "one.json").read_bytes() == summary.read_bytes()


def test_of_what_is_not_shared_nothing_is_in_the_summary(hub, summary, tmp_path):
    """Populations that are left out or merged, small counts, and regions."""
    q = json.loads(summary.read_text())["populations"][1]
    plan = plan_of(tmp_path, populations={"merge": {}, "leave_out": ["P"]}, min_allele_count=4)
    found = hub.linkage(tmp_path / "one.json", "--plan", plan)
    (own,) = found["populations"]
    assert (own["population"], own["people"]) == ("Q", 69)
    assert [each["min_allele_count"] for each in own["classes"]] == [4, 5, 11]
    assert own["classes"][1]["variants"] == of_class(q, 5)["variants"]
    plan = plan_of(tmp_path, populations={"merge": {"BOTH": ["P", "Q"]}, "leave_out": []})
    found = hub.linkage(tmp_path / "two.json", "--plan", plan)
    (own,) = found["populations"]
    assert (own["population"], own["people"]) == ("BOTH", 139)
    (tmp_path / "half.bed").write_text(f"chr1\t0\t{LENGTH}\n")
    plan = plan_of(tmp_path, leave_out_regions=str(tmp_path / "half.bed"))
    found = hub.linkage(tmp_path / "three.json", "--plan", plan)
    alt = copies_of(hub, np.flatnonzero(hub.world.contig == 1), "Q").sum(axis=1, dtype=int)
    left = int((np.minimum(alt, 138 - alt) >= 3).sum())
    assert of_class(found["populations"][1], 3)["variants"] == left


def test_a_cell_that_is_too_small_to_be_told_of_is_not_looked_at(hub, tmp_path):
    sexes = [line.split("\t")[1:3] for line in hub.sheet.read_text().splitlines()[1:]]
    sizes = {key: sexes.count(list(key)) for key in map(tuple, sexes)}
    limit = max(n for (population, _), n in sizes.items() if population == "P")
    assert min(n for (population, _), n in sizes.items() if population == "P") < limit
    found = hub.linkage(tmp_path / "one.json", "--plan", plan_of(tmp_path, min_cell_size=limit))
    assert {each["population"]: each["people"] for each in found["populations"]}["P"] == limit


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
            # All variants with 3 copies or more would be as linked as these; what is masked thins them.
            population = of_class(json.loads(summary.read_text())["populations"][own], 3)
            linkage, shown = population["linkage"], one["cells"]["varying"]
            share = shown / population["variants"]
            assert 0.9 < share <= 1
            within = 1 + share * (linkage["within"] - 1)
            formula = shown / (within + shown * linkage["between"])
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
        {"linkage_version": 1},
        {"linkage_version": 99},
        {"populations": [{"population": "Q"}]},
        {"people": -5},
        {"people": 30},
        {"within": 0.2},
        {"within": 1e9},
        {"within": float("nan")},
        {"within": float("inf")},
        {"within": "3"},
        {"between": 2},
        {"between": -0.1},
        {"variants": -1},
        {"variants": 10**30},
        {"ridges": []},
        {"auc": 2},
        {"pool": 500},
        {"found_low": 0.5},
        {"sample": "SYN0001"},
    ],
    ids=str,
)
def test_a_summary_that_cannot_be_is_refused(hub, summary, tmp_path, change, capsys):
    """Lower figures would look safer."""
    content = json.loads(summary.read_text())
    ((key, value),) = change.items()
    at = content["populations"][1]
    own = at["classes"][1]
    attack = own["trial"]["attacks"]["homer"]
    places = (content, at, own["linkage"], own, own["trial"], attack)
    next((place for place in places if key in place), attack)[key] = value
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
        # What was measured where people were held out: of the attack that found most of them.
        ratio, tried = mine["trial"]["likelihood_ratio"], one["trial"]
        assert mine["trial"]["pool"] == tried["pool"] == 23
        assert ratio["auc"] == pytest.approx(tried["likelihood_ratio"]["auc"], rel=0.006)
        assert ratio.keys() >= {"auc", "power", "found"}


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


def risk_rules(power, alpha=1e-3, reference=500, worst="reported"):
    return {
        "membership_risk": {
            "max_realistic_power": power,
            "false_positive_rate": alpha,
            "reference_people": reference,
            "worst_case": worst,
        }
    }


def decided(hub: Hub, folder: Path, open_: dict, country: dict, **others: dict) -> Path:
    """The decision of a gate with a policy of tiers, of which a country asks for something too."""
    agreed = {"open": Rules.of("country VN", country)}
    agreed |= {tier: Rules.of("country VN", {}) for tier in others}
    policy = DisclosurePolicy(
        Rules.of("tier open", open_),
        "open",
        {"VN": CountryRules(True, "2030-01-01", (), agreed)},
        other_tiers={name: Rules.of(f"tier {name}", rules) for name, rules in others.items()},
    )
    content = json.loads(hub.decision.read_text())
    content["policy"]["effective"] = effective(policy, ["VN"]).describe()
    content["more_controlled_tiers"] = [
        {"tier": tier, "effective": each.describe()}
        for tier, each in more_controlled(policy, ["VN"])
    ]
    path = folder / "decision.json"
    path.write_text(json.dumps(content))
    return path


def test_a_limit_of_the_policy_refuses_and_it_says_whose_it_is(hub, tmp_path, capsys):
    decision = decided(hub, tmp_path, risk_rules(0.9), risk_rules(0.3, 0.01, 900))
    found = hub.risk(tmp_path, "--decision", decision, code=4)
    message = capsys.readouterr().err
    assert (
        "power of at most 0.3 (asked for by country VN) at a false positive rate of 0.01" in message
    )
    assert "with a reference of 900 people" in message
    asked = {each["rule"].partition(".")[2]: each for each in found["limits"]}
    assert (asked["max_realistic_power"]["value"], asked["max_realistic_power"]["by"]) == (
        0.3,
        ["country VN"],
    )
    n = found["groups"][0]["people"]
    expected = power(separation(found["groups"][0]["effective"], n, 900), 0.01)
    assert found["groups"][0]["realistic"] == pytest.approx(expected, rel=1e-4)
    assert "Somebody with" in (tmp_path / "risk.txt").read_text()


@pytest.mark.parametrize(
    ("given", "value", "by"),
    [
        (("--limit-realistic", 0.99), 0.9, ["tier open"]),
        (("--limit-realistic", 0.9), 0.9, ["configuration", "tier open"]),
        (("--limit-realistic", 0.8), 0.8, ["configuration"]),
        ((), 0.9, ["tier open"]),
    ],
)
def test_the_configuration_can_only_tighten_a_policy(hub, tmp_path, given, value, by):
    decision = decided(hub, tmp_path, risk_rules(0.9), {})
    hub.risk(tmp_path, "--decision", decision, *given, "--reference-people", 400, code=4)
    found = json.loads((tmp_path / "risk.json").read_text())
    asked = {each["rule"].partition(".")[2]: each for each in found["limits"]}
    assert asked["max_realistic_power"] == {
        "rule": "membership_risk.max_realistic_power", "value": value, "by": by,
    }  # fmt: skip
    # 400 people would be a weaker attacker than the policy's.
    assert asked["reference_people"]["value"] == found["reference_people"] == 500


def test_it_names_a_tier_that_all_countries_agree_to_and_in_which_it_would_pass(
    hub, tmp_path, capsys
):
    tiers = {"registered": risk_rules(0.5), "controlled": risk_rules(None)}
    decision = decided(hub, tmp_path, risk_rules(0.3), {}, **tiers)
    hub.risk(tmp_path, "--decision", decision, code=4)
    message = capsys.readouterr().err
    assert "release it under tier controlled, in which it would pass" in message
    tiers |= {"registered": risk_rules(1)}
    decision = decided(hub, tmp_path, risk_rules(0.3), {}, **tiers)
    hub.risk(tmp_path, "--decision", decision, code=4)
    assert "under tier registered or controlled" in capsys.readouterr().err


def test_a_worst_case_that_has_to_be_signed_is_refused_until_it_is(hub, tmp_path, capsys):
    decision = decided(hub, tmp_path, risk_rules(None, worst="signed_off"), {})
    found = hub.risk(tmp_path, "--decision", decision, code=4)
    message = capsys.readouterr().err
    worst = max(one["worst_known"] for one in found["groups"])
    assert found["worst_case"]["power"] == round(worst, 3)
    assert f"a signed-off power of {worst:.3f} or more, asked for by tier open" in message
    assert found["is_refused"]
    with pytest.raises(PolicyRefusalError):
        read_risk(tmp_path / "risk.json", json.loads(hub.decision.read_text()))
    words = " ".join((tmp_path / "risk.txt").read_text().split())
    assert "This release is REFUSED." in words
    assert "It has to be signed off before anything is published" in words
    by = ("--signed-off-by", "data access committee", "--signed-off-reference", "2026-7")
    hub.risk(tmp_path, "--decision", decision, *by, "--signed-off-power", worst - 0.01, code=4)
    assert f"{worst - 0.01} (data access committee, 2026-7)" in capsys.readouterr().err
    found = hub.risk(tmp_path, "--decision", decision, *by, "--signed-off-power", round(worst, 3))
    assert not found["is_refused"]
    told = read_risk(tmp_path / "risk.json", json.loads(hub.decision.read_text()))
    signed = {"by": "data access committee", "reference": "2026-7", "power": round(worst, 3)}
    assert told["worst_case"]["signed_off"] == signed
    hub.risk(tmp_path / "two", "--decision", decision, *by, code=2)


def test_a_few_people_of_whom_nothing_is_known_do_not_make_all_others_independent(
    hub, summary, tmp_path
):
    """Linkage is not told of fewer than 20; they may be a tenth, and no more."""
    for people, expected in ((6, "genotypes"), (30, "bound")):
        content = json.loads(summary.read_text())
        p, q = content["populations"]
        q["people"] -= people
        few = {"population": "R", "people": people, "relatives_left_out": None, "classes": [
            {"min_allele_count": 1, "variants": 5, "linkage": None, "trial": None}]}  # fmt: skip
        for each in q["classes"]:
            each["linkage"]["people"], each["trial"] = 20, None
        content["populations"] = [p, q, few]
        (tmp_path / "few.json").write_text(json.dumps(content))
        found = hub.risk(tmp_path / str(people), "--linkage", tmp_path / "few.json")
        assert of_group(found, "total")["linkage"] == expected
