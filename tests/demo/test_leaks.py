"""The leak scan: a name planted anywhere in a release is found there, and a clean release has no leak."""

import base64
import hashlib
import json
import os
import re
import shutil
import zipfile
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pysam
import pytest
from tests.planted import CANARY, HOST, ID, PLANTS, USER, edit_manifest, entry_of, png

from afpanel.cli.main import main
from afpanel.core.forbidden import hash_name
from afpanel.io.files import read_json
from afpanel.io.ssh_keys import armor
from afpanel.stages.leak_scan import Forbidden, Machine, scan

AWKWARD = (
    "NA", "1", "22", "chr1", "chrX", "A", "C", "CAT", "TAG", "GATTACA", "AC", "AN", "PASS", "total", "XX",
    "KHV", "VN", "people", "0", "2026.1", "1e-05", "Integer", "no", "yes", "all", "of", "T-1", "x", "demo",
    "12", "100", "420", "0001", "nan", "AC0", "GRCh38", "variants", "part-0", "state", "S", "10000",
)  # fmt: skip
"""Sample IDs that are in every release, and say nothing there."""


@pytest.fixture
def release(by_commands, tools, monkeypatch):
    monkeypatch.chdir(by_commands)  # the plan's paths are relative
    return tools.release_of(by_commands)


@pytest.fixture
def spoil(release, tmp_path):
    """A copy of the release that a test may spoil."""
    return shutil.copytree(release, tmp_path / "release")


@pytest.fixture
def plan(by_commands):
    return read_json(by_commands / "results/private/plan.json")


@pytest.fixture
def forbidden(plan):
    made = Forbidden(Machine((USER,), (HOST,), ("/home/minh-anh",)))
    made.add_plan(plan)
    return made


def keep_what_differs(folder, original):
    """Delete the files that are as they are in a release without leaks, which is scanned whole elsewhere."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        same = original / path.relative_to(folder)
        if same.is_file() and all_of(same) == all_of(path):
            path.unlink()


def all_of(path):
    """Bytes of a file, and what is attached to it."""
    return path.read_bytes(), {name: os.getxattr(path, name) for name in os.listxattr(path)}


def found_in(paths, forbidden):
    return [str(leak) for leak in scan(paths, forbidden).leaks]


def write_sheet(path, samples, populations=("KHV",)):
    rows = [f"{name}\t{populations[i % len(populations)]}\tXX\n" for i, name in enumerate(samples)]
    path.write_text("sample\tpopulation\tsex\n" + "".join(rows))
    return path


# What is planted.


KINDS = {
    "headers": ["a header key: ", "SAMPLE: ", "the name of a contig", "a description of INFO"],
    "attributes of files": ["an attribute of a file"],
    "Parquet metadata": ["a metadata key of Parquet", "metadata of a column"],
    "Zarr attributes": ["an attribute of a store", "an attribute of an array"],
    "zip comments": ["the comment of an archive", "the comment of an entry"],
    "text of PNG": [
        "text of a picture",
        "packed text of a picture",
        "international text of a picture",
    ],
    "report": ["a comment of a report", "a text of a report", "a table in a report"],
    "logs": ["a log"],
    "tabix header": ["a name in a tabix index", "a name in a CSI index"],
    "gzip header": ["the file name in a gzip header", "a comment in a gzip header"],
    "file names": ["the name of a file", "the name of a folder", "the name of an entry"],
}
"""Every kind of place, with some of what is planted there."""


def test_there_are_many_places_to_plant_in_of_every_kind():
    assert len(PLANTS) >= 100
    ids = [name for name, (_, _, what) in PLANTS.items() if what == ID]
    assert len(ids) >= 60
    for kind, names in KINDS.items():
        for wanted in names:
            assert any(name.startswith(wanted) for name in ids), (kind, wanted)


@pytest.mark.parametrize("planted", PLANTS)
def test_what_is_planted_is_found_where_it_is_and_is_not_told(planted, spoil, forbidden, release):
    plant, place, what = PLANTS[planted]
    plant(spoil)
    keep_what_differs(spoil, release)
    found = found_in([spoil], forbidden)
    assert any(re.search(f"{place}.*: .*(?:{what})", each) for each in found), found
    assert not any(CANARY.lower() in each.lower() for each in found)


def test_a_leak_in_every_line_is_one_finding(spoil, forbidden):
    path = spoil / "harmonization.tsv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(f"{line}{CANARY}" for line in lines[1:])]) + "\n")
    assert found_in([spoil], forbidden) == [
        f"harmonization.tsv, line 2: {ID} (and {len(lines) - 2} more)"
    ]


# What is clean.


def test_the_demonstration_has_no_leak(release, forbidden, by_commands):
    report = scan([release, by_commands / "results/panel/popgen"], forbidden)
    assert report.leaks == []
    assert report.looked["variants in VCF"] == report.looked["variants in Parquet"] > 2_000
    assert report.looked["files"] == len([p for p in release.rglob("*") if p.is_file()]) + 12
    assert report.searcher.names > 400
    assert not report.searcher.passed_over


def test_panels_and_counts_of_cells_have_no_leak(by_commands, forbidden, release):
    results = by_commands / "results"
    stores = [
        *(results / "panel").rglob("*.zarr.zip"),
        *results.glob("private/*/counts/*.zarr.zip"),
    ]
    report = scan(stores, forbidden)
    assert report.leaks == []
    assert report.looked["files"] == len(stores) == 12


def test_stores_of_genotypes_do_have_leaks(by_commands, forbidden, release):
    store = next((by_commands / "results/private/VN-demo/genotypes").iterdir())
    named = store.with_name("x.zarr.zip")
    found = found_in([store], forbidden)
    assert found == [f"{store.name}: a kind of file that is not one of a release or a contribution"]
    assert not named.exists()


def test_stores_of_genotypes_under_another_name_do_have_leaks(
    by_commands, forbidden, tmp_path, release
):
    store = next((by_commands / "results/private/VN-demo/genotypes").iterdir())
    other = Path(shutil.copy(store, tmp_path / "counts.zarr.zip"))
    found = "\n".join(found_in([other], forbidden))
    for place in (
        r"attribute afpanel_kind: a kind of store that must not leave",
        r"array sample_id: an axis as long as cohort VN-demo has people",
        r"array call_genotype: an array that is not one of its kind",
        r"entry sample_id/c/0, bytes, unpacked: a sample ID of cohort VN-demo \(and \d+ more\)",
    ):
        assert re.search(place, found), place


def test_awkward_sample_IDs_raise_no_false_alarm(release, tmp_path, forbidden):
    forbidden.add_sheet("awkward", write_sheet(tmp_path / "sheet.tsv", AWKWARD))
    report = scan([release], forbidden)
    assert report.leaks == []
    assert sum(report.searcher.passed_over.values()) > 20


def words_of_formats_in(release):
    """List the words of a release but for those of its policy, which a user writes."""
    manifest = read_json(release / "manifest.json")
    del manifest["policy"]["description"]
    with pysam.VariantFile(str(release / "demo-2026.1.vcf.gz")) as vcf:
        texts = [json.dumps(manifest), (release / "harmonization.tsv").read_text(), str(vcf.header)]
    policy = json.loads((release / "manifest.json").read_text())["policy"]["description"]
    page = (release / "report.html").read_text().replace(escape(policy), "")
    drawn = r' (?:fill="#[0-9a-f]{6}"|style="[a-z-]+:[0-9px ]+"|d="[MHVAZ0-9 .-]+")'
    texts.append(unquote(unescape(re.sub(drawn, "", page))))
    with zipfile.ZipFile(release / "demo-2026.1.zarr.zip") as archive:
        names = archive.namelist()
        texts += [name if "/c/" in name else archive.read(name).decode() for name in names]
    for path in release.rglob("*.parquet"):
        if path.is_file():
            file = pq.ParquetFile(path)
            texts += [str(path.relative_to(release)), file.metadata.created_by]
            texts.append(file.schema_arrow.to_string(show_field_metadata=True))
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return sorted(words | {part for word in words for part in word.split("_") if part})


def test_words_of_the_formats_raise_none(release, tmp_path, forbidden):
    words = [
        word for word in words_of_formats_in(release) if not re.search(r"[0-9a-f]{32}|SQ", word)
    ]
    assert len(words) > 400
    forbidden.add_sheet("words", write_sheet(tmp_path / "sheet.tsv", words))
    assert found_in([release], forbidden) == []


def test_sample_IDs_that_begin_as_populations_do_raise_none(release, tmp_path, forbidden):
    names = [
        f"{label}{i}" for label in ("KHV", "VN", "VN_KHV", "JPT", "ID_JAV") for i in range(200)
    ]
    forbidden.add_sheet("prefixed", write_sheet(tmp_path / "sheet.tsv", names))
    assert found_in([release], forbidden) == []


def test_parts_of_labels_do_raise_none(release, tmp_path, forbidden):
    """An ID that is inside of the name of a population is looked for as a word."""
    forbidden.allow(["KHV2020north"])
    forbidden.add_sheet("parts", write_sheet(tmp_path / "sheet.tsv", ["KHV2020"]))
    edit = tmp_path / "README.txt"
    edit.write_text("Population KHV2020north\n")
    assert found_in([edit], forbidden) == []
    edit.write_text("Sample KHV2020\n")
    assert found_in([edit], forbidden) == ["README.txt, line 1: a sample ID of cohort parts"]


@pytest.mark.parametrize(
    "name", ["P7", "S-1", "2023000117", "GATTACA", "Nguyen Van A", "Nguyễn", "T01"]
)
def test_awkward_sample_IDs_are_found_where_nothing_else_is_meant(name, spoil, tmp_path, forbidden):
    forbidden.add_sheet("awkward", write_sheet(tmp_path / "sheet.tsv", [name]))
    edit_manifest(spoil, lambda content: content["software"].update(note=name.upper()))
    assert found_in([spoil], forbidden) == [
        "manifest.json, key software.note: a sample ID of cohort awkward"
    ]


def test_as_many_variants_as_people_are_no_leak(release, tmp_path, forbidden):
    names = [f"MYSYN{i:05}" for i in range(2_200)]
    with zipfile.ZipFile(release / "demo-2026.1.zarr.zip") as archive:
        assert json.loads(archive.read("state/zarr.json"))["shape"][0] == len(names)
    forbidden.add_sheet("MY-demo", write_sheet(tmp_path / "sheet.tsv", names))
    assert found_in([release], forbidden) == []


def test_a_clean_picture_and_a_clean_page_have_no_leak(tmp_path, forbidden, release):
    (tmp_path / "map.png").write_bytes(png())
    (tmp_path / "report.html").write_text(
        "<!DOCTYPE html>\n<p>AC / AN, and 1/2 &amp; <a href='#a'>a</a></p>\n"
    )
    assert found_in([tmp_path], forbidden) == []


# Hashes of names.


def test_names_of_which_only_hashes_are_known_are_found(spoil, tmp_path):
    hashes = tmp_path / "hashes.json"
    digests = [
        hashlib.sha256(f"salt{name}".encode()).hexdigest() for name in ("hg00096", "srp1__hg2.x")
    ]
    assert digests[0] == hash_name("salt", "HG00096")
    hashes.write_text(json.dumps({"cohort": "VN", "salt": "salt", "sha256": digests}))
    forbidden = Forbidden(Machine())
    forbidden.add_hashes(hashes)
    assert found_in([spoil], forbidden) == []
    edit_manifest(spoil, lambda c: c["policy"].update(description="see AC_VN_HG00096.bam"))
    edit_manifest(spoil, lambda c: c["software"].update(afpanel="(SRP1__HG2.x)"))
    found = found_in([spoil], forbidden)
    assert sorted(found) == [
        "manifest.json, key policy.description: a sample ID of cohort VN",
        "manifest.json, key software.afpanel: a sample ID of cohort VN",
    ]


# Contributions.

ABOUT = {"contribution_version": 2, "cohort": "VN-demo", "country": "VN"}


@pytest.fixture
def contribution(by_commands, tmp_path):
    """A contribution as it will be made: counts of cells, and what is said of them."""
    path = tmp_path / "VN-demo.afc.zip"
    private = by_commands / "results/private/VN-demo"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry_of("manifest.json"), json.dumps(ABOUT))
        archive.writestr(entry_of("README.txt"), "Counts of cohort VN-demo.\n")
        archive.writestr(
            entry_of("metadata.json"), json.dumps({"contact": {"mail": "dac@genomes.example.org"}})
        )
        archive.writestr(
            entry_of("harmonization.json"), (private / "harmonization.json").read_text()
        )
        archive.writestr(entry_of("linkage.json"), (private / "linkage.json").read_text())
        for store in sorted(private.glob("counts/*.zarr.zip")):
            archive.writestr(entry_of(f"counts/{store.name}"), store.read_bytes())
        archive.writestr(entry_of("manifest.json.sig"), "c2lnbmF0dXJl\n")
    return path


def test_a_contribution_has_no_leak(contribution, forbidden, release):
    report = scan([contribution], forbidden)
    assert report.leaks == []
    assert report.looked["chunks"] > 10


def _plant_in_store(archive, name, comment):
    inner = archive.extract(name, Path(archive.filename).parent)
    with zipfile.ZipFile(inner, "a") as store:
        store.comment = comment
    return Path(inner).read_bytes()


@pytest.mark.parametrize(
    ("entry", "content", "place"),
    [
        ("README.txt", f"of {CANARY}\n", f"entry README.txt, line 1: {ID}"),
        ("manifest.json", json.dumps(ABOUT | {"note": CANARY}), f"entry manifest.json, key note: {ID}"),
        ("manifest.json.sig", f"{CANARY}\n", f"entry manifest.json.sig, text: {ID}"),
        ("linkage.json", json.dumps({"cohort": "VN-demo", "note": CANARY}), f"entry linkage.json, key note: {ID}"),
        ("linkage.json", json.dumps({"populations": [{"population": CANARY}]}), f"entry linkage.json, key populations.population: {ID}"),
        ("samples.tsv", "x\n", "entry samples.tsv: an entry that is not one of a contribution"),
        ("metadata.json", '{"legal": "a@b.example.org"}', "entry metadata.json, key legal: an e-mail address"),
        ("counts/chr21.00000.zarr.zip", None,
         f"entry counts/chr21.00000.zarr.zip, comment of the archive: {ID}"),
    ],
)  # fmt: skip
def test_what_is_planted_in_a_contribution_is_found(
    entry, content, place, contribution, tmp_path, forbidden, release
):
    spoiled = tmp_path / "spoiled.afc.zip"
    with zipfile.ZipFile(contribution) as old, zipfile.ZipFile(spoiled, "w") as new:
        for name in dict.fromkeys([*old.namelist(), entry]):
            data = content if name == entry else old.read(name)
            if data is None:
                data = _plant_in_store(old, name, CANARY.encode())
            new.writestr(entry_of(name), data)
    found = found_in([spoiled], forbidden)
    assert f"spoiled.afc.zip, {place}" in found


def with_signature(contribution, path, text):
    with zipfile.ZipFile(contribution) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(entry_of(name), text if name == "manifest.json.sig" else old.read(name))
    return path


def test_letters_of_a_signature_that_look_like_a_path_or_a_short_name_raise_no_false_alarm(
    contribution, tmp_path, forbidden, release
):
    """As one in some dozens has them: where a line begins, or after a plus."""
    forbidden.add_sheet("short", write_sheet(tmp_path / "sheet.tsv", ["Q7x", "P7"]))
    first, second = f"{'U1NIU0lHAAAA' * 5}U1NIAAAA+A", "/home/P7+/ab/Q7x+/opt/P7"
    signature = armor(base64.b64decode(f"{first}{second}AAAAAA"))
    assert signature.splitlines()[2] == f"{second}AAAAAA".encode()
    assert (
        found_in([with_signature(contribution, tmp_path / "a.afc.zip", signature)], forbidden) == []
    )


def test_a_name_in_a_signature_is_found_in_its_letters_and_in_what_they_stand_for(
    contribution, tmp_path, forbidden, release
):
    written = armor(base64.b64decode(f"AAAA+{CANARY}+".ljust(64, "A")))
    held = armor(b"SSHSIG" + CANARY.encode() + bytes(60))
    for signature, place in ((written, "text"), (held, "text, unpacked")):
        found = found_in(
            [with_signature(contribution, tmp_path / "a.afc.zip", signature)], forbidden
        )
        assert found == [f"a.afc.zip, entry manifest.json.sig, {place}: {ID}"]


# The commands.


def test_the_command_tells_what_it_looked_at(release, capsys):
    sheets = [f"--samples={name}=demo/data/{name}.samples.tsv" for name in ("vn", "th", "jp", "id")]
    assert main(["scan", str(release), *sheets]) == 0
    said = capsys.readouterr().out
    assert "nothing found in 9 files" in said
    assert "2,200 variants in VCF" in said


def test_the_command_ends_with_5_and_lists_every_finding(spoil, capsys):
    PLANTS["a log"][0](spoil)
    PLANTS["a cell of a table"][0](spoil)
    assert main(["scan", str(spoil), "--samples", "demo/data/vn.samples.tsv"]) == 5
    said = capsys.readouterr().err
    assert "leak scan: 3 findings" in said
    assert "run.log, bytes: a sample ID of cohort vn" in said
    assert "harmonization.tsv, line 1" in said
    assert CANARY not in said


def test_the_command_says_that_there_is_no_such_file(capsys):
    assert main(["scan", "nowhere"]) == 3
    assert "nowhere: file does not exist" in capsys.readouterr().err


def test_no_release_appears_if_it_would_name_a_sample(
    by_commands, tmp_path, tools, monkeypatch, capsys
):
    """The policy's description, which a user writes, goes into the manifest."""
    folder = shutil.copytree(by_commands, tmp_path / "again", symlinks=True)
    monkeypatch.chdir(folder)
    plan = read_json(folder / "results/private/plan.json")
    decision = folder / "results/panel/decision.json"
    decision.write_text(decision.read_text().replace("For the demonstration", f"For {CANARY}"))
    release = tools.release_of(folder)
    before = (release / "manifest.json").read_bytes()
    private, panel = folder / "results/private", folder / "results/panel"
    code = main([
        "publish", *(str(panel / f"releasable/{contig}.zarr.zip") for contig in plan["contigs"]),
        "--decision", str(decision), "--plan", str(private / "plan.json"),
        *(f"--harmonization={private / name / 'harmonization.json'}" for name in plan["cohorts"]),
        "--reference", plan["config"]["reference"]["fasta"], "--build", "GRCh38", "--name", "demo",
        "--panel-version", "2026.1", "--out", str(release), "--summary", str(tmp_path / "summary.txt"),
    ])  # fmt: skip
    said = capsys.readouterr().err
    assert code == 5
    assert f"manifest.json, key policy.description: {ID}" in said
    assert CANARY not in said
    assert (release / "manifest.json").read_bytes() == before
    assert [path.name for path in release.parent.iterdir()] == [release.name]
    assert not (tmp_path / "summary.txt").exists()
