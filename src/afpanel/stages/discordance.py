"""Hold all cohorts against one another: the batch effects that no check of one cohort can see.

Goes through the panel twice, in windows, so that memory grows neither with variants nor with what is
found: first to see how many tests there are and how far chance alone carries them, then to flag.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from afpanel.core.contigs import ContigNames
from afpanel.core.discordance import (
    Flags,
    Limits,
    SideBySide,
    allele_statistics,
    genotype_statistics,
    not_called,
    other_genotypes,
)
from afpanel.core.discordant_alleles import other_alleles
from afpanel.core.inflation import Inflation
from afpanel.core.strata import Strata, strata_of
from afpanel.core.variants import Variants
from afpanel.errors import BadInputError
from afpanel.io.prefetch import prefetch
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.tables import read_aliases
from afpanel.stages.cell_counts import contigs_in, open_cell_counts
from afpanel.stages.cohort_counts import (
    CohortCounts,
    ContigOptions,
    read_cohorts,
    windows,
)
from afpanel.stages.discordance_report import Judged, VariantTable, warn, write_tables
from afpanel.stages.discordance_tally import Tally
from afpanel.stages.progress import Progress
from afpanel.stages.side_by_side import side_by_side

logger = logging.getLogger(__name__)

_AHEAD = 1
"""Windows that may wait for the tests."""


@dataclass(frozen=True)
class DiscordanceOptions:
    """What `discordance` needs to know besides its files.

    Parameters
    ----------
    build
        Genome build of the panel.
    callable_files
        BED or track of allele numbers of each cohort that has one.
    aliases
        Table of contig names, or None.
    alpha
        Probability that chance alone flags anything at all in the whole run.
    min_alleles
        Alleles that a cohort and the rest of its strata must have to be compared.
    max_share
        Share of flagged variants from which a cohort as a whole is flagged.
    top_regions
        How many regions to list of each cohort.
    window_rows
        Rows of all cohorts to hold at a time.
    threads
        Cores to use; what is written does not depend on it.
    """

    build: str
    callable_files: Mapping[str, Path]
    aliases: Path | None = None
    alpha: float = 0.001
    min_alleles: int = 40
    max_share: float = 0.001
    top_regions: int = 10
    window_rows: int = 100_000
    threads: int = 1


class _Panel:
    """The counts of all cohorts on all contigs, which can be gone through again and again."""

    def __init__(
        self, paths: Sequence[Path], reference_paths: ReferencePaths, options: DiscordanceOptions
    ) -> None:
        contigs = list(Reference(reference_paths).lengths)
        self._names = ContigNames(contigs, read_aliases(options.aliases))
        self.options = options
        self._of_contig: dict[str, list[Path]] = {}
        self._one_of_each: dict[str, Path] = {}
        for path in sorted(paths):
            with open_cell_counts(path) as store:
                self._one_of_each.setdefault(store.attributes["cohort"], path)
                for name in contigs_in(store):
                    self._of_contig.setdefault(name, []).append(path)
        unknown = sorted(set(self._of_contig) - set(contigs))
        if unknown:
            raise BadInputError(
                f"no contig '{unknown[0]}'",
                where=reference_paths.fasta,
                found=f"it has counts in {self._of_contig[unknown[0]][0]}",
                remedy="give the reference that the cohorts were counted on",
            )
        self._contigs = [name for name in contigs if name in self._of_contig] or contigs[:1]
        self.cohorts = self._read(self._contigs[0])[1]
        self.strata = strata_of([(cohort.country, cohort.cells) for cohort in self.cohorts])

    def _read(self, contig: str) -> tuple[ContigOptions, list[CohortCounts]]:
        options = self.options
        how = ContigOptions(contig, options.build, options.callable_files, options.window_rows)
        # One store of every cohort, be it of another contig, tells who is silent here.
        paths = {*self._of_contig.get(contig, []), *self._one_of_each.values()}
        return how, read_cohorts(sorted(paths), self._names, how)

    def windows(self, task: str) -> Iterator[tuple[str, Variants, SideBySide]]:
        """Go through all variants, contig by contig in the order of the reference.

        With more than one thread, what is needed next is read while the caller looks at what was read before.
        """
        progress = Progress(logger, f"discordance, {task}", "variants")
        gathered = self._gathered()
        for part in gathered if self.options.threads < 2 else prefetch(gathered, _AHEAD):
            yield part
            progress.advance(len(part[1]), part[0])

    def _gathered(self) -> Iterator[tuple[str, Variants, SideBySide]]:
        for contig in self._contigs:
            how, cohorts = self._read(contig)
            for window in windows(cohorts, how):
                yield contig, window.variants, side_by_side(window, self.strata)


def discordance(
    counts: Sequence[Path],
    reference_paths: ReferencePaths,
    out: Path,
    options: DiscordanceOptions,
) -> None:
    """Compare the cohorts of a panel with one another.

    Parameters
    ----------
    counts
        All stores of counts of all cohorts, in any order.
    reference_paths
        The panel's reference.
    out
        Folder for the tables: ``variants.tsv``, ``cohorts.tsv``, ``regions.tsv``, ``quantiles.tsv``.
    options
        See `DiscordanceOptions`.
    """
    panel = _Panel(counts, reference_paths, options)
    strata = panel.strata
    labels = [unit.population for unit in strata.units]
    tally = Tally(len(panel.cohorts))
    alleles, genotypes = (Inflation(len(panel.cohorts)) for _ in range(2))
    with VariantTable(out, [cohort.name for cohort in panel.cohorts], labels) as table:
        if strata.parts:
            limits = _look(panel, tally, alleles, genotypes)
            for contig, variants, found in panel.windows("flag"):
                flags, compared = _flags(found, strata, limits)
                tally.add(contig, variants.position, flags, compared)
                table.write(contig, variants, flags)
        else:
            logger.info("discordance: no two cohorts have a population or a country in common")
    judged = [
        Judged.of(cohort, number, strata, panel.cohorts, tally, options.max_share)
        for number, cohort in enumerate(panel.cohorts)
    ]
    write_tables(out, judged, tally, (alleles, genotypes), options.top_regions)
    warn(judged, alleles.factors())
    logger.info(
        "discordance: done, %s tests of alleles and %s of genotypes, %s flags",
        f"{tally.allele_tests.sum():,}", f"{tally.genotype_tests.sum():,}", f"{table.written:,}",
    )  # fmt: skip


def _look(panel: _Panel, tally: Tally, alleles: Inflation, genotypes: Inflation) -> Limits:
    """Go through all variants once, to learn from where on something is flagged."""
    strata, fewest = panel.strata, panel.options.min_alleles
    owner = [strata.parts[unit.part].cohort for unit in strata.units]
    for _, _, counts in panel.windows("look"):
        statistic, enough = allele_statistics(counts, strata, fewest)
        tally.allele_tests += (statistic >= 0).sum(axis=0)
        for cohort in range(strata.n_cohorts):
            alleles.add(cohort, statistic[enough[:, cohort], cohort])
        statistic, enough = genotype_statistics(counts, fewest)
        for unit, cohort in enumerate(owner):
            tally.genotype_tests[cohort] += int((statistic[:, unit] >= 0).sum())
            genotypes.add(cohort, statistic[enough[:, unit], unit])
    tests = int(tally.allele_tests.sum() + tally.genotype_tests.sum())
    level = panel.options.alpha / max(tests, 1)
    return Limits(level, fewest, alleles.divisors(), genotypes.divisors())


def _flags(counts: SideBySide, strata: Strata, limits: Limits) -> tuple[Flags, np.ndarray]:
    uncalled, compared = not_called(counts, strata, limits.fewest)
    found = [other_alleles(counts, strata, limits), other_genotypes(counts, strata, limits)]
    return Flags.joined([*found, uncalled]), compared
