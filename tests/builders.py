"""Small files for tests: references, VCFs and sample sheets, written from a few words."""

import gzip
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path

import pysam
import pysam.bcftools

GT_HEADER = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'
RICH_HEADERS = (
    GT_HEADER,
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
)
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def write_fasta(path: Path, contigs: Mapping[str, str]) -> Path:
    """Write a reference; a name that ends in .gz is bgzip-compressed. It is indexed beside."""
    text = "".join(f">{name}\n{bases}\n" for name, bases in contigs.items())
    if path.suffix == ".gz":
        with pysam.BGZFile(str(path), "wb") as out:
            out.write(text.encode())
    else:
        path.write_text(text)
    pysam.faidx(str(path))
    return path


def vcf_text(
    samples: Sequence[str],
    records: Iterable[Sequence[object]],
    *,
    contigs: Iterable[str] = ("chr1",),
    headers: Iterable[str] = (GT_HEADER,),
    filters: Iterable[str] = ("LowQual",),
) -> str:
    """Write VCF text.

    A record is (contig, position, ref, alts joined by commas, calls...), its FORMAT being GT, or
    (contig, position, ref, alts, filter, format, calls...) when it has two fields more than samples.
    """
    lines = ["##fileformat=VCFv4.2", *headers]
    lines += [f'##FILTER=<ID={name},Description="test">' for name in filters]
    lines += [f"##contig=<ID={name}>" for name in contigs]
    lines.append(
        "\t".join(
            ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
        )
    )
    for contig, position, ref, alt, *rest in records:
        filter_, format_, *calls = rest if len(rest) == len(samples) + 2 else ("PASS", "GT", *rest)
        fields = (contig, position, ".", ref, alt, ".", filter_, ".", format_, *calls)
        lines.append("\t".join(map(str, fields)))
    return "\n".join(lines) + "\n"


def write_vcf(path: Path, text: str) -> Path:
    """Write VCF text in the way its name asks for, indexed where it can be.

    ``.vcf`` is plain, ``.plain.vcf.gz`` plain gzip, ``.vcf.gz`` BGZF with a tabix index, ``.bcf`` BCF
    with a CSI index.
    """
    if path.name.endswith(".plain.vcf.gz"):
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    elif path.name.endswith(".vcf.gz"):
        with pysam.BGZFile(str(path), "wb") as out:
            out.write(text.encode())
        pysam.tabix_index(str(path), preset="vcf", force=True)
    elif path.suffix == ".bcf":
        plain = path.with_suffix(".tmp.vcf")
        plain.write_text(text)
        pysam.bcftools.view("--no-version", "-Ob", "-o", str(path), str(plain), catch_stdout=False)
        pysam.bcftools.index(str(path), catch_stdout=False)
        plain.unlink()
    else:
        path.write_text(text)
    return path


def bgzf_block(text: bytes, level: int = 6) -> bytes:
    """Pack at most 64 kB as a BGZF block."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    deflated = packer.compress(text) + packer.flush()
    head = bytes.fromhex("1f8b08040000000000ff0600424302") + b"\x00"
    size = struct.pack("<H", len(head) + 2 + len(deflated) + 8 - 1)
    return head + size + deflated + struct.pack("<II", zlib.crc32(text), len(text))


def bgzf(text: bytes, sizes: Iterable[int]) -> bytes:
    """Pack text as BGZF, in blocks of these sizes, over and over."""
    blocks = []
    at = 0
    for size in cycle(sizes):
        if at >= len(text):
            break
        blocks.append(bgzf_block(text[at : at + size]))
        at += size
    return b"".join([*blocks, BGZF_END])


def write_sheet(path: Path, rows: Iterable[Sequence[str]], *, include: bool = False) -> Path:
    """Write a sample sheet from (sample, population, sex[, include]) rows."""
    header = ("sample", "population", "sex", *(("include",) if include else ()))
    path.write_text("".join("\t".join(row) + "\n" for row in (header, *rows)))
    return path


def write_cohorts(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write a cohorts table; what a row leaves out is empty, its kind is vcf, its build GRCh38."""
    columns = ("cohort", "country", "kind", "path", "build", "samples", "callable", "metadata")
    defaults = {"kind": "vcf", "build": "GRCh38"}
    lines = ["\t".join(columns)]
    lines += ["\t".join(str({**defaults, **row}.get(name, "")) for name in columns) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path
