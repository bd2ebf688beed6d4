"""What a catalogue can tell of a release or a contribution: facts of its manifest, and what its publisher says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from afpanel.model.groups import GroupKind, kind_of

ACCESS = {"public": "PUBLIC", "restricted": "RESTRICTED", "non-public": "NON_PUBLIC"}
"""Kinds of access as the European Union's vocabulary names them."""


@dataclass(frozen=True)
class Format:
    """A form in which the data can be had.

    Parameters
    ----------
    name
        What it is called, as ``VCF``.
    media_type
        Its media type, as IANA registers them.
    path
        Path in the folder: a file, or a folder of several.
    size
        Bytes, of all files together.
    sha256
        Digest of the file; empty where there are several.
    """

    name: str
    media_type: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A release or a contribution, as a catalogue lists it.

    Parameters
    ----------
    name, version
        Which it is.
    kind
        ``release`` or ``contribution``.
    title, description
        In words.
    publisher
        ``name`` and perhaps ``url``.
    build
        Genome build.
    people, variants
        How many; variants are None where that is not told.
    countries
        Two-letter codes.
    groups
        Names of the groups.
    formats
        See `Format`.
    access
        One of `ACCESS`.
    terms
        Identifiers of DUO and their values.
    issued
        Day, or empty.
    about
        Further keys of ``about.schema.yaml``.
    """

    name: str
    version: str
    kind: str
    title: str
    description: str
    publisher: Mapping[str, str]
    build: str
    people: int
    variants: int | None
    countries: Sequence[str]
    groups: Sequence[str]
    formats: Sequence[Format]
    access: str
    terms: Sequence[tuple[str, str]] = ()
    issued: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """Identifier that stays, as a URI."""
        given: str = self.about.get("identifier", "")
        return given or f"urn:afpanel:{self.kind}:{self.name}:{self.version}"

    @property
    def keywords(self) -> list[str]:
        """Words to find it by."""
        usual = ["allele frequency", "population genetics", "aggregate data", self.build]
        return [*usual, *self.countries, *self.about.get("keywords", ())]


_FORMATS = {
    ".vcf.gz": ("VCF", "text/vcf"),
    ".slim.vcf.gz": ("VCF, main figures alone", "text/vcf"),
    ".bcf": ("BCF", "application/octet-stream"),
    ".parquet": ("Parquet", "application/vnd.apache.parquet"),
    ".zarr.zip": ("Zarr", "application/zip"),
}


def formats_of(files: Sequence[Mapping[str, Any]], stem: str) -> list[Format]:
    """Find the formats of a release by its files, as the manifest lists them.

    >>> files = [{"path": "p-1.zarr.zip", "bytes": 7, "sha256": "ab"}, {"path": "harmonization.tsv"}]
    >>> [(each.name, each.size) for each in formats_of(files, "p-1")]
    [('Zarr', 7)]
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in files:
        top = each["path"].partition("/")[0]
        if top.removeprefix(stem) in _FORMATS:
            found.setdefault(top, []).append(each)
    formats = []
    for top, parts in found.items():
        name, media_type = _FORMATS[top.removeprefix(stem)]
        digest = parts[0]["sha256"] if [part["path"] for part in parts] == [top] else ""
        size = sum(part["bytes"] for part in parts)
        formats.append(Format(name, media_type, top, size, digest))
    return formats


def of_release(manifest: Mapping[str, Any], about: Mapping[str, Any]) -> Dataset:
    """Describe a release.

    Parameters
    ----------
    manifest
        Its manifest.
    about
        What its publisher says, with defaults; empty where nothing was given.
    """
    panel, policy = manifest["panel"], manifest["policy"]
    groups = [each["group"] for each in manifest["groups"]]
    people = manifest["groups"][0]["people"]
    countries = sorted({each["country"] for each in manifest["cohorts"]})
    build = manifest["reference"]["build"]
    variants = manifest["decision"]["variants"]
    usual = (
        f"Allele frequencies of {variants:,} variants in {people:,} people of {', '.join(countries)} on"
        f" {build}: counts of groups alone, with small counts withheld."
    )
    tier = policy.get("tier")
    return Dataset(
        name=panel["name"],
        version=panel["version"],
        kind="release",
        title=about.get("title", f"Allele frequency panel {panel['name']} {panel['version']}"),
        description=about.get("description", usual),
        publisher=about.get("publisher", {"name": "not stated"}),
        build=build,
        people=people,
        variants=variants,
        countries=countries,
        groups=groups,
        formats=formats_of(manifest["files"], f"{panel['name']}-{panel['version']}"),
        access=about.get("access") or ("public" if tier == "open" else "restricted"),
        terms=[(each["term"], each.get("value", "")) for each in about.get("data_use", ())],
        issued=about.get("issued") or policy.get("as_of") or "",
        about=about,
    )


def of_contribution(
    manifest: Mapping[str, Any], metadata: Mapping[str, Any] | None, file: Format
) -> Dataset:
    """Describe a contribution, of which a hub alone has the file: what its metadata say, and no figure.

    Parameters
    ----------
    manifest
        Its manifest.
    metadata
        Metadata of the cohort, or None where there are none.
    file
        The file.
    """
    cohort, country = manifest["cohort"], manifest["country"]
    said = {} if metadata is None else metadata["cohort"]
    populations = sorted({cell["population"] for cell in manifest["cells"]})
    usual = f"Allele counts of cohort {cohort} ({country}), for a hub; nobody's genotypes."
    institution = said.get("institution") or said.get("programme") or cohort
    return Dataset(
        name=cohort,
        version=f"edition {manifest['edition']}",
        kind="contribution",
        title=said.get("title") or f"Allele counts of cohort {cohort}",
        description=said.get("description") or usual,
        publisher={"name": institution},
        build=manifest["reference"]["build"],
        people=manifest["people"],
        variants=None,
        countries=[country],
        groups=[country, *(f"{country}_{p}" for p in populations)],
        formats=[file],
        access="non-public",
        terms=[]
        if metadata is None
        else [(each["term"], each.get("value", "")) for each in metadata["data_use"]],
        issued=said.get("issued", ""),
        about={"landing_page": said["url"]} if said.get("url") else {},
    )


def told_groups(dataset: Dataset) -> str:
    """Say how many groups of each kind there are.

    >>> from types import SimpleNamespace
    >>> told_groups(SimpleNamespace(groups=["total", "VN", "VN_KHV", "XX"]))
    'everybody, 1 country, 1 population, 1 sex'
    """
    words = {
        GroupKind.COUNTRY: ("country", "countries"),
        GroupKind.POPULATION: ("population", "populations"),
        GroupKind.SEX: ("sex", "sexes"),
    }
    kinds = [kind_of(name) for name in dataset.groups]
    parts = ["everybody"] if GroupKind.TOTAL in kinds else []
    for kind, (one, many) in words.items():
        number = kinds.count(kind)
        if number:
            parts.append(f"{number} {one if number == 1 else many}")
    return ", ".join(parts)
