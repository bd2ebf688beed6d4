"""A simulated panel of two contigs in front of the gate, and releases written from what passes it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from afpanel.constants import State
from afpanel.core.group_counts import GROUP_TABLES, GroupCounts
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.io.panel_store import (
    PanelHead,
    create_panel,
    read_heads,
    write_panel_block,
)
from afpanel.io.release import ReleaseHead
from afpanel.stages.publish_formats import write_formats

POPULATIONS = {"AA_P": 60, "AA_Q": 80, "BB_P": 70, "CC_P": 60, "CC_Q": 60, "CC_R": 60, "DD_P": 90}
LENGTHS = {"chr21": 46_709_983, "chrX": 156_040_895}
FIRST_OF_X = 5_000_000  # outside the pseudoautosomal regions


def simulate(folder: Path, sites: int, seed: int = 5) -> list[Path]:
    """Write the panel of each contig; sites have one to three alleles of all frequencies."""
    rng = np.random.default_rng(seed)
    member = np.repeat(list(POPULATIONS), list(POPULATIONS.values()))
    sex = rng.choice(["XX", "XY"], len(member))
    countries = sorted({name[:2] for name in POPULATIONS})
    groups = ["total"]
    for country in countries:
        groups += [country, *(name for name in POPULATIONS if name.startswith(country))]
    groups += ["XX", "XY"]
    holds = np.array(
        [
            [group in ("total", place, place[:2], s) for place, s in zip(member, sex, strict=True)]
            for group in groups
        ]
    )
    by_sex = [
        [int((holds[g] & (sex == s)).sum()) for s in ("XX", "XY")] + [0] for g in range(len(groups))
    ]
    paths = []
    for contig, length in LENGTHS.items():
        head = PanelHead(contig, length, groups, by_sex)
        paths.append(folder / f"{contig}.zarr.zip")
        variants, counts = _counted(rng, sites, holds, sex == "XY", contig == "chrX", member)
        with create_panel(paths[-1], head) as writer:
            write_panel_block(writer, variants, counts)
    return paths


def _counted(rng, sites, holds, is_xy, on_x, member) -> tuple[Variants, GroupCounts]:
    labels = list(POPULATIONS)
    of_person = np.array([labels.index(each) for each in member])
    rows, positions, alts = [], [], []
    haploid = is_xy & on_x
    second = ~haploid
    for site in range(sites):
        alleles = int(rng.choice([1, 2, 3], p=[0.8, 0.15, 0.05]))
        common = 10 ** rng.uniform(-3, -0.05, alleles)
        share = common[:, None] * rng.uniform(0, 2, (alleles, len(labels)))
        share = share / np.maximum(1, share.sum(axis=0))
        steps = np.cumsum(share, axis=0)[:, of_person]
        draws = rng.random((2, len(member)))
        calls = 1 + (draws[:, None] >= steps[None]).sum(axis=1)  # alleles + 1 is REF
        for allele in range(1, alleles + 1):
            first, other = calls[0] == allele, (calls[1] == allele) & second
            both = first & other
            table = {
                "allele_count": first.astype(int) + other,
                "allele_number": 1 + second.astype(int),
                "homozygote_count": both,
                "hemizygote_count": first & haploid,
                "single_allele_count": first & haploid,
                "single_allele_number": haploid,
            }
            rows.append([holds @ np.asarray(table[name], np.int32) for name in GROUP_TABLES])
            positions.append((FIRST_OF_X if on_x else 1000) + 10 * site)
            alts.append("CGT"[allele - 1])
    stacked = np.array(rows, np.int32)
    tables = {name: stacked[:, i].copy() for i, name in enumerate(GROUP_TABLES)}
    raw = {f"raw_{name}": tables[name][:, 0].copy() for name in ("allele_count", "allele_number")}
    state = np.full(tables["allele_count"].shape, State.OBSERVED, np.int8)
    variants = Variants(
        np.array(positions, np.int32), Strings.of(["A"] * len(alts)), Strings.of(alts)
    )
    return variants, GroupCounts(**tables, state=state, **raw)


def release(
    panels: Sequence[Path],
    decision: Path,
    out: Path,
    build: str = "GRCh38",
    formats: Sequence[str] = ("vcf", "parquet", "zarr"),
) -> Path:
    """Write a release of what passed the gate, with as much of a manifest as the verifier reads."""
    heads = read_heads(panels)
    contigs = {head.contig: head.contig_length for head in heads}
    head = ReleaseHead("p", "1", build, contigs, heads[0].groups, heads[0].people_by_sex)
    out.mkdir(parents=True)
    write_formats(out / "p-1", head, panels, formats)
    said = json.loads(decision.read_text())
    manifest = {
        "panel": {"name": "p", "version": "1"},
        "reference": {"build": build, "contigs": [{"name": name} for name in contigs]},
        "groups": said["groups"],
        "policy": said["policy"],
        "decision": {"withheld_groups": said["withheld_groups"]},
    }
    (out / "manifest.json").write_text(json.dumps(manifest))
    return out
