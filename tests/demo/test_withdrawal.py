"""People and cohorts that are withdrawn: the panel is the one that would have been built without them."""

import csv
import json
import os
import shutil
from pathlib import Path

import pysam
import pysam.bcftools
import pytest
from tests.builders import vcf_text as text_of
from tests.builders import write_cohorts, write_fasta, write_sheet, write_vcf
from tests.counts import run_stages

from afpanel.cli.main import main
from afpanel.model.region import Region

CORES = ("--cores", "2")
LEAVERS = {"jp": ("JPSYN00087", "JPSYN00049"), "vn": ("VNSYN00183",)}
"""Each of them alone carries some variant of the cohort."""

FILES = {"jp": "jp.bcf", "vn": "vn.vcf"}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Names of the files that are not the same."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def edit_sheet(folder: Path, country: str, *, include: bool | None) -> None:
    """Write a sheet of one's own in which the leavers are not included, or are not listed (None)."""
    source = folder / "demo/data" / f"{country}.samples.tsv"
    with source.open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    leavers = LEAVERS[country]
    assert set(leavers) <= {row["sample"] for row in rows if row.get("include", "yes") != "no"}
    written = []
    for row in rows:
        gone = row["sample"] in leavers
        if gone and include is None:
            continue
        label = "no" if gone and include is False else row.get("include", "yes")
        written.append((row["sample"], row["population"], row["sex"], label))
    write_sheet(folder / f"config/{country}.samples.tsv", written, include=True)


def change_table(folder: Path, changes: dict[str, str]) -> None:
    """Replace text in the cohorts table."""
    table = folder / "config/cohorts.tsv"
    text = table.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    table.write_text(text)


OWN_SHEETS = {f"demo/data/{c}.samples.tsv": f"config/{c}.samples.tsv" for c in LEAVERS}


@pytest.fixture(scope="session")
def withdrawn(once, demo_folder, snakemake, tools):
    """The demonstration by the workflow, and run again after three people withdrew."""

    def build(folder):
        demo_folder(folder)
        change_table(folder, OWN_SHEETS)
        for country in LEAVERS:
            edit_sheet(folder, country, include=True)
        snakemake(folder, *CORES)
        (folder / "before").mkdir()
        tools.release_of(folder).rename(folder / "before/release")
        for country in LEAVERS:
            edit_sheet(folder, country, include=False)
        done = snakemake(folder, *CORES)
        (folder / "said").write_text(done.stdout + done.stderr)

    return once("withdrawn", build)


@pytest.fixture(scope="session")
def never_listed(once, demo_folder, tools):
    """A fresh build whose sheets never had the three people."""

    def build(folder):
        demo_folder(folder)
        change_table(folder, OWN_SHEETS)
        for country in LEAVERS:
            edit_sheet(folder, country, include=None)
        tools.build(folder)

    return once("never-listed", build)


def test_a_release_without_three_people_is_the_one_of_sheets_that_never_had_them(
    withdrawn, never_listed, tools
):
    """All files, the manifest too: it says nothing of who is withdrawn."""
    assert differing(tools.bytes_of(withdrawn), tools.bytes_of(never_listed)) == []


def test_it_is_also_the_one_of_files_without_their_columns(
    never_listed, demo_folder, tools, tmp_path
):
    folder = demo_folder(tmp_path / "trimmed")
    paths = {}
    for country, name in FILES.items():
        source, target = folder / "demo/data" / name, folder / "config" / name
        kind = "-Ob" if name.endswith("bcf") else "-Ov"
        pysam.bcftools.view(
            "--no-version", "--no-update", kind, "-s", "^" + ",".join(LEAVERS[country]),
            "-o", str(target), str(source), catch_stdout=False,
        )  # fmt: skip
        if name.endswith("bcf"):
            pysam.bcftools.index(str(target), catch_stdout=False)
        with pysam.VariantFile(str(target)) as trimmed:
            assert not set(trimmed.header.samples) & set(LEAVERS[country])
        paths[f"demo/data/{name}"] = f"config/{name}"
        edit_sheet(folder, country, include=None)
    change_table(folder, OWN_SHEETS | paths)
    tools.build(folder)
    assert differing(tools.bytes_of(folder), tools.bytes_of(never_listed)) == []


def test_what_a_withdrawn_person_alone_carried_stays_as_a_row_without_copies(
    withdrawn, open_panel, root, tools
):
    """The record is still in the cohort's file; nobody who is counted carries ALT."""
    with pysam.VariantFile(str(root / "demo/data/jp.bcf")) as records:
        alone = {
            (record.contig, record.pos, record.ref, record.alts[0])
            for record in records
            if len(record.alts) == 1
            and {n for n, s in record.samples.items() if any(s["GT"])} == {"JPSYN00087"}
        }
    after = tools.read(withdrawn)
    jp, total = after.groups.index("JP"), after.groups.index("total")
    rows = [after.row[variant] for variant in alone if variant in after.row]
    assert len(rows) > 3
    assert (after.allele_count[rows, jp] == 0).all()
    assert (after.state[rows, jp] == 2).all()
    own = [row for row in rows if after.allele_count[row, total] == 0]
    assert own
    gone = {variant for variant in alone if variant not in after.row}
    assert gone <= set(open_panel.variants)  # masked elsewhere, and so dropped by the gate


def test_a_withdrawal_reads_no_file_again(withdrawn):
    said = (withdrawn / "said").read_text()
    jobs = {line.split()[0]: int(line.split()[1]) for line in said.splitlines()
            if len(line.split()) == 2 and line.split()[1].isdigit()}  # fmt: skip
    assert not [name for name in jobs if name.startswith("ingest")]
    assert jobs["harmonize"] == 2
    assert jobs["publish"] == 1


def test_an_older_sheet_that_is_put_back_is_noticed(withdrawn, snakemake):
    """Its time of change lies before that of everything that was made from the later one."""
    sheet = withdrawn / "config/jp.samples.tsv"
    text, when = sheet.read_text(), sheet.stat().st_mtime
    try:
        sheet.write_text(text.replace("JPSYN00008\tJPT\tXX\tyes", "JPSYN00008\tJPT\tXX\tno"))
        os.utime(sheet, (when - 86_400, when - 86_400))
        done = snakemake(withdrawn, *CORES, "--dry-run")
    finally:
        sheet.write_text(text)
        os.utime(sheet, (when, when))
    assert "harmonize" in done.stdout
    assert "count" in done.stdout
    assert "rule ingest:" not in done.stdout


def without_cohort(folder: Path, name: str) -> None:
    table = folder / "config/cohorts.tsv"
    lines = table.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{name}\t")]
    assert len(kept) == len(lines) - 1
    table.write_text("".join(kept))


def test_a_cohort_taken_out_of_the_table_leaves_nothing_in_the_release(
    withdrawn, demo_folder, snakemake, tools, tmp_path
):
    folder, fresh = tmp_path / "in-place", demo_folder(tmp_path / "fresh")
    shutil.copytree(withdrawn, folder, symlinks=True)
    without_cohort(folder, "VN-demo")
    shutil.copytree(folder / "config", fresh / "config", dirs_exist_ok=True)
    done = snakemake(folder, *CORES)
    tools.build(fresh)
    assert differing(tools.bytes_of(folder), tools.bytes_of(fresh)) == []
    groups = tools.read(folder).groups
    assert "TH" in groups
    assert not [group for group in groups if group.startswith("VN")]
    assert b"VN-demo" not in tools.bytes_of(folder)["harmonization.tsv"]
    manifest = json.loads(tools.bytes_of(folder)["manifest.json"])
    assert [each["cohort"] for each in manifest["cohorts"]] == ["ID-demo", "JP-demo", "TH-demo"]
    # Its genotypes are still there, and the run says so.
    assert (folder / "results/private/VN-demo/genotypes").is_dir()
    said = done.stdout + done.stderr
    assert "private/VN-demo, which is of no cohort of the panel" in said
    assert "private/JP-demo" not in said[: said.index("of no cohort")]


def test_a_contig_that_only_a_withdrawn_cohort_had_leaves_the_release(tmp_path, snakemake):
    bases = {"chr1": "GATTACAGGCATCCTGACGT" * 3, "chr2": "CCGTAGATCGGCTAAGTTCA" * 3}
    write_fasta(tmp_path / "ref.fa", bases)
    shared, own = ("chr1", 3, "T", "C", "0/1", "0/0"), ("chr2", 4, "T", "G", "0/1", "1/1")
    rows = []
    for name, country, records in (("A", "VN", [shared]), ("B", "TH", [shared, own])):
        samples = [f"{name}1", f"{name}2"]
        text = text_of(samples, records, contigs=bases)
        vcf = write_vcf(tmp_path / f"{name}.vcf.gz", text)
        sheet = write_sheet(tmp_path / f"{name}.tsv", [(s, "P", "XX") for s in samples])
        rows.append({"cohort": name, "country": country, "path": vcf, "samples": sheet})
    (tmp_path / "policy.yaml").write_text("min_group_size: 0\nmin_allele_count: 0\n")
    (tmp_path / "config.yaml").write_text(
        'panel: {name: tiny, version: "1"}\nreference: {build: GRCh38, fasta: ref.fa}\n'
        "cohorts: cohorts.tsv\ndisclosure: {policy: policy.yaml}\n"
    )
    release = tmp_path / "results/release/tiny-1"

    def contigs() -> list[str]:
        write_cohorts(tmp_path / "cohorts.tsv", rows)
        snakemake(tmp_path, *CORES, "--configfile", "config.yaml")
        with pysam.VariantFile(str(release / "tiny-1.vcf.gz")) as vcf:
            named, found = list(vcf.header.contigs), {record.contig for record in vcf}
        assert found == set(named)
        parts = sorted(path.name for path in (release / "tiny-1.parquet").iterdir())
        assert parts == [f"contig={name}" for name in named]
        manifest = json.loads((release / "manifest.json").read_text())
        listed = {file["path"] for file in manifest["files"]} | {"manifest.json"}
        there = [path for path in release.rglob("*") if path.is_file()]
        assert {path.relative_to(release).as_posix() for path in there} == listed
        return named

    assert contigs() == ["chr1", "chr2"]
    del rows[1]
    assert contigs() == ["chr1"]


# The deletion of a T from TTTTTT at 7-12, where it begins and as if it began at 10.
FIRST, LATER = ("chr1", 6, "GT", "G"), ("chr1", 9, "TT", "T")


@pytest.mark.parametrize(
    ("first", "later", "leaver", "figures", "outcomes"),
    [
        # All three make it the same statement twice; without the second, a carrier has two halves.
        (("0/1", "0/1", "0/0"), ("0/1", "0/1", "0/0"), 1, (2, 4, 1, 0), "left_aligned+merged"),
        # Three copies of somebody contradict each other; without him the carriers add up.
        (("0/1", "1/1", "0/0"), ("0/0", "0/1", "0/1"), 1, (2, 4, 0, 0), "left_aligned+merged"),
        # Somebody has three copies, and the first record speaks for the variant by the leaver's call.
        (("1/1", "0/0", "./."), ("0/1", "./.", "0/1"), 1, (2, 4, 0, 0), "duplicate"),
    ],
)
def test_who_is_withdrawn_does_not_tell_what_two_records_of_a_variant_are(
    tmp_path, first, later, leaver, figures, outcomes
):
    """Not included, or not listed: the counts are the same, and so is the account of the alleles."""
    fasta = write_fasta(tmp_path / "ref.fa", {"chr1": "ACGTCGTTTTTTCAGCATGCA"})
    people = [f"P{i}" for i in range(3)]
    vcf = write_vcf(tmp_path / "a.vcf", text_of(people, [(*FIRST, *first), (*LATER, *later)]))
    results = []
    for way in ("not included", "not listed"):
        folder = tmp_path / way
        folder.mkdir()
        rows = [(p, "P", "XX", "no" if i == leaver else "yes") for i, p in enumerate(people)]
        listed = [row for row in rows if way == "not included" or row[3] == "yes"]
        sheet = write_sheet(folder / "sheet.tsv", listed, include=True)
        results.append(run_stages(vcf, sheet, fasta, [Region.parse("chr1")], folder))
    for found in results:
        assert [int(found.figures[name][0, 0]) for name in found.figures] == list(figures)
        assert outcomes in found.outcomes
    assert results[0].outcomes == results[1].outcomes


def test_what_a_withdrawal_changes_is_what_a_comparison_of_the_releases_says(
    withdrawn, tools, tmp_path, capsys
):
    before, after = withdrawn / "before/release", tools.release_of(withdrawn)
    assert main(["diff", str(before), str(after), "--out", str(tmp_path / "changes")]) == 0
    said = capsys.readouterr().out
    assert "groups whose number of people changed by fewer than 10: total by 3, JP by 2" in said
    with (tmp_path / "changes/groups.tsv").open() as lines:
        groups = {row["group"]: row for row in csv.DictReader(lines, delimiter="\t")}
    leavers = {"total": 3, "JP": 2, "VN": 1, "ID": 0, "TH": 0}
    for group, n in leavers.items():
        row = groups[group]
        assert int(row["old_people"]) - int(row["new_people"]) == n
        if n == 0:
            # Cells of others may be masked in one release alone; what both show of them is the same.
            assert int(row["small_changes"]) == 0
            assert int(row["changed"]) < int(row["cells"]) // 100
        # Nobody's leaving changes AC by more than the copies that so few people have.
        assert int(row["small_changes"]) <= int(row["changed"])
    for group in ("total", "JP", "VN"):
        assert int(groups[group]["small_changes"]) > 100
    with (tmp_path / "changes/variants_in.tsv").open() as lines:
        came = list(csv.DictReader(lines, delimiter="\t"))
    # Who left were the few whom the gate had dropped these rows for.
    assert {row["filter"] for row in came} == {"AC0"}
    assert f"AC0 of the new ones: {len(came)}" in said
    with (tmp_path / "changes/manifest.tsv").open() as lines:
        keys = {row["key"].split(".")[0] for row in csv.DictReader(lines, delimiter="\t")}
    assert keys <= {"decision", "risk"}
