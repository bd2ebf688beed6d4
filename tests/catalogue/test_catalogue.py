"""Entries of data catalogues: valid by the published shapes, and true of the releases that they tell of."""

import hashlib
import html.parser
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml
from tests.contributions import Programme, random_genome

from afpanel.cli.main import main
from afpanel.core.citation import checksums
from afpanel.core.countries import ALPHA_3
from afpanel.core.dataset import Dataset, Format
from afpanel.core.dcat import catalog, entry
from afpanel.errors import BadInputError, FaultsError
from afpanel.io.catalog_page import catalog_page
from afpanel.stages.catalogue import read_about

ROOT = Path(__file__).parents[2]

MANIFEST = {
    "manifest_version": 4,
    "panel": {"name": "asia", "version": "1"},
    "files": [
        {"path": "asia-1.parquet/contig=1/part-0.parquet", "bytes": 5, "sha256": "a" * 64},
        {"path": "asia-1.parquet/contig=2/part-0.parquet", "bytes": 7, "sha256": "b" * 64},
        {"path": "asia-1.vcf.gz", "bytes": 11, "sha256": "c" * 64},
        {"path": "asia-1.vcf.gz.tbi", "bytes": 1, "sha256": "d" * 64},
        {"path": "harmonization.tsv", "bytes": 2, "sha256": "e" * 64},
    ],
    "reference": {"build": "GRCh38", "contigs": []},
    "cohorts": [
        {"cohort": "VN1", "country": "VN"},
        {"cohort": "ID1", "country": "ID"},
        {"cohort": "VN2", "country": "VN"},
    ],
    "groups": [
        {"group": "total", "people": 1234},
        {"group": "ID", "people": 500},
        {"group": "VN", "people": 734},
        {"group": "VN_KHV", "people": 734},
    ],
    "policy": {"tier": "open", "as_of": "2026-06-01"},
    "decision": {"variants": 98_765},
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "asia-1"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    return folder


@pytest.fixture
def example() -> Path:
    return ROOT / "config/about.example.yaml"


def made(release: Path, out: Path, *more: object) -> Path:
    words = ["catalog", "entry", release, "--out", out, *more]
    assert main([str(word) for word in words]) == 0
    return out


def shapes(name: str) -> bytes:
    """Read shapes as they are published, out of the packages that carry them."""
    folder = Path(os.environ.get("AFPANEL_SHAPES", ROOT / ".venv/shapes"))
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for entry_name in archive.namelist():
                if entry_name.endswith(name):
                    return archive.read(entry_name)
    pytest.skip(f"no published shapes {name} in {folder}: make .venv/.shapes gets them")


DCAT_AP = ("dcat_ap_shacl.jsonld", "json-ld")
HEALTH = ("hdap-validator-sensitivity-shape.ttl", "turtle")


def violations(document: Path, shape: tuple[str, str]) -> str:
    pyshacl = pytest.importorskip("pyshacl", reason="pyshacl is not installed")
    rdflib = pytest.importorskip("rdflib")
    name, form = shape
    data = rdflib.Graph().parse(document, format="json-ld")
    graph = rdflib.Graph().parse(data=shapes(name), format=form)
    conforms, _, text = pyshacl.validate(
        data, shacl_graph=graph, inference="none", advanced=True, allow_warnings=True
    )
    return "" if conforms else text


@pytest.mark.filterwarnings("ignore")  # of rdflib and pyshacl, about themselves
class TestShapes:
    def test_an_entry_is_valid_dcat_ap_with_and_without_words_of_its_publisher(
        self, release, tmp_path, example
    ):
        bare = made(release, tmp_path / "bare")
        full = made(release, tmp_path / "full", "--about", example)
        assert violations(bare / "catalogue.jsonld", DCAT_AP) == ""
        assert violations(full / "catalogue.jsonld", DCAT_AP) == ""

    def test_an_entry_with_all_words_of_its_publisher_is_valid_healthdcat_ap(
        self, release, tmp_path, example
    ):
        full = made(release, tmp_path / "full", "--about", example)
        assert violations(full / "catalogue.jsonld", HEALTH) == ""

    def test_the_shapes_tell_what_is_missing(self, release, tmp_path):
        bare = made(release, tmp_path / "bare")
        assert "hdab" in violations(bare / "catalogue.jsonld", HEALTH)
        path = bare / "catalogue.jsonld"
        document = json.loads(path.read_text())
        del document["dct:title"]
        path.write_text(json.dumps(document))
        assert "title" in violations(path, DCAT_AP)

    def test_a_catalogue_of_several_is_valid_dcat_ap(self, release, programme_file, tmp_path):
        out = tmp_path / "catalogue"
        words = [
            "catalog",
            "build",
            release.parent,
            programme_file,
            "--publisher",
            "Hub",
            "--out",
            out,
        ]
        assert main([str(word) for word in words]) == 0
        assert violations(out / "catalogue.jsonld", DCAT_AP) == ""


@pytest.fixture(scope="session")
def programme_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contribution, as a programme packages it."""
    contigs = {"chr1": random_genome(3000)}
    return Programme(tmp_path_factory.mktemp("programme"), contigs, {"chr1": 20}).path


def test_an_entry_tells_what_the_manifest_says(release, tmp_path):
    said = json.loads((made(release, tmp_path / "entry") / "catalogue.jsonld").read_text())
    assert said["@id"] == "urn:afpanel:release:asia:1"
    assert said["healthdcatap:numberOfUniqueIndividuals"]["@value"] == "1234"
    assert said["healthdcatap:numberOfRecords"]["@value"] == "98765"
    assert [each["@id"].rpartition("/")[2] for each in said["dct:spatial"]] == ["IDN", "VNM"]
    assert said["dct:accessRights"]["@id"].endswith("/PUBLIC")
    assert said["dct:issued"]["@value"] == "2026-06-01"
    parquet, vcf = said["dcat:distribution"]
    assert (parquet["dcat:byteSize"]["@value"], "spdx:checksum" in parquet) == ("12", False)
    assert vcf["spdx:checksum"]["spdx:checksumValue"]["@value"] == "c" * 64


def test_a_release_that_no_open_tier_allows_is_restricted(release, tmp_path):
    manifest = MANIFEST | {"policy": {"tier": "controlled", "as_of": None}}
    (release / "manifest.json").write_text(json.dumps(manifest))
    said = json.loads((made(release, tmp_path / "entry") / "catalogue.jsonld").read_text())
    assert said["dct:accessRights"]["@id"].endswith("/RESTRICTED")
    assert "dct:issued" not in said


def test_the_citation_has_what_citation_files_need(release, tmp_path, example):
    cited = yaml.safe_load(
        (made(release, tmp_path / "e", "--about", example) / "CITATION.cff").read_text()
    )
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["doi"] == "10.5072/afpanel-demo-2026.1"
    assert cited["version"] == "1"
    assert cited["authors"][0]["name"] == "Example hub of genomics"


def test_what_a_doi_needs_is_there(release, tmp_path, example):
    said = json.loads(
        (made(release, tmp_path / "e", "--about", example) / "datacite.json").read_text()
    )
    assert said["identifiers"][0]["identifierType"] == "DOI"
    assert said["publicationYear"] == "2026"
    assert {"creators", "titles", "publisher", "types"} <= said.keys()


def test_the_crate_lists_every_file_with_its_digest(release, tmp_path):
    crate = json.loads((made(release, tmp_path / "entry") / "ro-crate-metadata.json").read_text())
    by_id = {each["@id"]: each for each in crate["@graph"]}
    assert by_id["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    parts = [each["@id"] for each in by_id["./"]["hasPart"]]
    assert parts == [each["path"] for each in MANIFEST["files"]]
    for each in MANIFEST["files"]:
        assert by_id[each["path"]]["sha256"] == each["sha256"]


def test_digests_are_as_sha256sum_reads_them(tmp_path):
    for name in ("a", "b c"):
        (tmp_path / name).write_text(name)
    files = [
        {"path": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in ("a", "b c")
    ]
    (tmp_path / "SHA256SUMS").write_text(checksums(files))
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0


def test_the_notice_says_what_must_not_be_done_and_the_terms(release, tmp_path, example):
    notice = (made(release, tmp_path / "e", "--about", example) / "DATA-USE.txt").read_text()
    words = " ".join(notice.split())
    assert "1,234 people of ID, VN on GRCh38: everybody, 2 countries, 1 population" in words
    assert "Do not try to find out whether a person is in it" in words
    assert "general research use (GRU, DUO:0000042)" in words


class Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        said = dict(attrs)
        self.anchors.add(said.get("id"))
        if "href" in said:
            self.links.append(said["href"])

    def handle_data(self, data):
        self.text += data


def dataset(**changes: object) -> Dataset:
    given: dict = {
        "name": "p", "version": "1", "kind": "release", "title": "T", "description": "D",
        "publisher": {"name": "P"}, "build": "GRCh38", "people": 5, "variants": 3, "countries": ["VN"],
        "groups": ["total", "VN"], "formats": [Format("VCF", "text/vcf", "p.vcf.gz", 1, "a" * 64)],
        "access": "public",
    }  # fmt: skip
    return Dataset(**(given | changes))


def test_words_from_outside_are_words_on_the_page_and_nothing_else():
    evil = '<script>alert(1)</script>"><img src=x onerror=y>'
    one = dataset(
        title=evil, description=evil, name=evil, publisher={"name": evil, "url": "javascript:alert(1)"},
        about={"license": "javascript:alert(1)", "landing_page": "javascript:alert(1)"},
    )  # fmt: skip
    page = Page(catalog_page(evil, evil, [one]))
    assert {"script", "img"}.isdisjoint(page.tags)
    assert evil in page.text
    assert all(link.startswith(("#", "https://")) for link in page.links)


def test_the_page_leads_from_its_table_to_each_data_set():
    page = Page(catalog_page("C", "D", [dataset(), dataset(version="2")]))
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert len(inner) == 2
    assert set(inner) <= page.anchors
    assert "script" not in page.tags


def test_a_catalogue_does_not_depend_on_the_order_of_its_sources(release, programme_file, tmp_path):
    found = []
    for i, order in enumerate(([release, programme_file], [programme_file, release])):
        out = tmp_path / f"catalogue-{i}"
        words = ["catalog", "build", *order, "--publisher", "Hub", "--out", out]
        assert main([str(word) for word in words]) == 0
        found.append([(out / name).read_bytes() for name in ("index.html", "catalogue.jsonld")])
    assert found[0] == found[1]


def test_a_contribution_is_listed_by_its_metadata_and_without_a_count(programme_file, tmp_path):
    out = tmp_path / "catalogue"
    words = ["catalog", "build", programme_file, "--publisher", "Hub", "--out", out]
    assert main([str(word) for word in words]) == 0
    (listed,) = json.loads((out / "catalogue.jsonld").read_text())["dcat:dataset"]
    assert listed["dct:accessRights"]["@id"].endswith("/NON_PUBLIC")
    assert listed["healthdcatap:numberOfUniqueIndividuals"]["@value"] == "120"
    assert "healthdcatap:numberOfRecords" not in listed
    assert listed["dct:rights"]


def test_one_data_set_given_twice_is_refused(release, tmp_path, capsys):
    words = ["catalog", "build", release, release, "--publisher", "Hub", "--out", tmp_path / "c"]
    assert main([str(word) for word in words]) == 3
    assert "two data sets are called urn:afpanel:release:asia:1" in capsys.readouterr().err


def test_a_folder_without_anything_to_list_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    words = ["catalog", "build", tmp_path / "empty", "--publisher", "Hub", "--out", tmp_path / "c"]
    assert main([str(word) for word in words]) == 3
    assert "there is no release and no contribution" in capsys.readouterr().err


def test_all_faults_of_what_a_publisher_says_are_listed(tmp_path):
    path = tmp_path / "about.yaml"
    path.write_text("title: T\npublisher: {name: P, url: nowhere}\nacces: public\n")
    with pytest.raises(FaultsError) as error:
        read_about(path)
    said = str(error.value)
    assert "unknown key 'acces'" in said
    assert "access" in said
    assert "description" in said
    assert "nowhere" in said


def test_terms_that_contradict_one_another_are_refused(tmp_path, example):
    about = yaml.safe_load(example.read_text())
    about["data_use"] = [{"term": "DUO:0000004"}, {"term": "DUO:0000021"}]
    path = tmp_path / "about.yaml"
    path.write_text(yaml.safe_dump(about))
    with pytest.raises(BadInputError, match="data_use"):
        read_about(path)


def test_codes_of_countries_are_those_of_iso_3166():
    """As many as there are, of three different letters each; some that are known by heart."""
    assert len(ALPHA_3) == 249
    assert len(set(ALPHA_3.values())) == 249
    known = {
        "ID": "IDN",
        "MY": "MYS",
        "SG": "SGP",
        "TH": "THA",
        "VN": "VNM",
        "KR": "KOR",
        "JP": "JPN",
        "IN": "IND",
    }
    assert known.items() <= ALPHA_3.items()


def test_the_same_context_is_in_an_entry_and_a_catalogue():
    one = dataset()
    assert entry(one)["@context"] == catalog("T", "D", {"name": "P"}, [one])["@context"]
