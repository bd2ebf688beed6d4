"""Manifests and other documents made to do harm, in a file that is otherwise whole and well signed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contributions import MANIFEST, SIGNATURE, Opened, Programme, reasons
from tests.ssh import public, signed

from afpanel.errors import BadInputError
from afpanel.io.files import json_text
from afpanel.io.reference import seqcol_digest

Document = dict[str, Any]


def refused(opened: Opened, **options: Any) -> str:
    """Send it, and tell why it is refused."""
    verdict = opened.programme.verdict(opened.resent(sums=False), **options)
    assert not verdict.accepted
    return reasons(verdict)


def raw_manifest(opened: Opened, raw: bytes) -> str:
    """Send it with a manifest of these bytes, which are signed."""
    opened.parts[MANIFEST] = raw
    opened.sign()
    verdict = opened.programme.verdict(opened.write())
    assert not verdict.accepted
    return reasons(verdict)


def counts(manifest: Document, contig: str = "chr1") -> Document:
    """What a manifest says of a contig."""
    part: Document = next(p for p in manifest["parts"] if p.get("contig") == contig)
    return part


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m.update(sample="HG00096"),
        lambda m: m.update(cohort="VN1\n"),
        lambda m: m.update(cohort="../../x"),
        lambda m: m.update(cohort="VN\u0031\u200b"),
        lambda m: m.update(country="vn"),
        lambda m: m.update(contribution_version=1),
        lambda m: m.update(contribution_version=3),
        lambda m: m.update(contribution_version=True),
        lambda m: m.update(edition=0),
        lambda m: m.update(edition=1.5),
        lambda m: m.update(edition=True),
        lambda m: m.update(edition=10**30),
        lambda m: m.update(people=-1),
        lambda m: m.update(people=2**31),
        lambda m: m["cells"][0]["people"].update(XX=2**31 - 1),
        lambda m: m["cells"][0]["people"].update(XX=-1),
        lambda m: m["cells"][0].update(population="HG00096@example.org"),
        lambda m: m["cells"][0].update(sex="XXY"),
        lambda m: m.update(cells=[]),
        lambda m: m["reference"]["contigs"][0].update(name="chr1\x1b[2J"),
        lambda m: m["reference"]["contigs"][0].update(name="chr1 /home/me"),
        lambda m: m["reference"].update(build="GRCh38 /home/me"),
        lambda m: m["contigs"].append("chr1\n"),
        lambda m: m["source"].update(kind="sites"),
        lambda m: m["source"].update(lift={"chain": "/home/me/chain.gz"}),
        lambda m: m["source"]["thresholds_not_applied"].update(min_gq="see /home/me"),
        lambda m: m["parameters"]["genotypes"].update(sample="HG00096"),
        lambda m: m["parameters"]["genotypes"].update(min_gq="20"),
        lambda m: m["parameters"]["genotypes"]["filters"].append("a b"),
        lambda m: m["parameters"]["harmonize"].update(aliases="/home/me/aliases.tsv"),
        lambda m: m["parameters"]["overlap"].update(action="/home/me"),
        lambda m: m["software"].update(host="node17"),
        lambda m: m["software"].update(afpanel="/home/me"),
        lambda m: m["parts"][0].update(path="../README.txt"),
        lambda m: m["parts"][0].update(path="samples.txt"),
        lambda m: m["parts"][0].update(variants=5),
        lambda m: counts(m).update(path="counts/../../chr1.zarr.zip"),
        lambda m: counts(m).update(contig="chr9"),
        lambda m: counts(m).update(contig="../../../etc/x"),
        lambda m: counts(m).update(allele_count=[1]),
        lambda m: counts(m).update(allele_count=[]),
        lambda m: counts(m).update(allele_count=[-1, 0, 0, 0]),
        lambda m: counts(m).update(allele_count=["1", 0, 0, 0]),
        lambda m: counts(m).update(variants=1.0),
        lambda m: m["parts"].append(dict(m["parts"][0])),
        lambda m: m["parts"].append(dict(counts(m))),
        lambda m: m["parts"].pop(),
        lambda m: m["reference"]["contigs"].append(m["reference"]["contigs"][0]),
        lambda m: m["withheld_cells"].append({"population": "KHV", "sex": "XX"}),
        lambda m: m["withheld_cells"].append({"population": "ABC", "sex": "XX"}),
        lambda m: m["sharing"].update(everybody="yes"),
        lambda m: m["sharing"].update(sexes=False),
        lambda m: m["sharing"].update(everybody=False),
    ],
)  # fmt: skip
def test_a_manifest_that_says_what_none_says_is_refused(
    opened: Opened, edit: Callable[[Document], object]
) -> None:
    opened.edit_manifest(edit)
    opened.sign()
    verdict = opened.programme.verdict(opened.write())
    assert not verdict.accepted


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda m: m.update(country="LA"), "is of another country"),
        (lambda m: m.update(people=121), "people is not the sum of the people"),
        (lambda m: m["cells"].reverse(), "cells are not in order"),
        (lambda m: m["cells"].insert(0, m["cells"][0]), "sums of chr1 are not those"),
        (lambda m: m["cells"][0].update(population="XX"), "taken for something else"),
        (lambda m: m["cells"][0]["people"].update(XX=39, XY=1), "has people of other sexes"),
        (lambda m: m["cells"][0]["people"].update(XX=0), "has no people"),
        (lambda m: m["cells"][0]["people"].update(XX=41), "people is not the sum"),
        (lambda m: m["contigs"].append("chr9"), "contigs are named of which there are no counts"),
        (lambda m: m["reference"].update(seqcol="A" * 32), "seqcol is not the digest"),
        (lambda m: m["reference"]["contigs"][0].update(length=2999), "of another length"),
        (lambda m: m["reference"]["contigs"][0].update(refget="SQ." + "A" * 32), "another sequence"),
        (lambda m: m["reference"].update(build="GRCh37"), "build is GRCh37, and not GRCh38"),
        (lambda m: m["source"].update(build="GRCh37"), "and was not lifted over"),
        (lambda m: m.update(evidence="track"), "evidence is not of the kind"),
        (lambda m: m["source"]["thresholds_not_applied"].clear(), "which thresholds do not apply"),
        (lambda m: m["parameters"]["genotypes"].update(min_ab=0), "which thresholds do not apply"),
        (lambda m: m["reference"]["contigs"].append(m["reference"]["contigs"][0]), "named twice"),
        (lambda m: m["source"].update(lift={"chain_sha256": "0" * 64, "source_fasta": True}),
         "says otherwise than the manifest how it was lifted"),
    ],
)  # fmt: skip
def test_a_claim_of_the_manifest_that_does_not_hold_is_refused(
    opened: Opened, edit: Callable[[Document], object], reason: str
) -> None:
    opened.edit_manifest(edit)
    assert reason in refused(opened)


def test_a_contig_that_the_reference_does_not_have_is_refused(opened: Opened) -> None:
    def rename(manifest: Document) -> None:
        part = counts(manifest)
        part |= {"contig": "Chr1", "path": "counts/Chr1.zarr.zip"}
        contigs = manifest["reference"]["contigs"]
        contigs[0]["name"] = "Chr1"
        manifest["contigs"][0] = "Chr1"
        names, digests = [c["name"] for c in contigs], [c["refget"] for c in contigs]
        manifest["reference"]["seqcol"] = seqcol_digest(names, digests)

    opened.edit_manifest(rename)
    path = "counts/chr1.zarr.zip"
    opened.parts = {
        ("counts/Chr1.zarr.zip" if k == path else k): v for k, v in opened.parts.items()
    }
    found = refused(opened)
    assert "Chr1: the reference has no such contig" in found


def test_more_people_than_a_count_can_be_of_are_refused(opened: Opened) -> None:
    """Twice as many would not fit in 32 bits."""
    opened.edit_manifest(
        lambda m: m["cells"][0].update(people={"XX": 10**8, "XY": 10**8, "unknown": 10**8})
    )
    opened.edit_manifest(lambda m: m.update(people=10**8))
    assert "people is not the sum" in refused(opened)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda raw: b"",
        lambda raw: b"{}\n",
        lambda raw: b"[]\n",
        lambda raw: b"null\n",
        lambda raw: raw[:-1],
        lambda raw: raw + b" ",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.decode().encode("utf-16"),
        lambda raw: raw.replace(b'"cohort"', b'"cohort": "LA1",\n  "cohort"', 1),
        lambda raw: raw.replace(b'"edition": 1', b'"edition": NaN'),
        lambda raw: raw.replace(b'"edition": 1', b'"edition": 1e999'),
        lambda raw: raw.replace(b'"edition": 1', b'"edition": 01'),
        lambda raw: raw.replace(b'"edition": 1', b'"edition": ' + b"9" * 5000),
        lambda raw: raw.replace(b"VN1", b"\\u0056N1"),
        lambda raw: raw.replace(b"VN1", b"\\ud800"),
        lambda raw: raw.replace(b"VN1", b"\xff"),
        lambda raw: b"[" * 1_000_000,
        lambda raw: b'{"a":' * 1_000_000,
        lambda raw: b"[" * 1_000_000 + b"]" * 1_000_000,
        lambda raw: json_text({"a": "x" * (15 << 20)}).encode(),
        lambda raw: json_text({"a": "x" * (17 << 20)}).encode(),
    ],
)
def test_a_manifest_that_is_not_laid_out_as_it_should_be_is_refused(
    opened: Opened, rewrite: Callable[[bytes], bytes]
) -> None:
    assert raw_manifest(opened, rewrite(opened.parts[MANIFEST]))


@pytest.mark.parametrize("name", ["metadata.json", "harmonization.json"])
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda raw: b"",
        lambda raw: b"[]\n",
        lambda raw: raw + b"HG00096",
        lambda raw: b"[" * 500_000,
        lambda raw: json_text({"a": "x" * (2 << 20)}).encode(),
        lambda raw: json_text({str(n): 0 for n in range(50_000)}).encode(),
        lambda raw: json_text([[]] * 100_000).encode(),
        lambda raw: json_text(eval("[" * 80 + "]" * 80)).encode(),
    ],
)
def test_other_documents_that_are_no_such_documents_are_refused(
    opened: Opened, name: str, rewrite: Callable[[bytes], bytes]
) -> None:
    opened.parts[name] = rewrite(opened.parts[name])
    assert name in refused(opened)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda h: h.update(cohort="LA1"), "is of another cohort"),
        (lambda h: h["outcomes"].update(as_is=3), "more variants than alleles were kept"),
        (lambda h: h["outcomes"].update({"hg_a": 1}), "does not match"),
        (lambda h: h["outcomes"].update({"as_is+duplicate": 1}), "does not match"),
        (lambda h: h["outcomes"].update({"trimmed+": 1}), "does not match"),
        (lambda h: h["outcomes"].update({"star": -1}), "less than the minimum"),
        (lambda h: h["strand"].update(verdict="hg_a"), "not one of"),
        (lambda h: h["strand"]["records"].update(hg_a=1), "unknown key"),
        (lambda h: h["ignored_contigs"].update({"/home/me x": 1}), "does not match"),
        (lambda h: h["ignored_contigs"].update({"\x1b[2J": 1}), "does not match"),
        (lambda h: h["genotypes"]["fields"].update(me="all"), "does not match"),
        (lambda h: h.update(sample="HG00096"), "unknown key"),
    ],
)
def test_an_account_of_harmonization_that_cannot_be_is_refused(
    opened: Opened, edit: Callable[[Document], object], reason: str
) -> None:
    opened.edit_json("harmonization.json", edit)
    assert reason in refused(opened)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda d: d["cohort"].update(country="LA"), "of another country"),
        (lambda d: d["populations"].pop(), "does not describe TAY"),
        (lambda d: d["cohort"].update(title="me@example.org"), "a mail address"),
        (lambda d: d["cohort"].update(title="in /home/me/data"), "names a path of a machine"),
        (lambda d: d["cohort"].update(title="(C:\\Users\\me)"), "names a path of a machine"),
        (lambda d: d["cohort"].update(title="a\x1b[2J\x1b]0;b\x07"), "control characters"),
        (lambda d: d["cohort"].update(title="a\u202egnp.exe"), "control characters"),
        (lambda d: d["cohort"].update(samples=["HG00096"]), "unknown key"),
        (lambda d: d["data_use"][0].update(term="DUO:9999999"), "DUO:9999999"),
        (lambda d: d["legal"].update(approvals=[]), "approvals"),
    ],
)
def test_metadata_that_cannot_be_of_the_cohort_are_refused(
    opened: Opened, edit: Callable[[Document], object], reason: str
) -> None:
    opened.edit_json("metadata.json", edit)
    found = refused(opened)
    assert "metadata.json" in found
    assert reason in found


def first_class(document: Document, population: int = 0) -> Document:
    """What a linkage summary says of all variants of a population."""
    found: Document = document["populations"][population]["classes"][0]
    return found


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda d: d.update(linkage_version=1), "1 is not one of [2]"),
        (lambda d: d.update(cohort="LA1"), "is of another cohort, LA1"),
        (lambda d: d.update(country="LA"), "is of another country, LA"),
        (lambda d: d.update(people=["HG00096"]), "unknown key 'people'"),
        (lambda d: d.update(populations=[]), "has 0 people of population KHV"),
        (lambda d: d["populations"].reverse(), "populations are not in order"),
        (lambda d: d["populations"][0].update(population="HG00096@example.org"), "does not match"),
        (lambda d: d["populations"][0].update(people=76), "has 76 people of population KHV, and not the 75"),
        (lambda d: d["populations"][0].update(people=10**30), "maximum of"),
        (lambda d: d["populations"][0].update(relatives_left_out=2), "linkage from 75 of 73 people"),
        (lambda d: d["populations"][0]["classes"].reverse(), "classes are not in order"),
        (lambda d: d["populations"][0]["classes"].clear(), "should be non-empty"),
        (lambda d: first_class(d).update(min_allele_count=0), "minimum of 1"),
        (lambda d: first_class(d).update(variants=61), "has more variants than the 60 of the counts"),
        (lambda d: first_class(d).update(variants=5), "linkage from 60 of 5 variants"),
        (lambda d: first_class(d).update(variants=True), "not of type 'integer'"),
        (lambda d: first_class(d).update(linkage=[1]), "not of type 'object', 'null'"),
        (lambda d: first_class(d).update(linkage=None), "people were held out, and their linkage is not told"),
        (lambda d: first_class(d)["linkage"].update(people=19), "minimum of 20"),
        (lambda d: first_class(d)["linkage"].update(within=0.5), "minimum of 1"),
        (lambda d: first_class(d)["linkage"].update(within=1e300), "maximum of 512"),
        (lambda d: first_class(d)["linkage"].update(within="3"), "not of type 'number'"),
        (lambda d: first_class(d)["linkage"].update(between=-1e-9), "minimum of 0"),
        (lambda d: first_class(d)["linkage"].update(between=1.5), "maximum of 1"),
        (lambda d: first_class(d)["linkage"]["ridges"].pop(), "ridges are not"),
        (lambda d: first_class(d)["linkage"]["ridges"][0].update(sum=61), "sums over eigenvalues"),
        (lambda d: first_class(d)["linkage"]["ridges"][0].update(sum_of_squares=60.5), "sums over eigenvalues"),
        (lambda d: first_class(d)["linkage"]["ridges"][0].update(sum_of_squares=0), "add up to nothing"),
        (lambda d: first_class(d)["trial"].update(pool=24), "a pool of 24 of 75 people"),
        (lambda d: first_class(d)["trial"].update(variants=61), "a trial with 61 of 60 variants"),
        (lambda d: first_class(d)["trial"].update(false_positive_rate=0), "minimum of 0"),
        (lambda d: first_class(d)["trial"]["attacks"].pop("linkage_known"), "'linkage_known' is missing"),
        (lambda d: first_class(d)["trial"]["attacks"]["homer"].update(auc=1.01), "maximum of 1"),
        (lambda d: first_class(d)["trial"]["attacks"]["homer"].update(separation=1e9), "maximum of 10000"),
        (lambda d: first_class(d)["trial"]["attacks"]["homer"].update(found=0.5), "homer found"),
        (lambda d: first_class(d, 1).update(trial=first_class(d)["trial"]), "a pool of 25 of 45 people"),
    ],
)  # fmt: skip
def test_a_linkage_summary_that_cannot_be_is_refused(
    opened: Opened, edit: Callable[[Document], object], reason: str
) -> None:
    """Lower figures would make the hub take more of a risk than it knows."""
    opened.edit_json("linkage.json", edit)
    found = refused(opened)
    assert "linkage.json" in found
    assert reason in found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "0x10", "1_000"])
def test_a_number_that_is_none_is_refused_in_a_linkage_summary(opened: Opened, number: str) -> None:
    text = opened.parts["linkage.json"].decode()
    within = re.search(r'"within": ([0-9.]+)', text)
    assert within is not None
    opened.parts["linkage.json"] = text.replace(within.group(1), number, 1).encode()
    assert "linkage.json" in refused(opened)


def test_a_linkage_summary_is_there_exactly_if_the_manifest_says_so(opened: Opened) -> None:
    lying = Opened(opened.programme, dict(opened.parts))
    lying.edit_manifest(lambda m: m["sharing"].update(linkage=False))
    assert "against what sharing.linkage says" in refused(lying)
    opened.edit_manifest(
        lambda m: m["parts"].remove(next(p for p in m["parts"] if p["path"] == "linkage.json"))
    )
    del opened.parts["linkage.json"]
    assert "against what sharing.linkage says" in refused(opened)
    opened.edit_manifest(lambda m: m["sharing"].update(linkage=False))
    assert opened.programme.verdict(opened.resent()).accepted


def test_a_linkage_summary_tells_of_no_counts_that_are_kept_back(opened: Opened) -> None:
    opened.edit_manifest(lambda m: m["sharing"].update(min_allele_count=3))
    assert "KHV tells of variants with fewer than 3 copies" in refused(opened)


def test_words_that_are_no_path_are_accepted(opened: Opened) -> None:
    text = "and/or, https://example.org/a/b, 2 x 150 bases/read, 3/4/2025, ratio 1:2"
    opened.edit_json("metadata.json", lambda d: d["cohort"].update(title=text))
    assert opened.programme.verdict(opened.resent()).accepted


def test_a_page_that_afpanel_did_not_write_is_refused(opened: Opened) -> None:
    for page in (b"\x1b[2J", b"", opened.parts["README.txt"] + b"HG00096\n"):
        altered = Opened(opened.programme, opened.parts | {"README.txt": page})
        assert "is not the page that afpanel writes" in refused(altered)
    other = Opened(opened.programme, opened.parts | {"README.txt": b"Another version.\n"})
    other.edit_manifest(lambda m: m["software"].update(afpanel="9.9"))
    verdict = opened.programme.verdict(other.resent())
    assert verdict.accepted
    assert "the page of another version" in verdict.findings[0].what
    other.parts["README.txt"] = b"\x1b[2J"
    assert "is not plain text" in refused(other)


def test_nothing_that_steers_a_terminal_is_printed(opened: Opened) -> None:
    """Whatever part it comes in, on either stream."""
    evil = "\x1b]0;x\x07\x9b2J\u202e"
    opened.edit_json("metadata.json", lambda d: d["cohort"].update(title=evil))
    opened.edit_json("harmonization.json", lambda d: d["outcomes"].update({evil: 1}))
    opened.edit_manifest(
        lambda m: m["parts"].append({"path": evil, "bytes": 1, "sha256": "0" * 64})
    )
    command = [sys.executable, "-m", "afpanel", "verify", str(opened.resent()), "--show"]
    done = subprocess.run(
        [*command, "--reference", str(opened.programme.fasta)], capture_output=True, check=False
    )
    assert done.returncode == 5
    said = (done.stdout + done.stderr).decode()
    assert "\\x1b" in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    opened.edit_manifest(lambda m: m.update(cohort=evil))
    opened.sign()
    done = subprocess.run(
        [sys.executable, "-m", "afpanel", "sign", str(opened.write()), "--key", str(opened.programme.key)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    assert re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr) is None


def test_all_that_is_wrong_is_listed_and_the_command_ends_with_5(opened: Opened) -> None:
    opened.edit_array("allele_count", lambda a: a.__setitem__((0, 0), 900))
    opened.edit_array("allele_number", lambda a: a.__setitem__((0, 0), -1), "chr2")
    opened.edit_json("metadata.json", lambda d: d["cohort"].update(country="LA"))
    opened.edit_manifest(lambda m: m.update(people=99))
    programme = opened.programme
    command = [sys.executable, "-m", "afpanel", "-q", "verify", str(opened.resent())]
    command += ["--reference", str(programme.fasta), "--cohort", "LA1", "--signatures", "required"]
    done = subprocess.run(
        [*command, "--allowed-signers", str(programme.signers)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 5
    for reason in ("AC is more than AN", "chr2:", "of another country", "people is not", "not LA1"):
        assert reason in done.stdout


def test_a_signature_that_is_missing_or_of_another_key_is_refused(opened: Opened) -> None:
    programme = opened.programme
    unsigned = {name: part for name, part in opened.parts.items() if name != SIGNATURE}
    path = Opened(programme, unsigned).write()
    assert "is not signed" in reasons(programme.verdict(path))
    verdict = programme.verdict(path, signature_required=False)
    assert verdict.accepted
    assert "nothing tells whose it is" in verdict.findings[0].what
    opened.sign(programme.others_key)
    assert "signed with a key of cohort LA1, not of VN1" in reasons(
        programme.verdict(opened.write())
    )
    opened.parts[SIGNATURE] = signed(opened.parts[MANIFEST], programme.key, "file")
    assert "made for something else" in reasons(programme.verdict(opened.write()))
    opened.parts[SIGNATURE] = signed(b"another", programme.key)
    assert "what was signed is not what is here" in reasons(programme.verdict(opened.write()))


def test_a_revoked_key_is_refused(programme: Programme) -> None:
    revoked = programme.folder / "revoked"
    revoked.write_text(public(programme.key) + "\n")
    assert "revoked" in reasons(programme.verdict(revoked_keys=revoked))


def test_a_fault_of_the_hubs_own_files_is_not_laid_at_the_contributions_door(
    programme: Programme, tmp_path: Path
) -> None:
    signers = tmp_path / "signers"
    signers.write_text("VN1 no-key\n")
    with pytest.raises(BadInputError):
        programme.verdict(allowed_signers=signers)
    (tmp_path / "VN1.json").write_text("{")
    with pytest.raises(BadInputError, match="not JSON"):
        programme.verdict(register=tmp_path)


def test_a_replayed_older_edition_is_refused_and_the_hubs_files_stay(
    opened: Opened, tmp_path: Path
) -> None:
    programme = opened.programme
    first = programme.path
    register, out = tmp_path / "register", tmp_path / "taken"
    opened.edit_manifest(lambda m: m.update(edition=2))
    text = opened.parts["README.txt"].replace(b"edition 1", b"edition 2")
    opened.parts["README.txt"] = text
    second = opened.resent()
    assert programme.verdict(first, out, register=register).accepted
    assert programme.verdict(second, out, register=register).accepted
    noted = (register / "VN1.json").read_bytes()
    held = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    found = reasons(programme.verdict(first, out, register=register))
    assert "edition 1 of cohort VN1 is older than what was accepted before" in found
    opened.edit_array("refused_end", lambda a: a.__setitem__(0, 3))
    opened.edit_manifest(
        lambda m: next(p for p in m["parts"] if p.get("contig") == "chr1").update(refused_bases=2)
    )
    found = reasons(programme.verdict(opened.resent(), out, register=register))
    assert "edition 2 of cohort VN1 was accepted before, with other content" in found
    assert (register / "VN1.json").read_bytes() == noted
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == held
    assert json.loads((out / "received.json").read_text())["edition"] == 2
