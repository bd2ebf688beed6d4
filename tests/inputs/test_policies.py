"""Policies by tier and country: refused before the work and at the gate, by name; else seen in the decision."""

import copy
import json
from pathlib import Path

import pytest
import yaml

import afpanel

ROOT = Path(__file__).parents[2]
RULES = [
    "min_group_size", "min_allele_count", "sides", "zeros", "min_genotype_count", "min_contributors",
    "insider_protection", "groups", "statistics", "populations_never_shown", "no_populations_under",
    "refused_terms", "verified_only", "membership_risk",
]  # fmt: skip
RISK = {
    "max_realistic_power": None, "false_positive_rate": 0.001, "reference_people": 500,
    "worst_case": "reported",
}  # fmt: skip
TIER = {
    "min_group_size": {"total": 4, "country": 4, "population": 2, "sex": 1},
    "min_allele_count": 0,
    "sides": ["alt", "other"],
    "zeros": "shown",
    "min_genotype_count": 0,
    "min_contributors": 3,
    "insider_protection": False,
    "groups": ["total", "country", "population", "sex"],
    "statistics": ["nhomalt", "nhemialt", "raw"],
    "populations_never_shown": [],
    "no_populations_under": ["DUO:0000006"],
    "refused_terms": ["DUO:0000046"],
    "verified_only": True,
    "membership_risk": RISK,
}
COUNTRY = {
    "verified": True,
    "review_by": "2027-12-31",
    "approvals": [],
    "tiers": {"registered": {"min_allele_count": 2, "as_tier": [r for r in RULES if r != "min_allele_count"]}},
}  # fmt: skip
POLICY = {
    "description": "By tier.",
    "tier": "registered",
    "tiers": {"registered": TIER},
    "countries": {"VN": COUNTRY},
}
LABELS = [{"label": name, "name": name, "assignment": "registry"} for name in ("AAA", "BBB")]


class Tiered:
    """A project under a policy by tier and country, all of it good at first."""

    def __init__(self, project):
        self.project = project
        self.policy = copy.deepcopy(POLICY)
        self.metadata = yaml.safe_load((ROOT / "config/metadata.example.yaml").read_text("utf-8"))
        self.metadata["populations"] = LABELS
        self.metadata["data_use"] = [{"term": "DUO:0000042"}]
        project.cohort["metadata"] = "about.yaml"
        project.write_cohorts()
        project.config["disclosure"]["as_of"] = "2026-06-01"
        self.write()

    def write(self):
        self.project.write_policy(**self.policy)
        (self.project.folder / "about.yaml").write_text(yaml.safe_dump(self.metadata))
        self.project.write_config()

    def validate(self):
        self.write()
        return self.project.validate()

    def gate_command(self):
        day = self.project.config["disclosure"]["as_of"]
        options = ["--contributors", "contributors.json", *(["--as-of", day] if day else [])]
        return [*self.project.gate_command(), *options]

    def decide(self):
        """Run everything up to the gate; returns its decision."""
        outcome = self.project.run("validate", "config.yaml", "--plan", "plan.json")
        assert outcome.code == 0, outcome.err
        self.project.prepare("merge")
        outcome = self.project.run(*self.gate_command())
        assert outcome.code == 0, outcome.err
        return json.loads((self.project.folder / "decision.json").read_text())


@pytest.fixture
def tiered(project):
    return Tiered(project)


def test_a_good_policy_is_written_out_with_whose_rule_each_line_is(tiered):
    decision = tiered.decide()
    policy = decision["policy"]
    assert (policy["tier"], policy["as_of"]) == ("registered", "2026-06-01")
    lines = {each["rule"]: (each["value"], each["by"]) for each in policy["effective"]}
    assert lines["min_allele_count"] == (2, ["country VN"])
    assert lines["min_group_size.population"] == (2, ["tier registered"])
    assert lines["statistics.hardy_weinberg"] == (False, ["tier registered"])
    assert lines["refused_terms.DUO:0000046"] == (True, ["tier registered"])
    assert [each["group"] for each in decision["groups"]] == ["total", "VN", "VN_AAA", "VN_BBB",
                                                             "XX", "XY"]  # fmt: skip
    assert policy["min_allele_count"] == 2


def test_a_simple_policy_says_that_its_lines_are_its_own(project):
    project.prepare("merge")
    project.write_policy(min_group_size=4, min_allele_count=2)
    assert project.run(*project.gate_command()).code == 0
    policy = json.loads((project.folder / "decision.json").read_text())["policy"]
    assert (policy["tier"], policy["min_group_size"], policy["min_allele_count"]) == (None, 4, 2)
    assert {"rule": "min_allele_count", "value": 2, "by": ["policy"]} in policy["effective"]


def edit(document, path, value):
    """Set, or with None delete, what is under a path of keys."""
    *parents, last = path.split(".")
    for key in parents:
        document = document[key]
    if value is None:
        del document[last]
    else:
        document[last] = value


FAULTS = {
    "an unknown rule": (
        "tiers.registered.min_alele_count", 5,
        ("policy.yaml, tiers.registered", "unknown key 'min_alele_count'", "'min_allele_count'"),
    ),
    "an unknown key": ("tier_s", {}, ("unknown key 'tier_s'",)),
    "both forms at once": ("min_group_size", 5, ("unknown key 'min_group_size'",)),
    "a tier that there is none of": ("tier", "public", ("policy.yaml, tier", "'public'")),
    "rules of no tier": ("tiers.public", {}, ("policy.yaml, tiers", "'public'")),
    "a country that YAML reads as a denial": (
        "countries", {False: COUNTRY}, ("policy.yaml, countries", "quotation marks"),
    ),
    "a country in small letters": ("countries", {"vn": COUNTRY}, ("countries", "'vn'")),
    "a negative limit": ("tiers.registered.min_allele_count", -1, ("min_allele_count", "-1")),
    "words for a limit": ("tiers.registered.min_contributors", "few", ("min_contributors", "few")),
    "a group that there is none of": (
        "tiers.registered.groups", ["total", "village"], ("groups", "'village'"),
    ),
    "a statistic that there is none of": (
        "tiers.registered.statistics", ["AF"], ("statistics", "'AF'"),
    ),
    "populations without countries": (
        "countries.VN.tiers.registered.groups", ["total", "population"],
        ("countries.VN.tiers.registered.groups", "populations without countries"),
    ),
    "a test that tells the homozygotes": (
        "tiers.registered.statistics", ["hardy_weinberg", "nhemialt"],
        ("tiers.registered.statistics", "hardy_weinberg without nhomalt"),
    ),
    "neither side": ("tiers.registered.sides", [], ("tiers.registered.sides",)),
    "a side that there is none of": ("tiers.registered.sides", ["ref"], ("sides", "'ref'")),
    "another word for zeros": ("tiers.registered.zeros", "hidden", ("zeros", "'hidden'")),
    "a number for yes": ("tiers.registered.insider_protection", 1, ("insider_protection", "1")),
    "a population without its country": (
        "tiers.registered.populations_never_shown", ["KHV"], ("populations_never_shown", "'KHV'"),
    ),
    "a term that there is none of": (
        "tiers.registered.refused_terms", ["DUO:9999999"], ("refused_terms", "DUO:9999999"),
    ),
    "a rule that is the tier's too": (
        "countries.VN.tiers.registered.as_tier", RULES,
        ("countries.VN.tiers.registered", "min_allele_count is given, and listed under as_tier"),
    ),
    "a day that is none": ("countries.VN.review_by", "2026-02-30", ("review_by", "2026-02-30")),
    "an approval without a number": (
        "countries.VN.approvals", [{"body": "A", "approved": "2026-01-01"}],
        ("countries.VN.approvals.0", "'reference' is missing"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_policy_that_is_not_laid_out_well_is_bad_input_here_and_at_the_gate(tiered, name):
    path, value, fragments = FAULTS[name]
    tiered.decide()
    edit(tiered.policy, path, value)
    tiered.validate().refuses(*fragments)
    tiered.project.try_out(*tiered.gate_command()).refuses(*fragments)


def test_all_faults_of_a_policy_are_told_at_once(tiered):
    for name in ("an unknown rule", "a negative limit", "a country in small letters"):
        path, value, _ = FAULTS[name]
        edit(tiered.policy, path, value)
    tiered.validate().refuses("min_alele_count", "-1", "'vn'")


MISSING = {
    "a rule of the tier": ("tiers.registered.min_contributors", "tiers.registered.min_contributors"),
    "a side of the tier": ("tiers.registered.sides", "tiers.registered.sides"),
    "what a tier says of insiders": (
        "tiers.registered.insider_protection", "tiers.registered.insider_protection",
    ),
    "populations of the tier": (
        "tiers.registered.populations_never_shown", "tiers.registered.populations_never_shown",
    ),
    "a size of the tier": (
        "tiers.registered.min_group_size.sex", "tiers.registered.min_group_size.sex",
    ),
    "a rule of the country": (
        "countries.VN.tiers.registered.min_allele_count",
        "countries.VN.tiers.registered.min_allele_count",
    ),
    "the rules of the tier": ("tiers.registered", "tiers.registered"),
    "whether it is verified": ("countries.VN.verified", "countries.VN.verified"),
    "the day of review": ("countries.VN.review_by", "countries.VN.review_by"),
    "approvals": ("countries.VN.approvals", "countries.VN.approvals"),
    "the country": ("countries.VN", "nothing is said of country VN, which cohort Tiny is of"),
    "the country's rules for the tier": (
        "countries.VN.tiers.registered", "country VN has no rules for tier registered",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISSING)
def test_what_a_policy_does_not_say_is_refused_by_name_here_and_at_the_gate(tiered, name):
    path, fragment = MISSING[name]
    tiered.decide()
    edit(tiered.policy, path, None)
    tiered.validate().refuses("policy.yaml", fragment, code=4)
    tiered.project.try_out(*tiered.gate_command()).refuses("policy.yaml", fragment, code=4)


def test_everything_that_is_missing_is_named_at_once(tiered):
    for name in ("a rule of the tier", "a rule of the country", "the day of review"):
        edit(tiered.policy, MISSING[name][0], None)
    tiered.validate().refuses(
        "3 faults", "min_contributors", "min_allele_count", "review_by", code=4
    )


AGAINST = {
    "an embargo": ({"legal.embargo_until": "2026-06-02"}, ("cohort Tiny", "2026-06-02")),
    "an expired approval": (
        {"legal.approvals": [{"body": "A", "reference": "R-1", "approved": "2026-01-01",
                              "expires": "2026-05-31"}]},
        ("approval R-1 of cohort Tiny, by A, has expired",),
    ),
    "a narrower consent": ({"consent.widest_release": "controlled"}, ("widest_release",)),
    "terms that cannot be kept to": (
        {"data_use": [{"term": "DUO:0000042"}, {"term": "DUO:0000046"}]}, ("DUO:0000046 (NCU)",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AGAINST)
def test_a_cohort_is_refused_before_the_work_and_at_the_gate_for(tiered, name):
    changes, fragments = AGAINST[name]
    tiered.metadata["legal"].pop("embargo_until")
    tiered.write()
    tiered.decide()
    for path, value in changes.items():
        edit(tiered.metadata, path, value)
    tiered.validate().refuses(*fragments, code=4)
    # The gate reads what was known when the plan was made; here, of a policy that asked nothing.
    tiered.project.write_policy(min_group_size=0, min_allele_count=0)
    assert tiered.project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    tiered.write()
    tiered.project.try_out(*tiered.gate_command()).refuses(*fragments, code=4)


def test_a_cohort_without_metadata_is_refused(tiered):
    tiered.project.cohort["metadata"] = ""
    tiered.project.write_cohorts()
    tiered.validate().refuses("cohort Tiny has no metadata", code=4)


def test_a_day_must_be_given(tiered):
    tiered.decide()
    tiered.project.config["disclosure"]["as_of"] = None
    tiered.validate().refuses("disclosure.as_of", code=4)
    tiered.project.try_out(*tiered.gate_command()).refuses("disclosure.as_of", code=4)


def test_a_day_may_stand_without_quotation_marks(tiered):
    config = (tiered.project.folder / "config.yaml").read_text()
    assert "'2026-06-01'" in config
    (tiered.project.folder / "config.yaml").write_text(config.replace("'2026-06-01'", "2026-06-01"))
    assert tiered.project.run("validate", "config.yaml", "--plan", "plan.json").code == 0


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", ""])
def test_a_day_that_is_none_is_refused(tiered, day):
    tiered.decide()
    outcome = tiered.project.try_out(*tiered.project.gate_command(), "--as-of", day)
    assert (outcome.code, outcome.changed) == (2, ())
    assert "--as-of takes a day" in outcome.err
    tiered.project.config["disclosure"]["as_of"] = day
    tiered.validate().refuses("disclosure.as_of")


def test_the_gate_refuses_such_a_policy_without_the_contributors(tiered):
    tiered.decide()
    command = [*tiered.project.gate_command(), "--as-of", "2026-06-01"]
    tiered.project.try_out(*command).refuses("policy.yaml", "who contributes", code=4)


def test_the_gate_refuses_contributors_that_the_panel_was_not_made_of(tiered):
    tiered.decide()
    path = tiered.project.folder / "contributors.json"
    content = json.loads(path.read_text())
    cells = content["cohorts"]["Tiny"]["cells"]
    content["cohorts"]["Tiny"]["cells"] = [c for c in cells if c["population"] != "BBB"]
    path.write_text(json.dumps(content))
    tiered.project.try_out(*tiered.gate_command()).refuses("contributors.json", "VN_BBB", code=4)


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON", '{"contributors_version": 9}'])
def test_the_gate_refuses_a_list_of_contributors_that_it_cannot_read(tiered, content):
    tiered.decide()
    (tiered.project.folder / "contributors.json").write_text(content)
    tiered.project.try_out(*tiered.gate_command()).refuses("contributors.json")


def test_populations_under_terms_against_it_are_not_in_the_decision(tiered):
    tiered.metadata["data_use"] = [{"term": "DUO:0000006"}]
    tiered.write()
    decision = tiered.decide()
    assert decision["withheld_groups"] == [
        {"group": f"VN_{name}", "reason": "DUO:0000006 (HMB) of cohort Tiny"}
        for name in ("AAA", "BBB")
    ]


def test_a_total_that_may_not_be_shown_is_refused_with_whose_rule_it_is(tiered):
    edit(tiered.policy, "tiers.registered.groups", ["country", "population"])
    tiered.write()
    assert tiered.project.run("validate", "config.yaml", "--plan", "plan.json").code == 0
    tiered.project.prepare("merge")
    tiered.project.try_out(*tiered.gate_command()).refuses(
        "the total may not be shown", "tier registered", code=4
    )


def test_the_workflow_releases_what_such_a_policy_allows_and_says_so(tiered, snakemake):
    """From the configuration to the manifest, with a day that YAML reads as one."""
    tiered.metadata["data_use"] = [{"term": "DUO:0000006"}]
    edit(tiered.policy, "tiers.registered.statistics", ["nhemialt"])
    # Of four people nothing could be hidden from each other.
    edit(tiered.policy, "countries.VN.tiers.registered.min_allele_count", 1)
    tiered.write()
    folder = tiered.project.folder
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("'2026-06-01'", "2026-06-01"))
    snakemake(folder, "--configfile", "config.yaml", "--cores", "1")
    release = folder / "results/release/tiny-1"
    manifest = json.loads((release / "manifest.json").read_text())
    assert {"rule": "statistics.nhomalt", "value": False, "by": ["tier registered"]} in manifest[
        "policy"
    ]["effective"]
    assert manifest["policy"]["as_of"] == "2026-06-01"
    assert [each["group"] for each in manifest["groups"]] == ["total", "VN", "XX", "XY"]
    withheld = manifest["decision"]["withheld_groups"]
    assert [each["group"] for each in withheld] == ["VN_AAA", "VN_BBB"]
    assert tiered.project.run("verify-release", release).code == 0
    with afpanel.open_panel(release) as panel:
        figures = panel.region("chr1")
        assert (figures.homozygote_count == -1).all()
        assert (figures.allele_count > 0).any()

    # A day on which an approval has expired is refused before any job.
    (folder / "config.yaml").write_text(config.replace("'2026-06-01'", "2030-06-01"))
    done = snakemake(folder, "--configfile", "config.yaml", "--cores", "1", check=False)
    assert done.returncode != 0
    assert "has expired" in done.stderr
    assert "Traceback" not in done.stderr
