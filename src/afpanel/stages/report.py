"""The report of a release: one page that stands alone, with every figure as a table too.

It is made of the manifest, of tables that follow from what is released, and of an earlier release. So whoever
has the release can make it again, to the byte. The hub's own has more, and stays with the hub.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from afpanel.constants import ContigKind
from afpanel.core.contigs import contig_kind
from afpanel.core.release_tally import ReleaseTally
from afpanel.errors import BadInputError
from afpanel.io.files import read_json, write_text
from afpanel.io.html_page import Figure, drawing, figure, page, paragraph, section, table
from afpanel.io.release_reader import Panel
from afpanel.io.tsv import TextTable
from afpanel.stages.comparison import DiffOptions
from afpanel.stages.panel_source import OpenRelease
from afpanel.stages.popgen import work_out
from afpanel.stages.popgen_tables import tables_of
from afpanel.stages.report_changes import change_figures, changes_in_words, changes_since
from afpanel.stages.report_checks import checks
from afpanel.stages.report_cohorts import agreement_figures, for_the_hub
from afpanel.stages.report_data import ReportData, tally_tables
from afpanel.stages.report_disclosure import masking_figures, risk_figure
from afpanel.stages.report_inputs import asked, harmonization_figures, people_figure
from afpanel.stages.report_overview import cards, check_list, head
from afpanel.stages.report_populations import difference_figures
from afpanel.stages.report_variants import (
    callability_figures,
    heterozygosity_figure,
    kind_figures,
    spectrum_figure,
)

logger = logging.getLogger(__name__)

REPORT = "report.html"
"""Name of the report in a release."""


def report(release: Path, out: Path, figures: Path | None, previous: Path | None) -> None:
    """Make the report of a release again, from the release alone.

    Parameters
    ----------
    release
        Folder of the release.
    out
        The page to write.
    figures
        Folder for every figure as a table (``.tsv``) and a drawing (``.svg``), or None.
    previous
        Folder of an earlier release to compare with, or None.

    Raises
    ------
    BadInputError
        If it is no whole release.
    """
    data = data_of(release, previous)
    write_text(out, page_of(data))
    if figures is not None:
        write_figures(data, figures)
    logger.info("report: done, %s", out.name)


def data_of(release: Path, previous: Path | None) -> ReportData:
    """Read from a release what its report is made of."""
    for name in ("manifest.json", "harmonization.tsv"):
        if not (release / name).is_file():
            raise BadInputError(
                "not the folder of a release",
                where=release,
                expected=f"a file {name}",
                remedy="give the folder that has the manifest",
            )
    manifest = read_json(release / "manifest.json")
    manifest["files"] = [file for file in manifest["files"] if file["path"] != REPORT]
    with Panel(release) as panel:
        source = OpenRelease(panel)
        tally = ReleaseTally(len(source.groups))
        for contig in source.contigs:
            for start, stop in source.windows(contig):
                window, rates = (
                    panel.window(contig, start, stop),
                    panel.call_rates(contig, start, stop),
                )
                add_to(tally, contig, window, rates)
        statistics = tables_of(work_out(source))
        tables = {
            "harmonization": TextTable.read(release / "harmonization.tsv"),
            **statistics,
            **tally_tables(tally, source.groups, source.people),
        }
    changes = None
    if previous is not None:
        changes = changes_since(previous, release, manifest, DiffOptions(top=0))
    return ReportData(manifest, tables, changes)


def add_to(tally: ReleaseTally, contig: str, block: Any, rates: Any) -> None:
    """Add variants of a contig to a tally; `block` has the variants and their counts."""
    is_autosome = contig_kind(contig) is ContigKind.AUTOSOME
    tally.add(contig, block.variants, block.counts, rates, autosome=is_autosome)


def figures_of(data: ReportData) -> list[Figure]:
    """Draw every figure, in the order of the report."""
    return [each for _, _, _, figures in _sections(data) for each in figures]


def write_figures(data: ReportData, folder: Path) -> None:
    """Write every figure as a table and as a drawing of its own."""
    for each in figures_of(data):
        write_text(folder / f"{each.name}.tsv", each.table.text)
        write_text(folder / f"{each.name}.svg", drawing(each))


Section = tuple[str, str, list[str], list[Figure]]
"""Its name, its title, what comes before its figures, and these."""


def _sections(data: ReportData) -> Iterator[Section]:
    yield "asked", "What was asked and decided", list(asked(data)), [people_figure(data)]
    yield "alleles", "What became of the alleles", [], list(harmonization_figures(data))
    yield "called", "What is known, and of whom", [], list(callability_figures(data))
    yield "variants", "The variants", [], [spectrum_figure(data), *kind_figures(data)]
    yield (
        "populations",
        "How groups differ",
        [],
        [heterozygosity_figure(data), *difference_figures(data)],
    )
    yield "agreement", "Whether cohorts agree", [], list(agreement_figures(data))
    yield "withheld", "What is masked, and what it costs", [], list(masking_figures(data))
    yield "membership", "The risk of membership", [], [risk_figure(data)]
    yield (
        "changes",
        "What changed since the last release",
        list(changes_in_words(data)),
        list(change_figures(data)),
    )


def page_of(data: ReportData) -> str:
    """Lay out the report as a page."""
    found = checks(data)
    sections = list(_sections(data))
    body = [
        section("overview", "In short", [cards(data, found), check_list(found)]),
        *(
            section(name, title, [*words, *map(figure, figures)])
            for name, title, words, figures in sections
        ),
    ]
    contents = [("overview", "In short"), *((name, title) for name, title, *_ in sections)]
    if data.findings is not None:
        body.append(section("hub", "For the hub alone", for_the_hub(data.findings)))
        contents.append(("hub", "For the hub alone"))
    body.append(section("files", "The files, and how this was made", _files(data)))
    contents.append(("files", "The files"))
    panel = data.manifest["panel"]
    return page(
        f"{panel['name']} {panel['version']}: report",
        [
            head(data),
            '<div class="grid">',
            _contents(contents),
            "<main>",
            *body,
            _foot(),
            "</main>",
            "</div>",
        ],
    )


def _contents(entries: Sequence[tuple[str, str]]) -> str:
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title in entries)
    return f'<nav aria-labelledby="contents"><h2 id="contents">Contents</h2><ul>{links}</ul></nav>'


def _files(data: ReportData) -> Iterator[str]:
    manifest: Mapping[str, Any] = data.manifest
    yield table(
        "Files of the release; manifest.json has the SHA-256 of each",
        ("file", "bytes"),
        ((file["path"], f"{file['bytes']:,}") for file in manifest["files"]),
        numeric=(1,),
    )
    software = manifest["software"]
    yield paragraph(
        "Made by "
        + ", ".join(f"{name} {number}" for name, number in software.items())
        + ". From the release alone the same page can be made again: afpanel report."
    )


def _foot() -> str:
    return (
        "<footer><p>Every figure here is in the files of the release, or follows from them. Nothing on this page is loaded from"
        " elsewhere, and nothing runs. Figures that are missing are written as a full stop.</p></footer>"
    )
