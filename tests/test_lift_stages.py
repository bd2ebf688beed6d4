"""A cohort on another build, from its VCF to counts: what is kept has the figures that people have."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.builders import write_fasta
from tests.lifting import turned
from tests.two_builds import (
    PEOPLE,
    SOURCE,
    Chain,
    Figures,
    Files,
    Record,
    Stretch,
    TwoBuilds,
    Variant,
    chain_text,
    records_of,
    truth,
    two_builds,
    variant_of,
    write_files,
)

from afpanel.cli.main import main
from afpanel.core.counting import GenotypeFilter
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.store import Store
from afpanel.model.region import Region
from afpanel.stages.cell_counts import CELL_COUNTS, CELL_COUNTS_VERSION
from afpanel.stages.count import CountOptions, count
from afpanel.stages.harmonize import HarmonizeOptions, harmonize, is_kept
from afpanel.stages.ingest import Target, ingest
from afpanel.stages.lifter import Lifter, LiftPaths

Found = tuple[dict[Variant, Figures], Counter[str]]
NAMES = ("allele_count", "allele_number", "homozygote_count")


def run(
    folder: Path,
    files: Files,
    regions: Sequence[str],
    *,
    knows_source: bool = True,
    seed: int = 0,
    callable_bed: Path | None = None,
    **harmonizing: object,
) -> Found:
    """Ingest regions, harmonize their stores in any order, and count each."""
    folder.mkdir()
    parsed = [Region.parse(text) for text in regions]
    targets = [Target(each, folder / f"part.{i}.vcz.zip") for i, each in enumerate(parsed)]
    ingest(files.vcf, files.sheet, targets)
    stores = [target.path for target in targets]
    np.random.default_rng(seed).shuffle(stores)
    fasta = ReferencePaths.find(files.source) if knows_source else None
    alleles, summary, out = (folder / name for name in ("alleles.zip", "summary.json", "out.zip"))
    lifted = LiftPaths(files.chain, fasta, callable_bed, callable_bed and folder / "lifted.bed")
    options = HarmonizeOptions("Test", lift=lifted, **{"max_ref_mismatch": 1.0, **harmonizing})
    harmonize(stores, ReferencePaths.find(files.panel), alleles, summary, options)
    found: dict[Variant, Figures] = {}
    for store in stores:
        count(
            store, alleles, files.sheet, out, CountOptions("Test", "ZZ", "GRCh37", GenotypeFilter())
        )
        with Store(out, CELL_COUNTS, CELL_COUNTS_VERSION) as counts:
            contig = np.array(counts.texts("contig_id"))[counts.read("variant_contig")].tolist()
            sites = [counts.read(f"variant_{name}").tolist() for name in ("position", "ref", "alt")]
            figures = [counts.read(name).sum(axis=1).tolist() for name in NAMES]
        for variant, values in zip(
            zip(contig, *sites, strict=True), zip(*figures, strict=True), strict=True
        ):
            assert variant not in found
            found[variant] = values
    return found, Counter(json.loads(summary.read_text())["outcomes"])


WHOLE = list(SOURCE)


@pytest.fixture(scope="module", params=range(3))
def cohort(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TwoBuilds, list[tuple[str, Stretch, Record]], Files]:
    rng = np.random.default_rng(request.param)
    builds = two_builds(rng)
    records = records_of(rng, builds)
    files = write_files(tmp_path_factory.mktemp("cohort"), builds, [r for _, _, r in records])
    return builds, records, files


def test_every_locus_has_its_true_counts_or_a_reason_why_not(cohort, tmp_path: Path) -> None:
    builds, records, files = cohort
    expected: dict[Variant, Figures] = {}
    reasons: Counter[str] = Counter()
    n_alleles = n_new = 0
    for name, each, record in records:
        n = len(record[3])
        n_alleles += n
        if name in ("lost", "other"):
            reasons["unmapped"] += n
        elif name == "twice":
            reasons["lift_multiple"] += n
        elif each.kind == "words" and each.panel not in each.alleles:
            reasons["lift_ref_mismatch"] += n
        else:
            true = truth(builds, each, record[4])
            assert not true.keys() & expected.keys()
            expected |= true
            n_new += len(true) - n
    found, outcomes = run(tmp_path / "all", files, WHOLE)
    assert found == expected
    rejected = Counter({label: n for label, n in outcomes.items() if not is_kept(label)})
    assert rejected == reasons
    labels = Counter()
    for label, n in outcomes.items():
        labels[
            "new" if "new_reference" in label else "swapped" if "swapped" in label else "source"
        ] += n
    assert labels["source"] + labels["swapped"] == n_alleles
    assert labels["new"] == n_new
    assert min(labels.values()) >= 5, labels
    assert min(reasons.values()) >= 1


def cut(builds: TwoBuilds, size: int) -> list[str]:
    """Regions of the source's contigs of one size."""
    return [
        f"{contig}:{first}-{first + size - 1}"
        for contig, text in builds.source.items()
        for first in range(1, len(text) + 1, size)
    ]


def test_partitions_and_their_order_do_not_show(cohort, tmp_path: Path) -> None:
    builds, _, files = cohort
    expected = run(tmp_path / "whole", files, WHOLE)
    for size, seed in ((700, 1), (700, 2), (151, 3)):
        assert run(tmp_path / f"{size}.{seed}", files, cut(builds, size), seed=seed) == expected


def test_alleles_that_are_not_lifted_leave_the_others_of_their_record_alone(
    cohort, tmp_path: Path
) -> None:
    builds, records, files = cohort
    expected, before = run(tmp_path / "before", files, WHOLE)
    odd = Counter()
    changed: list[Record] = []
    for i, (_, each, (contig, position, ref, alts, calls)) in enumerate(records):
        changed.append((contig, position, ref, alts, calls))
        if each.kind in ("single", "several"):
            extra, label = (("*", "star"), ("<DEL>", "symbolic"))[i % 2]
            changed[-1] = (contig, position, ref, [*alts, extra], calls)
            odd[label] += 1
        # In a stretch that nobody varies in, some bases after the locus.
        at = each.start + len(each.source) + 4
        base = builds.source[contig][at]
        if i % 5 == 0:
            changed.append((contig, at + 1, base, ["N"], calls.clip(max=1)))
            odd["iupac"] += 1
        if i % 5 == 1:
            wrong = {"A": "CG", "C": "AT", "G": "AT", "T": "CG"}[base]
            changed.append((contig, at + 1, wrong, [base], calls.clip(max=1)))
            odd["ref_mismatch"] += 1
    changed_files = write_files(tmp_path, builds, changed)
    found, outcomes = run(tmp_path / "after", changed_files, WHOLE)
    assert found == expected
    assert outcomes == before + odd


def test_without_the_source_s_fasta_less_is_kept_and_that_is_true(cohort, tmp_path: Path) -> None:
    """Where the builds differ nobody can tell then what REF was."""
    builds, records, files = cohort
    with_it, _ = run(tmp_path / "with", files, WHOLE)
    found, outcomes = run(tmp_path / "without", files, WHOLE, knows_source=False)
    assert found.items() <= with_it.items()
    assert len(found) > 0.4 * len(with_it)
    n_source = sum(n for label, n in outcomes.items() if "new_reference" not in label)
    assert n_source == sum(len(record[3]) for _, _, record in records)
    same = {
        variant
        for name, each, record in records
        if each.source == each.panel and each.to is not None
        for variant in truth(builds, each, record[4])
    }
    assert same <= found.keys()
    # Of what is nowhere on the panel, or in two places, nothing is known.
    nowhere = sum(len(r[3]) for name, _, r in records if name in ("lost", "other", "twice"))
    assert outcomes["unmapped"] + outcomes["lift_multiple"] >= nowhere


def test_records_that_are_swapped_on_their_own_build_are_the_right_way_round_in_the_end(
    cohort, tmp_path: Path
) -> None:
    """Where the panel has the other base, they were so from the beginning."""
    builds, records, files = cohort
    expected, before = run(tmp_path / "before", files, WHOLE)
    changed: list[Record] = []
    labels = Counter(before)
    for i, (name, each, record) in enumerate(records):
        changed.append(record)
        if i % 2 or each.kind != "single":
            continue
        contig, position, ref, (alt,), calls = record
        changed[-1] = (contig, position, alt, [ref], np.where(calls < 0, calls, 1 - calls))
        if each.to is None:
            continue
        assert name not in ("lost", "other", "twice")
        if each.panel not in each.alleles:
            labels -= Counter(["lifted+new_reference", "lifted"])
            labels += Counter(["swapped+lifted+new_reference", "swapped+lifted"])
        else:
            ways = ("lifted", "swapped+lifted")
            was_same = each.panel == each.source
            labels -= Counter([ways[not was_same]])
            labels += Counter([ways[was_same]])
    found, outcomes = run(tmp_path / "after", write_files(tmp_path, builds, changed), WHOLE)
    assert found == expected
    assert outcomes == labels
    assert any(
        i % 2 == 0 and each.kind == "single" and each.to and each.panel == each.alleles[1]
        for i, (_, each, _) in enumerate(records)
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_without_the_source_s_fasta_bases_of_several_chains_are_unknown(
    tmp_path: Path, *, reverse: bool
) -> None:
    text = "".join(np.random.default_rng(6).choice(list("ACGT"), 400))
    fasta = ReferencePaths.find(write_fasta(tmp_path / "panel.fa", {"chr1": text}))
    first = Chain("1", "chr1", reverse, [(0, 0, 60), (70, 60, 30)])
    others = [Chain("1", "chr1", reverse, [(100, to, 100)]) for to in (100, 250)]
    builds = TwoBuilds({"1": "N" * 220}, {"chr1": text}, [first, *others], {})
    (tmp_path / "to.chain").write_text(chain_text(builds))
    there = turned(text) if reverse else text
    lifter = Lifter(LiftPaths(tmp_path / "to.chain"), Reference(fasta))
    expected = there[:60] + "N" * 10 + there[60:90] + "N" * 120
    assert lifter.sequence("chr1").tobytes().decode() == expected


def test_alleles_are_lifted_to_the_contigs_wanted_alone(cohort, tmp_path: Path) -> None:
    _, records, files = cohort
    everything, before = run(tmp_path / "all", files, WHOLE)
    found, outcomes = run(tmp_path / "one", files, WHOLE, contigs=("chr2",))
    assert found == {variant: n for variant, n in everything.items() if variant[0] == "chr2"}
    assert outcomes["lift_multiple"] == before["lift_multiple"]
    elsewhere = sum(len(r[3]) for _, each, r in records if each.to is None or each.to[0] != "chr2")
    assert outcomes["unmapped"] == elsewhere - before["lift_multiple"]


# ---------------------------------------------------------------------------------------------
# Regions


def lifted_bases(path: Path) -> set[tuple[str, int]]:
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return {(name, at) for name, a, b in lines for at in range(int(a), int(b))}


def test_lifted_regions_have_no_place_where_the_silent_are_not_like_the_panel(
    cohort, tmp_path: Path
) -> None:
    builds, _, files = cohort
    bed = tmp_path / "callable.bed"
    bed.write_text("".join(f"{name}\t0\t{len(text)}\n" for name, text in builds.source.items()))
    run(tmp_path / "all", files, WHOLE, callable_bed=bed)
    inside = lifted_bases(tmp_path / "all/lifted.bed")
    n_different = 0
    for each in builds.placed:
        # What someone without a record has there, on the panel.
        variant = variant_of(builds, each, each.source)
        if variant is not None:
            contig, position, ref, _ = variant
            ref_span = range(position - 1, position - 1 + len(ref))
            assert not all((contig, at) in inside for at in ref_span)
            n_different += 1
    assert n_different > 30
    assert len(inside) > 0.75 * sum(len(each.panel) for each in builds.placed)
    assert not any(contig == "chrX" for contig, _ in inside)


def test_where_two_contigs_lead_to_one_place_both_have_to_be_like_the_panel(tmp_path: Path) -> None:
    """The panel has one copy of what the source has on two contigs, and one of them differs."""
    rng = np.random.default_rng(5)
    text = "".join(rng.choice(list("ACGT"), 100))
    other = text[:50] + ("A" if text[50] != "A" else "C") + text[51:]
    builds = replace(
        two_builds(rng), source={"1": other, "2": text}, panel={"chr1": text}, parts={},
        chains=[Chain("1", "chr1", False, [(0, 0, 100)]), Chain("2", "chr1", False, [(0, 0, 100)])],
    )  # fmt: skip
    calls = np.zeros((PEOPLE, 2), int)
    files = write_files(
        tmp_path, builds, [("1", 10, text[9], ["A" if text[9] != "A" else "C"], calls)]
    )
    bed = tmp_path / "callable.bed"
    for names in (("1",), ("1", "2"), ("2", "1")):
        bed.write_text("".join(f"{name}\t0\t100\n" for name in names))
        folder = tmp_path / "".join(names)
        run(folder, files, ["1"], callable_bed=bed)
        assert lifted_bases(folder / "lifted.bed") == {
            ("chr1", at) for at in range(1, 99) if at != 50
        }


# ---------------------------------------------------------------------------------------------
# Refusals


MIXED_UP = {
    "a chain that leads back": (
        {"chain": "back"},
        "the panel's reference differs from the cohort's at",
    ),
    "the panel's FASTA for the source's": (
        {"source": "panel"},
        "REF differs from the reference at",
    ),
    "the source's for the panel's": (
        {"panel": "source"},
        "the panel's reference differs from the cohort's at",
    ),
}
"""Files that do not belong together, and what is said once their bases are looked at."""


def refusal(folder: Path, files: Files, capfd: pytest.CaptureFixture[str]) -> str:
    """What harmonize says when it refuses files, through the command."""
    targets = [Target(Region.parse(name), folder / f"{name}.vcz.zip") for name in WHOLE]
    ingest(files.vcf, files.sheet, targets)
    capfd.readouterr()
    arguments = [
        "-q", "harmonize", *(target.path for target in targets), "--cohort", "Test",
        "--reference", files.panel, "--chain", files.chain, "--source-reference", files.source,
        "--out", folder / "alleles.zip", "--summary", folder / "summary.json",
    ]  # fmt: skip
    assert main([*map(str, arguments)]) == 3
    assert not (folder / "alleles.zip").exists()
    assert not (folder / "summary.json").exists()
    message = capfd.readouterr().err
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("options", [options for options, _ in MIXED_UP.values()], ids=MIXED_UP)
def test_a_contig_longer_than_the_chain_file_s_tells_that_files_do_not_belong_together(
    cohort, tmp_path: Path, capfd: pytest.CaptureFixture[str], options: dict[str, str]
) -> None:
    _, _, files = cohort
    chosen = replace(files, **{name: getattr(files, other) for name, other in options.items()})
    message = refusal(tmp_path, chosen, capfd)
    assert re.search(r"has [\d,]+ bases, and [\d,]+ in the chain file", message), message


@pytest.mark.parametrize(("options", "said"), MIXED_UP.values(), ids=MIXED_UP)
def test_what_does_not_belong_together_is_refused_with_examples(
    cohort, tmp_path: Path, capfd: pytest.CaptureFixture[str], options: dict[str, str], said: str
) -> None:
    builds, records, files = cohort
    long, back = tmp_path / "to.chain", tmp_path / "back.chain"
    long.write_text(chain_text(builds, spare=10_000))
    back.write_text(chain_text(builds, back=True, spare=10_000))
    files = replace(files, chain=long, back=back)
    chosen = replace(files, **{name: getattr(files, other) for name, other in options.items()})
    message = refusal(tmp_path, chosen, capfd)
    assert "cohort Test" in message
    match = re.search(rf"{said} (\d+) of (\d+) .*records \(([\d.]+)%\)", message)
    assert match, message
    wrong, n, percent = (float(text) for text in match.groups())
    assert percent == pytest.approx(100 * wrong / n, abs=0.06)
    assert wrong > 0.25 * n
    assert n <= len(records)
    examples = message.split("found:")[1].split("remedy:")[0]
    assert 3 <= len(re.findall(r"\w+:\d+ REF [ACGT.]+", examples)) <= 10
