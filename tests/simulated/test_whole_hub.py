"""All kinds of source, evidence and figure in one hub, built by the workflow.

The panel before the gate is held against counts of everybody's calls, and the release against the panel and
against identities that its figures must obey, by code that shares nothing with the package.
"""

import gzip
import json
import math
import shutil
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
import zarr
from tests.whole_hub import COUNTRIES, LENGTHS, Figures, Hub, Variant, copies, groups_of, truth

from afpanel.cli.main import main

pytestmark = pytest.mark.slow

RELEASE = Path("results/release/hub-1")
MASKED = 3
POPULATIONS = ("JP_JPT", "MY_IBA", "MY_MAL", "TH_MON", "TH_TAI", "VN_KHV")
"""Those that the policy lets be published: VN_ONE has one person, who without VN_CDX is not what VN has more."""

GROUPS = ("total", "JP", "JP_JPT", "MY", "MY_IBA", "MY_MAL", "TH", "TH_MON", "TH_TAI", "VN",
          "VN_KHV", "XX", "XY")  # fmt: skip
WORKFLOW = ("--configfile", "config.yaml", "--cores")
PER_GROUP = {"AC": "ac", "AN": "an", "nhomalt": "hom", "nhemialt": "hemi"}
ARRAYS = {
    "AC": "allele_count", "AN": "allele_number", "AF": "allele_frequency",
    "nhomalt": "homozygote_count", "nhemialt": "hemizygote_count", "faf95": "filtering_frequency_95",
    "faf99": "filtering_frequency_99", "call_rate": "called_fraction", "hwe": "hwe_p_value",
    "ExcHet": "excess_heterozygosity_p_value", "inbreeding_coeff": "inbreeding_coefficient",
    "AC_raw": "raw_allele_count", "AN_raw": "raw_allele_number", "AF_raw": "raw_allele_frequency",
    "grpmax": "grpmax_group", "AC_grpmax": "grpmax_allele_count", "AN_grpmax": "grpmax_allele_number",
    "AF_grpmax": "grpmax_allele_frequency", "nhomalt_grpmax": "grpmax_homozygote_count",
    "fafmax_faf95_max": "fafmax_95", "fafmax_faf95_max_group": "fafmax_95_group",
    "fafmax_faf99_max": "fafmax_99", "fafmax_faf99_max_group": "fafmax_99_group",
}  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> Hub:
    return Hub()


@pytest.fixture(scope="module")
def built(hub: Hub, once: Callable[..., Path], snakemake: Callable[..., Any]) -> Path:
    def build(folder: Path) -> None:
        hub.write(folder)
        snakemake(folder, *WORKFLOW, "2")

    return once("whole-hub", build)


@pytest.fixture(scope="module")
def expected(hub: Hub) -> dict[Variant, dict[str, Figures]]:
    return truth(hub, list(hub.dropped.values()))


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with zarr.storage.ZipStore(path, mode="r") as store:
        return {name: array[...] for name, array in zarr.open_group(store, mode="r").arrays()}


def merged(folder: Path) -> Iterator[tuple[Variant, dict[str, tuple[int, ...]], tuple[int, int]]]:
    """Read the panel before the gate: variants, figures of groups, and raw counts."""
    names = ("allele_count", "allele_number", "homozygote_count", "hemizygote_count", "state")
    more = ("single_allele_count", "single_allele_number")
    for contig in LENGTHS:
        found = arrays_of(folder / f"results/panel/merged/{contig}.zarr.zip")
        groups = found["group_id"].tolist()
        table = np.stack([found[name] for name in (*names, *more)], axis=-1)
        for row, place in enumerate(
            zip(*(found[f"variant_{x}"].tolist() for x in ("position", "ref", "alt")), strict=True)
        ):
            raw = (int(found["raw_allele_count"][row]), int(found["raw_allele_number"][row]))
            yield (
                (contig, *place),
                dict(zip(groups, map(tuple, table[row].tolist()), strict=True)),
                raw,
            )


def as_stored(f: Figures) -> tuple[int, ...]:
    """Lay out what is expected as the panel stores it."""
    if f.state == 0:
        return (-1, 0, -1, -1, 0)
    return (f.ac, f.an, f.hom, f.hemi, f.state)


def test_everybody_counted_is_in_the_panel_and_nobody_twice(hub, built, expected):
    for name in COUNTRIES:
        dropped = (built / f"results/private/{name}/dropped.txt").read_text().split()
        assert dropped == [hub.dropped[name]] if name in hub.dropped else not dropped
    found = {variant: figures for variant, figures, _ in merged(built)}
    assert found.keys() == expected.keys()
    wrong = {
        (variant, group): (as_stored(f), found[variant][group][:5])
        for variant, groups in expected.items()
        for group, f in groups.items()
        if found[variant][group][:5] != as_stored(f)
    }
    assert wrong == {}
    assert {s for groups in expected.values() for s in (f.state for f in groups.values())} == {
        0,
        1,
        2,
    }


def test_raw_counts_and_people_with_two_alleles_are_those_of_the_calls(built, expected):
    for variant, figures, raw in merged(built):
        total = expected[variant]["total"]
        assert raw == (total.raw_ac, total.raw_an), variant
        for group, (ac, an, hom, _, state, alone, single) in figures.items():
            f = expected[variant][group]
            if state:
                assert ((an - single) // 2, ac - 2 * hom - alone) == (f.diploid, f.het), (
                    variant, group)  # fmt: skip


def test_sums_agree_in_the_panel_before_the_gate(hub, built):
    unknown = hub_of_unknown(hub)
    for variant, figures, raw in merged(built):
        amounts = {g: [max(x, 0) for x in f[:4]] for g, f in figures.items()}
        for country in set(COUNTRIES.values()):
            parts = [amounts[g] for g in amounts if g.startswith(f"{country}_")]
            assert amounts[country] == list(map(sum, zip(*parts, strict=True)))
        countries = [amounts[g] for g in set(COUNTRIES.values())]
        assert amounts["total"] == list(map(sum, zip(*countries, strict=True)))
        without = [
            t - x - y for t, x, y in zip(*(amounts[g] for g in ("total", "XX", "XY")), strict=True)
        ]
        assert min(without) >= 0
        if variant[0] in ("chrX", "chrY") and variant[1] > 2_781_479:
            assert without == [0] * 4
        else:
            assert without[1] <= 2 * unknown
        for group, (ac, an, hom, hemi, state, *_) in figures.items():
            if state == 0:
                assert (ac, an, hom, hemi) == (-1, 0, -1, -1)
                continue
            assert 0 <= ac <= an
            assert 2 * hom + hemi <= ac
            assert state == 2 or ac == 0
            assert an <= copies_of(hub, group, variant)
        assert raw[0] >= amounts["total"][0]
        assert raw[1] >= amounts["total"][1]


def hub_of_unknown(hub: Hub) -> int:
    return sum(p.sex == "unknown" for c in hub.cohorts.values() for p in c.people)


def copies_of(hub: Hub, group: str, variant: Variant) -> int:
    """Count the copies of a place that a group's people have."""
    return sum(
        copies(variant[0], variant[1], person.sex)
        for cohort in hub.cohorts.values()
        for person in cohort.people
        if person.id not in hub.dropped.values() and group in groups_of(cohort, person)
    )


# The release.


def release_of(folder: Path) -> list[dict[str, Any]]:
    """Read the release's VCF by another parser: a row per variant, without what is missing."""
    rows = []
    with pysam.VariantFile(str(folder / RELEASE / "hub-1.vcf.gz")) as vcf:
        for record in vcf:
            row = {"variant": (record.chrom, record.pos, record.ref, record.alts[0])}
            for key, value in record.info.items():
                only = value[0] if isinstance(value, tuple) else value
                if only not in (None, "."):
                    row[key] = only
            rows.append(row)
    return rows


def key_of(name: str, group: str) -> str:
    return name if group == "total" else f"{name}_{group}"


def proportions(het: int, hom: int, people: int) -> tuple[float, float, float | None]:
    """Exact test of Hardy-Weinberg proportions, both ways, and the inbreeding coefficient, from the definition."""
    rare = min(2 * hom + het, 2 * people - 2 * hom - het)
    ways = {}
    for hets in range(rare % 2, rare + 1, 2):
        homs = (rare - hets) // 2
        arrangements = math.factorial(people) // (
            math.factorial(hets) * math.factorial(homs) * math.factorial(people - hets - homs)
        )
        ways[hets] = arrangements * 2**hets
    whole = sum(ways.values())
    p = Fraction(sum(w for w in ways.values() if w <= ways[het]), whole)
    excess = Fraction(sum(w for h, w in ways.items() if h >= het), whole)
    q = (2 * hom + het) / (2 * people)
    inbreeding = None if q in (0, 1) else 1 - het / (people * 2 * q * (1 - q))
    return float(p), float(excess), inbreeding


def test_the_release_shows_what_the_policy_lets_it_and_derives_the_rest(hub, built, expected):
    rows = {row["variant"]: row for row in release_of(built)}
    shown = {
        variant
        for variant, groups in expected.items()
        if any(visible(groups[g]) and groups[g].ac > 0 for g in GROUPS)
    }
    # A variant without a copy left is told as well, where nothing is withheld of it.
    assert rows.keys() <= expected.keys()
    # To hide a cell took all of a variant at a few.
    assert len(shown - rows.keys()) < len(shown) // 10
    masked = also_masked = 0
    for variant, row in rows.items():
        assert not {"AC_VN_ONE", "AC_VN_CDX"} & row.keys()
        for group in GROUPS:
            f = expected[variant][group]
            get = {name: row.get(key_of(name, group)) for name in ARRAYS}
            if not visible(f) or get["AN"] is None:
                masked += 1
                also_masked += visible(f)
                assert set(get.values()) <= {None} or group == "total", (variant, group)
                assert {get[name] for name in (*PER_GROUP, "AF", "faf95", "call_rate", "hwe")} == {
                    None
                }
                continue
            if f.state == 0:
                assert (get["AN"], get["AC"], get["AF"], get["nhomalt"]) == (0, None, None, None)
                continue
            assert {name: get[name] for name in PER_GROUP} == {
                name: getattr(f, key) for name, key in PER_GROUP.items()
            }, (variant, group)
            assert (get["AF"] is None) == (f.an == 0)
            if f.an:
                assert get["AF"] == pytest.approx(f.ac / f.an, rel=1e-6)
                assert get["faf99"] <= get["faf95"] <= get["AF"]
            of_people = copies_of(hub, group, variant)
            if of_people == 0:
                assert get["call_rate"] is None
            else:
                assert get["call_rate"] == pytest.approx(f.an / of_people, rel=1e-6)
                assert 0 <= get["call_rate"] <= 1
            if group in POPULATIONS and f.diploid:
                p, excess, inbreeding = proportions(f.het, f.hom, f.diploid)
                assert get["hwe"] == pytest.approx(p, rel=1e-5), (variant, group)
                assert get["ExcHet"] == pytest.approx(excess, rel=1e-5)
                assert get["inbreeding_coeff"] == (
                    None if inbreeding is None else pytest.approx(inbreeding, abs=1e-6)
                )
            elif group != "total":
                assert not {get["hwe"], get["ExcHet"], get["inbreeding_coeff"]} - {None}
            elif f.diploid:
                inbreeding = proportions(f.het, f.hom, f.diploid)[2]
                found = get["inbreeding_coeff"]
                assert found == (
                    None if inbreeding is None else pytest.approx(inbreeding, abs=1e-6)
                )
    assert masked > 100
    assert 50 < also_masked < masked // 2


def visible(f: Figures) -> bool:
    """Whether the policy shows a cell: no allele with one or two copies."""
    return f.state == 0 or not ({f.ac, f.an - f.ac} & {1, 2})


def test_the_maxima_are_of_shown_populations_that_are_not_excluded(built, expected):
    allowed = [g for g in POPULATIONS if g != "TH_MON"]
    seen = set()
    for row in release_of(built):
        cells = {g: row[f"AF_{g}"] for g in allowed if row.get(f"AF_{g}", 0) > 0}
        assert bool(cells) == ("grpmax" in row)
        if not cells:
            continue
        group = row["grpmax"]
        seen.add(group)
        exact = {g: Fraction(row[f"AC_{g}"], row[f"AN_{g}"]) for g in cells}
        assert group == max(exact, key=exact.get)
        for name in ("AC", "AN", "AF", "nhomalt"):
            assert row[f"{name}_grpmax"] == row[f"{name}_{group}"]
        for level in ("faf95", "faf99"):
            most = max(row[f"{level}_{g}"] for g in cells)
            assert row.get(f"fafmax_{level}_max", 0) == most
            if most > 0:
                assert row[f"{level}_{row[f'fafmax_{level}_max_group']}"] == most
    assert seen == set(allowed)


def test_raw_counts_are_shown_or_withheld_as_a_whole(built, expected):
    hidden = 0
    for row in release_of(built):
        f = expected[row["variant"]]["total"]
        few = {f.raw_ac, f.raw_an - f.raw_ac, f.raw_ac - f.ac} & {1, 2}
        keys = ("AC_raw", "AN_raw", "AF_raw")
        if few or not visible(f) or "AN" not in row:
            hidden += 1
            assert not row.keys() & set(keys)
        else:
            assert (row["AC_raw"], row["AN_raw"]) == (f.raw_ac, f.raw_an)
    assert hidden > 10


def test_the_three_formats_are_one(built):
    rows = release_of(built)
    store = arrays_of(built / RELEASE / "hub-1.zarr.zip")
    groups = store["group_id"].tolist()
    contigs = store["contig_id"].tolist()
    tables = [
        pq.ParquetFile(built / RELEASE / f"hub-1.parquet/contig={c}/part-0.parquet").read()
        for c in contigs
    ]
    table = [
        {"contig": c, **each}
        for c, t in zip(contigs, tables, strict=True)
        for each in t.to_pylist()
    ]
    assert len(rows) == len(table) == len(store["variant_position"])
    for n, (row, other) in enumerate(zip(rows, table, strict=True)):
        assert row["variant"] == tuple(other[key] for key in ("contig", "pos", "ref", "alt"))
        for name, array in ARRAYS.items():
            of_groups = store[array].ndim == 2
            for g, group in enumerate(groups if of_groups else ["total"]):
                key = key_of(name, group)
                if key not in other:
                    assert math.isnan(store[array][n, g])
                    continue
                value = store[array][n, g] if of_groups else store[array][n]
                is_count = store[array].dtype.kind == "i"
                third = None if value != value or value == (-1 if is_count else "") else value
                assert row.get(key) == other[key] == third, (row["variant"], key)
        for g, group in enumerate(groups):
            state = int(store["state"][n, g])
            assert state == other[key_of("state", group)]
            an, ac = row.get(key_of("AN", group)), row.get(key_of("AC", group))
            assert (state == MASKED) == (an is None)
            assert (state == 0) == (an == 0 and ac is None)
            assert state != 1 or ac == 0


# What else must hold of a run.


def contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if path.name.endswith(".gz"):
        yield gzip.decompress(path.read_bytes())
    elif path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as store:
            yield from (store.read(name) for name in store.namelist())
        for name, array in arrays_of(path).items():
            yield name.encode()
            yield "\n".join(map(str, array.ravel().tolist())).encode()
    elif path.name.endswith(".parquet"):
        yield json.dumps(pq.ParquetFile(path).read().to_pylist()).encode()


def test_nothing_outside_private_names_a_person_or_a_place(built):
    looked = 0
    for path in (built / "results").rglob("*"):
        if path.is_file() and "private" not in path.parts:
            looked += 1
            for text in contents(path):
                assert b"SECRET" not in text, path
                assert str(built).encode() not in text, path
    assert looked > 30
    # And within it, no log and no report names one.
    for path in (built / "results/private").rglob("*"):
        if path.suffix in (".log", ".txt", ".json") and path.name not in (
            "dropped.txt",
            "plan.json",
        ):
            assert "SECRET" not in path.read_text(), path


def test_a_second_run_has_nothing_to_do(built, snakemake):
    done = snakemake(built, *WORKFLOW, "1")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_gvcfs_take_no_callable_regions_of_merge_either(built, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(built)
    words = ["--quiet", "merge", "--list", "results/private/counts.txt", "--contig", "chrM",
             "--reference", "panel.fa", "--build", "GRCh38", "--out", str(tmp_path / "out.zip")]  # fmt: skip
    assert main([*words, "--callable", "Gvcf=Bed.bed"]) == 3
    assert "the counts of cohort Gvcf say themselves" in capfd.readouterr().err


def data_of(folder: Path) -> dict[str, bytes]:
    """All of what the hub makes of the counts that is published, or is to be looked at."""
    found = {}
    for top in (folder / RELEASE, folder / "results/panel"):
        for path in sorted(top.rglob("*")):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


@pytest.mark.long
def test_other_partitions_orders_and_cores_give_the_same_bytes(hub, built, tmp_path, snakemake):
    other = hub.write(tmp_path / "other", size=1_300_003, shuffle=7)
    snakemake(other, *WORKFLOW, "1")
    once, again = data_of(built), data_of(other)
    assert once.keys() == again.keys()
    assert [name for name in once if once[name] != again[name]] == []


def test_people_withdrawn_by_hand_leave_the_same_data_as_those_dropped(
    hub, built, tmp_path, snakemake
):
    folder = tmp_path / "by-hand"
    shutil.copytree(built, folder)
    withdrawn = list(hub.dropped.values())
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("action: drop", "action: fail"))
    hub.write_sheets(folder, withdrawn)
    done = snakemake(folder, *WORKFLOW, "2")
    assert "rule ingest" not in done.stdout + done.stderr
    once, again = data_of(built), data_of(folder)
    assert once.keys() == again.keys()
    different = [name for name in once if once[name] != again[name]]
    # The manifest says what was to be done with people who are there twice; the hub's own page, who was found.
    assert sorted(different) == ["results/panel/report/report.html", f"{RELEASE}/manifest.json"]
    report = json.loads((folder / "results/private/overlap.json").read_text())
    assert (report["action"], report["pairs"]) == ("fail", 0)
    assert main(["--quiet", "diff", str(built / RELEASE), str(folder / RELEASE),
                 "--out", str(tmp_path / "diff")]) == 0  # fmt: skip
