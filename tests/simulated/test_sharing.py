"""What a programme keeps to itself, by the counts that its contribution holds and by the panel they give."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.federation import Pooled, merged
from tests.whole_hub import LENGTHS

from afpanel.cli.main import main
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.errors import BadInputError, PolicyRefusalError
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.io.reference import ReferencePaths
from afpanel.stages.cell_counts import CountsHead, open_cell_counts
from afpanel.stages.linkage import LinkageInputs, linkage
from afpanel.stages.package import PackageInputs, package

MISSING = -1
MASKED = 3
Variant = tuple[int, str, str]
Share = Callable[..., Path]


@pytest.fixture
def share(pooled: Pooled, tmp_path: Path) -> Share:
    """Package a cohort with other sharing, and receive it: share(cohort, **sharing) -> folder of parts."""

    def run(cohort: str, number: int = 0, **sharing: Any) -> Path:
        plan = pooled.plan
        populations = {"merge": {}, "leave_out": []} | sharing.pop("populations", {})
        plan["config"]["sharing"] |= {"populations": populations, **sharing}
        path = tmp_path / f"plan{number}.json"
        path.write_text(json.dumps(plan))
        private = pooled.results / "private" / cohort
        given = plan["cohorts"][cohort]["callable"]
        lifted = plan["cohorts"][cohort]["lift"] is not None
        evidence = None if given is None else pooled.folder / given
        inputs = PackageInputs(
            sorted((private / "counts").glob("*.zip")),
            path,
            private / "harmonization.json",
            private / "callable.bed" if lifted else evidence,
            _reference(pooled),
            tmp_path / f"linkage{number}.json",
        )
        counted = (private, pooled.folder / plan["cohorts"][cohort]["samples"])
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(pooled.folder)
            linkage(LinkageInputs(cohort, inputs.counts, *counted, plan=path), inputs.linkage)
            package(inputs, cohort, tmp_path / f"{cohort}.afc.zip")
        out = tmp_path / f"received{number}" / cohort
        words = ("--reference", str(pooled.folder / "panel.fa"), "--cohort", cohort)
        index = ("--reference-index", str(_reference(pooled).fai.parent))
        file = str(tmp_path / f"{cohort}.afc.zip")
        assert main(["verify", file, *words, *index, "--out", str(out)]) == 0
        return out

    return run


def _reference(pooled: Pooled) -> ReferencePaths:
    return ReferencePaths.find(pooled.folder / "panel.fa", pooled.results / "private/reference")


def panel_of(path: Path) -> tuple[list[str], dict[Variant, GroupCounts], list[list[int]]]:
    """Read a panel: its groups, the counts of each variant, and people."""
    head = read_head(path)
    found = {}
    for variants, counts in read_panel_blocks(path):
        keys = zip(
            variants.position.tolist(), variants.ref.objects(), variants.alt.objects(), strict=True
        )
        found |= {key: counts.take(np.array([i])) for i, key in enumerate(keys)}
    return head.groups, found, head.people_by_sex


def figures(counts: GroupCounts, group: int) -> tuple[int, ...]:
    return tuple(int(getattr(counts, name)[0, group]) for name in (*GROUP_TABLES, "state"))


def panels(
    pooled: Pooled, received: Mapping[str, Path], folder: Path
) -> Iterator[tuple[str, Any, Any]]:
    """The panel of each contig as pooled, and with some cohorts as received."""
    for contig in LENGTHS:
        path = folder / f"{contig}.zip"
        merged(pooled, dict(received), set(received), contig, path)
        yield contig, panel_of(pooled.results / f"panel/merged/{contig}.zarr.zip"), panel_of(path)


@pytest.mark.parametrize("cohort", ["Bed", "Lift", "Gvcf", "Track", "Plain"])
def test_without_sexes_all_other_groups_are_the_same(
    pooled: Pooled, share: Share, cohort: str, tmp_path: Path
) -> None:
    received = {cohort: share(cohort, sexes=False)}
    seen = 0
    for _, (groups, expected, people), (found_groups, found, found_people) in panels(
        pooled, received, tmp_path
    ):
        assert found.keys() == expected.keys()
        for name in found_groups:
            if name in ("XX", "XY"):
                continue
            g, h = groups.index(name), found_groups.index(name)
            assert people[g] == found_people[h]
            for variant, counts in expected.items():
                a, b = figures(counts, g), figures(found[variant], h)
                # Of a track it is not known who was called: which of them have two copies is taken.
                kept = slice(None) if cohort not in ("Track", "Gvcf") else slice(0, 4)
                assert (a[kept], a[-1]) == (b[kept], b[-1]), (name, variant)
                seen += 1
    assert seen > 1_000


def test_merged_populations_are_a_population_of_that_name(
    pooled: Pooled, share: Share, tmp_path: Path
) -> None:
    received = {"Bed": share("Bed", populations={"merge": {"NORTH": ["TAY", "MUO"]}})}
    for _, (groups, expected, people), (found_groups, found, found_people) in panels(
        pooled, received, tmp_path
    ):
        own = [groups.index(name) for name in ("VN_KHV", "VN_CDX", "VN", "total", "XX", "XY")]
        for g in own:
            h = found_groups.index(groups[g])
            assert people[g] == found_people[h]
            for variant, counts in expected.items():
                assert figures(counts, g) == figures(found[variant], h)
                assert counts.raw_allele_count[0] == found[variant].raw_allele_count[0]
        # TAY is also one of Plain's: so what both say of it is what is said of the two names apart.
        north = found_groups.index("VN_NORTH")
        tay, muo = groups.index("VN_TAY"), groups.index("VN_MUO")
        rest = found_groups.index("VN_TAY")
        for variant, counts in expected.items():
            for name in ("allele_count", "allele_number", "homozygote_count"):
                values = np.maximum(getattr(counts, name)[0], 0)
                got = np.maximum(getattr(found[variant], name)[0], 0)
                assert values[tay] + values[muo] == got[north] + got[rest]


@pytest.mark.parametrize(
    "sharing",
    [{"populations": {"leave_out": ["MUO", "CDX"]}}, {"min_cell_size": 3}],
    ids=["left out", "too few"],
)
def test_those_who_are_kept_back_are_in_no_sum(
    pooled: Pooled, share: Share, sharing: dict[str, Any], tmp_path: Path
) -> None:
    folder = share("Bed", **sharing)
    whole = pooled.results / "private/Bed/counts"
    for contig in LENGTHS:
        with open_cell_counts(folder / f"counts/{contig}.zarr.zip") as store:
            head = CountsHead.of(store)
            counts = {name: store.read(name) for name in GROUP_TABLES}
            assert (store.read("raw_allele_count") == MISSING).all()
            assert (store.read("raw_allele_number") == MISSING).all()
            position = store.read("variant_position")
        (path,) = whole.glob(f"{contig}.*")
        with open_cell_counts(path) as store:
            own = CountsHead.of(store)
            assert store.read("variant_position").tolist() == position.tolist()
            for name, table in counts.items():
                columns = [own.cells.index(cell) for cell in head.cells]
                assert (store.read(name)[:, columns] == table).all()
        kept = {(c.population, c.sex) for c in head.cells}
        gone = {(c.population, c.sex) for c in own.cells} - kept
        assert gone
        if "min_cell_size" in sharing:
            assert set(head.withheld) == gone
            few = {(c.population, c.sex) for c in own.cells if c.people < 3}
            assert few == gone
        else:
            assert head.withheld == ()
            assert {population for population, _ in gone} == {"MUO", "CDX"}


def test_a_population_of_which_nothing_is_told_is_masked_and_in_no_sum(
    pooled: Pooled, share: Share, tmp_path: Path
) -> None:
    # Of Plain's ONE there is one person, and no other cohort has such.
    received = {"Plain": share("Plain", min_cell_size=2, sexes=False)}
    manifest = json.loads((received["Plain"] / "received.json").read_text())
    assert manifest["sharing"]["everybody"] is False
    for _, (groups, expected, people), (found_groups, found, found_people) in panels(
        pooled, received, tmp_path
    ):
        one, other = groups.index("VN_ONE"), found_groups.index("VN_ONE")
        assert sum(people[one]) == 1
        assert sum(found_people[other]) == 0
        total = groups.index("total")
        for variant, counts in expected.items():
            assert set(figures(found[variant], other)) == {MISSING, MASKED}
            number = int(found[variant].allele_number[0, 0])
            assert number == counts.allele_number[0, total] - counts.allele_number[0, one]


@pytest.mark.parametrize("limit", [2, 4])
def test_small_counts_are_masked_and_so_are_the_sums_that_they_are_in(
    pooled: Pooled, share: Share, limit: int, tmp_path: Path
) -> None:
    received = {name: share(name, min_allele_count=limit) for name in ("Bed", "Track")}
    countries = {"Bed": "VN", "Track": "TH"}
    masked = shown = 0
    for contig, (groups, expected, _), (found_groups, found, _) in panels(
        pooled, received, tmp_path
    ):
        assert found_groups == groups
        assert found.keys() == expected.keys()
        small: dict[Variant, set[int]] = {}
        raw: set[Variant] = set()
        for name, country in countries.items():
            for path in (pooled.results / f"private/{name}/counts").glob(f"{contig}.*"):
                with open_cell_counts(path) as store:
                    cells = CountsHead.of(store).cells
                    ac, an = store.read("allele_count"), store.read("allele_number")
                    raws = store.read("raw_allele_count"), store.read("raw_allele_number")
                    keys = list(
                        zip(
                            store.read("variant_position").tolist(),
                            store.texts("variant_ref"),
                            store.texts("variant_alt"),
                            strict=True,
                        )
                    )
                for i, key in enumerate(keys):
                    few = [0 < n < limit for n in (raws[0][i], raws[1][i] - raws[0][i])]
                    few.append(0 < raws[0][i] - ac[i].sum() < limit)
                    for c, cell in enumerate(cells):
                        if 0 < ac[i, c] < limit or 0 < an[i, c] - ac[i, c] < limit:
                            held = {"total", country, f"{country}_{cell.population}", str(cell.sex)}
                            at = {groups.index(g) for g in held if g in groups}
                            small.setdefault(key, set()).update(at)
                            few.append(True)
                    if any(few):
                        raw.add(key)
        for key, counts in expected.items():
            for g in range(len(groups)):
                if g in small.get(key, set()):
                    assert set(figures(found[key], g)) == {MISSING, MASKED}
                    masked += 1
                else:
                    assert figures(found[key], g) == figures(counts, g)
                    shown += 1
            hidden = found[key].raw_allele_count[0] == MISSING
            # A cohort that has another allele there says by that record how many were called at first.
            if key in raw or key[0] not in {position for position, _, _ in raw}:
                assert hidden == (key in raw)
    assert masked > 100
    assert shown > 100


def test_regions_and_rare_variants_that_are_left_out_say_nothing_of_their_place(
    pooled: Pooled, share: Share, tmp_path: Path
) -> None:
    bed = tmp_path / "private.bed"
    bed.write_text("chr1\t0\t5000\nchrM\t0\t16569\n")
    folder = share("Bed", leave_out_regions=str(bed), min_variant_count=3)
    dropped = 0
    for contig, (groups, expected, _), (_, found, _) in panels(pooled, {"Bed": folder}, tmp_path):
        with open_cell_counts(folder / f"counts/{contig}.zarr.zip") as store:
            told = store.read("variant_position")
            refused = list(
                zip(
                    store.read("refused_start").tolist(),
                    store.read("refused_end").tolist(),
                    strict=True,
                )
            )
            assert (store.read("allele_count").sum(axis=1) >= 3).all()
        (path,) = (pooled.results / "private/Bed/counts").glob(f"{contig}.*")
        with open_cell_counts(path) as store:
            position = store.read("variant_position")
            count = store.read("allele_count").sum(axis=1)
            number = dict(
                zip(
                    zip(
                        position.tolist(), store.texts("variant_ref"), store.texts("variant_alt"),
                        strict=True,
                    ),
                    store.read("allele_number").sum(axis=1).tolist(),
                    strict=True,
                )
            )  # fmt: skip
        hidden = (count < 3) | ((position <= 5000) & (contig == "chr1")) | (contig == "chrM")
        assert sorted(told.tolist()) == sorted(position[~hidden].tolist())
        dropped += int(hidden.sum())
        for key, counts in found.items():
            silent = any(
                start < key[0] - 1 + len(key[1]) and key[0] - 1 < end for start, end in refused
            )
            before = int(expected[key].allele_number[0, 0])
            after = int(counts.allele_number[0, 0])
            if not silent:
                assert before == after
            elif key in number and key[0] not in told:
                assert before - after == number[key]
            assert after <= before
        gone = expected.keys() - found.keys()
        assert {key[0] for key in gone} <= set(position[hidden].tolist())
        assert groups[0] == "total"
    assert dropped > 50


def test_what_cannot_be_shared_is_refused(share: Share) -> None:
    with pytest.raises(PolicyRefusalError, match="nothing is left of cohort Bed"):
        share("Bed", min_cell_size=100)
    with pytest.raises(BadInputError, match="'TAY' is named more than once"):
        share("Bed", populations={"merge": {"A": ["TAY"], "B": ["TAY", "MUO"]}})
    with pytest.raises(BadInputError, match="are to be merged as 'KHV', which another is called"):
        share("Bed", populations={"merge": {"KHV": ["TAY", "MUO"]}})
