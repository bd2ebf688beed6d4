"""What the tests on real data share: built panels, readers of releases, and the bcftools oracle.

Builds are made once for all workers of pytest-xdist, in a folder that they share; whoever asks first
makes it, and the others wait. A test that changes a build works on a copy.
"""

import getpass
import gzip
import json
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pysam
import pysam.bcftools
import pytest
import zarr
from tests.tutorial import Step, steps
from zarr.storage import ZipStore

COUNTRIES = {
    "BD": ("BEB",),
    "CN": ("CHB", "CHS", "CDX"),
    "IN": ("GIH", "ITU"),
    "JP": ("JPT",),
    "LK": ("STU",),
    "PK": ("PJL",),
    "VN": ("KHV",),
}

ARRAYS = {
    "AC": "allele_count",
    "AN": "allele_number",
    "AF": "allele_frequency",
    "faf95": "filtering_frequency_95",
    "faf99": "filtering_frequency_99",
    "nhomalt": "homozygote_count",
    "nhemialt": "hemizygote_count",
}
"""Figures by their names in INFO and Parquet, and their arrays in Zarr."""

FREQUENCIES = ("AF", "faf95", "faf99")

USER, HOST = "afpanel-test-user", "afpanel-test-host"
"""Names of user and host that builds are run under, so that tests know what must not leak."""

Key = tuple[str, int, str, str]
Table = dict[Key, tuple[int, ...]]


@dataclass(frozen=True)
class Panel:
    """A built panel: its working folder, its results, its release, and whom each group holds."""

    folder: Path
    results: Path
    release: Path
    groups: dict[str, list[str]]

    @property
    def stem(self) -> str:
        return self.release.name

    def moved(self, folder: Path) -> "Panel":
        """The same panel, copied to another folder with all its timestamps."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        results, release = (
            folder / path.relative_to(self.folder) for path in (self.results, self.release)
        )
        return Panel(folder, results, release, self.groups)


@dataclass(frozen=True)
class Figures:
    """Everything that one format of a release says: keys, FILTER, and (variants, groups) arrays."""

    keys: list[Key]
    filters: list[str]
    values: dict[str, np.ma.MaskedArray]
    state: np.ndarray | None
    groups: list[str]

    def table(self, group: str, names: Sequence[str] = ("AC", "AN", "nhomalt")) -> Table:
        """Lay out a group's figures by variant; a missing one is None."""
        columns = [self.values[name][:, self.groups.index(group)].tolist() for name in names]
        return dict(zip(self.keys, zip(*columns, strict=True), strict=True))


@pytest.fixture(scope="session")
def build(snakemake: Callable[..., Any]) -> Callable[..., str]:
    """Run the workflow as a known user on a known host; returns all that it says."""

    def run(folder: Path, *arguments: str, **how: bool) -> str:
        with pytest.MonkeyPatch.context() as patch:
            for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
                patch.setenv(variable, USER)
            for variable in ("HOST", "HOSTNAME"):
                patch.setenv(variable, HOST)
            done = snakemake(folder, *arguments, **how)
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def jobs_of() -> Callable[[str], dict[str, int]]:
    """Read how many jobs of each rule a run or dry run of the workflow has, streams as ingest."""

    def read(said: str) -> dict[str, int]:
        jobs: dict[str, int] = {}
        for table in re.findall(r"^Job stats:\n(.*?\ntotal .*?)$", said, re.DOTALL | re.MULTILINE):
            jobs = {}
            for name, number in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE):
                rule = "ingest" if name.startswith("ingest") else name
                jobs[rule] = jobs.get(rule, 0) + int(number)
        jobs.pop("total", None)
        return jobs

    return read


# The seven countries, as config/1000g/README.md tells a reader to build them.


def _readme_commands(root: Path) -> list[list[str]]:
    text = (root / "config/1000g/README.md").read_text()
    block = re.search(r"```bash\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [shlex.split(line) for line in block[1].replace("\\\n", " ").splitlines() if line]


@pytest.fixture(scope="session")
def workspace(root: Path, test_data: Path) -> Callable[[Path], None]:
    """Put a reader's inputs where the README wants them, and write the sample sheets."""
    readme = (root / "config/1000g/README.md").read_text()
    wanted = re.findall(r"^\| `(resources/[^`]+)`", readme, re.MULTILINE)
    found = {
        ".vcf.gz": test_data / "grch37/1000g.phase3.chr22.vcf.gz",
        ".fa.gz": test_data / "grch37/chr22.fa.gz",
        ".panel": test_data / "integrated_call_samples_v3.20130502.ALL.panel",
    }

    def prepare(folder: Path) -> None:
        (folder / "config").symlink_to(root / "config")
        for name in wanted:
            suffix = next(end for end in found if name.endswith(end))
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(found[suffix])
            if suffix == ".fa.gz":
                for index in (".fai", ".gzi"):
                    target.with_name(target.name + index).symlink_to(f"{found[suffix]}{index}")
        python, *arguments = _readme_commands(root)[0]
        assert python == "python"
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True)

    return prepare


@pytest.fixture(scope="session")
def seven_countries(
    root: Path,
    once: Callable[..., Path],
    workspace: Callable[[Path], None],
    build: Callable[..., str],
) -> Panel:
    """The panel of seven countries, from phase 3 of the 1000 Genomes Project; not to be changed."""

    def fill(folder: Path) -> None:
        workspace(folder)
        command, *arguments = _readme_commands(root)[1]
        assert command == "snakemake"
        (folder / "said.txt").write_text(build(folder, *arguments))

    folder = once("seven-countries", fill)
    results = folder / "results/1000g"
    sheets = {
        country: folder / f"resources/1000g/samples/{country}.tsv" for country in sorted(COUNTRIES)
    }
    return Panel(folder, results, results / "release/1000g-asia-phase3", _groups_of(sheets))


@pytest.fixture(scope="session")
def masked_panel(
    seven_countries: Panel,
    once: Callable[..., Path],
    build: Callable[..., str],
) -> Panel:
    """The panel of seven countries, gated and published again with limits, as docs/tutorial.md does it."""

    def fill(folder: Path) -> None:
        seven_countries.moved(folder)
        files, workflow = (step for step in steps() if step.section == 7 and _writes(step))
        subprocess.run(["bash", "-euc", files.code], cwd=folder, check=True)
        (folder / "said.txt").write_text(build(folder, *workflow.workflow))

    folder = once("masked", fill)
    results = folder / "results/1000g"
    release = results / "release/1000g-asia-phase3-limits"
    return Panel(folder, results, release, seven_countries.groups)


def _writes(step: Step) -> bool:
    return bool(step.workflow) or "cat >" in step.code


@pytest.fixture(scope="session")
def seven_contributed(
    seven_countries: Panel, once: Callable[..., Path], build: Callable[..., str]
) -> Path:
    """The seven countries, each packed as a contribution too; not to be changed."""

    def fill(folder: Path) -> None:
        seven_countries.moved(folder)
        config = "config/1000g/config.yaml"
        build(folder, "contributions", "--configfile", config, "--cores", "2")

    return once("seven-contributed", fill)


def _groups_of(sheets: Mapping[str, Path]) -> dict[str, list[str]]:
    """List the samples of every group, in the order in which a panel lists groups."""
    rows = [
        (country, *line.split("\t"))
        for country, sheet in sheets.items()
        for line in sheet.read_text().splitlines()[1:]
    ]
    groups = {"total": [row[1] for row in rows]}
    for country in sheets:
        groups[country] = [row[1] for row in rows if row[0] == country]
        for population in sorted({row[2] for row in rows if row[0] == country}):
            people = [row[1] for row in rows if row[0] == country and row[2] == population]
            groups[f"{country}_{population}"] = people
    for sex in ("XX", "XY"):
        groups[sex] = [row[1] for row in rows if row[3] == sex]
    return groups


# What a release says, by format.


def _groups(panel: Panel) -> list[str]:
    manifest = json.loads((panel.release / "manifest.json").read_text())
    return [each["group"] for each in manifest["groups"]]


def _named(figure: str, group: str) -> str:
    return figure if group == "total" else f"{figure}_{group}"


def _masked(columns: list[list[Any]], dtype: type) -> np.ma.MaskedArray:
    """Make a masked array, one row per variant, of columns in which None is missing."""
    missing = np.array([[value is None for value in column] for column in columns]).T
    filled = [[0 if value is None else value for value in column] for column in columns]
    return np.ma.MaskedArray(np.array(filled).T.astype(dtype), missing)


def _dtype(figure: str) -> type:
    return np.float32 if figure in FREQUENCIES else np.int32


def _read_vcf(panel: Panel, groups: list[str]) -> Figures:
    keys, filters, rows = [], [], []
    names = [_named(figure, group) for figure in ARRAYS for group in groups]
    with pysam.VariantFile(str(panel.release / f"{panel.stem}.vcf.gz")) as vcf:
        assert not list(vcf.header.samples)
        numbers = {name: vcf.header.info[name].number for name in names}
        assert {name for name, n in numbers.items() if n == 1} == {
            _named("AN", group) for group in groups
        }
        for record in vcf:
            assert len(record.alts) == 1
            keys.append((record.contig, record.pos, record.ref, record.alts[0]))
            filters.append(";".join(record.filter.keys()))
            info = dict(record.info)
            rows.append([info[n] if numbers[n] == 1 else info[n][0] for n in names])
    columns = [list(column) for column in zip(*rows, strict=True)]
    width = len(groups)
    values = {
        figure: _masked(columns[i * width : (i + 1) * width], _dtype(figure))
        for i, figure in enumerate(ARRAYS)
    }
    return Figures(keys, filters, values, None, groups)


def _read_parquet(panel: Panel, groups: list[str]) -> Figures:
    (path,) = panel.release.glob(f"{panel.stem}.parquet/contig=*/*.parquet")
    contig = path.parent.name.removeprefix("contig=")
    table = pq.ParquetFile(path).read()
    columns = {name: table[name].to_pylist() for name in table.column_names}
    sites = zip(columns["pos"], columns["ref"], columns["alt"], strict=True)
    values = {
        figure: _masked([columns[_named(figure, group)] for group in groups], _dtype(figure))
        for figure in ARRAYS
    }
    state = np.array([columns[_named("state", group)] for group in groups]).T
    return Figures([(contig, *site) for site in sites], columns["filter"], values, state, groups)


def _read_zarr(panel: Panel, groups: list[str]) -> Figures:
    with ZipStore(panel.release / f"{panel.stem}.zarr.zip", mode="r") as store:
        root = zarr.open_group(store, mode="r")
        contents = {name: np.asarray(array[...]) for name, array in root.arrays()}
    assert contents["group_id"].tolist() == groups
    contigs = contents["contig_id"].tolist()
    alleles = contents["variant_allele"].tolist()
    assert all(len(pair) == 2 for pair in alleles)
    keys = [
        (contigs[contig], position, *pair)
        for contig, position, pair in zip(
            contents["variant_contig"].tolist(),
            contents["variant_position"].tolist(),
            alleles,
            strict=True,
        )
    ]
    ids = contents["filter_id"].tolist()
    filters = [
        ";".join(name for name, is_set in zip(ids, row, strict=True) if is_set)
        for row in contents["variant_filter"].tolist()
    ]
    values = {}
    for figure, array in ARRAYS.items():
        data = contents[array]
        values[figure] = np.ma.MaskedArray(
            data, np.isnan(data) if figure in FREQUENCIES else data == -1
        )
    return Figures(keys, filters, values, contents["state"], groups)


@pytest.fixture(scope="session")
def read_figures() -> Callable[[Panel, str], Figures]:
    """Read one format of a release, all groups that its manifest lists: read_figures(panel, "vcf")."""
    readers = {"vcf": _read_vcf, "parquet": _read_parquet, "zarr": _read_zarr}
    cache: dict[tuple[Path, str], Figures] = {}

    def read(panel: Panel, name: str) -> Figures:
        if (panel.release, name) not in cache:
            figures = readers[name](panel, _groups(panel))
            assert len(set(figures.keys)) == len(figures.keys)
            cache[panel.release, name] = figures
        return cache[panel.release, name]

    return read


# The oracle.


def _bcftools_normalize(source: Path, fasta: Path, out: Path) -> None:
    """Split, trim and left-align with bcftools."""
    pysam.bcftools.norm(
        "--no-version", "-m", "-any", "-f", str(fasta), "-Ob", "-o", str(out), str(source),
        catch_stdout=False,
    )  # fmt: skip


def _bcftools_counts(
    normal: Path, samples: Sequence[str], folder: Path, *more: str
) -> dict[Key, tuple[Any, ...]]:
    """Count a subset of samples with bcftools: AC, AN, people homozygous for ALT, and INFO `more`.

    `view --samples-file` counts AC and AN afresh; the homozygotes are the calls that the expression
    GT="AA" finds, which for biallelic records are 1/1 and nothing else.
    """
    names, subset, text = (folder / name for name in ("samples.txt", "subset.bcf", "counts.tsv"))
    names.write_text("\n".join(samples) + "\n")
    pysam.bcftools.view(
        "--no-version", "-S", str(names), "-Ob", "-o", str(subset), str(normal), catch_stdout=False
    )
    columns = ("%CHROM", "%POS", "%REF", "%ALT", "%INFO/AC", "%INFO/AN", '%N_PASS(GT="AA")')
    columns += tuple(f"%INFO/{name}" for name in more)
    pysam.bcftools.query(
        "-f", "\\t".join(columns) + "\\n", "-o", str(text), str(subset), catch_stdout=False
    )
    counts: dict[Key, tuple[Any, ...]] = {}
    for line in text.read_text().splitlines():
        contig, position, ref, alt, ac, an, hom, *rest = line.split("\t")
        key = (contig, int(position), ref.upper(), alt.upper())
        assert key not in counts
        counts[key] = (int(ac), int(an), int(hom), *rest)
    return counts


def _differences(expected: Mapping[Key, Any], found: Mapping[Key, Any]) -> list[str]:
    """Tell the first few differences between two tables, in both directions; none if equal."""
    keys = [*expected, *(key for key in found if key not in expected)]
    return [
        f"{key}: expected {expected.get(key)}, found {found.get(key)}"
        for key in keys
        if expected.get(key) != found.get(key)
    ][:10]


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    """Normalizing and counting with bcftools, and comparing tables."""
    return SimpleNamespace(
        normalize=_bcftools_normalize, counts=_bcftools_counts, differences=_differences
    )


@pytest.fixture(scope="session")
def groups_of() -> Callable[[Mapping[str, Path]], dict[str, list[str]]]:
    """List the samples of every group, from the sheet of each country."""
    return _groups_of


@pytest.fixture(scope="session")
def countries() -> dict[str, tuple[str, ...]]:
    """Populations of each country of the panel."""
    return COUNTRIES


@pytest.fixture(scope="session")
def known_names() -> tuple[str, str]:
    """User and host that builds are run under."""
    return USER, HOST


@pytest.fixture(scope="session")
def panel_of() -> type[Panel]:
    """Make a `Panel`."""
    return Panel


@pytest.fixture(scope="session")
def people_of_1000g(test_data: Path) -> dict[str, tuple[str, str]]:
    """Population and sex of everybody in the project, from its pedigree."""
    rows = (line.split("\t") for line in (test_data / "20130606_g1k.ped").read_text().splitlines())
    sexes = {"1": "XY", "2": "XX"}
    return {row[1]: (row[6], sexes[row[4]]) for row in rows if row[4] in sexes}


def _decoded(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give a file's bytes, and all that readers of its format would get out of them."""
    raw = path.read_bytes()
    yield "bytes", raw
    if raw[:2] == b"\x1f\x8b":
        yield "inflated", gzip.decompress(raw)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            is_zarr = "zarr.json" in archive.namelist()
            yield "comment", archive.comment
            for entry in archive.infolist():
                yield "entry name", entry.filename.encode() + entry.comment + entry.extra
                yield f"entry {entry.filename}", archive.read(entry)
    if path.suffix == ".zip" and is_zarr:
        with ZipStore(path, mode="r") as store:
            root = zarr.open_group(store, mode="r")
            yield "attributes", repr(dict(root.attrs)).encode()
            for name, array in root.arrays():
                data = np.asarray(array[...])
                is_text = data.dtype.kind in "OTU"
                text = "\n".join(map(str, data.ravel())).encode() if is_text else data.tobytes()
                yield f"array {name}", text
                yield f"attributes of {name}", repr(dict(array.attrs)).encode()
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            yield "schema", file.schema_arrow.to_string(show_field_metadata=True).encode()
            metadata = {**(file.schema_arrow.metadata or {}), **(file.metadata.metadata or {})}
            yield "metadata", b"\n".join(part for pair in metadata.items() for part in pair)
            table = file.read()
            for column in table.column_names:
                values = table[column].unique().to_pylist()
                yield f"column {column}", "\n".join([column, *map(str, values)]).encode()


@pytest.fixture(scope="session")
def decoded() -> Callable[[Path], Iterator[tuple[str, bytes]]]:
    """Give a file's bytes and what its format's readers get out of them, each with a label."""
    return _decoded


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


@pytest.fixture(scope="session")
def leaks(root: Path, test_data: Path) -> Callable[..., list[str]]:
    """Tell where files name a sample, a path, a user or a host: leaks(paths, ids, words) -> places.

    Sample IDs are found by the project's names, two letters and five digits, that are inside of them.
    """
    name = re.compile(rb"[A-Z]{2}[0-9]{5}")
    here = [getpass.getuser(), platform.node(), platform.node().split(".")[0], USER, HOST]
    # A name as a word of its own; `:root` is what style sheets call a page, not its owner.
    machine = re.compile(
        b"(?<![:\\w.-])(?:" + b"|".join(re.escape(n.encode()) for n in here if n) + b")(?![\\w-])"
    )
    places = [str(path) for path in (root, test_data, Path.home(), tempfile.gettempdir())]

    def find(paths: Iterable[Path], ids: Iterable[str], words: Iterable[str] = ()) -> list[str]:
        names = {each for sample in ids for each in name.findall(sample.encode())}
        assert all(name.search(sample.encode()) for sample in ids)
        assert names
        unwanted = [word.encode() for word in (*places, *words) if len(word) > 3]
        found = []
        for path in paths:
            for label, content in _decoded(path):
                said = {each for each in set(name.findall(content)) if each in names}
                said |= {word for word in unwanted if word in content}
                if _is_text(content):  # compressed bytes hold every short word, by chance
                    said |= set(machine.findall(content))
                found += [f"{path.name}, {label}: {each.decode()}" for each in sorted(said)]
        return found

    return find
