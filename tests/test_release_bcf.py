"""BCF on request: the VCF's figures, no byte more, and whatever else is put into it is found."""

import gzip
import shutil
import struct
from dataclasses import replace

import numpy as np
import pysam
import pysam.bcftools
import pytest
from tests.published_files import release, simulate

from afpanel.constants import State
from afpanel.io import bcf_text
from afpanel.io.panel_store import create_panel, read_head, read_panel_blocks, write_panel_block
from afpanel.stages.gate import gate
from afpanel.stages.leak_scan import Forbidden, Machine, scan
from afpanel.stages.verify_release import attack_release

CANARY = "minh-anh"


@pytest.fixture(scope="module")
def made(once):
    """A gated panel as VCF and BCF, and as BCF alone."""

    def fill(folder):
        panels = simulate(folder / "merged", 120)
        (folder / "policy.yaml").write_text("min_group_size: 50\nmin_allele_count: 11\n")
        gate(panels, folder / "policy.yaml", folder / "out", folder / "decision.json")
        gated = [folder / "out" / path.name for path in panels]
        for name, formats in (("both", ("vcf", "bcf")), ("alone", ("bcf",))):
            release(gated, folder / "decision.json", folder / name, formats=formats)

    return once("bcf", fill)


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made / "both", tmp_path / "release")


def read_bcf(folder) -> tuple[bytes, bytes]:
    """The header of a BCF with its end, and the records."""
    data = gzip.decompress((folder / "p-1.bcf").read_bytes())
    (size,) = struct.unpack_from("<I", data, 5)
    return data[9 : 9 + size], data[9 + size :]


def write_bcf(folder, header: bytes, records: bytes) -> None:
    with pysam.BGZFile(str(folder / "p-1.bcf"), "wb") as file:
        file.write(b"BCF\2\2" + struct.pack("<I", len(header)) + header + records)


def first_record(records: bytes) -> bytes:
    shared, indiv = struct.unpack_from("<II", records)
    return records[: 8 + shared + indiv]


def found_in(path) -> list[str]:
    forbidden = Forbidden(Machine((CANARY,), (), ()))
    forbidden.allow_panel("p", "1")
    return [str(leak) for leak in scan([path], forbidden).leaks]


def test_htslib_reads_the_same_figures_from_the_bcf_as_from_the_vcf(made):
    with (
        pysam.VariantFile(str(made / "both/p-1.vcf.gz")) as text,
        pysam.VariantFile(str(made / "both/p-1.bcf")) as binary,
    ):
        assert str(binary.header) == str(text.header)
        assert "bcftools" not in str(binary.header)
        n = 0
        for one, other in zip(text, binary, strict=True):
            assert (one.chrom, one.pos, one.id, one.alleles) == (
                other.chrom, other.pos, other.id, other.alleles
            )  # fmt: skip
            assert list(one.filter) == list(other.filter)
            assert dict(one.info) == dict(other.info)
            n += 1
    assert n > 150


def test_our_reader_gives_the_lines_of_the_vcf_letter_by_letter(made):
    lines = gzip.decompress((made / "both/p-1.vcf.gz").read_bytes()).splitlines()
    expected = [line for line in lines if not line.startswith(b"##")]
    text = b"".join(bcf_text.read_bcf(made / "both/p-1.bcf"))
    assert [line for line in text.splitlines() if not line.startswith(b"##")] == expected


def test_a_region_is_found_by_its_index(made):
    with pysam.VariantFile(str(made / "both/p-1.bcf")) as file:
        every = [record.id for record in file if record.chrom == "chrX"]
        some = [record.id for record in file.fetch("chrX", 5_000_100, 5_000_900)]
    assert some == [name for name in every if 5_000_100 < int(name.split("-")[1]) <= 5_000_900]
    assert 0 < len(some) < len(every)


def test_bcf_alone_has_the_same_bytes_and_leaves_no_vcf(made):
    assert sorted(p.name for p in (made / "alone").glob("p-1*")) == ["p-1.bcf", "p-1.bcf.csi"]
    for name in ("p-1.bcf", "p-1.bcf.csi"):
        assert (made / "alone" / name).read_bytes() == (made / "both" / name).read_bytes()


def test_a_bcf_of_a_release_is_clean_and_verified(made):
    assert found_in(made / "both") == found_in(made / "alone" / "p-1.bcf") == []
    verdicts = attack_release(made / "both", 10)
    assert list(verdicts) == ["vcf", "bcf"]
    assert not any(verdict.found for verdict in verdicts.values())
    assert verdicts["bcf"].variants == verdicts["vcf"].variants > 150


def test_absent_cells_which_two_formats_tell_from_others_are_no_fault_of_the_bcf(made, tmp_path):
    panels = []
    for path in sorted((made / "out").iterdir()):
        panels.append(tmp_path / path.name)
        with create_panel(panels[-1], read_head(path)) as store:
            for variants, counts in read_panel_blocks(path):
                absent = (counts.state == State.OBSERVED) & (counts.allele_count == 0)
                state = np.where(absent, np.int8(State.ABSENT_CALLABLE), counts.state)
                assert absent.any()
                write_panel_block(store, variants, replace(counts, state=state))
    release(
        panels, made / "decision.json", tmp_path / "all", formats=("vcf", "parquet", "zarr", "bcf")
    )
    verdicts = attack_release(tmp_path / "all", 10)
    assert list(verdicts) == ["vcf", "parquet", "zarr", "bcf"]
    assert not any(verdict.found for verdict in verdicts.values())


def _line_in_header(header, records):
    return header.replace(b"##reference", f"##who={CANARY}\n##reference".encode(), 1), records


def _words_in_header(header, records):
    return header.replace(b"Copies of", f"{CANARY} copies of".encode(), 1), records


def _bytes_after_header(header, records):
    return header + CANARY.encode() + b"\0", records


def _numbers_in_header(header, records):
    return header.replace(b"IDX=3>", b"IDX=3333>", 1), records


def _sample(header, records):
    return header.replace(b"INFO\n\0", f"INFO\tFORMAT\t{CANARY}\n\0".encode()), records


def _bytes_in_record(header, records):
    size = struct.unpack_from("<I", records)[0] + len(CANARY)
    first = first_record(records)
    return header, struct.pack("<I", size) + first[4:] + CANARY.encode() + records[len(first) :]


def _bytes_of_people(header, records):
    first = first_record(records)
    grown = first[:4] + struct.pack("<I", len(CANARY)) + first[8:] + CANARY.encode()
    return header, grown + records[len(first) :]


def _another_id(header, records):
    size = records[32] >> 4
    if size == 15:  # its length is a number of its own: one byte of type, one of value
        start, size = 35, records[34]
    else:
        start = 33
    name = CANARY.encode() + b"-" * (size - len(CANARY))
    return header, records[:start] + name + records[start + size :]


def _quality(header, records):
    return header, records[:20] + CANARY[:4].encode() + records[24:]


def _a_nan(header, records):
    missing = struct.pack("<I", 0x7F800001)
    at = records.index(b"\x15" + missing) + 1
    return header, records[:at] + struct.pack("<I", 0x7F800123) + records[at + 4 :]


def _half_a_record(header, records):
    return header, records + first_record(records)[:-2]


@pytest.mark.parametrize(
    "plant",
    [_line_in_header, _words_in_header, _bytes_after_header, _numbers_in_header, _sample, _bytes_in_record,
     _bytes_of_people, _another_id, _quality, _a_nan, _half_a_record],
)  # fmt: skip
def test_what_is_put_into_a_bcf_is_found(plant, copy):
    header, records = read_bcf(copy)
    write_bcf(copy, *plant(header, records))
    found = found_in(copy)
    assert found
    assert all("p-1.bcf" in each for each in found)
    assert not any(CANARY in each for each in found)


def test_what_is_put_into_its_index_is_found(copy):
    path = copy / "p-1.bcf.csi"
    data = gzip.decompress(path.read_bytes())
    about = CANARY.encode()
    for changed in (
        data + about,
        data[:12] + struct.pack("<i", len(about)) + about + data[16:],
    ):
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(changed)
        assert found_in(copy)


def _a_record_more(records):
    return records + first_record(records)


def _a_record_less(records):
    return records[len(first_record(records)) :]


def _another_count(records):
    at = records.index(b"\x15", 40)  # the first fraction
    value = np.float32(0.0123).tobytes()
    return records[: at + 1] + value + records[at + 5 :]


@pytest.mark.parametrize("change", [_a_record_more, _a_record_less, _another_count])
def test_the_verifier_finds_what_only_the_bcf_says(change, copy):
    header, records = read_bcf(copy)
    write_bcf(copy, header, change(records))
    verdicts = attack_release(copy, 10)
    assert verdicts["bcf"].found
    assert not verdicts["vcf"].found
