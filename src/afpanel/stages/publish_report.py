"""The report of a release while it is published: gathered as its variants are written, and made before its manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from afpanel.core.release_tally import ReleaseTally
from afpanel.errors import BadInputError
from afpanel.io.files import read_json, write_text
from afpanel.io.release import ReleaseBlock, ReleaseHead
from afpanel.io.tsv import TextTable
from afpanel.model.figures import CALL_RATE
from afpanel.stages.comparison import DiffOptions
from afpanel.stages.panel_source import StoresOfPanel
from afpanel.stages.popgen import work_out
from afpanel.stages.popgen_tables import tables_of
from afpanel.stages.report import REPORT, add_to, page_of, write_figures
from afpanel.stages.report_changes import changes_since
from afpanel.stages.report_data import Findings, ReportData, harmonization_rows, tally_tables
from afpanel.stages.worst_variants import NamedFlags, verdicts_to_publish, worst_flags

_STATISTICS = ("fst", "heterozygosity", "sfs", "pca")
"""Tables of `popgen` that a report draws."""

_NO_FLAGS = TextTable((), ())


class ReleaseReport:
    """Gathers what a release's report is made of.

    Parameters
    ----------
    head
        What the release is about.
    plan, decision
        The plan of the run, and the gate's decision.
    discordance
        Table of cohorts that `discordance` wrote, the others beside it; or None.
    """

    def __init__(
        self,
        head: ReleaseHead,
        plan: Mapping[str, Any],
        decision: Mapping[str, Any],
        discordance: Path | None,
    ) -> None:
        self._head = head
        self._decision = decision
        self._tally = ReleaseTally(len(head.groups))
        self._verdicts = None if discordance is None else TextTable.read(discordance)
        self._flags, self._regions = _NO_FLAGS, _NO_FLAGS
        if discordance is not None and discordance.with_name("variants.tsv").is_file():
            self._flags = worst_flags(discordance.with_name("variants.tsv"))
            self._regions = TextTable.read(discordance.with_name("regions.tsv"))
        rows = [] if self._verdicts is None else self._verdicts.records()
        self._named = NamedFlags(
            self._flags,
            {row["cohort"]: list(filter(None, row["partners"].split(";"))) for row in rows},
            {name: cohort["country"] for name, cohort in plan["cohorts"].items()},
            head.groups,
            [each["group"] for each in decision["withheld_groups"]],
        )
        self._data: ReportData | None = None

    def add(self, contig: str, block: ReleaseBlock) -> None:
        """Add variants as they are released."""
        add_to(self._tally, contig, block, block.rates[CALL_RATE.array])
        self._named.look(contig, block.variants, block.counts)

    def manifest_part(self) -> dict[str, Any]:
        """Give what the manifest says of cohorts that were held against each other, if they were."""
        if self._verdicts is None:
            return {}
        verdicts = verdicts_to_publish(self._verdicts.records())
        return {"discordance": {"cohorts": verdicts, "variants": self._named.named()}}

    def write(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        outcomes: Mapping[str, Mapping[str, int]],
        panels: Sequence[Path],
        popgen: Path | None,
        previous: Path | None,
    ) -> None:
        """Write the report into a release that has all its other files but the manifest.

        Parameters
        ----------
        folder
            Of the release.
        manifest
            Its manifest, with its files so far.
        outcomes
            Source alleles by outcome, per cohort.
        panels
            Releasable store of each contig.
        popgen
            Folder that `popgen` wrote of these, or None: then it is worked out here.
        previous
            Folder of an earlier release, or None.
        """
        groups, people = self._head.groups, self._head.people
        statistics = (
            tables_of(work_out(StoresOfPanel.of(panels))) if popgen is None else self._read(popgen)
        )
        tables = {
            **statistics,
            **tally_tables(self._tally, groups, people),
            "harmonization": harmonization_rows(outcomes),
        }
        changes = None
        if previous is not None:
            changes = changes_since(previous, folder, manifest, DiffOptions(top=0))
        self._data = ReportData(manifest, tables, changes)
        write_text(folder / REPORT, page_of(self._data))

    def _read(self, popgen: Path) -> dict[str, TextTable]:
        """Read statistics of populations, and hold them against what is published."""
        tables = {name: TextTable.read(popgen / f"{name}.tsv") for name in _STATISTICS}
        told = [(row["group"], int(row["people"])) for row in tables["heterozygosity"].records()]
        of_total = [row for row in tables["sfs"].records() if row["group"] == self._head.groups[0]]
        variants = sum(int(row["variants"]) for row in of_total)
        expected = list(zip(self._head.groups, self._head.people, strict=True))
        if told != expected or variants != self._tally.autosomal_variants:
            raise BadInputError(
                "the statistics of populations are those of another panel",
                where=popgen,
                expected=f"{len(expected)} groups and {self._tally.autosomal_variants:,} variants of autosomes",
                found=f"{len(told)} groups and {variants:,} variants",
                remedy="run afpanel popgen again, on what passed the gate",
            )
        return tables

    def write_for_hub(self, folder: Path, overlap: Path | None) -> None:
        """Write the hub's own report, and every figure as a table and a drawing, after `write`."""
        assert self._data is not None, "the release's report comes first"
        verdicts = _NO_FLAGS if self._verdicts is None else self._verdicts
        findings = Findings(
            verdicts,
            self._flags,
            self._regions,
            None if overlap is None else read_json(overlap),
            self._decision,
        )
        write_figures(self._data, folder)
        write_text(folder / REPORT, page_of(replace(self._data, findings=findings)))
