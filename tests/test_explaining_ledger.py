"""What ``afpanel gate --explain`` says beside a ledger, held against what the gate did with it."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.explained import hold_against, taken_apart
from tests.two_releases import CONTIG, Genomes, publish

from afpanel.cli.main import main
from afpanel.io.files import read_json
from afpanel.io.panel_store import PanelRows
from afpanel.io.release_reader import open_panel
from afpanel.stages.explain import Site, explain
from afpanel.stages.ledger_audit import AuditOptions

SITES, SOME = 150, 20


def without(country: str) -> Callable[[Genomes], Genomes]:
    return lambda genomes: genomes.only(genomes.country != country)


def half_of(population: str) -> Callable[[Genomes], Genomes]:
    """All, but for half of a population."""
    return lambda genomes: genomes.only(
        (genomes.population != population) | (np.arange(len(genomes.ids)) % 2 == 0)
    )


def everybody(genomes: Genomes) -> Genomes:
    return genomes


CHANGES = {
    "k lowered": (everybody, everybody, 3),
    "joined": (half_of("AA_Q"), everybody, 11),
    "left": (everybody, half_of("AA_Q"), 11),
    "joined and left": (without("BB"), without("DD"), 11),
}


@pytest.fixture(scope="session")
def explained(once) -> dict[str, SimpleNamespace]:
    """Second releases of a ledger, and what is said of some of their variants."""
    genomes = Genomes.simulate(SITES)

    def fill(folder: Path) -> None:
        for name, (first, second, k) in CHANGES.items():
            publish(first(genomes), folder / name, "1", 11, ledger=folder / name / "ledger")
            publish(second(genomes), folder / name, "2", k, ledger=folder / name / "ledger")

    folder = once("explained-beside-a-ledger", fill)
    return {name: told(folder / name) for name in CHANGES}


def told(folder: Path) -> SimpleNamespace:
    """Explain some variants of a second release: each site with its text; and what the gate made of them."""
    merged, policy = folder / f"2/merged/{CONTIG}.zarr.zip", folder / "2/policy.yaml"
    beside = AuditOptions(folder / "ledger", folder / "2/settled.json", "p-2", "GRCh38")
    with (
        PanelRows(merged) as before,
        PanelRows(folder / f"2/releasable/{CONTIG}.zarr.zip") as after,
    ):
        everything, counts = before.window(0, 1 << 30)
        variants, shown = after.window(0, 1 << 30)
        groups, of_all = after.head.groups, before.head.groups
    rows = {position: row for row, position in enumerate(variants.position.tolist())}
    texts = {
        position: explain([merged], policy, Site(CONTIG, position, "A", "C"), None, None, beside)
        for position in everything.position[:: SITES // SOME].tolist()
    }
    copies = {
        position: dict(zip(of_all, of_row, strict=True))
        for position, of_row in zip(
            everything.position.tolist(), counts.allele_count.tolist(), strict=True
        )
    }
    return SimpleNamespace(
        folder=folder, texts=texts, rows=rows, state=shown.state, groups=groups, copies=copies,
        withheld={
            each["group"]: each["reason"]
            for each in read_json(folder / "2/decision.json")["withheld_groups"]
        },
        command=[
            "gate", str(merged), "--policy", str(policy), "--ledger", str(folder / "ledger"),
            "--settled", str(folder / "2/settled.json"), "--name", "p", "--panel-version", "2",
            "--build", "GRCh38",
        ],
    )  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_cell_beside_a_ledger_is_what_is_said_of_it(explained, change):
    case = explained[change]
    for position, text in case.texts.items():
        hold_against(text, case.rows.get(position), case.state, case.groups, case.withheld)
        assert "(held against p-1)" in text


def reasons(case) -> list[tuple[int, str, str, str]]:
    """(position, group, why, rule) of every reason that is given."""
    return [
        (position, group, why, rule)
        for position, text in case.texts.items()
        for group, line in taken_apart(text)[1].items()
        for why, rule in zip(line.why, line.rule, strict=True)
    ]


def test_what_an_earlier_release_masked_is_said_of_exactly_these_cells_by_its_name(explained):
    case = explained["k lowered"]
    with open_panel(case.folder / "1/release") as panel:
        window = panel.window(CONTIG, 0, 1 << 30)
        places = [panel.groups.index(group) for group in case.groups]
        state = window.counts.state[:, places]
    rows = {position: row for row, position in enumerate(window.variants.position.tolist())}
    said = {(p, group) for p, group, why, rule in reasons(case) if why.startswith("p-1 ") and rule}
    masked = {
        (position, group)
        for position in case.texts
        for g, group in enumerate(case.groups)
        if position not in rows or state[rows[position], g] == 3
    }
    assert said == masked
    assert len(said) > 20
    (rule,) = {rule for _, _, why, rule in reasons(case) if why.startswith("p-1 ")}
    assert rule == "the ledger: masked once is masked for ever; p-1 had min_allele_count 11"
    whys = {why for _, _, why, _ in reasons(case)}
    assert "p-1 masked it, and 60 of its people are in the group still" in whys
    assert any(why.startswith("p-1 did not publish the variant, and 415 of") for why in whys)


@pytest.mark.parametrize(("change", "verb"), [("joined", "joined"), ("left", "left")])
def test_the_copies_of_those_who_joined_or_left_are_named(explained, change, verb):
    case, genomes = explained[change], Genomes.simulate(SITES)
    those = ~np.isin(genomes.ids, half_of("AA_Q")(genomes).ids)
    pattern = re.compile(
        rf"with what p-1 shows, it would tell that the (\d+) who {verb} the group since have (\d+) cop\w+ of (ALT|the other)"
    )
    found = 0
    for position, group, why, rule in reasons(case):
        if match := pattern.match(why):
            them = genomes.only(those & genomes.holds(group))
            alt = int(them.calls[(position - 1_000) // 10].sum())
            people, copies = len(them.ids), alt if match[3] == "ALT" else 2 * len(them.ids) - alt
            assert (int(match[1]), int(match[2])) == (people, copies)
            assert rule == "the ledger; min_allele_count 11, asked for by policy"
            found += 1
    assert found > 10


def test_where_some_joined_and_others_left_all_groups_that_changed_are_said_to_be_masked(explained):
    whys = [(group, why) for _, group, why, _ in reasons(explained["joined and left"])]
    groups = {group for group, why in whys if "every group that changed is masked" in why}
    assert {"total", "XX", "XY"} >= groups >= {"total"}


def test_a_row_that_an_earlier_release_costs_is_said_to_be_dropped_for_it(explained):
    case = explained["joined"]
    fates = {position: taken_apart(text)[0] for position, text in case.texts.items()}
    lost = {position for position, fate in fates.items() if "without p-1 it would be there" in fate}
    policy, merged = case.folder / "2/policy.yaml", case.folder / f"2/merged/{CONTIG}.zarr.zip"
    there = {
        position
        for position in case.texts
        if position not in case.rows
        and explain([merged], policy, Site(CONTIG, position, "A", "C")).startswith(
            f"{CONTIG}:{position}:A:C: published"
        )
    }
    assert lost == there


def test_the_command_says_the_same(explained, capsys):
    case = explained["left"]
    position, text = next(iter(case.texts.items()))
    assert main([*case.command, "--explain", f"{CONTIG}:{position}:A:C"]) == 0
    assert capsys.readouterr().out == text + "\n"


def test_what_a_country_shows_elsewhere_hides_nothing_and_is_named(tmp_path):
    genomes = Genomes.simulate(SITES)
    folder = tmp_path / "1"
    shown = publish(without("BB")(genomes), tmp_path / "elsewhere", "1", 0)
    publish(genomes, tmp_path, "1")
    merged, policy = folder / f"merged/{CONTIG}.zarr.zip", folder / "policy.yaml"
    beside = AuditOptions(external=(("AA", shown), ("CC", shown)))
    lines = [
        (why, rule)
        for position in range(1_000, 1_000 + 10 * SITES, 50)
        for text in [
            explain([merged], policy, Site(CONTIG, position, "A", "C"), None, None, beside)
        ]
        for line in taken_apart(text)[1].values()
        for why, rule in zip(line.why, line.rule, strict=True)
        if "elsewhere" in why and line.cell == "masked"
    ]
    assert lines
    assert all(re.match(r"else .* could be worked out, as what AA shows", why) for why, _ in lines)
    assert {rule for _, rule in lines} == {"min_allele_count 11, asked for by policy"}
