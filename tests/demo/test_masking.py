"""Masking with the demonstration's policy, seen against the same panel without one."""

import json
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
import yaml

MASKED = 3


@pytest.fixture(scope="module")
def policy(root):
    return yaml.safe_load((root / "config/policies/demo.yaml").read_text())


@pytest.fixture(scope="module")
def masked(by_commands, tools):
    return tools.read(by_commands)


@pytest.fixture(scope="module")
def rows(masked, unmasked):
    """Rows of the unmasked panel that the released variants have."""
    return [unmasked.row[variant] for variant in masked.variants]


@pytest.fixture(scope="module")
def before(masked, unmasked, rows):
    """Figures of the unmasked panel, of the variants and groups that are released."""
    columns = [unmasked.groups.index(group) for group in masked.groups]
    names = ("allele_count", "allele_number", "homozygote_count", "hemizygote_count", "state")
    return SimpleNamespace(**{name: getattr(unmasked, name)[rows][:, columns] for name in names})


def few(counts, limit):
    """Cells that show few, but some, copies of ALT or of the other alleles."""
    ac, an = counts.allele_count, counts.allele_number
    known = counts.state != 0
    return known & (((ac > 0) & (ac < limit)) | ((an - ac > 0) & (an - ac < limit)))


def test_the_policy_has_limits_that_bite(policy, unmasked):
    assert policy["min_allele_count"] > 1
    assert few(unmasked, policy["min_allele_count"]).any()


def test_every_cell_of_few_copies_is_masked(masked, before, policy):
    must = few(before, policy["min_allele_count"])
    assert (masked.state[must] == MASKED).all()


def test_others_are_masked_with_them(by_commands, masked, before, policy):
    must = few(before, policy["min_allele_count"])
    totals = json.loads((by_commands / "results/panel/decision.json").read_text())["totals"]
    hidden = masked.state == MASKED
    # Where all alleles that are shown of a site leave few others, one of them counts as of few copies.
    assert int(must.sum()) <= totals["masked_primary"] < int(must.sum()) + 10
    assert totals["masked_primary"] + totals["masked_secondary"] == int(hidden.sum())
    assert totals["masked_secondary"] > 500
    assert totals["masked_by_contributors"] == 0


def test_no_cell_that_is_shown_has_few_copies(masked, policy):
    shown = few(masked, policy["min_allele_count"]) & (masked.state != MASKED)
    assert not shown.any()


def test_what_is_shown_is_what_it_was(masked, before):
    shown = masked.state != MASKED
    assert shown.mean() > 0.5
    for name, values in vars(before).items():
        assert (values[shown] == getattr(masked, name)[shown]).all()


def test_masked_is_missing_and_never_0(masked):
    hidden = masked.state == MASKED
    assert hidden.any()
    for name in ("allele_count", "allele_number", "homozygote_count", "hemizygote_count"):
        assert (getattr(masked, name)[hidden] == -1).all()


def test_a_variant_that_shows_alt_nowhere_is_not_in_the_release(masked, unmasked, policy):
    """A row of which all that carries ALT is withheld would tell that somebody carries it."""
    hidden = (masked.state == MASKED).any(axis=1)
    assert (masked.allele_count[hidden] > 0).any(axis=1).all()
    dropped = [row for variant, row in unmasked.row.items() if variant not in masked.row]
    assert dropped
    limit = policy["min_allele_count"]
    singletons = [v for v, row in unmasked.row.items() if 0 < unmasked.allele_count[row, 0] < limit]
    assert not set(singletons) & set(masked.variants)


def test_the_three_formats_mask_the_same_cells(by_commands, tools, masked):
    release = tools.release_of(by_commands)
    with pysam.VariantFile(str(release / "demo-2026.1.vcf.gz")) as vcf:
        for row, record in enumerate(vcf):
            for g, group in enumerate(masked.groups):
                suffix = "" if group == "total" else f"_{group}"
                found = [record.info.get(f"{key}{suffix}") for key in ("AC", "AN", "AF", "nhomalt")]
                found = [v[0] if isinstance(v, tuple) else v for v in found]
                if masked.state[row, g] == MASKED:
                    assert found == [None] * 4
                else:
                    assert found[1] == masked.allele_number[row, g]
    states = [
        np.column_stack(
            [
                table["state" if group == "total" else f"state_{group}"].to_numpy()
                for group in masked.groups
            ]
        )
        for contig in ("chr21", "chrX")
        if (
            table := pq.ParquetFile(
                release / f"demo-2026.1.parquet/contig={contig}/part-0.parquet"
            ).read()
        )
    ]
    assert (np.concatenate(states) == masked.state).all()


def test_what_simpler_rules_would_leave_is_counted(by_commands, masked, unmasked, policy):
    """Of a variant with a masked cell the total alone, where that is not of few copies; or no such variant."""
    totals = json.loads((by_commands / "results/panel/decision.json").read_text())["totals"]
    whole = (masked.state != MASKED).all(axis=1)
    assert totals["without_masked_variants_out"] == whole.sum()
    as_it_is = {variant for variant, row in masked.row.items() if whole[row]}
    affected = [row for variant, row in unmasked.row.items() if variant not in as_it_is]
    total_may_be_shown = ~few(unmasked, policy["min_allele_count"])[affected, 0]
    shows_alt = unmasked.allele_count[affected, 0] > 0
    alone = int((total_may_be_shown & shows_alt).sum())
    # At a few positions the alleles together would leave few copies of all others in the total.
    published = totals["total_alone_variants_out"] - totals["without_masked_variants_out"]
    assert alone - 10 < published <= alone
    assert totals["total_alone_masked_cells"] == (len(masked.groups) - 1) * published
    manifest = json.loads(
        next((by_commands / "results/release").glob("*/manifest.json")).read_text()
    )
    for name in ("variants_dropped_secondary", "total_alone_masked_cells", "masked_secondary"):
        assert manifest["decision"][name] == totals[name]
    said = (by_commands / "results/panel/summary.txt").read_text()
    assert f"{totals['total_alone_variants_out']:,} variants" in said
    assert f"{totals['variants_dropped_secondary']:,} of them only with secondary masking" in said


def test_groups_of_too_few_people_are_withheld(root, demo_folder, tools, tmp_path, by_commands):
    import shutil

    folder = demo_folder(tmp_path / "strict")
    strict = folder / "config/policies/demo.yaml"
    strict.write_text("min_group_size: 50\nmin_allele_count: 3\n")
    shutil.copytree(by_commands / "results/panel/merged", folder / "merged")
    from afpanel.cli.main import main

    panels = [str(path) for path in sorted((folder / "merged").iterdir())]
    assert main(["gate", *panels, "--policy", str(strict), "--out", str(folder / "out"),
                 "--decision", str(folder / "decision.json")]) == 0  # fmt: skip
    decision = json.loads((folder / "decision.json").read_text())
    sizes = {each["group"]: each["people"] for each in decision["groups"]}
    assert min(sizes.values()) >= 50
    reasons = {each["group"]: each["reason"] for each in decision["withheld_groups"]}
    small = {group for group, why in reasons.items() if why == "fewer than 50 people"}
    assert small == {"ID_SUN", "VN_TAY"}
    # What is left of a country, or of everybody, is no way to the people who are withheld: three of
    # unknown sex are total less XX and XY.
    assert set(reasons) - small == {"ID_JAV", "VN_KHV", "XY"}
    assert sizes["total"] - sizes["XX"] >= 50


def test_the_verifier_finds_nothing_to_work_out(by_commands, tools, capsys):
    from afpanel.cli.main import main

    assert main(["verify-release", str(tools.release_of(by_commands))]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["vcf", "parquet", "zarr"]
    assert all(line.endswith(" 0 of them can be worked out") for line in said)
