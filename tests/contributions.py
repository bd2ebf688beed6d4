"""A small contribution, made by `afpanel package`, and ways to alter it and make it look whole again."""

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tests.builders import write_fasta
from tests.linkages import summary_of_people
from tests.ssh import NAMESPACE, make_key, public, signed

from afpanel.constants import Sex
from afpanel.core.strings import Strings
from afpanel.core.variants import Variants
from afpanel.core.withholding import Sharing, told_cells
from afpanel.io.chunks import Packing, unpack
from afpanel.io.files import json_text, write_json
from afpanel.io.metadata import read_metadata
from afpanel.io.metadata_form import metadata_form
from afpanel.io.reference import Reference, ReferencePaths
from afpanel.io.schemas import load_schema
from afpanel.io.stored_zip import write_stored_zip
from afpanel.model.arrays import ARRAYS
from afpanel.model.cohort import Cell
from afpanel.stages.cell_counts import CountsHead, create_cell_counts
from afpanel.stages.fingerprint import PLAN_VERSION
from afpanel.stages.linkage_summary import write_summary
from afpanel.stages.package import PackageInputs, package
from afpanel.stages.verdict import Verdict
from afpanel.stages.verify import VerifyOptions, verify

COHORT = "VN1"
CELLS = [
    Cell("KHV", Sex.XX, 40),
    Cell("KHV", Sex.XY, 35),
    Cell("TAY", Sex.XX, 20),
    Cell("TAY", Sex.XY, 25),
]
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"


def defaults_of(name: str) -> dict[str, Any]:
    """The default of every key of a section of the configuration."""
    described = load_schema("config")["properties"][name]["properties"]
    return {key: deepcopy(each["default"]) for key, each in described.items()}


def random_genome(length: int, seed: int = 1) -> str:
    """Random bases."""
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def variants_on(sequence: str, n: int, seed: int = 2) -> Variants:
    """Canonical variants of a contig, in order: substitutions, deletions and insertions."""
    rng = np.random.default_rng(seed)
    position = np.sort(rng.choice(np.arange(10, len(sequence) - 10), n, replace=False))
    found = []
    for k, at in enumerate(position.tolist()):
        base, after = sequence[at - 1], sequence[at]
        other = next(x for x in "ACGT" if x != base)
        if k % 5 == 3 and after != base:
            found.append((at, base + after, base))
        elif k % 5 == 4 and other != after:
            found.append((at, base, base + other))
        else:
            found.append((at, base, other))
    columns = zip(*found, strict=True)
    return Variants(
        np.array(next(columns), np.int32),
        Strings.of(list(next(columns))),
        Strings.of(list(next(columns))),
    )


def counts_of(
    n: int, cells: list[Cell] = CELLS, seed: int = 3, *, rare: bool = False
) -> dict[str, np.ndarray]:
    """Counts of genotypes drawn at places where everybody has two copies."""
    rng = np.random.default_rng(seed)
    people = np.array([cell.people for cell in cells])
    frequency = rng.beta(0.3, 3, (n, 1)) if rare else rng.beta(1, 1.5, (n, 1))
    called = rng.binomial(people, 0.98, (n, len(cells)))
    hom = rng.binomial(called, frequency**2)
    het = rng.binomial(called - hom, 2 * frequency / (1 + frequency))
    half = rng.binomial(people - called, 0.2)
    tables = {
        "allele_count": 2 * hom + het,
        "allele_number": 2 * called + half,
        "homozygote_count": hom,
        "hemizygote_count": np.zeros_like(hom),
        "single_allele_count": np.zeros_like(hom),
        "single_allele_number": half,
    }
    tables["raw_allele_count"] = tables["allele_count"].sum(axis=1)
    tables["raw_allele_number"] = tables["allele_number"].sum(axis=1)
    return {name: table.astype(np.int32) for name, table in tables.items()}


@dataclass
class Programme:
    """A programme with a key, and a hub that knows it.

    Parameters
    ----------
    folder
        Where all of it is.
    contigs
        Bases of the reference by contig.
    variants
        How many of them each contig has.
    """

    folder: Path
    contigs: Mapping[str, str]
    variants: Mapping[str, int]
    sharing: dict[str, Any] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=lambda: CELLS)
    build: str = "GRCh38"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fasta = write_fasta(self.folder / "ref.fa", self.contigs)
        self.key = make_key(self.folder, "key")
        self.others_key = make_key(self.folder, "others")
        self.signers = self.folder / "allowed_signers"
        listed = ((COHORT, self.key), ("LA1", self.others_key))
        self.signers.write_text(
            "".join(f'{name} namespaces="{NAMESPACE}" {public(key)}\n' for name, key in listed)
        )
        self.metadata = self.folder / "metadata.yaml"
        self.metadata.write_text(metadata_form(filled=True))
        counts = self._counts()
        self._write_plan()
        self._write_harmonization()
        self.path = self.folder / f"{COHORT}.afc.zip"
        bed = self.folder / "callable.bed"
        bed.write_text("".join(f"{name}\t5\t{len(s) - 5}\n" for name, s in self.contigs.items()))
        inputs = PackageInputs(
            counts,
            self.folder / "plan.json",
            self.folder / "harmonization.json",
            bed,
            ReferencePaths.find(self.fasta),
            self._write_linkage(),
        )
        package(inputs, COHORT, self.path)

    def _counts(self) -> list[Path]:
        paths = []
        country = read_metadata(self.metadata)["cohort"]["country"]
        for name, n in self.variants.items():
            path = self.folder / f"{name}.counts.zip"
            head = CountsHead(COHORT, country, self.cells)
            with create_cell_counts(path, head, list(self.contigs)) as writer:
                at = np.full(n, list(self.contigs).index(name))
                writer.variants(at, variants_on(self.contigs[name], n), counts_of(n, self.cells))
                span = np.array([1])
                writer.refused(at[:1], span, span + 3)
            paths.append(path)
        return paths

    def _write_plan(self) -> None:
        config = {name: defaults_of(name) for name in ("genotypes", "harmonize", "overlap")}
        sharing = defaults_of("sharing")
        sharing["populations"] = {"merge": {}, "leave_out": []}
        config |= {"reference": {"build": self.build}, "sharing": sharing | self.sharing}
        config["sharing"]["signing_key"] = str(self.key)
        partitions = [{"contig": name} for name in self.variants]
        about = {
            "kind": "vcf",
            "country": read_metadata(self.metadata)["cohort"]["country"],
            "files": [],
            "samples": None,
            "build": self.build,
            "metadata": str(self.metadata),
            "partitions": partitions,
        }
        config |= {"panel": {"name": "home", "version": "1"}, "results": "results"}
        plan = {
            "plan_version": PLAN_VERSION,
            "config": config,
            "contigs": list(self.contigs),
            "inputs": [],
            "cohorts": {COHORT: about},
        }
        write_json(self.folder / "plan.json", plan)

    def _write_linkage(self) -> Path:
        plan = json.loads((self.folder / "plan.json").read_text())
        told = told_cells(self.cells, Sharing.of(plan["config"]["sharing"]))
        people: Counter[str] = Counter()
        for cell in told.cells:
            people[cell.population] += cell.people
        path = self.folder / "linkage.json"
        country = plan["cohorts"][COHORT]["country"]
        # Of rare variants that are kept back nothing is told here either; fewer than these are.
        kept_back = 20 if plan["config"]["sharing"]["min_variant_count"] else 0
        variants = sum(self.variants.values()) - kept_back
        least = plan["config"]["sharing"]["min_allele_count"]
        write_summary(path, summary_of_people(COHORT, country, people, variants, least))
        return path

    def _write_harmonization(self) -> None:
        summary = {
            "cohort": COHORT,
            "outcomes": {"as_is": sum(self.variants.values()), "star": 3, "trimmed": 2},
            "strand": {"verdict": "forward", "records": {"as_is": 12, "swapped": 0}},
            "lift": None,
            "ignored_contigs": {"GL000191.1": 4},
            "genotypes": {"fields": {"GQ": "all"}, "polyploid_calls": 0, "filtered_calls": 0},
        }
        write_json(self.folder / "harmonization.json", summary)

    def options(self, **more: Any) -> VerifyOptions:
        """What the hub asks of it."""
        asked = {
            "build": self.build,
            "cohort": COHORT,
            "signature_required": True,
            "allowed_signers": self.signers,
        }
        return VerifyOptions(**(asked | more))

    def verdict(self, path: Path | None = None, out: Path | None = None, **more: Any) -> Verdict:
        """Verify a file as the hub does."""
        return verify(path or self.path, ReferencePaths.find(self.fasta), self.options(**more), out)

    def opened(self) -> "Opened":
        """Take the contribution apart."""
        with zipfile.ZipFile(self.path) as archive:
            return Opened(self, {name: archive.read(name) for name in archive.namelist()})

    def reference(self) -> Reference:
        """The hub's reference."""
        return Reference(ReferencePaths.find(self.fasta))


@dataclass
class Opened:
    """A contribution in parts, to be altered and put together again as a programme could do it.

    Parameters
    ----------
    programme
        Whose it is.
    parts
        Bytes by name.
    """

    programme: Programme
    parts: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """What its manifest says."""
        content: dict[str, Any] = json.loads(self.parts[MANIFEST])
        return content

    def store(self, contig: str = "chr1") -> dict[str, bytes]:
        """Entries of the store of a contig."""
        with zipfile.ZipFile(io.BytesIO(self.parts[f"counts/{contig}.zarr.zip"])) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def set_store(self, entries: Mapping[str, bytes], contig: str = "chr1") -> None:
        """Put other entries in the place of those of a store."""
        path = self.programme.folder / "altered.store.zip"
        write_stored_zip(path, entries)
        self.parts[f"counts/{contig}.zarr.zip"] = path.read_bytes()

    def edit_manifest(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Alter the manifest, laid out as it should be."""
        manifest = self.manifest
        edit(manifest)
        self.parts[MANIFEST] = json_text(manifest).encode()

    def edit_json(self, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
        """Alter another document."""
        document = json.loads(self.parts[name])
        edit(document)
        self.parts[name] = json_text(document).encode()

    def array(self, name: str, contig: str = "chr1") -> np.ndarray:
        """Read an array of numbers, its first chunk, with the rows that no variant has."""
        entries = self.store(contig)
        about = json.loads(entries[f"{name}/zarr.json"])
        grid = about["chunk_grid"]["configuration"]["chunk_shape"]
        values = np.zeros(grid, ARRAYS[name].dtype)
        key = chunk_key(name, 0, values.ndim)
        if key in entries:
            unpack(entries[key], values)
        return values

    def edit_array(
        self, name: str, edit: Callable[[np.ndarray], object], contig: str = "chr1"
    ) -> None:
        """Alter the first chunk of an array of numbers."""
        values = self.array(name, contig)
        edit(values)
        packed = Packing.of(values.dtype, quick=False).pack(values)
        self.set_store(self.store(contig) | {chunk_key(name, 0, values.ndim): packed}, contig)

    def edit_text(
        self, name: str, edit: Callable[[np.ndarray], object], contig: str = "chr1"
    ) -> None:
        """Alter the first chunk of an array of text."""
        entries = self.store(contig)
        values = texts_of(entries[f"{name}/c/0"])
        edit(values)
        packed = Packing.of(values.dtype, quick=False).pack(values)
        self.set_store(entries | {f"{name}/c/0": packed}, contig)

    def mend(self, *, sums: bool = False) -> None:
        """Give the manifest the sizes and digests of the parts as they are, and their sums if asked."""
        manifest = self.manifest
        for part in manifest["parts"]:
            content = self.parts.get(part["path"])
            if content is not None:
                digest = hashlib.sha256(content).hexdigest()
                part |= {"bytes": len(content), "sha256": digest}
                if sums and "contig" in part:
                    self._add_up(part)
        self.parts[MANIFEST] = json_text(manifest).encode()

    def _add_up(self, part: dict[str, Any]) -> None:
        about = json.loads(self.store(part["contig"])["variant_position/zarr.json"])
        part["variants"] = n = about["shape"][0]
        count, number = (
            self.array(name, part["contig"])[:n].astype(np.int64)
            for name in ("allele_count", "allele_number")
        )
        part["masked_cells"] = int((count < 0).sum())
        part["allele_count"] = np.maximum(count, 0).sum(axis=0).tolist()
        part["allele_number"] = number.sum(axis=0).tolist()

    def sign(self, key: Path | None = None) -> None:
        """Sign the manifest as it is."""
        self.parts[SIGNATURE] = signed(self.parts[MANIFEST], key or self.programme.key)

    def write(self, name: str = "altered.afc.zip") -> Path:
        """Put the parts together."""
        path = self.programme.folder / name
        write_stored_zip(path, self.parts)
        return path

    def resent(self, *, sums: bool = True) -> Path:
        """Mend all that can be mended, sign, and put the parts together."""
        self.mend(sums=sums)
        self.sign()
        return self.write()


def chunk_key(name: str, number: int, ndim: int) -> str:
    """Name the entry of a chunk."""
    return "/".join([name, "c", str(number), *["0"] * (ndim - 1)])


def texts_of(packed: bytes) -> np.ndarray:
    """Unpack a chunk of text."""
    from numcodecs import blosc

    content = np.frombuffer(blosc.decompress(packed), np.uint8)
    return Strings.of_lengths_and_bytes(content).objects()


def reasons(verdict: Verdict) -> str:
    """All that is fatal, in one text."""
    return "\n".join(f"{f.where}: {f.what}" for f in verdict.findings if f.fatal)
