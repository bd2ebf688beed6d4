"""Every recipe of docs/recipes.md, run as it stands, gives the panel's figures: missing where they are, not 0.

The oracle is the store that the gate wrote, from which the release was made.
"""

import random
import re
import shlex
import shutil
import subprocess

import duckdb
import numpy as np
import pysam
import pysam.bcftools
import pytest
from tests.published_files import release, simulate

from afpanel.constants import State
from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.stages.gate import gate

GROUP = "AA"
"""A group of the panel, in the place of the one that the recipes name."""

TOOLS = ("pysam", "cyvcf2", "DuckDB", "Polars", "pandas", "scikit-allel", "xarray and zarr", "afpanel")  # fmt: skip


@pytest.fixture(scope="module")
def sections(root):
    """The code of each recipe: the language, and the text."""
    found = {}
    for part in re.split(r"^## ", (root / "docs/recipes.md").read_text(), flags=re.MULTILINE)[1:]:
        title = part.split("\n", 1)[0]
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
        found[title] = [(lang, re.sub(r"(?<![A-Z])VN\b", GROUP, text)) for lang, text in blocks]
    return found


@pytest.fixture(scope="module")
def folder(once):
    """A gated and published panel of 1,000 sites, the files of which have the names that the recipes give them."""

    def fill(folder):
        panels = simulate(folder / "merged", 800)
        (folder / "policy.yaml").write_text("min_group_size: 50\nmin_allele_count: 11\n")
        gate(panels, folder / "policy.yaml", folder / "gated", folder / "decision.json")
        gated = [folder / "gated" / path.name for path in panels]
        formats = ("vcf", "parquet", "zarr", "vcf-slim")
        release(gated, folder / "decision.json", folder / "release", formats=formats)
        for path in (folder / "release").glob("p-1*"):
            path.rename(folder / f"panel{path.name.removeprefix('p-1')}")
        write_mine(folder / "mine.vcf.gz", chosen_of(figures_of(folder)))

    return once("recipes", fill)


def figures_of(folder) -> dict:
    """AC, AN, AF and state in the group, by variant; None is missing."""
    figures = {}
    for path in sorted((folder / "gated").glob("*.zarr.zip")):
        head = read_head(path)
        g = head.groups.index(GROUP)
        for variants, counts in read_panel_blocks(path):
            alleles = (variants.ref.objects(), variants.alt.objects())
            names = zip(variants.position.tolist(), *alleles, strict=True)
            tables = (counts.allele_count, counts.allele_number, counts.state)
            for name, ac, an, state in zip(names, *(t[:, g].tolist() for t in tables), strict=True):
                af = None if ac < 0 or an <= 0 else float(np.float32(ac / an))
                shown = (None if value < 0 else value for value in (ac, an))
                figures[head.contig, *name] = (*shown, af, state)
    return figures


def chosen_of(figures: dict) -> list:
    return sorted(random.Random(9).sample(sorted(figures), 1000))


def write_mine(path, chosen: list) -> None:
    """A file of one's own, of one person, with some variants of the panel."""
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr21>", "##contig=<ID=chrX>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme")
    lines += ["\t".join([c, str(p), ".", r, a, ".\t.\t.\tGT\t0/1"]) for c, p, r, a in chosen]
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


@pytest.fixture(scope="module")
def expected(folder):
    return figures_of(folder)


@pytest.fixture(scope="module")
def mine(expected):
    """The 1,000 variants and their figures, positions of several alleles and masked cells among them."""
    chosen = chosen_of(expected)
    positions = [variant[:2] for variant in chosen]
    assert len(positions) - len(set(positions)) > 50
    assert [expected[variant][3] for variant in chosen].count(State.MASKED) > 50
    return {variant: expected[variant][:3] for variant in chosen}


def run_bcftools(line: str) -> None:
    program, command, *arguments = shlex.split(line)
    assert program == "bcftools"
    getattr(pysam.bcftools, command)(*arguments, catch_stdout=False)


def annotated(path) -> dict:
    found = {}
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            values = [record.info.get(f"{key}_{GROUP}") for key in ("AC", "AN", "AF")]
            values = [value[0] if isinstance(value, tuple) else value for value in values]
            found[record.contig, record.pos, record.ref, record.alts[0]] = tuple(values)
    return found


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.filterwarnings("ignore:.*Pyarrow will become a required dependency:DeprecationWarning")
def test_a_recipe_in_python_gives_the_figures_of_the_panel(
    tool, sections, folder, mine, monkeypatch
):
    monkeypatch.chdir(folder)
    names = {}
    for language, text in (*sections["Python: the variants to look up"], *sections[tool]):
        assert language == "python"
        exec(text, names)
    assert {variant: tuple(values) for variant, values in names["found"].items()} == mine


def test_bcftools_annotates_with_the_figures_of_the_panel(sections, folder, mine, monkeypatch):
    monkeypatch.chdir(folder)
    (_, annotate), (_, to_bcf) = sections["bcftools"]
    run_bcftools(annotate)
    # A masked AN is written as missing, or not at all; both are read as None.
    assert annotated("annotated.bcf") == mine
    for line in to_bcf.splitlines():
        run_bcftools(line)
    of_bcf = annotated("panel.bcf")
    assert {variant: of_bcf[variant] for variant in mine} == mine


def test_vcfanno_annotates_with_the_figures_of_the_panel(sections, folder, mine, monkeypatch):
    if shutil.which("vcfanno") is None:
        pytest.skip("vcfanno is not installed: apt-get install vcfanno")
    monkeypatch.chdir(folder)
    (_, prepare), (_, settings), (_, command) = sections["vcfanno"]
    for line in prepare.splitlines():
        if line.startswith("bcftools"):
            run_bcftools(line)
        else:
            subprocess.run(["bash", "-c", line], check=True, capture_output=True)
    (folder / "panel.toml").write_text(settings)
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    # Figures are text there: null is a dot.
    found = {}
    for line in (folder / "annotated.vcf").read_text().splitlines():
        if not line.startswith("#"):
            contig, pos, _, ref, alt, _, _, info, *_ = line.split("\t")
            said = dict(pair.split("=") for pair in info.split(";"))
            texts = [said[f"{key}_{GROUP}"] for key in ("AC", "AN", "AF")]
            ac, an, af = (None if text == "." else float(text) for text in texts)
            af = None if af is None else float(np.float32(af))
            found[contig, int(pos), ref, alt] = (ac, an, af)
    assert found == mine


def test_a_table_of_bcftools_has_the_counts_of_the_panel(
    sections, folder, mine, expected, monkeypatch
):
    monkeypatch.chdir(folder)
    run_bcftools(sections["Tables, and R's data.table"][0][1])
    found = {}
    for line in (folder / "panel.tsv").read_text().splitlines():
        contig, pos, ref, alt, *counts = line.split("\t")
        found[contig, int(pos), ref, alt] = tuple(None if n == "." else int(n) for n in counts)
    assert found == {variant: figures[:2] for variant, figures in expected.items()}


def test_identifiers_of_parquet_are_those_of_the_vcf(sections, folder, monkeypatch):
    """Oracle: bcftools, for the VCF's."""
    ((_, query),) = sections["Identifiers"]
    monkeypatch.chdir(folder)
    text = pysam.bcftools.query("-f", "%ID\t%AC\t%AN\n", "panel.vcf.gz")
    expected = [line.split("\t") for line in text.splitlines()]
    found = duckdb.connect().execute(query).fetchall()
    shown = [["." if value is None else str(value) for value in row] for row in found]
    assert sorted(shown) == sorted(expected)


def test_what_is_not_tested_says_so(root, sections):
    text = (root / "docs/recipes.md").read_text()
    untested = {
        part.split("\n", 1)[0] for part in text.split("\n## ")[1:] if "**Not tested.**" in part
    }
    tested = {"bcftools", "vcfanno", "Identifiers", "Python: the variants to look up", *TOOLS}
    assert untested | tested | {"Tables, and R's data.table"} == set(sections)
    assert not untested & tested
