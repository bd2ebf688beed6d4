"""Entries of data catalogues: DCAT-AP 3, with HealthDCAT-AP's words where they apply, as JSON-LD.

The context is part of each document, so that nothing has to be fetched to read it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from afpanel.core.countries import ALPHA_3
from afpanel.core.data_use import words_of_term
from afpanel.core.dataset import ACCESS, Dataset, Format

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "obo": "http://purl.obolibrary.org/obo/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_EU = "http://publications.europa.eu/resource/authority/"
_MEDIA = "http://www.iana.org/assignments/media-types/"
_GENOMIC = "https://hdeu-dcat.data.health.europa.eu/resource/authority/healthcategories/HGPD"
"""Human genetic, epigenomic and genomic data, among the categories of the European Health Data Space."""

_ENGLISH = {"@id": f"{_EU}language/ENG", "@type": "dct:LinguisticSystem"}

Node = dict[str, Any]


def catalog(
    title: str, description: str, publisher: Mapping[str, str], datasets: Sequence[Dataset]
) -> Node:
    """Lay out a catalogue of several data sets.

    Parameters
    ----------
    title, description
        Of the catalogue.
    publisher
        ``name`` and perhaps ``url``.
    datasets
        What it lists, in this order.
    """
    laws = sorted({law for each in datasets for law in each.about.get("legislation", ())})
    node = {
        "@context": CONTEXT,
        "@type": "dcat:Catalog",
        "dct:title": _english(title),
        "dct:description": _english(description),
        "dct:publisher": _agent(publisher),
        "dct:language": _ENGLISH,
        "dcatap:applicableLegislation": [_iri(law, "eli:LegalResource") for law in laws],
        "dcat:dataset": [_dataset(each) for each in datasets],
    }
    return _given(node)


def entry(dataset: Dataset) -> Node:
    """Lay out one data set by itself."""
    return {"@context": CONTEXT, **_dataset(dataset)}


def _dataset(of: Dataset) -> Node:
    about = of.about
    laws = [_iri(law, "eli:LegalResource") for law in about.get("legislation", ())]
    node = {
        "@id": of.identifier,
        "@type": "dcat:Dataset",
        "dct:title": _english(of.title),
        "dct:description": _english(of.description),
        "dct:identifier": _typed(of.identifier, "anyURI"),
        "dct:publisher": _agent(of.publisher),
        "dcat:contactPoint": _contact(about.get("contact")),
        "dcat:keyword": [_english(word) for word in of.keywords],
        "dcat:theme": _concept(f"{_EU}data-theme/HEAL", "Health"),
        "dct:type": _concept(f"{_EU}dataset-type/STATISTICAL", "Statistical data"),
        "dct:accessRights": _iri(f"{_EU}access-right/{ACCESS[of.access]}", "dct:RightsStatement"),
        "dct:spatial": [
            _iri(f"{_EU}country/{ALPHA_3[code]}", "dct:Location")
            for code in of.countries
            if code in ALPHA_3
        ],
        "dct:language": _ENGLISH,
        "dct:issued": _typed(of.issued, "date") if of.issued else None,
        "dcat:version": of.version,
        "dcat:landingPage": _document(about.get("landing_page")),
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _english(
                "Counted from the variant calls of national genome programmes; groups alone, after"
                " disclosure control."
            ),
        },
        "dct:rights": [_right(term, value) for term, value in of.terms],
        "dcatap:applicableLegislation": laws,
        "healthdcatap:healthCategory": _concept(
            _GENOMIC, "Human genetic, epigenomic and genomic data"
        ),
        "healthdcatap:healthTheme": [_iri(each) for each in about.get("health_themes", ())],
        "healthdcatap:hdab": _agent(about.get("access_body")),
        "healthdcatap:numberOfUniqueIndividuals": _typed(str(of.people), "nonNegativeInteger"),
        "healthdcatap:numberOfRecords": None
        if of.variants is None
        else _typed(str(of.variants), "nonNegativeInteger"),
        "dpv:hasPurpose": [_iri(each) for each in about.get("purposes", ())],
        "adms:sample": _sample(about.get("sample"), laws),
        "dcat:distribution": [_distribution(each, of, laws) for each in of.formats],
    }
    return _given(node)


def _distribution(format_: Format, of: Dataset, laws: Sequence[Node]) -> Node:
    page = of.about.get("landing_page") or of.identifier
    node = {
        "@type": "dcat:Distribution",
        "dct:title": _english(f"{of.title}, {format_.name}"),
        "dct:description": _english(format_.path),
        "dcat:accessURL": _iri(page, "rdfs:Resource"),
        "dcat:mediaType": _iri(_MEDIA + format_.media_type, "dct:MediaType"),
        "dct:format": _iri(_MEDIA + format_.media_type, "dct:MediaTypeOrExtent"),
        "dct:rights": {
            "@type": "dct:RightsStatement",
            "rdfs:label": _english("As DATA-USE.txt beside it says."),
        },
        "dcat:byteSize": _typed(str(format_.size), "nonNegativeInteger"),
        "dct:license": _iri(of.about["license"], "dct:LicenseDocument")
        if of.about.get("license")
        else None,
        "dcatap:applicableLegislation": list(laws),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": _iri("spdx:checksumAlgorithm_sha256", "spdx:ChecksumAlgorithm"),
            "spdx:checksumValue": _typed(format_.sha256, "hexBinary"),
        }
        if format_.sha256
        else None,
    }
    return _given(node)


def _sample(page: str | None, laws: Sequence[Node]) -> Node | None:
    if not page:
        return None
    node = {
        "@type": "dcat:Distribution",
        "dcat:accessURL": _iri(page, "rdfs:Resource"),
        "dcatap:applicableLegislation": list(laws),
    }
    return _given(node)


def _right(term: str, value: str) -> Node:
    return {
        "@id": f"obo:{term.replace(':', '_')}",
        "@type": "dct:RightsStatement",
        "rdfs:label": _english(words_of_term(term, value)),
    }


def _agent(of: Mapping[str, Any] | None) -> Node | None:
    if not of:
        return None
    trusted = of.get("trusted_data_holder")
    node = {
        "@type": "foaf:Agent",
        "foaf:name": of["name"],
        "foaf:homepage": _document(of.get("url")),
        "foaf:mbox": _mailbox(of.get("address")),
        "healthdcatap:publisherType": _iri(of["type"]) if of.get("type") else None,
        "healthdcatap:publisherNote": _english(of["note"]) if of.get("note") else None,
        "healthdcatap:trustedDataHolder": None
        if trusted is None
        else _typed(str(trusted).lower(), "boolean"),
    }
    return _given(node)


def _contact(of: Mapping[str, str] | None) -> Node | None:
    if not of:
        return None
    node = {
        "@type": "vcard:Kind",
        "vcard:fn": of["role"],
        "vcard:hasURL": _iri(of["url"]),
        "vcard:hasEmail": _mailbox(of.get("address")),
    }
    return _given(node)


def _document(page: str | None) -> Node | None:
    return {"@id": page, "@type": "foaf:Document"} if page else None


def _given(node: Node) -> Node:
    """Leave out what was not given."""
    return {key: value for key, value in node.items() if value not in (None, [])}


def _iri(address: str, kind: str = "") -> Node:
    """Point at something elsewhere; `kind` says what it is, for who does not look there."""
    return {"@id": address, "@type": kind} if kind else {"@id": address}


def _concept(address: str, label: str) -> Node:
    return {"@id": address, "@type": "skos:Concept", "skos:prefLabel": _english(label)}


def _mailbox(address: str | None) -> Node | None:
    return _iri(f"mailto:{address}") if address else None


def _english(text: str) -> Node:
    return {"@value": text, "@language": "en"}


def _typed(value: str, kind: str) -> Node:
    return {"@value": value, "@type": f"xsd:{kind}"}
