"""The variant files of one cohort: which there are, what is in them, and how they are partitioned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from afpanel.core.contigs import ContigNames, bare_name
from afpanel.core.refcheck import mismatch, refuse_wrong_reference
from afpanel.errors import BadInputError
from afpanel.io.scan import IndexedSites, Site, all_sites
from afpanel.io.sniff import is_zip_or_folder
from afpanel.io.source import open_source
from afpanel.model.cohort import Cohort
from afpanel.model.region import Partition, tile_of

if TYPE_CHECKING:
    from afpanel.io.vcz_store import VczSites

PROBED = 1000
"""Records whose REF is looked at before the work begins."""

_PROBED_AT_LEAST = 20


@dataclass(frozen=True)
class PlannedPartition:
    """A partition of a cohort, and where it comes from.

    Parameters
    ----------
    partition
        The partition, by the panel's name of its contig.
    path, source_contig
        The file, and its name of the contig.
    indexed
        Whether the file has an index.
    contig_records
        Records of the whole contig by that index, where it says.
    """

    partition: Partition
    path: str
    source_contig: str
    indexed: bool
    contig_records: int | None


@dataclass(frozen=True)
class Grid:
    """How the contigs of a cohort are cut.

    Parameters
    ----------
    lengths
        Length of each contig of the build that the cohort is on.
    names
        Contig names of cohorts, as that build has them.
    contigs
        Contigs to read; empty is every one that has records.
    ignored
        Contigs of cohorts to leave out where the build does not have them.
    size
        Bases in a tile.
    bases
        Reads the build's reference, as `Reference.bases` does; None where it is not at hand.
    """

    lengths: Mapping[str, int]
    names: ContigNames
    contigs: tuple[str, ...]
    ignored: tuple[str, ...]
    size: int
    bases: Callable[[str, int, int], str] | None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Contigs that may be part of the panel."""
        return self.contigs or tuple(self.lengths)


def files_of(cohort: Cohort, grid: Grid) -> dict[Path, str | None]:
    """List a cohort's files; for one of a pattern, with the panel's name of its contig.

    Of a cohort of gVCFs there are none: `gvcf_files` knows of those.

    Raises
    ------
    BadInputError
        If a file is missing that the configuration asks for.
    """
    if cohort.kind == "gvcf":
        return {}
    if "{contig}" not in cohort.path:
        return {Path(cohort.path): None}
    found: dict[Path, str | None] = {}
    for contig in grid.contigs or grid.lengths:
        spellings = (contig, bare_name(contig), f"chr{bare_name(contig)}")
        paths = [Path(cohort.path.replace("{contig}", spelling)) for spelling in spellings]
        existing = [path for path in paths if path.exists()]
        if existing:
            found[existing[0]] = contig
        elif grid.contigs:
            raise BadInputError(
                f"no file for contig {contig}",
                where=f"cohort {cohort.name}",
                expected=" or ".join(dict.fromkeys(map(str, paths))),
                remedy="provide it, or leave the contig out of partitions.contigs",
            )
    if not found:
        raise BadInputError(
            "no file for any contig of the reference",
            where=f"cohort {cohort.name}",
            found=cohort.path,
        )
    return found


def inputs_of(cohort: Cohort, path: Path) -> list[str]:
    """List what a plan depends on of one of a cohort's files: the file and its indexes, there or not."""
    if cohort.kind != "vcz":
        return [f"{path}{suffix}" for suffix in ("", ".csi", ".tbi")]
    # A store that is written again has other files; so have the folders that these are in.
    inside = ("zarr.json", ".zattrs", "call_genotype") if path.is_dir() else ()
    return [str(path), *(str(path / name) for name in inside)]


def partitions_of(
    cohort: Cohort, samples: list[str], path: Path, contig: str | None, grid: Grid, limit: float
) -> list[PlannedPartition]:
    """Check one file of a cohort against its sample sheet and the reference, and partition it.

    Parameters
    ----------
    cohort, samples
        The cohort, and the samples that its sheet lists.
    path, contig
        The file, and the one contig it is to hold (None: any).
    grid
        How to cut it.
    limit
        Share of REF mismatches at which the cohort is refused.
    """
    _check_kind(cohort, path)
    source = open_source(path, samples)
    if not source.has_genotypes:
        raise BadInputError(
            "the file has no genotypes",
            where=path,
            expected="samples, and GT in their FORMAT",
            remedy="if INFO has AC and AN, give it as kind sites",
        )
    if cohort.kind == "vcz":
        from afpanel.io.vcz_store import VczSites  # noqa: PLC0415 - slow to import

        return indexed_partitions(cohort, path, VczSites(path), contig, grid, limit)
    if source.kind.index is not None:
        sites = IndexedSites(path, source.kind)
        return indexed_partitions(cohort, path, sites, contig, grid, limit)
    tiles: dict[tuple[str, int], None] = {}
    probe: list[Site] = []
    for site in all_sites(path, source.kind):
        name = panel_contig(site.contig, path, contig, grid)
        if name is None:
            continue
        if len(probe) < PROBED:
            probe.append(site._replace(contig=name))
        length = grid.lengths[name]
        tiles[site.contig, tile_of(site.position, grid.size, length)] = None
    return plan_tiles(cohort, path, tiles, probe, grid, limit)


def _check_kind(cohort: Cohort, path: Path) -> None:
    """Refuse a VCF Zarr store as VCF, and the other way round."""
    is_store = is_zip_or_folder(path)
    if cohort.kind in ("vcf", "vcz") and is_store != (cohort.kind == "vcz") and path.exists():
        what = "a folder or a zip file" if is_store else "a file"
        raise BadInputError(
            f"{what}, which is not of kind {cohort.kind}",
            where=path,
            expected="VCF or BCF" if is_store else "a VCF Zarr store: a folder or a zip file",
            remedy="if it is a VCF Zarr store, give the cohort as kind vcz"
            if is_store
            else "give the cohort as kind vcf",
        )


def indexed_partitions(
    cohort: Cohort,
    path: Path,
    sites: "IndexedSites | VczSites",
    contig: str | None,
    grid: Grid,
    limit: float,
) -> list[PlannedPartition]:
    """Partition a variant file by what its index knows, or a VCF Zarr store; see `partitions_of`."""
    tiles: dict[tuple[str, int], None] = {}
    probe: list[Site] = []
    for source_contig, name, tile, part in _grid_of(sites, path, contig, grid):
        found = sites.starting_in(source_contig, part.region.start, part.region.end)
        wanted = 1 if len(probe) >= PROBED else PROBED
        first = list(islice(found, wanted))
        if first:
            tiles[source_contig, tile] = None
            probe.extend(site._replace(contig=name) for site in first)
    return plan_tiles(cohort, path, tiles, probe, grid, limit, sites.records)


def plan_tiles(
    cohort: Cohort,
    path: Path,
    tiles: Mapping[tuple[str, int], None],
    probe: list[Site],
    grid: Grid,
    limit: float,
    records: Mapping[str, int | None] | None = None,
) -> list[PlannedPartition]:
    """Check the contigs and some records of a file, and make a partition of each tile that has records.

    Parameters
    ----------
    cohort, path
        The cohort, and the file.
    tiles
        Tiles with records, by the file's name of the contig.
    probe
        Records to hold against the reference.
    grid, limit
        As for `partitions_of`.
    records
        Records of each contig by the file's index; None if it has none.
    """
    _check_names(path, tiles, grid)
    check_reference(cohort, probe[:PROBED], grid, limit)
    planned = []
    for source_contig, tile in tiles:
        name = grid.names.resolve(source_contig) or source_contig
        partition = Partition.of_tile(name, tile, grid.size, grid.lengths[name])
        n = None if records is None else records.get(source_contig)
        indexed = records is not None
        planned.append(PlannedPartition(partition, str(path), source_contig, indexed, n))
    return planned


def described_partitions(partitions: Sequence[PlannedPartition]) -> dict[str, Any]:
    """Lay out what a plan says of the partitions of a cohort."""
    return {
        "contig_records": {
            p.partition.region.contig: p.contig_records
            for p in partitions
            if p.contig_records is not None
        },
        "partitions": [
            {
                "id": p.partition.id,
                "contig": p.partition.region.contig,
                "source_contig": p.source_contig,
                "start": p.partition.region.start,
                "end": p.partition.region.end,
                "path": p.path,
                "indexed": p.indexed,
            }
            for p in partitions
        ],
    }


def _grid_of(
    sites: "IndexedSites | VczSites", path: Path, contig: str | None, grid: Grid
) -> Iterator[tuple[str, str, int, Partition]]:
    """List every tile of every contig that an index knows of and the panel wants."""
    for source_contig in sites.records:
        name = panel_contig(source_contig, path, contig, grid)
        if name is None:
            continue
        for tile, part in tiles_of(name, grid):
            yield source_contig, name, tile, part


def tiles_of(contig: str, grid: Grid) -> Iterator[tuple[int, Partition]]:
    """List the tiles of a contig, each with the partition that it makes."""
    length = grid.lengths[contig]
    for tile in range(tile_of(length, grid.size, length) + 1):
        yield tile, Partition.of_tile(contig, tile, grid.size, length)


def panel_contig(source_contig: str, path: Path, contig: str | None, grid: Grid) -> str | None:
    """Find the panel's name of a contig that has records; None where it is not to be built.

    Raises
    ------
    BadInputError
        If the name means nothing to the reference, or the file is that of another contig.
    """
    name = grid.names.resolve(source_contig)
    if grid.contigs and name not in grid.contigs:
        return None
    if name is None and source_contig in grid.ignored:
        return None
    if name is None:
        raise BadInputError(
            f"the reference has no contig for '{source_contig}', which has records",
            where=path,
            expected=f"one of {', '.join(list(grid.lengths)[:30])}, or an alias of one",
            remedy="add it to the table harmonize.aliases, to harmonize.ignore_contigs, or list the"
            " contigs wanted in partitions.contigs",
        )
    if contig is not None and name != contig:
        raise BadInputError(
            f"has records of {source_contig}", where=path, expected=f"{contig} alone, by its name"
        )
    return name


def _check_names(path: Path, tiles: Mapping[tuple[str, int], None], grid: Grid) -> None:
    """Refuse a file that calls one contig by two names."""
    spellings: dict[str, str] = {}
    for source_contig, _ in tiles:
        name = grid.names.resolve(source_contig) or source_contig
        other = spellings.setdefault(name, source_contig)
        if other != source_contig:
            raise BadInputError(
                f"'{other}' and '{source_contig}' are one contig of the reference, {name}",
                where=path,
                remedy="rename one: bcftools annotate --rename-chrs",
            )


def check_reference(cohort: Cohort, probe: list[Site], grid: Grid, limit: float) -> None:
    """Look at the first records' REF, so that a wrong build is found before the work begins."""
    if grid.bases is None:
        return
    examples = []
    letters = set("ACGTacgt")
    checked = [site for site in probe if set(site.ref) <= letters]
    for site in checked:
        start = site.position - 1
        there = grid.bases(site.contig, start, start + len(site.ref))
        if there != site.ref.upper():
            examples.append(mismatch(site.contig, site.position, site.ref, there))
    if len(checked) >= _PROBED_AT_LEAST:
        error = refuse_wrong_reference(cohort.name, len(examples), len(checked), limit, examples)
        if error is not None:
            raise error
