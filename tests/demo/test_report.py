"""The report of the demonstration's release: what is on the page, and that its figures are the release's."""

import itertools
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from pysam import bcftools

from afpanel.cli.main import main

FIGURES = {
    "people", "harmonization", "rejected", "states", "call_rate", "sfs", "kinds", "ti_tv", "indels",
    "heterozygosity", "fst", "fst_populations", "pca", "discordance", "worst_variants", "masking",
    "masking_cost", "risk",
}  # fmt: skip
"""What the report is to show, of a release without an earlier one."""

VOID = {"meta", "rect", "line", "path", "br"}


class Page(HTMLParser):
    """Goes through a page: its elements, and what is within each figure."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.figures, self.open = [], {}, []
        self.figure = None
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes, list(self.open)))
        if tag == "figure":
            self.figure = SimpleNamespace(text={}, links=[], images=[])
            self.figures[attributes["id"]] = self.figure
        if self.figure is not None:
            if tag == "a":
                self.figure.links.append(attributes)
            if attributes.get("role") == "img":
                self.figure.images.append(attributes)
        if tag not in VOID or (
            tag in ("path", "rect") and not self.get_starttag_text().endswith("/>")
        ):
            self.open.append((tag, attributes.get("id")))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, self.getpos()
        if tag == "figure":
            self.figure = None

    def handle_data(self, data):
        if self.figure is not None:
            for tag, name in self.open:
                for key in {tag, name}:
                    self.figure.text[key] = self.figure.text.get(key, "") + data


@pytest.fixture(scope="module")
def release(by_commands, tools):
    return tools.release_of(by_commands)


@pytest.fixture(scope="module")
def page(release):
    return Page((release / "report.html").read_text())


@pytest.fixture(scope="module")
def tables(page):
    """The table of each figure, as rows by the names of their columns."""
    found = {}
    for name, figure in page.figures.items():
        lines = [line.split("\t") for line in table_of(figure).splitlines()]
        found[name] = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    return found


def table_of(figure):
    (link,) = figure.links
    kind, _, text = link["href"].partition(",")
    assert kind == "data:text/tab-separated-values;charset=utf-8"
    assert link["download"].endswith(".tsv")
    return unquote(text)


@pytest.fixture(scope="module")
def manifest(release):
    return json.loads((release / "manifest.json").read_text())


@pytest.fixture(scope="module")
def vcf(release):
    return release / "demo-2026.1.vcf.gz"


# The page.


def test_every_figure_has_a_title_a_caption_a_warning_sign_a_text_and_a_table(page):
    assert set(page.figures) == FIGURES
    for name, figure in page.figures.items():
        assert len(figure.text["h3"]) > 10, name
        assert "Warning sign:" in figure.text["figcaption"]
        assert len(figure.text["figcaption"]) > 150
        (image,) = figure.images
        if "aria-label" in image:  # there is nothing to draw, and it says why
            assert len(image["aria-label"]) > 20
        else:
            title, description = image["aria-labelledby"].split()
            assert figure.text[title] == figure.text["h3"]
            assert len(figure.text[description]) > 20, name
        assert table_of(figure).count("\t") >= 1


def test_headings_are_in_order_and_there_is_one_of_the_first(page):
    levels = [int(tag[1]) for tag, *_ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    main_levels = levels[levels.index(1) :]
    assert all(b <= a + 1 for a, b in itertools.pairwise(main_levels))


def test_names_are_unique_and_links_lead_somewhere(page):
    names = Counter(attributes["id"] for _, attributes, _ in page.elements if "id" in attributes)
    assert set(names.values()) == {1}
    inner = [
        a["href"][1:] for tag, a, _ in page.elements if tag == "a" and a["href"].startswith("#")
    ]
    assert len(inner) > 10
    assert set(inner) <= set(names)
    for _, attributes, _ in page.elements:
        assert set(attributes.get("aria-labelledby", "").split()) <= set(names)


def test_tables_have_headers_captions_and_a_box_to_scroll_in(page):
    tables = [around for tag, _, around in page.elements if tag == "table"]
    assert len(tables) > 10
    assert all(around[-1][0] == "div" for around in tables)
    scopes = [a.get("scope") for tag, a, _ in page.elements if tag == "th"]
    assert set(scopes) == {"col", "row"}
    assert sum(tag == "caption" for tag, *_ in page.elements) == len(tables)
    boxes = [a for tag, a, _ in page.elements if tag == "div" and a.get("class") == "scroll"]
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in boxes)


def test_the_page_says_its_language_and_can_be_skipped_into(page):
    kinds = {tag: attributes for tag, attributes, _ in reversed(page.elements)}
    assert kinds["html"]["lang"] == "en"
    first = next(a for tag, a, _ in page.elements if tag == "a")
    assert (first["class"], first["href"]) == ("skip", "#overview")
    assert {"main", "nav", "header", "footer"} <= set(kinds)


def test_nothing_runs_and_nothing_is_loaded(release, page):
    tags = {tag for tag, *_ in page.elements}
    assert not tags & {"script", "img", "link", "iframe", "image", "use", "object", "form", "input"}
    for _, attributes, _ in page.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "srcset")
        ]
    text = (release / "report.html").read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text


def test_the_first_screen_answers_what_a_lead_asks(release):
    _, _, body = (release / "report.html").read_text().partition("<main>")
    first, _, _ = re.sub("<[^>]+>", " ", body).partition("What was asked and decided")
    questions = (
        "Is this panel sound?",
        "What is in it?",
        "What was withheld, and why?",
        "What is the risk?",
    )
    assert [question for question in questions if question not in first] == []


# The figures, each by another way.


def test_people_and_masking_are_those_of_the_manifest(tables, manifest):
    assert {row["group"]: int(row["people"]) for row in tables["people"]} == {
        each["group"]: each["people"] for each in manifest["groups"]
    }
    decision = manifest["decision"]
    assert [int(row["cells"]) for row in tables["masking"]] == [
        decision["masked_primary"], decision["masked_secondary"], decision["masked_by_contributors"],
    ]  # fmt: skip
    assert (
        sum(int(row["masked_cells"]) for row in tables["masking_cost"]) == decision["masked_cells"]
    )


def test_states_are_those_of_the_release(tables, tools, by_commands):
    panel = tools.read(by_commands)
    names = ("not-callable", "absent-callable", "observed", "masked")
    for g, group in enumerate(panel.groups):
        found = {r["state"]: int(r["cells"]) for r in tables["states"] if r["group"] == group}
        counted = Counter(panel.state[:, g].tolist())
        assert found == {name: counted[state] for state, name in enumerate(names)}


def test_alleles_are_those_of_harmonization(page, release, tables):
    assert table_of(page.figures["harmonization"]) == (release / "harmonization.tsv").read_text()
    assert tables["rejected"] == [row for row in tables["harmonization"] if row["kept"] == "no"]


def test_statistics_are_those_of_populations(page, by_commands):
    for name in ("sfs", "heterozygosity", "pca"):
        written = (by_commands / f"results/panel/popgen/{name}.tsv").read_text()
        assert table_of(page.figures[name]) == written
    head, *rows = (by_commands / "results/panel/popgen/fst.tsv").read_text().splitlines()
    for name, kind in (("fst", "country"), ("fst_populations", "population")):
        expected = [head, *(row for row in rows if row.startswith(f"{kind}\t"))]
        assert table_of(page.figures[name]).splitlines() == expected


def test_call_rates_are_those_of_the_parquet_where_it_shows_a_figure(tables, release):
    bounds = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 1]
    rows = pq.read_table(release / "demo-2026.1.parquet").to_pydict()
    for group in ("total", "TH", "VN_TAY", "XX"):
        suffix = "" if group == "total" else f"_{group}"
        rates = [
            rate
            for rate, state in zip(rows[f"call_rate{suffix}"], rows[f"state{suffix}"], strict=True)
            if state in (1, 2)
        ]
        expected = np.histogram(rates, [*np.float32(bounds), 2])[0].tolist()
        assert [int(r["cells"]) for r in tables["call_rate"] if r["group"] == group] == expected


def stats_of(path, *options):
    """What bcftools counts: rows of its output by their first column."""
    rows = {}
    for line in bcftools.stats(*options, str(path)).splitlines():
        if not line.startswith("#"):
            name, *values = line.split("\t")
            rows.setdefault(name, []).append(values)
    return rows


def test_lengths_of_insertions_and_deletions_are_those_that_bcftools_counts(tables, vcf):
    expected = {int(length): int(n) for _, length, n, *_ in stats_of(vcf)["IDD"]}
    found = {int(r["change"].split()[0]): int(r["variants"]) for r in tables["indels"]}
    assert {length: n for length, n in found.items() if n} == expected
    assert len(expected) > 10


def test_kinds_are_those_that_bcftools_counts(tables, vcf):
    expected = {row[1]: int(row[2]) for row in stats_of(vcf)["SN"]}
    found = Counter()
    for row in tables["kinds"]:
        found[row["kind"]] += int(row["variants"])
    assert found["single base"] == expected["number of SNPs:"]
    assert found["several bases"] == expected["number of MNPs:"]
    assert found["insertion"] + found["deletion"] == expected["number of indels:"]
    assert found["complex"] == expected["number of others:"]
    assert sum(found.values()) == expected["number of records:"]


@pytest.mark.parametrize("group", ["total", "ID", "JP_JPT", "VN_TAY", "XX"])
def test_base_changes_are_those_that_bcftools_counts(group, tables, vcf, tmp_path):
    suffix = "" if group == "total" else f"_{group}"
    ac, an = f"INFO/AC{suffix}", f"INFO/AN{suffix}"
    for row in tables["ti_tv"]:
        if row["group"] != group:
            continue
        chosen = f"{ac}>0 && {ac}<{an} && {ac}/{an}>{row['above']} && {ac}/{an}<={row['up_to']}"
        some = tmp_path / f"{row['above']}.vcf"
        some.write_text(bcftools.view("-i", chosen, str(vcf), "chr21"))
        (found,) = stats_of(some)["TSTV"]
        assert found[1:3] == [row["transitions"], row["transversions"]], row
        if row["ti_tv"] != ".":
            assert float(row["ti_tv"]) == pytest.approx(int(found[1]) / int(found[2]), abs=1e-6)


def test_a_figure_shows_its_table(page, tables, release):
    """Each bar, dot and square says what it is; of these figures every row of the table is drawn."""
    text = (release / "report.html").read_text()
    drawn = set(re.findall("<title>([^<]+)</title>", text))
    for row in tables["people"]:
        if row["group"] != "total":
            assert f"{row['group']}, people: {row['people']} (100.00%)" in drawn
    for row in tables["states"]:
        whole = sum(int(r["cells"]) for r in tables["states"] if r["group"] == row["group"])
        n = int(row["cells"])
        if n:
            assert f"{row['group']}, {row['state']}: {n:,} ({n / whole:.2%})" in drawn
    for row in tables["fst_populations"]:
        assert f"{row['group_1']} and {row['group_2']}: {float(row['fst']):.4f}" in drawn


# Made again, by anybody.


def test_whoever_has_the_release_makes_the_same_page(release, tmp_path):
    alone = shutil.copytree(release, tmp_path / "downloaded")
    (alone / "report.html").unlink()
    out, figures = tmp_path / "again.html", tmp_path / "figures"
    assert main(["-q", "report", str(alone), "--out", str(out), "--figures", str(figures)]) == 0
    assert out.read_bytes() == (release / "report.html").read_bytes()
    assert {path.name for path in figures.iterdir()} == {
        f"{n}.{s}" for n in FIGURES for s in ("tsv", "svg")
    }
    page = Page(out.read_text())
    for name in FIGURES:
        assert (figures / f"{name}.tsv").read_text() == table_of(page.figures[name])
        drawing = (figures / f"{name}.svg").read_text()
        assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg" role="img"')
        assert "<title>" in drawing
        assert "<desc>" in drawing


def test_a_folder_that_is_no_release_is_bad_input(tmp_path, capsys):
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "x.html")]) == 3
    assert "not the folder of a release" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_statistics_of_another_panel_are_refused(by_commands, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(by_commands)  # the plan's paths are relative
    panel, private = by_commands / "results/panel", by_commands / "results/private"
    other = shutil.copytree(panel / "popgen", tmp_path / "popgen")
    table = other / "heterozygosity.tsv"
    table.write_text(table.read_text().replace("total\t420\t", "total\t421\t"))
    plan = json.loads((private / "plan.json").read_text())
    code = main([
        "publish", *(str(panel / f"releasable/{contig}.zarr.zip") for contig in plan["contigs"]),
        "--decision", str(panel / "decision.json"), "--plan", str(private / "plan.json"),
        *(f"--harmonization={private / name / 'harmonization.json'}" for name in plan["cohorts"]),
        "--popgen", str(other), "--reference", plan["config"]["reference"]["fasta"], "--build", "GRCh38",
        "--name", "demo", "--panel-version", "x", "--out", str(tmp_path / "release"),
        "--summary", str(tmp_path / "summary.txt"),
    ])  # fmt: skip
    assert code == 3
    assert "the statistics of populations are those of another panel" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["popgen"]


# Beside an earlier release.


@pytest.fixture
def earlier(release, tmp_path):
    """The same release under an earlier version."""
    folder = shutil.copytree(release, tmp_path / "earlier")
    edit(folder, lambda content: content["panel"].update(version="2025.4"))
    return folder


def edit(folder, change):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def make(release, earlier, tmp_path):
    return main(
        ["report", str(release), "--out", str(tmp_path / "r.html"), "--previous", str(earlier)]
    )


def test_what_changed_is_told_of_what_both_releases_show(release, earlier, tmp_path, tables):
    edit(earlier, lambda content: content["policy"].update(min_allele_count=1))
    assert make(release, earlier, tmp_path) == 0
    page = Page((tmp_path / "r.html").read_text())
    assert set(page.figures) == FIGURES | {"changed_variants", "changed_states"}
    lines = [line.split("\t") for line in table_of(page.figures["changed_states"]).splitlines()[1:]]
    cells = {(was, now): int(n) for was, now, n in lines}
    for state in ("observed", "absent-callable", "not-callable", "masked"):
        whole = sum(int(r["cells"]) for r in tables["states"] if r["state"] == state)
        assert cells[state, state] == whole
    assert sum(cells.values()) == sum(int(r["cells"]) for r in tables["states"])
    text = (tmp_path / "r.html").read_text()
    assert re.search("policy.min_allele_count</th><td[^>]*>1</td><td[^>]*>3</td>", text)


def test_a_release_of_another_tier_is_not_told_of(release, earlier, tmp_path, capsys):
    edit(earlier, lambda content: content["policy"].update(tier="controlled"))
    assert make(release, earlier, tmp_path) == 4
    assert "of another tier" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_release_is_not_compared_with_itself(release, tmp_path, capsys):
    assert make(release, release, tmp_path) == 3
    assert "the earlier release is this one" in capsys.readouterr().err


# The workflow's.


def test_the_hub_has_a_page_of_its_own_that_is_not_published(undisturbed, tools):
    hub = (undisturbed / "results/panel/report/report.html").read_text()
    published = (tools.release_of(undisturbed) / "report.html").read_text()
    assert "For the hub alone" in hub
    assert "For the hub alone" not in published
    decision = json.loads((undisturbed / "results/panel/decision.json").read_text())
    assert f"{decision['totals']['variants_dropped']:,}" in hub
    assert f"{decision['totals']['variants_dropped']:,}" not in published


def test_the_workflow_writes_each_figure_with_the_caption_that_the_page_has(
    undisturbed, root, release
):
    page = Page((release / "report.html").read_text())
    folder = undisturbed / "results/panel/report"
    assert {path.name for path in folder.iterdir()} == {
        "report.html", *(f"{name}.{suffix}" for name in FIGURES for suffix in ("tsv", "svg")),
    }  # fmt: skip
    for name in FIGURES:
        assert (folder / f"{name}.tsv").read_text() == table_of(page.figures[name])
        caption = (root / f"workflow/report/{name}.rst").read_text().replace("\\_", "_")
        caption = caption.replace("**Warning sign:**", "Warning sign:")
        said = page.figures[name].text["figcaption"].partition("Download")[0]
        assert " ".join(caption.split()) == " ".join(said.split())


def test_the_report_of_snakemake_carries_the_figures(undisturbed, snakemake, tmp_path):
    pytest.importorskip("pygments", reason="snakemake --report needs Pygments")
    out = tmp_path / "snakemake.html"
    snakemake(undisturbed, "--report", str(out), "--nolock")
    text = out.read_text()
    for name in FIGURES:
        assert f"panel/report/{name}.svg" in text
        assert f"panel/report/{name}.tsv" in text
    assert "release/demo-2026.1/report.html" in text


def test_the_configuration_names_an_earlier_release(root):
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["report"]["properties"]["previous"]["default"] is None


# In a browser.


@pytest.fixture(scope="module")
def pictures(root):
    folder = root / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, False), (400, True)])
def test_the_page_fits_a_screen_and_nothing_complains(width, dark, release, pictures, tmp_path):
    from tests.chromium import chromium

    with chromium(tmp_path / "profile") as browser:
        browser.open(release / "report.html", width, dark=dark)
        assert browser.value("document.documentElement.scrollWidth") <= width
        assert browser.value("window.innerWidth") == width
        shown = browser.value(
            "[...document.querySelectorAll('.plot svg[role]')].map(e => e.getBoundingClientRect())"
            ".filter(b => b.width > 100 && b.height > 50).length"
        )
        assert shown == browser.value("document.querySelectorAll('.plot svg[role]').length") >= 14
        name = f"report-{width}{'-dark' if dark else ''}"
        browser.picture(pictures / f"{name}.png")
        if width == 1280:
            (pictures / "report.pdf").write_bytes(browser.print())
        assert browser.complaints() == []
        assert browser.requests() == [(release / "report.html").as_uri()]
