"""The commands run one after the other, as their examples show, on two tiny cohorts."""

import json

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
import zarr

FIGURES = ("allele_count", "allele_number", "homozygote_count", "hemizygote_count", "state")
KEYS = ("AC", "AN", "nhomalt", "nhemialt")

BY_EYE = {
    # AC, AN, nhomalt, nhemialt, state: a few, worked out with pen and paper.
    (("chr1", 8, "G", "A"), "total"): (4, 15, 1, 0, 2),
    (("chr1", 8, "G", "A"), "VN"): (2, 7, 0, 0, 2),
    (("chr1", 8, "G", "T"), "VN_T"): (2, 3, 1, 0, 2),
    (("chr1", 8, "G", "C"), "VN"): (0, 7, 0, 0, 1),
    (("chr1", 10, "CA", "C"), "total"): (7, 16, 2, 0, 2),
    (("chr1", 17, "T", "A"), "VN"): (2, 8, 0, 0, 2),
    (("chr1", 17, "T", "A"), "TH"): (-1, 0, -1, -1, 0),
    (("chr1", 22, "A", "G"), "VN"): (-1, 0, -1, -1, 0),
    (("chr1", 22, "A", "G"), "TH"): (3, 8, 1, 0, 2),
    (("chr1", 27, "C", "CTT"), "VN"): (0, 8, 0, 0, 1),
    (("chr1", 27, "C", "CTT"), "XY"): (0, 8, 0, 0, 2),
    (("chr1", 30, "TTG", "T"), "VN"): (-1, 0, -1, -1, 0),
    (("chr1", 32, "GCA", "G"), "VN"): (3, 8, 0, 0, 2),
    (("chr1", 70, "T", "G"), "total"): (0, 6, 0, 0, 2),
    (("chrX", 5, "A", "G"), "VN"): (4, 6, 1, 1, 2),
    (("chrX", 5, "A", "G"), "TH"): (2, 3, 0, 1, 2),
    (("chrX", 5, "A", "G"), "XY"): (2, 3, 0, 2, 2),
    (("chrX", 12, "C", "A"), "VN"): (0, 6, 0, 0, 1),
    (("chrX", 12, "C", "A"), "VN_K"): (0, 3, 0, 0, 1),
    (("chrX", 40, "G", "A"), "VN"): (-1, 0, -1, -1, 0),
    (("chrX", 40, "G", "A"), "TH"): (2, 4, 0, 1, 2),
}


@pytest.fixture(scope="module")
def from_zarr(release):
    with zarr.storage.ZipStore(release / "tiny-1.zarr.zip", mode="r") as store:
        arrays = {name: array[...] for name, array in zarr.open_group(store, mode="r").arrays()}
    contigs = arrays["contig_id"].tolist()
    variants = [
        (contigs[c], p, *alleles)
        for c, p, alleles in zip(
            arrays["variant_contig"].tolist(),
            arrays["variant_position"].tolist(),
            arrays["variant_allele"].tolist(),
            strict=True,
        )
    ]
    groups = arrays["group_id"].tolist()
    return {
        variant: {
            group: tuple(int(arrays[name][row, g]) for name in FIGURES)
            for g, group in enumerate(groups)
        }
        for row, variant in enumerate(variants)
    }


def test_the_slow_computation_gives_what_pen_and_paper_give(worked_out):
    found = {(variant, group): worked_out[variant][group] for variant, group in BY_EYE}
    assert found == BY_EYE


def test_the_panel_has_every_variant_split_and_left_aligned_and_no_other(from_zarr, worked_out):
    order = sorted(worked_out, key=lambda v: (("chr1", "chrX").index(v[0]), v[1:]))
    assert list(from_zarr) == order


def test_groups_are_listed_in_their_fixed_order(from_zarr):
    groups = ["total", "TH", "TH_H", "VN", "VN_K", "VN_T", "XX", "XY"]
    assert list(next(iter(from_zarr.values()))) == groups


def test_every_figure_and_state_is_that_of_the_slow_computation(from_zarr, worked_out):
    assert from_zarr == worked_out


def test_figures_worked_out_by_eye_are_in_the_panel(from_zarr):
    found = {(variant, group): from_zarr[variant][group] for variant, group in BY_EYE}
    assert found == BY_EYE


def test_the_vcf_holds_the_same_figures_one_alt_a_line(release, worked_out):
    with pysam.VariantFile(str(release / "tiny-1.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == []
        records = list(vcf)
    assert len(records) == len(worked_out)
    for record in records:
        (alt,) = record.alts
        for group, figures in worked_out[record.chrom, record.pos, record.ref, alt].items():
            suffix = "" if group == "total" else f"_{group}"
            found = [record.info.get(f"{key}{suffix}") for key in KEYS]
            found = [value[0] if isinstance(value, tuple) else value for value in found]
            expected = [None if value == -1 else value for value in figures[:4]]
            assert found == expected, (record.chrom, record.pos, alt, group)
            frequency = record.info.get(f"AF{suffix}", (None,))[0]
            if figures[1] == 0:
                assert frequency is None
            else:
                assert frequency == pytest.approx(figures[0] / figures[1])
        ac = worked_out[record.chrom, record.pos, record.ref, alt]["total"][0]
        assert list(record.filter) == (["AC0"] if ac == 0 else ["PASS"])


def test_the_parquet_holds_the_same_figures_and_states(release, worked_out):
    seen = 0
    for contig in ("chr1", "chrX"):
        folder = release / "tiny-1.parquet" / f"contig={contig}"
        for row in pq.ParquetFile(folder / "part-0.parquet").read().to_pylist():
            seen += 1
            for group, figures in worked_out[contig, row["pos"], row["ref"], row["alt"]].items():
                suffix = "" if group == "total" else f"_{group}"
                found = [row[f"{key}{suffix}"] for key in KEYS]
                assert found == [None if value == -1 else value for value in figures[:4]]
                state = row[f"state{suffix}" if suffix else "state"]
                assert state == figures[4]
    assert seen == len(worked_out)


def test_frequencies_in_the_zarr_are_ac_over_an_and_missing_where_an_is_0(release):
    with zarr.storage.ZipStore(release / "tiny-1.zarr.zip", mode="r") as store:
        root = zarr.open_group(store, mode="r")
        ac, an, af = (root[f"allele_{name}"][...] for name in ("count", "number", "frequency"))
    assert (np.isnan(af) == (an == 0)).all()
    known = an > 0
    np.testing.assert_allclose(af[known], ac[known] / an[known], rtol=1e-6)


def test_every_source_allele_is_accounted_for_by_its_outcome(release):
    lines = (release / "harmonization.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    table = {(row["cohort"], row["outcome"]): int(row["source_alleles"]) for row in rows}
    assert table == {
        ("Thai-1", "as_is"): 11,
        ("Viet-1", "as_is"): 6,
        ("Viet-1", "trimmed"): 1,
        ("Viet-1", "left_aligned"): 2,
        ("Viet-1", "filtered"): 1,
        ("Viet-1", "symbolic"): 1,
    }


def test_the_manifest_names_every_file_with_its_checksum(release):
    import hashlib

    manifest = json.loads((release / "manifest.json").read_text())
    listed = {each["path"]: each["sha256"] for each in manifest["files"]}
    there = {
        str(path.relative_to(release)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in release.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == there


def test_nothing_of_the_people_is_in_the_release(release):
    """Names of samples are looked for in every file, unpacked."""
    import gzip

    for path in release.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            for sample in ("v1", "v2", "t1", "t2"):
                for quoted in (f'"{sample}"', f"\t{sample}\t", f"\t{sample}\n"):
                    assert quoted.encode() not in data
