"""Catalogue entries: of a release; and the catalogue of many, contributions among them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from afpanel.core.citation import checksums, citation, datacite, ro_crate
from afpanel.core.data_notice import data_use_notice
from afpanel.core.data_use import faults_of_terms
from afpanel.core.dataset import Dataset, Format, of_contribution, of_release
from afpanel.core.dcat import catalog, entry
from afpanel.errors import BadInputError
from afpanel.io.catalog_page import catalog_page, landing_page
from afpanel.io.files import read_json, sha256, whole_folder, write_json, write_text
from afpanel.io.schemas import faults_of, with_defaults
from afpanel.io.stored_zip import StoredZip
from afpanel.io.tables import raise_any, read_yaml
from afpanel.stages.contribution import MANIFEST, MAX_ENTRIES, METADATA
from afpanel.stages.received import MAX_MANIFEST, parse_metadata, read_manifest

logger = logging.getLogger(__name__)

_SCHEMA = "about"
_CONTRIBUTION = ".afc.zip"


def read_about(path: Path | None) -> dict[str, Any]:
    """Read what a publisher says of a panel, with its defaults; empty where there is no file.

    Raises
    ------
    FaultsError
        With everything in which it departs from its schema.
    """
    if path is None:
        return {}
    content = _plain(read_yaml(path))
    faults = faults_of(content, _SCHEMA, str(path))
    raise_any(faults)
    about = with_defaults(content, _SCHEMA)
    terms = [(each["term"], each.get("value", "")) for each in about["data_use"]]
    raise_any(
        [
            BadInputError(
                fault.what, where=f"{path}, data_use", found=fault.found, remedy=fault.remedy
            )
            for fault in faults_of_terms(terms)
        ]
        if terms
        else []
    )
    return about


def _plain(value: Any) -> Any:
    """Make days text, as they are in JSON."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def write_entry(folder: Path, manifest: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write the entry of a release.

    Parameters
    ----------
    folder
        Where to.
    manifest
        Its manifest.
    about
        See `read_about`.
    """
    dataset = of_release(manifest, about)
    files = manifest["files"]
    write_json(folder / "catalogue.jsonld", entry(dataset))
    write_text(folder / "CITATION.cff", citation(dataset))
    write_json(folder / "datacite.json", datacite(dataset))
    write_json(folder / "ro-crate-metadata.json", ro_crate(dataset, files))
    write_text(folder / "index.html", landing_page(dataset))
    write_text(folder / "DATA-USE.txt", data_use_notice(dataset))
    write_text(folder / "SHA256SUMS", checksums(files))


def build_catalog(
    sources: Sequence[Path],
    out: Path,
    title: str,
    description: str,
    publisher: Mapping[str, str],
) -> int:
    """Make one page and one JSON-LD file of many releases and contributions.

    Parameters
    ----------
    sources
        Folders of releases, contributions, or folders that hold such.
    out
        Folder for ``index.html`` and ``catalogue.jsonld``; what it held is replaced.
    title, description, publisher
        Of the catalogue.

    Returns
    -------
    int
        How many data sets it lists.

    Raises
    ------
    BadInputError
        If there is nothing to list, or something is listed twice.
    """
    datasets = [each for source in sources for each in _found(source)]
    if not datasets:
        raise BadInputError(
            "there is no release and no contribution",
            where=", ".join(map(str, sources)),
            expected="folders with a manifest.json, or files that end in .afc.zip",
        )
    datasets.sort(key=lambda each: (each.kind != "release", each.name, each.version))
    for one, next_ in pairwise(datasets):
        if one.identifier == next_.identifier:
            raise BadInputError(
                f"two data sets are called {one.identifier}",
                remedy="list each once, or give the versions identifiers of their own",
            )
    with whole_folder(out) as folder:
        write_json(folder / "catalogue.jsonld", catalog(title, description, publisher, datasets))
        write_text(folder / "index.html", catalog_page(title, description, datasets))
    logger.info("catalog: %d data sets", len(datasets))
    return len(datasets)


def _found(source: Path) -> Iterator[Dataset]:
    """Describe what is at a path, or in the folders below."""
    if source.name.endswith(_CONTRIBUTION) and source.is_file():
        yield _contribution(source)
    elif (source / "manifest.json").is_file():
        manifest = read_json(source / "manifest.json")
        if "manifest_version" not in manifest:
            raise BadInputError("not the manifest of a release", where=source / "manifest.json")
        yield of_release(manifest, manifest.get("about", {}))
    elif source.is_dir():
        for path in sorted(source.iterdir()):
            if path.is_dir() or path.name.endswith(_CONTRIBUTION):
                yield from _found(path)
    else:
        raise BadInputError("neither a folder nor a contribution", where=source)


def _contribution(path: Path) -> Dataset:
    """Describe a contribution by its manifest and metadata, read as strictly as a hub does."""
    with StoredZip(path, MAX_ENTRIES) as archive:
        if MANIFEST not in archive.entries:
            raise BadInputError("there is no manifest.json", where=path)
        manifest, _ = read_manifest(archive.read(MANIFEST, MAX_MANIFEST))
        metadata = None
        if METADATA in archive.entries:
            metadata = parse_metadata(archive.read(METADATA, MAX_MANIFEST), manifest)
    file = Format("contribution", "application/zip", path.name, path.stat().st_size, sha256(path))
    return of_contribution(manifest, metadata, file)
