"""Modules that the documentation names are there, and formats have the versions that it gives."""

import re
from collections import Counter
from pathlib import Path

import pytest
from tests.docs.test_links import PAGES

from afpanel.cli.main import COMMANDS
from afpanel.io.panel_store import PANEL_VERSION
from afpanel.io.release_zarr import RELEASE_VERSION
from afpanel.stages.allele_map import ALLELES_VERSION
from afpanel.stages.cell_counts import CELL_COUNTS_VERSION
from afpanel.stages.contribution import CONTRIBUTION_VERSION
from afpanel.stages.fingerprint import PLAN_VERSION
from afpanel.stages.genotype_stores import GENOTYPES_VERSION
from afpanel.stages.linkage_summary import SUMMARY_VERSION
from afpanel.stages.publish import MANIFEST_VERSION
from afpanel.stages.risk_outputs import RISK_VERSION

ROOT = Path(__file__).parents[2]

VERSIONS = {
    "genotype store": GENOTYPES_VERSION,
    "allele map": ALLELES_VERSION,
    "counts": CELL_COUNTS_VERSION,
    "contribution": CONTRIBUTION_VERSION,
    "what was received": CELL_COUNTS_VERSION,
    "panel": PANEL_VERSION,
    "linkage summary": SUMMARY_VERSION,
    "membership risk": RISK_VERSION,
    "plan": PLAN_VERSION,
    "release Zarr": RELEASE_VERSION,
    "manifest.json": MANIFEST_VERSION,
}
"""Files of formats.md that have a version, by the name that it gives them."""

_MODULE = re.compile(r"`((?:cli|core|io|model|stages|workflow)/[\w/.]+\.(?:py|yaml|smk))\b[^`]*`")


def versions_told() -> dict[str, int]:
    rows = re.findall(
        r"^\| \[([^\]]+)\]\([^)]*\) \|[^|]*\| ([^|]*) \|",
        (ROOT / "docs/formats.md").read_text(),
        re.MULTILINE,
    )
    told = {name: re.search(r", (\d+)$", version) for name, version in rows}
    return {name: int(found[1]) for name, found in told.items() if found}


def test_the_list_of_formats_gives_the_versions_that_are_written():
    assert versions_told() == VERSIONS


@pytest.mark.parametrize(
    ("page", "name", "version"),
    [
        ("docs/formats.md", "manifest_version", MANIFEST_VERSION),
        ("docs/contribution-format.md", "contribution", CONTRIBUTION_VERSION),
    ],
)
def test_pages_of_formats_give_the_version_that_is_written(page, name, version):
    text = (ROOT / page).read_text()
    if name == "contribution":
        history = text.partition("## Versions")[2]
        assert max(map(int, re.findall(r"^\| (\d+) \|", history, re.MULTILINE))) == version
    else:
        assert f"| `{name}` | {version} |" in text


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_module_that_a_page_names_is_there(page):
    named = set(_MODULE.findall((ROOT / page).read_text()))
    missing = {
        name
        for name in named
        if not (ROOT / name).exists() and not (ROOT / "src/afpanel" / name).exists()
    }
    assert missing == set()


def test_the_table_of_modules_has_each_once():
    """Of a row in which a module has no folder it is that of the one before; commands are not listed."""
    text = (ROOT / "docs/architecture.md").read_text()
    listed: Counter[str] = Counter()
    for row in re.findall(r"^\| (`.+?) \|", text.partition("## Modules")[2], re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([\w/]+)`", row):
            folder = name.rpartition("/")[0] or folder
            listed[f"{folder}/{name.rpartition('/')[2]}".lstrip("/")] += 1
    source = ROOT / "src/afpanel"
    modules = {str(path.relative_to(source).with_suffix("")) for path in source.rglob("*.py")}
    commands = {f"cli/{name.replace('-', '_')}" for name in COMMANDS}
    there = {name for name in modules - commands if not name.rpartition("/")[2].startswith("__")}
    assert listed == Counter(there)


def test_the_page_on_adding_things_names_modules_and_what_is_in_them():
    text = (ROOT / "docs/adding.md").read_text()
    assert len(set(_MODULE.findall(text))) > 25
    for name, module in {
        "PopulationGenetics": "stages/popgen_results.py",
        "tables_of": "stages/popgen_tables.py",
        "COUNTS": "model/arrays.py",
        "Source": "io/records.py",
        "RecordBlock": "io/records.py",
        "SitesSource": "io/sites_form.py",
        "ReleaseWriter": "io/release.py",
        "FORMATS": "stages/publish_formats.py",
    }.items():
        assert f"`{name}`" in text
        source = (ROOT / "src/afpanel" / module).read_text()
        assert re.search(rf"^(?:class |def )?{name}\b", source, re.MULTILINE), name
