"""GA4GH's frequencies of the demonstration: valid by GA4GH's own models, and the figures of the release."""

import base64
import hashlib
import json
import sys
from pathlib import Path

import pysam
import pytest

va_spec = pytest.importorskip("ga4gh.va_spec.base", reason="ga4gh.va-spec is not installed")

from afpanel.cli.main import main  # noqa: E402 - after it is known that there is something to test

REGION = "chr21:1-60000"


@pytest.fixture(scope="module")
def exported(by_commands, root, tmp_path_factory) -> list[dict]:
    (release,) = (by_commands / "results/release").iterdir()
    out = tmp_path_factory.mktemp("va-spec") / "region.jsonl"
    words = ["export", "va-spec", release, "--region", REGION, "--out", out]
    reference = ["--reference", root / "demo/data/reference.fa.gz"]
    assert main([str(word) for word in (*words, *reference)]) == 0
    return [json.loads(line) for line in out.read_text().splitlines()]


def flat(result: dict) -> dict[str, dict]:
    """Every result by its cohort, those of parts too."""
    found = {result["cohort"]["id"]: result}
    for part in result.get("subCohortFrequency", []):
        found |= flat(part)
    return found


def by_variant(results: list[dict]) -> dict[str, dict[str, dict]]:
    found: dict[str, dict[str, dict]] = {}
    for result in results:
        found.setdefault(result["id"].split(":")[1], {}).update(flat(result))
    return found


def shown(path: Path, region: str) -> dict[str, dict[str, tuple]]:
    """What the release's VCF shows: variant to group to AC, AN and AF, of cells that have an AF."""
    found = {}
    with pysam.VariantFile(str(path)) as vcf:
        groups = [key.removeprefix("AN") for key in vcf.header.info if key.startswith("AN")]
        groups = [group for group in groups if group not in ("_raw", "_grpmax")]
        for record in vcf.fetch(region=region):
            cells = {}
            for group in groups:
                ac, af = (record.info.get(f"{key}{group}") for key in ("AC", "AF"))
                if af is not None and af[0] is not None:
                    cells[group[1:] or "total"] = (ac[0], record.info[f"AN{group}"], af[0])
            if cells:
                name = (
                    f"{record.chrom.removeprefix('chr')}-{record.pos}-{record.ref}-{record.alts[0]}"
                )
                found[name] = cells
    return found


def test_ga4gh_s_own_models_accept_every_result(exported):
    assert len(exported) > 200
    for result in exported:
        va_spec.CohortAlleleFrequencyStudyResult(**result)


def test_results_are_the_cells_that_the_vcf_shows_and_no_others(exported, by_commands):
    (release,) = (by_commands / "results/release").iterdir()
    (vcf,) = release.glob("*.vcf.gz")
    expected = shown(vcf, REGION)
    found = by_variant(exported)
    assert found.keys() == expected.keys()
    masked = 0
    for variant, cells in expected.items():
        assert found[variant].keys() == cells.keys()
        masked += len({"total", "ID", "JP", "TH", "VN"} - cells.keys())
        for group, (ac, an, af) in cells.items():
            result = found[variant][group]
            assert (result["focusAlleleCount"], result["locusAlleleCount"]) == (ac, an)
            assert result["focusAlleleFrequency"] == pytest.approx(af, rel=1e-5)
    assert masked > 20


def digest(content: dict) -> str:
    """Digest canonical JSON as GA4GH does: SHA-512, its first 24 bytes."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha512(text).digest()[:24]).decode()


def vrs_id(accession: str, position: int, ref: str, alt: str) -> str:
    """Work out the identifier of a single-base allele by the rules of VRS 2, by hand."""
    location = digest(
        {
            "type": "SequenceLocation",
            "sequenceReference": {"type": "SequenceReference", "refgetAccession": accession},
            "start": position - 1,
            "end": position - 1 + len(ref),
        }
    )
    state = {"type": "LiteralSequenceExpression", "sequence": alt}
    return "ga4gh:VA." + digest({"type": "Allele", "location": location, "state": state})


def test_an_identifier_worked_out_by_hand_is_the_published_one():
    """APOE rs7412, the example of the VRS documentation."""
    accession = "SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl"
    assert vrs_id(accession, 44_908_822, "C", "T") == "ga4gh:VA.0AePZIWZUNsUlQTamyLrjm2HWUw2opLt"


def test_identifiers_of_single_bases_are_those_worked_out_by_hand(exported, root):
    with pysam.FastaFile(str(root / "demo/data/reference.fa.gz")) as fasta:
        bases = fasta.fetch("chr21").upper().encode()
    accession = "SQ." + base64.urlsafe_b64encode(hashlib.sha512(bases).digest()[:24]).decode()
    seen = 0
    for variant, cells in by_variant(exported).items():
        _, position, ref, alt = variant.split("-")
        if len(ref) == len(alt) == 1:
            allele = next(iter(cells.values()))["focusAllele"]
            assert allele["id"] == vrs_id(accession, int(position), ref, alt)
            seen += 1
    assert seen > 150


def test_the_fasta_must_be_that_of_the_release(by_commands, tmp_path, capsys):
    (release,) = (by_commands / "results/release").iterdir()
    fasta = tmp_path / "other.fa"
    fasta.write_text(">chr21\n" + "ACGT" * 1000 + "\n")
    pysam.faidx(str(fasta))
    words = ["export", "va-spec", str(release), "--region", "chr21", "--reference", str(fasta)]
    assert main(words) == 3
    assert "not the sequence that the release is written against" in capsys.readouterr().err


def test_a_region_of_a_contig_that_the_panel_lacks_is_refused(by_commands, root, capsys):
    (release,) = (by_commands / "results/release").iterdir()
    reference = str(root / "demo/data/reference.fa.gz")
    words = ["export", "va-spec", str(release), "--region", "chr9", "--reference", reference]
    assert main(words) == 3
    assert "no contig 'chr9'" in capsys.readouterr().err


def test_without_the_package_the_message_says_how_to_install_it(
    by_commands, root, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ga4gh.vrs", None)
    monkeypatch.delitem(sys.modules, "afpanel.io.vrs", raising=False)
    (release,) = (by_commands / "results/release").iterdir()
    reference = str(root / "demo/data/reference.fa.gz")
    words = ["export", "va-spec", str(release), "--region", "chr21", "--reference", reference]
    assert main(words) == 2
    assert "pip install 'afpanel[ga4gh]'" in capsys.readouterr().err
