"""How a release is cited, registered and packed: CITATION.cff, DataCite's metadata, and an RO-Crate."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from afpanel.core.dataset import Dataset

_DOI = "https://doi.org/"


def citation(of: Dataset) -> str:
    """Write ``CITATION.cff`` (Citation File Format 1.2) of a data set."""
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them with their version.",
        "type": "dataset",
        "title": of.title,
        "version": of.version,
        "authors": [_entity(of.publisher)],
        "abstract": of.description,
        "keywords": of.keywords,
    }
    if of.identifier.startswith(_DOI):
        content["doi"] = of.identifier.removeprefix(_DOI)
    further = {
        "date-released": of.issued,
        "license-url": of.about.get("license"),
        "url": of.about.get("landing_page"),
    }
    content |= {key: value for key, value in further.items() if value}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return text


def _entity(publisher: Mapping[str, str]) -> dict[str, str]:
    entity = {"name": publisher["name"]}
    return entity | ({"website": publisher["url"]} if publisher.get("url") else {})


def datacite(of: Dataset) -> dict[str, Any]:
    """Lay out what DataCite asks for to register a DOI (metadata schema 4.5), as its JSON has it.

    What has to be given for a DOI and is not known (the year, without a day of publication) is left out.
    """
    content: dict[str, Any] = {
        "identifiers": [{"identifier": of.identifier, "identifierType": _kind_of(of.identifier)}],
        "creators": [{"name": of.publisher["name"], "nameType": "Organizational"}],
        "titles": [{"title": of.title}],
        "publisher": {"name": of.publisher["name"]},
        "types": {
            "resourceTypeGeneral": "Dataset",
            "resourceType": "Allele frequencies of groups of people",
        },
        "subjects": [{"subject": word} for word in of.keywords],
        "descriptions": [{"description": of.description, "descriptionType": "Abstract"}],
        "version": of.version,
        "formats": [each.media_type for each in of.formats],
        "sizes": [f"{each.size} bytes" for each in of.formats],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    if of.issued:
        content["publicationYear"] = of.issued[:4]
        content["dates"] = [{"date": of.issued, "dateType": "Issued"}]
    if of.about.get("license"):
        content["rightsList"] = [{"rightsUri": of.about["license"]}]
    if of.about.get("landing_page"):
        content["url"] = of.about["landing_page"]
    return content


def _kind_of(identifier: str) -> str:
    if identifier.startswith(_DOI):
        return "DOI"
    return "URN" if identifier.startswith("urn:") else "URL"


def ro_crate(of: Dataset, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the folder as an RO-Crate 1.1.

    Parameters
    ----------
    of
        The release.
    files
        Its files: ``path``, ``bytes`` and ``sha256`` of each, and ``says``, what it is, if that is known.
    """
    publisher = {
        "@id": of.publisher.get("url", "#publisher"),
        "@type": "Organization",
        "name": of.publisher["name"],
    }
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": of.title,
        "description": of.description,
        "identifier": of.identifier,
        "version": of.version,
        "keywords": of.keywords,
        "publisher": {"@id": publisher["@id"]},
        "hasPart": [{"@id": each["path"]} for each in files],
    }
    # The crate's own rules ask for a day and a licence; where there is none, that is said.
    root["datePublished"] = of.issued or "not stated"
    root["license"] = of.about.get("license") or "not stated"
    parts = [
        {
            "@id": each["path"],
            "@type": "File",
            "contentSize": str(each["bytes"]),
            "sha256": each["sha256"],
        }
        for each in files
    ]
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [about, root, publisher, *parts],
    }


def checksums(files: Sequence[Mapping[str, Any]]) -> str:
    """List digests as ``sha256sum --check`` reads them."""
    return "".join(f"{each['sha256']}  {each['path']}\n" for each in files)
