"""The model of what a run takes: what grows with what, and sums by hand."""

from dataclasses import replace

import pytest

from afpanel.core.cost import MEASURED, Coefficients, CohortWork, PanelWork, cost_of

COHORT = CohortWork(
    name="A", kind="vcf", people=1_000, cells=4, has_fields=False, partitions=10, files=0,
    records={"chr1": 60_000, "chr2": 40_000}, source_bytes=50_000_000,
)  # fmt: skip
PANEL = PanelWork(
    cohorts=(COHORT,), groups=8, contigs={"chr1": 60_000_000, "chr2": 40_000_000},
    all_pairs_up_to=30_000, most_sites=10_000,
)  # fmt: skip


def stages(work: PanelWork, rates: Coefficients = MEASURED) -> dict:
    return {each.stage: each for each in cost_of(work, rates).stages}


def test_jobs_are_counted_by_partition_cohort_and_contig():
    found = {name: each.jobs for name, each in stages(PANEL).items()}
    assert found == {
        "ingest": 10, "harmonize": 1, "count": 10, "overlap": 1, "merge": 2, "discordance": 1,
        "linkage": 1, "gate": 1, "risk": 1, "popgen": 1, "publish": 1, "all": 1,
    }  # fmt: skip
    assert cost_of(PANEL).total.jobs == 31


def test_files_without_an_index_are_one_job_each_to_read_and_are_counted_by_partition():
    streamed = replace(PANEL, cohorts=(COHORT, replace(COHORT, name="B", files=2)))
    found = stages(streamed)
    assert (found["ingest"].jobs, found["count"].jobs) == (10 + 2, 10 + 10)


def test_contributions_are_received_and_neither_read_nor_compared():
    given = replace(COHORT, kind="contribution", people=5_000)
    found = stages(replace(PANEL, cohorts=(given,)))
    assert found["receive"].jobs == 1
    assert found.keys().isdisjoint({"ingest", "harmonize", "count", "overlap", "linkage"})


def test_releases_that_are_recorded_take_two_jobs_more():
    assert stages(replace(PANEL, has_ledger=True))["settle"].jobs == 2


def test_seconds_of_reading_are_those_of_starts_people_and_genotypes():
    rates = replace(MEASURED, start=2.0, person=0.001, ingest_genotype=1e-7, ingest_call=1e-6)
    # Ten jobs of two seconds and a second for people; 100,000 records of 1,000 people.
    assert stages(PANEL, rates)["ingest"].core_seconds == pytest.approx(10 * 3 + 1e8 * 1e-7)
    rich = replace(PANEL, cohorts=(replace(COHORT, has_fields=True),))
    found = stages(rich, rates)["ingest"]
    assert found.core_seconds == pytest.approx(10 * 3 + 1e8 * 1e-6)
    assert found.longest_seconds == pytest.approx(found.core_seconds / 10)


def test_pairs_are_counted_up_to_a_number_of_people_and_people_from_there_on():
    def seconds(people: int) -> float:
        work = replace(PANEL, cohorts=(replace(COHORT, people=people, records={"chr1": 5_000}),))
        return stages(work)["overlap"].core_seconds

    assert seconds(30_000) > 3.5 * seconds(15_000)
    assert seconds(2_000_000) < 2.1 * seconds(1_000_000)


def test_memory_of_a_million_people_stays_below_two_gigabytes():
    """At the 1,000 sites at which so many are compared, and a billion variants in 300 partitions."""
    million = replace(
        COHORT, people=1_000_000, cells=40, records={"chr1": 2_000_000}, partitions=300
    )
    work = replace(PANEL, cohorts=(million,), most_sites=1_073)
    assert cost_of(work).total.peak_mb < 2_000


def test_more_of_anything_never_takes_less():
    base = cost_of(PANEL).total
    for more in (
        {"people": 2_000}, {"cells": 8}, {"partitions": 20}, {"has_fields": True},
        {"records": {"chr1": 120_000, "chr2": 40_000}}, {"source_bytes": 10**8},
    ):  # fmt: skip
        grown = cost_of(replace(PANEL, cohorts=(replace(COHORT, **more),))).total
        assert grown.core_seconds >= base.core_seconds
        assert grown.peak_mb >= base.peak_mb
    two = cost_of(replace(PANEL, cohorts=(COHORT, replace(COHORT, name="B")))).total
    assert two.core_seconds > 1.5 * base.core_seconds


def test_what_is_least_certain_is_named_with_its_bounds():
    other = replace(COHORT, name="B", records={"chr1": 10_000})
    said = "\n".join(cost_of(replace(PANEL, cohorts=(COHORT, other))).uncertain)
    assert "between 100,000 " in said
    assert " 110,000 " in said
    assert "halfway" in said
