"""Names put where they must not be: a function for each place, which spoils a copy of a release.

Each plants `CANARY`, the ID of somebody who is in the demonstration, or something else that must not leave.
"""

import base64
import gzip
import json
import os
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import zarr
from numcodecs import blosc
from numcodecs.vlen import VLenUTF8
from zarr.storage import ZipStore

from afpanel.io.leak_page_index import index_places

CANARY = "VNSYN00005"
USER, HOST = "minh-anh", "genome-node7"
ID = "a sample ID of cohort VN-demo"
DATE = (1980, 1, 1, 0, 0, 0)

Plant = Callable[[Path], None]
PLANTS: dict[str, tuple[Plant, str, str]] = {}
"""By what is done: who does it, a pattern of the place that must be named, and one of what it is."""


def plants(place: str, what: str = ID) -> Callable[[Plant], Plant]:
    def note(function: Plant) -> Plant:
        name = function.__name__.replace("_", " ")
        assert name not in PLANTS
        PLANTS[name] = (function, place, what)
        return function

    return note


def only(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern))


# VCF and its index.


def _vcf(folder: Path) -> Path:
    return only(folder, "*.vcf.gz")


def write_bgzf(path: Path, text: bytes) -> None:
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(text)


def edit_vcf(folder: Path, old: str, new: str) -> None:
    """Change the first place of a text in a VCF."""
    text = gzip.decompress(_vcf(folder).read_bytes())
    assert old.encode() in text
    write_bgzf(_vcf(folder), text.replace(old.encode(), new.encode(), 1))


def _edit_line(folder: Path, column: int, change: Callable[[str], str]) -> None:
    """Change a column of the thousandth line of figures."""
    lines = gzip.decompress(_vcf(folder).read_bytes()).decode().split("\n")
    row = next(i for i, line in enumerate(lines) if line[:1] != "#") + 1000
    cells = lines[row].split("\t")
    cells[column] = change(cells[column])
    lines[row] = "\t".join(cells)
    write_bgzf(_vcf(folder), "\n".join(lines).encode())


for key, line in {
    "a header key": f"##sample={CANARY}",
    "SAMPLE": f"##SAMPLE=<ID={CANARY}>",
    "PEDIGREE": f"##PEDIGREE=<ID={CANARY},Father=F,Mother=M>",
    "a bcftools command": f"##bcftools_viewCommand=view -s {CANARY} in.vcf",
    "a GATK command": f'##GATKCommandLine=<ID=HaplotypeCaller,CommandLine="-sn {CANARY}">',
    "commandline": f"##commandline={CANARY}",
}.items():
    for what in (ID, "a header key that is not one of a release's"):
        PLANTS[f"{key}: {what}"] = (
            lambda folder, line=line: edit_vcf(folder, "##source", f"{line}\n##source"),
            r"\.vcf\.gz, header line 2",
            what,
        )


@plants(r"\.vcf\.gz, header line \d+")
def a_description_of_INFO(folder):
    edit_vcf(folder, "Copies of the ALT allele in all", f"Copies in {CANARY} and all")


@plants(r"\.vcf\.gz, header line \d+")
def a_group_of_one_person_in_INFO(folder):
    edit_vcf(folder, "<ID=AC_VN_KHV,", f"<ID=AC_VN_{CANARY},")


@plants(r"\.vcf\.gz, header line \d+")
def the_name_of_a_contig(folder):
    edit_vcf(folder, "<ID=chrX,", f"<ID={CANARY},")


@plants(r"\.vcf\.gz, header line \d+")
def a_further_field_of_a_header_line(folder):
    edit_vcf(folder, ",assembly=", f",sample={CANARY},assembly=")


@plants(r"\.vcf\.gz, header line \d+", "not the eight columns")
def columns_of_samples(folder):
    edit_vcf(folder, "FILTER\tINFO\n", f"FILTER\tINFO\tFORMAT\t{CANARY}\n")


@plants(r"\.vcf\.gz, line \d+", "not eight columns")
def genotypes_of_a_line(folder):
    _edit_line(folder, 7, lambda info: f"{info}\tGT\t0/1")


@plants(r"\.vcf\.gz, line 1,\d+")
def the_ID_of_a_variant(folder):
    _edit_line(folder, 2, lambda _: CANARY)


@plants(r"\.vcf\.gz, line 1,\d+", "an ID that is not CHROM-POS-REF-ALT")
def an_ID_that_is_another_variants(folder):
    _edit_line(folder, 2, lambda name: f"{name}A")


@plants(r"\.vcf\.gz, line 1,\d+", "an allele that is not of bases")
def a_symbolic_allele(folder):
    _edit_line(folder, 4, lambda _: f"<{CANARY}>")


@plants(r"\.vcf\.gz, line 1,\d+")
def QUAL(folder):
    _edit_line(folder, 5, lambda _: CANARY)


@plants(r"\.vcf\.gz, line 1,\d+")
def FILTER(folder):
    _edit_line(folder, 6, lambda _: f"PASS;{CANARY}")


@plants(r"\.vcf\.gz, line 1,\d+")
def a_key_of_INFO_in_a_line(folder):
    _edit_line(folder, 7, lambda info: f"{info};who={CANARY}")


@plants(r"\.vcf\.gz, line 1,\d+", "an INFO key that is not one of the header's")
def a_flag_of_INFO_in_a_line(folder):
    _edit_line(folder, 7, lambda info: f"{info};carrier")


@plants(r"\.vcf\.gz, line 1,\d+", "neither a figure nor a group")
def a_value_of_INFO(folder):
    _edit_line(folder, 7, lambda info: info.replace("AC=", f"AC={CANARY},", 1))


@plants(r"\.vcf\.gz, line 1,\d+")
def a_group_in_a_line(folder):
    _edit_line(folder, 7, lambda info: f"{info};grpmax=VN_{CANARY}")


@plants(r"\.vcf\.gz, line 1,\d+")
def an_ID_in_lower_case_inside_of_a_word(folder):
    _edit_line(folder, 2, lambda _: f"x{CANARY.lower()}y")


@plants(r"\.vcf\.gz, line \d+")
def an_ID_across_two_blocks(folder):
    text = gzip.decompress(_vcf(folder).read_bytes())
    place = text.index(b"\n", 400_000) + 1
    cut = f"chr21\t1\t{CANARY[:4]}".encode()
    head = (
        text[: place - (place + len(cut)) % 65_280] + b"\n"
    )  # a line short: a block ends in the ID
    pad = (-len(head) - len(cut)) % 65_280
    with pysam.BGZFile(str(_vcf(folder)), "wb") as file:
        file.write(
            head
            + b"\n" * 0
            + b"#" * (pad - 1)
            + b"\n"
            + cut
            + CANARY[4:].encode()
            + b"\n"
            + text[place:]
        )


@plants(r"\.vcf\.gz, bytes after the last block")
def bytes_after_the_end_of_a_VCF(folder):
    with _vcf(folder).open("ab") as file:
        file.write(CANARY.encode())


@plants(r"\.vcf\.gz, line \d+")
def a_further_gzip_member_with_text(folder):
    with _vcf(folder).open("ab") as file:
        file.write(gzip.compress(f"chr21\t1\t{CANARY}\n".encode(), mtime=0))


@plants(r"\.vcf\.gz, line \d+")
def a_further_block_after_the_last(folder):
    with _vcf(folder).open("ab") as file:
        other = folder / "other"
        write_bgzf(other, CANARY.encode())
        file.write(other.read_bytes())
        other.unlink()


@plants(r"\.vcf\.gz, line \d+")
def very_many_gzip_members(folder):
    with _vcf(folder).open("ab") as file:
        file.write(gzip.compress(b"\n", mtime=0) * 2_000)
        file.write(gzip.compress(f"chr21\t1\t{CANARY}\n".encode(), mtime=0))


def _member(text: bytes, flags: int, fields: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(text) + packer.flush()
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff" + fields
    return head + packed + struct.pack("<II", zlib.crc32(text), len(text))


def _as_one_member(folder: Path, flags: int, fields: bytes) -> None:
    path = _vcf(folder)
    path.write_bytes(_member(gzip.decompress(path.read_bytes()), flags, fields))


@plants(r"\.vcf\.gz, file name of member 1")
def the_file_name_in_a_gzip_header(folder):
    _as_one_member(folder, 8, f"{CANARY}.vcf\0".encode())


@plants(r"\.vcf\.gz, comment of member 1")
def a_comment_in_a_gzip_header(folder):
    _as_one_member(folder, 16, f"of {CANARY}\0".encode())


@plants(r"\.vcf\.gz, extra field of member 1")
def an_extra_field_in_a_gzip_header(folder):
    data = b"ID" + struct.pack("<H", len(CANARY)) + CANARY.encode()
    _as_one_member(folder, 4, struct.pack("<H", len(data)) + data)


@plants(r"\.vcf\.gz, extra field of member 1")
def an_extra_field_of_a_block(folder):
    path = _vcf(folder)
    data = path.read_bytes()
    more = b"ID" + struct.pack("<H", len(CANARY)) + CANARY.encode()
    (size,) = struct.unpack_from("<H", data, 16)
    head = data[:10] + struct.pack("<H", 6 + len(more)) + data[12:16]
    path.write_bytes(head + struct.pack("<H", size + len(more)) + more + data[18:])


@plants(r"\.vcf\.gz, block 1, after its text")
def bytes_inside_of_a_block(folder):
    path = _vcf(folder)
    data = path.read_bytes()
    (size,) = struct.unpack_from("<H", data, 16)
    end, grown = size + 1 - 8, size + len(CANARY)
    path.write_bytes(
        data[:16] + struct.pack("<H", grown) + data[18:end] + CANARY.encode() + data[end:]
    )


@plants(r"\.vcf\.gz, block", "no end-of-file block")
def a_VCF_without_its_end(folder):
    path = _vcf(folder)
    path.write_bytes(path.read_bytes()[:-28])


def _edit_index(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = only(folder, "*.tbi")
    write_bgzf(path, change(gzip.decompress(path.read_bytes())))


@plants(r"\.tbi, names of contigs")
def a_name_in_a_tabix_index(folder):
    def change(data):
        (length,) = struct.unpack_from("<i", data, 32)
        names = f"{CANARY}\0chrX\0".encode()
        return data[:32] + struct.pack("<i", len(names)) + names + data[36 + length :]

    _edit_index(folder, change)


@plants(r"\.tbi, bytes after the end of the index")
def bytes_after_a_tabix_index(folder):
    _edit_index(folder, lambda data: data + CANARY.encode())


@plants(r"\.tbi, bins")
def a_place_in_a_tabix_index(folder):
    _edit_index(folder, lambda data: data[:-18] + CANARY.encode() + data[-8:])


@plants(r"\.tbi, head", "no tabix index of a VCF")
def another_kind_of_index(folder):
    _edit_index(folder, lambda data: data[:8] + struct.pack("<i", 0) + data[12:])


@plants(r"\.tbi, bytes after the last block")
def bytes_after_a_tabix_file(folder):
    with only(folder, "*.tbi").open("ab") as file:
        file.write(CANARY.encode())


@plants(r"\.csi, bytes after the end of the index")
def bytes_after_a_CSI_index(folder):
    path = only(folder, "*.csi")
    write_bgzf(path, gzip.decompress(path.read_bytes()) + CANARY.encode())


@plants(r"\.csi, names of contigs")
def a_name_in_a_CSI_index(folder):
    path = only(folder, "*.csi")
    data = gzip.decompress(path.read_bytes())
    (length,) = struct.unpack_from("<i", data, 40)
    names = f"{CANARY}\0chrX\0".encode()
    head = struct.pack("<i", 28 + len(names)) + data[16:40] + struct.pack("<i", len(names))
    write_bgzf(path, data[:12] + head + names + data[44 + length :])


# Zarr.


def _store(folder: Path) -> Path:
    return only(folder, "*.zarr.zip")


def entry_of(name: str, mode: int = 0o644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=DATE)
    entry.external_attr = mode << 16
    return entry


def rewrite_zip(
    path: Path, changes: dict[str, bytes], more: dict[str, bytes] | None = None
) -> None:
    """Write a zip file again as the project does, with some entries changed, and more of them."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert changes.keys() <= content.keys()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, **changes, **(more or {})}.items():
            archive.writestr(entry_of(name), data)


def read_entry(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def edit_metadata(folder: Path, name: str, change: Callable[[dict], object]) -> None:
    about = json.loads(read_entry(_store(folder), name))
    change(about)
    rewrite_zip(_store(folder), {name: json.dumps(about, indent=2).encode()})


@plants(r"entry zarr\.json, key attributes\.note")
def an_attribute_of_a_store(folder):
    edit_metadata(folder, "zarr.json", lambda about: about["attributes"].update(note=CANARY))


@plants(r"entry zarr\.json, key attributes\.panel")
def the_value_of_a_known_attribute(folder):
    edit_metadata(folder, "zarr.json", lambda about: about["attributes"].update(panel=CANARY))


@plants(r"entry zarr\.json, attribute afpanel_kind", "a kind of store that must not leave")
def a_store_of_genotypes(folder):
    edit_metadata(
        folder, "zarr.json", lambda about: about["attributes"].update(afpanel_kind="genotypes")
    )


@plants(r"entry state/zarr\.json, key attributes\.who")
def an_attribute_of_an_array(folder):
    edit_metadata(folder, "state/zarr.json", lambda about: about["attributes"].update(who=[CANARY]))


@plants(r"entry state/zarr\.json, key attributes\.description")
def the_description_of_an_array(folder):
    edit_metadata(
        folder, "state/zarr.json", lambda about: about["attributes"].update(description=CANARY)
    )


@plants(r"entry state/zarr\.json", "other dimensions")
def an_array_over_samples(folder):
    edit_metadata(
        folder,
        "state/zarr.json",
        lambda about: about.update(dimension_names=["variants", "samples"]),
    )


@plants(r"entry group_people/zarr\.json", "116 groups, where allele_count has 12")
def an_array_as_long_as_a_cohort(folder):
    edit_metadata(folder, "group_people/zarr.json", lambda about: about.update(shape=[116]))


@plants(r"entry zarr\.json, key panel")
def a_key_that_stands_twice(folder):
    text = read_entry(_store(folder), "zarr.json").decode()
    twice = text.replace('"panel"', f'"panel": "{CANARY}", "panel"', 1)
    rewrite_zip(_store(folder), {"zarr.json": twice.encode()})


def _text_chunk(values: list[str]) -> bytes:
    return blosc.compress(VLenUTF8().encode(np.array(values, object)), b"zstd", 3, 0, 0, 8)


def _texts(folder: Path, name: str) -> list[str]:
    return VLenUTF8().decode(blosc.decompress(read_entry(_store(folder), name))).tolist()


@plants(r"entry group_id/c/0, values")
def a_group_of_one_person(folder):
    groups = _texts(folder, "group_id/c/0")
    rewrite_zip(_store(folder), {"group_id/c/0": _text_chunk([*groups[:-1], f"VN_{CANARY}"])})


@plants(r"entry filter_id/c/0, values")
def a_name_of_a_filter(folder):
    rewrite_zip(_store(folder), {"filter_id/c/0": _text_chunk(["PASS", CANARY])})


@plants(r"entry variant_allele/c/0/0, values")
def an_allele_in_a_chunk(folder):
    texts = _texts(folder, "variant_allele/c/0/0")
    texts[4 * 77] = CANARY
    rewrite_zip(_store(folder), {"variant_allele/c/0/0": _text_chunk(texts)})


@plants(r"entry grpmax_group/c/0, values")
def a_group_in_a_chunk(folder):
    texts = _texts(folder, "grpmax_group/c/0")
    texts[1000] = CANARY
    rewrite_zip(_store(folder), {"grpmax_group/c/0": _text_chunk(texts)})


@plants(r"entry grpmax_group/c/0", "values past the end of the array")
def text_past_the_end_of_an_array(folder):
    texts = _texts(folder, "grpmax_group/c/0")
    texts[-1] = "VN"
    rewrite_zip(_store(folder), {"grpmax_group/c/0": _text_chunk(texts)})


@plants(r"entry state/c/0/0, values")
def letters_as_numbers_past_the_end_of_an_array(folder):
    data = bytearray(blosc.decompress(read_entry(_store(folder), "state/c/0/0")))
    data[-len(CANARY) :] = CANARY.encode()
    packed = blosc.compress(bytes(data), b"zstd", 3, 0, 0, 1)
    rewrite_zip(_store(folder), {"state/c/0/0": packed})


@plants(r"entry state/c/0/0", "values past the end of the array")
def numbers_past_the_end_of_an_array(folder):
    data = bytearray(blosc.decompress(read_entry(_store(folder), "state/c/0/0")))
    data[-1] = 1
    packed = blosc.compress(bytes(data), b"zstd", 3, 0, 0, 1)
    rewrite_zip(_store(folder), {"state/c/0/0": packed})


@plants(r"entry state/c/0/0, bytes after the end of the chunk")
def bytes_after_a_chunk(folder):
    chunk = read_entry(_store(folder), "state/c/0/0")
    rewrite_zip(_store(folder), {"state/c/0/0": chunk + CANARY.encode()})


@plants(r"entry group_id/c/0, bytes", ID)
def bytes_after_the_strings_of_a_chunk(folder):
    plain = VLenUTF8().encode(np.array(_texts(folder, "group_id/c/0"), object))
    packed = blosc.compress(bytes(plain) + CANARY.encode(), b"zstd", 3, 0, 0, 8)
    rewrite_zip(_store(folder), {"group_id/c/0": packed})


@plants(r"entry group_id/c/1", ID)
def a_chunk_past_the_grid(folder):
    rewrite_zip(_store(folder), {}, {"group_id/c/1": _text_chunk([CANARY] * 13)})


@plants(r"entry who/c/0", ID)
def a_further_array(folder):
    with ZipStore(_store(folder), mode="a") as store:
        array = zarr.open_group(store, mode="r+").create_array("who", shape=(116,), dtype=str)
        array[...] = np.array([CANARY] * 116, object)


@plants(r"array who", "as long as cohort VN-demo has people")
def a_further_array_as_long_as_a_cohort(folder):
    with ZipStore(_store(folder), mode="a") as store:
        array = zarr.open_group(store, mode="r+").create_array("who", shape=(117,), dtype="i1")
        array[...] = np.ones(117)


@plants(r"array call_genotype", "an array that is not one of its kind of store")
def genotypes(folder):
    with ZipStore(_store(folder), mode="a") as store:
        zarr.open_group(store, mode="r+").create_array("call_genotype", shape=(9, 3, 2), dtype="i1")


@plants(r"\.zarr\.zip, entry notes\.txt")
def a_further_entry(folder):
    rewrite_zip(_store(folder), {}, {"notes.txt": CANARY.encode()})


@plants(r"\.zarr\.zip, name of entry state/VN…")
def the_name_of_an_entry(folder):
    rewrite_zip(_store(folder), {}, {f"state/{CANARY}": b""})


def _append_entry(folder: Path, entry: zipfile.ZipInfo, data: bytes = b"") -> None:
    with zipfile.ZipFile(_store(folder), "a") as archive:
        archive.writestr(entry, data)


@plants(r"\.zarr\.zip, comment of entry notes")
def the_comment_of_an_entry(folder):
    entry = entry_of("notes")
    entry.comment = CANARY.encode()
    _append_entry(folder, entry)


@plants(r"\.zarr\.zip, extra field of entry notes")
def the_extra_field_of_an_entry(folder):
    entry = entry_of("notes")
    entry.extra = struct.pack("<HH", 0x7075, len(CANARY)) + CANARY.encode()
    _append_entry(folder, entry)


@plants(r"\.zarr\.zip, comment of the archive")
def the_comment_of_an_archive(folder):
    with zipfile.ZipFile(_store(folder), "a") as archive:
        archive.comment = CANARY.encode()


@plants(r"\.zarr\.zip, name of entry \.\./notes", "leads out of the archive")
def a_name_that_leads_out(folder):
    _append_entry(folder, entry_of("../notes"))


@plants(r"\.zarr\.zip, entry notes", "a symbolic link")
def a_link_in_an_archive(folder):
    _append_entry(folder, entry_of("notes", stat.S_IFLNK | 0o777), b"target")


@plants(r"\.zarr\.zip, entry notes", "a date other than the fixed one")
def the_time_of_an_entry(folder):
    entry = entry_of("notes")
    entry.date_time = (2026, 4, 1, 12, 0, 0)
    _append_entry(folder, entry)


@plants(r"\.zarr\.zip, entry notes", "attributes other than")
def the_mode_of_an_entry(folder):
    _append_entry(folder, entry_of("notes", 0o4755))


@plants(r"\.zarr\.zip, entry zarr\.json", "a second entry of the same name")
def a_second_entry_of_a_name(folder):
    about = read_entry(_store(folder), "zarr.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what this does is what one is warned of
        _append_entry(folder, entry_of("zarr.json"), about)


@plants(r"\.zarr\.zip, entry notes\.txt")
def a_packed_entry(folder):
    entry = entry_of("notes.txt")
    entry.compress_type = zipfile.ZIP_DEFLATED
    _append_entry(folder, entry, CANARY.encode() * 50)


@plants(r"\.zarr\.zip, bytes between entries")
def bytes_before_an_archive(folder):
    path = _store(folder)
    path.write_bytes(CANARY.encode() + path.read_bytes())


@plants(r"\.zarr\.zip, bytes between entries")
def an_entry_that_the_directory_has_not(folder):
    path = _store(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry_of("gone.txt"), CANARY)
        archive.filelist.pop()


@plants(r"\.zarr\.zip, bytes between entries")
def bytes_after_an_archive(folder):
    path = _store(folder)
    path.write_bytes(path.read_bytes() + CANARY.encode())


@plants(r"\.zarr\.zip, head of entry contig_id/c/0")
def a_head_with_another_name(folder):
    path = _store(folder)
    data = path.read_bytes()
    name = b"contig_id/c/0"
    path.write_bytes(data.replace(name, CANARY.encode().ljust(len(name), b"x"), 1))


# Parquet.


def _parquet(folder: Path) -> Path:
    return only(folder, "*.parquet/contig=chr21/*.parquet")


def _edit_table(folder: Path, change: Callable[[pa.Table], pa.Table], **options: object) -> None:
    path = _parquet(folder)
    table = pq.ParquetFile(path).read()
    pq.write_table(change(table), path, compression="zstd", **options)


@plants(r"part-0\.parquet, metadata note")
def a_metadata_key_of_Parquet(folder):
    _edit_table(folder, lambda t: t.replace_schema_metadata({**t.schema.metadata, "note": CANARY}))


@plants(r"part-0\.parquet, metadata people")
def a_known_metadata_key_of_Parquet(folder):
    _edit_table(
        folder, lambda t: t.replace_schema_metadata({**t.schema.metadata, "people": CANARY})
    )


@plants(r"part-0\.parquet, footer", "a metadata key that stands twice")
def a_metadata_key_of_Parquet_that_stands_twice(folder):
    _edit_table(folder, lambda t: t.replace_schema_metadata({**t.schema.metadata, "people": "P"}))


@plants(r"part-0\.parquet, pages of column pos")
def letters_as_numbers_in_Parquet(folder):
    path = _parquet(folder)
    table = pq.ParquetFile(path).read()
    n = len(table)
    mark = np.frombuffer(CANARY.encode().ljust(12), "<i4")
    column = pa.array(np.concatenate([table["pos"].to_numpy()[: n - 3], mark]), pa.int32())
    field = table.schema.field("pos")
    pq.write_table(
        table.set_column(0, field, column), path, use_dictionary=False, compression="zstd"
    )


@plants(r"part-0\.parquet, column AC", "a column of another type")
def a_figure_of_another_type(folder):
    def change(table):
        texts = pa.array([b"x"] * len(table), pa.binary())
        return table.set_column(table.column_names.index("AC"), "AC", texts)

    _edit_table(folder, change)


@plants(r"part-0\.parquet, metadata of column ref")
def metadata_of_a_column(folder):
    def change(table):
        field = table.schema.field("ref").with_metadata({"description": f"of {CANARY}"})
        return table.cast(table.schema.set(1, field))

    _edit_table(folder, change)


@plants(r"part-0\.parquet, column VN…")
def the_name_of_a_column(folder):
    _edit_table(folder, lambda t: t.append_column(CANARY, pa.array(np.zeros(len(t), np.int8))))


@plants(r"part-0\.parquet, column AC_VN_VN…")
def a_figure_of_one_person(folder):
    _edit_table(
        folder, lambda t: t.append_column(f"AC_VN_{CANARY}", pa.array(np.zeros(len(t), np.int8)))
    )


def _with_text(table: pa.Table, name: str, text: str) -> pa.Table:
    values = [*table[name].to_pylist()[:-1], text]
    return table.set_column(table.column_names.index(name), table.schema.field(name), [values])


@plants(r"part-0\.parquet, values of column ref")
def an_allele_in_Parquet(folder):
    _edit_table(folder, lambda t: _with_text(t, "ref", CANARY))


@plants(r"part-0\.parquet, values of column ref")
def an_allele_in_Parquet_without_a_dictionary(folder):
    _edit_table(
        folder, lambda t: _with_text(t, "ref", CANARY), use_dictionary=False, write_statistics=False
    )


@plants(r"part-0\.parquet, statistics of column alt")
def statistics_of_a_column(folder):
    _edit_table(folder, lambda t: _with_text(t, "alt", CANARY))


@plants(r"part-0\.parquet, values of column grpmax")
def a_group_in_Parquet(folder):
    _edit_table(folder, lambda t: _with_text(t, "grpmax", CANARY))


@plants(r"part-0\.parquet, values of column filter")
def a_word_of_a_dictionary_that_no_row_has(folder):
    def change(table):
        words = pa.array(["PASS", "AC0", CANARY])
        codes = pa.array(np.zeros(len(table), np.int8))
        column = pa.DictionaryArray.from_arrays(codes, words)
        return table.set_column(table.column_names.index("filter"), "filter", column)

    _edit_table(folder, change)


@plants(r"part-0\.parquet, index of column filter")
def a_value_in_an_index_of_pages(folder):
    path = _parquet(folder)
    data = path.read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    (place,) = [p for p in index_places(footer) if (p.kind, p.column) == ("values", "filter")]
    planted = CANARY.encode()[: place.size].ljust(place.size, b"\0")
    path.write_bytes(data[: place.start] + planted + data[place.start + place.size :])


@plants(r"part-0\.parquet, bytes between pages")
def bytes_between_the_pages(folder):
    path = _parquet(folder)
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, len(data) - 8)
    footer = len(data) - 8 - length
    path.write_bytes(data[:footer] + CANARY.encode() + data[footer:])


@plants(r"part-0\.parquet, metadata ARROW:schema")
def the_schema_as_Arrow_keeps_it(folder):
    path = _parquet(folder)
    encoded = pq.ParquetFile(path).metadata.metadata[b"ARROW:schema"]
    message = base64.b64decode(encoded)
    old = b"Reference allele"
    assert old in message
    spoiled = base64.b64encode(message.replace(old, CANARY.encode().ljust(len(old)), 1))
    assert encoded in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(encoded, spoiled))


# Manifest, tables, and further files.


def edit_manifest(folder: Path, change: Callable[[dict], object]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=2))


@plants(r"manifest\.json, key note")
def a_key_of_the_manifest(folder):
    edit_manifest(folder, lambda content: content.update(note=CANARY))


@plants(r"manifest\.json, key policy\.description")
def a_text_in_the_manifest(folder):
    edit_manifest(folder, lambda content: content["policy"].update(description=f"by {CANARY}, too"))


@plants(r"manifest\.json, key parameters\.VN…")
def the_name_of_a_key(folder):
    edit_manifest(folder, lambda content: content["parameters"].update({CANARY: 1}))


@plants(r"manifest\.json, key files\.sha256")
def what_is_no_digest(folder):
    edit_manifest(folder, lambda content: content["files"][0].update(sha256=CANARY))


@plants(r"manifest\.json, key panel\.name")
def an_escaped_text(folder):
    path = folder / "manifest.json"
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in CANARY)
    path.write_text(path.read_text().replace('"name": "demo"', f'"name": "{escaped}"'))


@plants(r"manifest\.json, key note", "a key that stands twice")
def a_key_of_the_manifest_that_stands_twice(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("{", '{"note": "a", "note": "b",', 1))


for said, text, what in (
    ("an absolute path", "made in /srv/genomes/vn", "an absolute path"),
    ("a path of Windows", "C:\\genomes\\vn", "an absolute path"),
    ("a home folder", "~/genomes/vn.vcf", "an absolute path"),
    ("the path of an input", "see demo/data/vn.samples.tsv", "the path of an input"),
    ("a mailbox", "ask minh.anh@genomes.example.org", "an e-mail address"),
    ("the name of a user", f"made by {USER.upper()}.", "the name of a user"),
    ("the name of a host", f"on {HOST}.example.org", "the name of a host"),
):
    PLANTS[said] = (
        lambda folder, text=text: edit_manifest(
            folder, lambda c: c["policy"].update(description=text)
        ),
        r"manifest\.json, key policy\.description",
        what,
    )


@plants(r"harmonization\.tsv, line 1\d")
def a_cell_of_a_table(folder):
    path = folder / "harmonization.tsv"
    path.write_text(path.read_text() + f"VN-demo\t{CANARY}\tno\t1\n")


@plants(r"harmonization\.tsv, line 1", "a table with other columns")
def a_column_of_a_table(folder):
    path = folder / "harmonization.tsv"
    path.write_text(path.read_text().replace("cohort\t", "sample\t", 1))


@plants(r"harmonization\.tsv, line 2", "other cells than the first")
def a_further_cell_of_a_table(folder):
    path = folder / "harmonization.tsv"
    path.write_text(path.read_text().replace("1835\n", "1835\tx\n", 1))


@plants(r"run\.log, bytes")
def a_log(folder):
    (folder / "run.log").write_text(f"ingest: read {CANARY}\n")


@plants(r"run\.log", "a kind of file that is not one of a release")
def a_log_that_names_nobody(folder):
    (folder / "run.log").write_text("done\n")


@plants(r"\.notes, bytes")
def a_hidden_file(folder):
    (folder / ".notes").write_text(CANARY)


@plants(r"^VN…\.svg, name of the file")
def the_name_of_a_file(folder):
    (folder / f"{CANARY}.svg").write_text("<svg></svg>")


@plants(r"^VN…/, name of the folder")
def the_name_of_a_folder(folder):
    (folder / CANARY).mkdir()


@plants(r"README\.txt, target of the link")
def the_target_of_a_link(folder):
    (folder / "README.txt").symlink_to(f"../{CANARY}.txt")


@plants(r"harmonization\.tsv, attribute user\.who")
def an_attribute_of_a_file(folder):
    os.setxattr(folder / "harmonization.tsv", "user.who", CANARY.encode())


@plants(r"README\.txt, line 2")
def a_plain_text(folder):
    (folder / "README.txt").write_text(f"About the panel.\nFirst of all {CANARY}.\n")


# Pictures and pages.


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*more: bytes, pixels: bytes = b"", after: bytes = b"") -> bytes:
    """Make a picture of two by two grey pixels."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    rows = _chunk(b"IDAT", zlib.compress(b"\0\1\2\0\3\4") + pixels)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + rows + _chunk(b"IEND", b"") + after


for said, data, place in (
    ("text of a picture", png(_chunk(b"tEXt", f"Author\0{CANARY}".encode())), "chunk tEXt"),
    ("packed text of a picture",
     png(_chunk(b"zTXt", b"Author\0\0" + zlib.compress(CANARY.encode()))), "chunk zTXt"),
    ("international text of a picture",
     png(_chunk(b"iTXt", b"Author\0\0\0\0\0" + CANARY.encode())), "chunk iTXt"),
    ("Exif of a picture", png(_chunk(b"eXIf", b"MM\0*" + CANARY.encode())), "chunk eXIf"),
    ("bytes after a picture", png(after=CANARY.encode()), "bytes after the end of the picture"),
    ("bytes after the pixels", png(pixels=CANARY.encode()), "bytes after the pixels"),
):  # fmt: skip
    PLANTS[said] = (
        lambda folder, data=data: (folder / "map.png").write_bytes(data), f"map\\.png, {place}", ID
    )  # fmt: skip

for said, text, place, what in (
    ("a comment of a chart", f"<!-- {CANARY} -->", "comment in line 1", ID),
    ("the title of a chart", f"<title>{CANARY}</title>", "text in line 1", ID),
    ("metadata of a chart", f"<metadata>{CANARY}</metadata>", "text in line 1", ID),
    ("an escaped text of a chart", f"<text>&#86;{CANARY[1:]}</text>", "text in line 1", ID),
    ("the name of an element", f'<g id="{CANARY}"/>', "attribute in line 1", ID),
    ("a script of a chart", "<script>1</script>", "element in line 1", "an element that can do"),
    ("what runs when a chart is shown", '<g onload="x()"/>', "attribute in line 1", "runs or loads"),
    ("a picture in a chart", '<image href="data:image/png;base64,AA"/>', "element in line 1", "an element that"),
    ("what a style loads", "<style>@import 'x'</style>", "text in line 1", "a style that loads"),
    ("an entity of one's own", f'<!DOCTYPE svg [<!ENTITY who "{CANARY}">]>', "declaration in line 1", ID),
):  # fmt: skip
    PLANTS[said] = (
        lambda folder, text=text: (folder / "map.svg").write_text(f"<svg>{text}</svg>"),
        f"map\\.svg, {place}",
        what,
    )


@plants(r"report\.html, comment in line 2")
def a_comment_of_a_report(folder):
    (folder / "report.html").write_text(f"<!DOCTYPE html>\n<!-- {CANARY} --><p>Groups</p>\n")


@plants(r"report\.html, text in line 1")
def a_text_of_a_report(folder):
    (folder / "report.html").write_text(f"<p>About <b>{CANARY}</b></p>")


def _linked(folder: Path, link: str, what: str = "a") -> None:
    (folder / "report.html").write_text(f'<{what} download="x.tsv" href="{link}">x</{what}>\n')


_TABLE = "data:text/tab-separated-values;charset=utf-8,"


@plants(r"report\.html, table in line 1, line 2")
def a_table_in_a_report(folder):
    _linked(folder, f"{_TABLE}group%09state%09cells%0A{CANARY}%09masked%093%0A")


@plants(r"report\.html, table in line 1, line 1", "a table with other columns")
def a_table_in_a_report_that_is_none_of_these(folder):
    _linked(folder, f"{_TABLE}person%09state%0Aone%09masked%0A")


@plants(r"report\.html, table in line 1, line 2", "a line with other cells")
def a_longer_line_of_a_table_in_a_report(folder):
    _linked(folder, f"{_TABLE}group%09state%09cells%0AVN%09masked%093%09and%20more%0A")


@plants(r"report\.html, attribute in line 1", "a table that is not written as tables are")
def a_table_in_a_report_that_is_written_in_another_way(folder):
    _linked(folder, f"{_TABLE}group%09state%09cells%0A%56N%09masked%093%0A")


@plants(r"report\.html, attribute in line 1", "an attribute that runs or loads")
def a_page_in_a_report(folder):
    _linked(folder, "data:text/html;base64,PGI+")


@plants(r"report\.html, attribute in line 1", "an attribute that runs or loads")
def a_table_that_is_no_link(folder):
    _linked(folder, f"{_TABLE}group%09state%09cells%0A", "area")


@plants(r"report\.html, element in line 1", "an element that can do")
def a_report_that_leads_elsewhere(folder):
    (folder / "report.html").write_text('<meta http-equiv="refresh" content="0; url=x">')


@plants(r"report\.html, element in line 1", "an element that can do")
def a_script_of_a_report(folder):
    (folder / "report.html").write_text("<script>let a = 1</script>")


@plants(r"report\.html, element in line 1", "an element that can do")
def a_frame_of_a_report(folder):
    (folder / "report.html").write_text('<iframe src="https://genomes.example.org"></iframe>')
