"""Make the synthetic demonstration data: a small reference and four national call sets.

Nobody's genome is in here. ``model.py`` simulates related populations; every country then writes
the same truth in its own habit, because that is what a panel has to bring together. The bytes
depend on the seed and on the versions of msprime, NumPy and htslib alone. ``--check`` compares
the normaliser of the simulation with ``bcftools norm`` on every record.
"""

import argparse
import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools

from model import (
    CONTIGS,
    ID,
    JP,
    NONE,
    SEED,
    STAR,
    TH,
    VN,
    Array,
    Country,
    Rng,
    Site,
    Variant,
    build,
    enrol,
    joint,
    shift_right,
)

INFO = """\
##FILTER=<ID=PASS,Description="All filters passed">
##FILTER=<ID=LowQual,Description="Low quality">
##ALT=<ID=DEL,Description="Deletion">
##INFO=<ID=AC,Number=A,Type=Integer,Description="ALT alleles">
##INFO=<ID=AN,Number=1,Type=Integer,Description="Called alleles">
##INFO=<ID=END,Number=1,Type=Integer,Description="End of the variant">
##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="Length of the variant">"""
FORMATS = {
    "GT": '1,Type=String,Description="Genotype"',
    "AD": 'R,Type=Integer,Description="Reads per allele"',
    "DP": '1,Type=Integer,Description="Read depth"',
    "GQ": '1,Type=Integer,Description="Genotype quality"',
}
Call = tuple[list[str], str]  # the alleles of a genotype, and the fields after GT


def calls(c: Country, haps: Array, n_alleles: int, rng: Rng) -> list[Call]:
    """Turn true haplotypes into what the file says: (alleles, other fields) for each person."""
    n, haploid = len(haps), haps[:, 1] == NONE
    depth = rng.choice([24, 27, 30, 33, 36], n, p=[0.1, 0.2, 0.4, 0.2, 0.1]) // (1 + haploid)
    depth = np.where(rng.random(n) < 0.01, rng.integers(2, 10, n), depth)
    quality = np.where(rng.random(n) < 0.01, rng.integers(3, 20, n), np.minimum(99, 3 * depth))
    missing = rng.random(n) < c.missing
    cells: list[Call] = []
    for k, (a, b) in enumerate(haps.tolist()):
        dp, gq, reads = int(depth[k]), str(quality[k]), [0] * n_alleles
        style = "{0}/{0}" if c.people[k][2] == "unknown" else c.haploid
        if b == NONE:
            alleles, reads[a] = style.format(a).split("/"), dp
        else:
            alleles = [str(x) for x in ([a, b] if c is JP else sorted([a, b]))]
            # one heterozygote in thirty has too few reads of its second allele
            reads[b] = round(0.1 * dp) if rng.random() < 0.03 else int(rng.binomial(dp, 0.5))
            reads[a] = dp if a == b else dp - reads[b]
            if c is ID and rng.random() < 5e-4:  # a half-call
                alleles[0 if "1" in alleles else 1] = "."
        if missing[k]:
            alleles, dp, gq, reads = ["."] * len(alleles), 0, ".", [0] * n_alleles
        values = {"GQ": gq, "DP": str(dp), "AD": ",".join(map(str, reads))}
        cells.append((alleles, "".join(f":{values[f]}" for f in c.fields.split(":")[1:])))
    return cells


def call_set(
    c: Country, sites: list[Site], seqs: dict[str, str], rng: Rng
) -> tuple[list[tuple[str, int, str]], set[Variant]]:
    """Write one country's records in its habit: (contig, pos, line), and the variants in them."""
    rows: list[tuple[str, int, str]] = []
    written: set[Variant] = set()

    def add(contig: str, pos: int, ref: str, alt: str, rest: str, cells: list[Call]) -> None:
        sep = "|" if c is JP else "/"
        text = "\t".join(sep.join(alleles) + other for alleles, other in cells)
        line = f"{c.name(contig)}\t{pos}\t.\t{ref}\t{alt}\t{rest}\t{c.fields}\t{text}"
        rows.append((contig, pos, line))

    for site in sites:
        haps, contig = site.haps[c.rows], site.variants[0].contig
        seen = [k for k in range(1, len(site.variants) + 1) if (haps == k).any()]
        variants, seq = [site.variants[k - 1] for k in seen], seqs[contig]
        if not seen:
            continue
        pos, ref, alts = joint(seq, variants)
        if not c.can_call(contig, pos, pos + len(ref) - 1):
            continue
        written.update(variants)
        star = c is TH and bool((haps == STAR).any())  # elsewhere such a haplotype reads as REF
        code = {k: new for new, k in enumerate([0, *seen])} | {NONE: NONE}
        haps = np.vectorize(code.get)(haps, len(seen) + 1 if star else 0)
        if c is TH and any(len(v.ref) != len(v.alt) for v in variants):
            if len(variants) == 1:  # any spelling but the canonical one
                variants = [shift_right(seq, variants[0], int(rng.choice([0, 2, 40])))]
            pos, ref, alts = joint(seq, variants, *rng.integers(0, 4, 2).tolist())
        alts = alts + ["*"] * star
        cells, info = calls(c, haps, len(alts) + 1, rng), "."
        if c.info:  # in one record of five not the counts of these calls but of an older freeze
            called, old = (
                [a for alleles, _ in cells for a in alleles if a != "."],
                rng.random() < 0.2,
            )
            ac = [called.count(str(k)) for k in range(1, len(alts) + 1)]
            ac = [x + int(rng.integers(4)) for x in ac] if old else ac
            info = f"AC={','.join(map(str, ac))};AN={len(called) + 14 * old}"
        low = c is ID and rng.random() < 0.015
        rest = f"{10 * int(rng.integers(5, 90))}\t{'LowQual' if low else 'PASS'}\t{info}"
        if c is not ID:
            add(contig, pos, ref, ",".join(alts), rest, cells)
            continue
        for k, v in enumerate(variants, start=1):  # one record for each ALT, the others are 0
            one = {".": ".", str(k): "1"}
            add(*v, rest, [([one.get(a, "0") for a in alleles], fmt) for alleles, fmt in cells])

    taken, odd = {v.pos for s in sites for v in s.variants}, [900, 2_400, 1] if c is ID else []
    while odd:  # what a panel of short variants must refuse: two <DEL> and one ALT of N
        pos, size = int(rng.integers(1_000, 390_000)), odd[-1]
        if pos not in taken and c.can_call("chr21", pos, pos + size):
            odd.pop()
            info = f"END={pos + size};SVLEN=-{size}" if size > 1 else "."
            haps = np.array(rng.random((len(c.rows), 2)) < 0.03, int)
            alt = "<DEL>" if size > 1 else "N"
            cells = calls(c, haps, 2, rng)
            add("chr21", pos, seqs["chr21"][pos - 1], alt, f"90\tPASS\t{info}", cells)
    return sorted(rows), written


def write_gzip(path: Path, text: str) -> None:
    """Write plain gzip without a time or a file name in it."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())


def write_reference(path: Path, seqs: dict[str, str], tmp: Path) -> None:
    """Write the indexed BGZF FASTA, in lower case here and there."""
    rng = np.random.default_rng([SEED, 9])
    lines: list[str] = []
    for contig, (length, start) in CONTIGS.items():
        seq = seqs[contig]
        for at in rng.integers(start, length - 500, 12).tolist():
            end = at + int(rng.integers(100, 500))
            seq = seq[:at] + seq[at:end].lower() + seq[end:]
        lines += [f">{contig}", *(seq[k : k + 60] for k in range(0, length, 60))]
    (tmp / "reference.fa").write_text("\n".join(lines) + "\n")
    pysam.tabix_compress(str(tmp / "reference.fa"), str(path), force=True)
    pysam.faidx(str(path))


def write_country(out: Path, c: Country, lines: list[str], tmp: Path) -> None:
    """Write the call set as the kind of file the country keeps, the sheet and the BED."""
    head = ["##fileformat=VCFv4.2", "##source=synthetic demonstration data", INFO]
    head += [f"##FORMAT=<ID={f},Number={FORMATS[f]}>" for f in c.fields.split(":")]
    head += [f"##contig=<ID={c.name(k)},length={n}>" for k, (n, _) in CONTIGS.items()]
    columns = ["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t")]
    columns += [name for name, *_ in c.people]
    text = "\n".join([*head, "\t".join(columns), *lines]) + "\n"
    path, plain = out / c.file, tmp / "calls.vcf"
    plain.write_text(text)
    if c is JP:
        pysam.bcftools.view("--no-version", "-Ob", "-o", str(path), str(plain), catch_stdout=False)
        pysam.bcftools.index("-f", "-c", str(path), catch_stdout=False)
    elif c is TH:
        pysam.tabix_compress(str(plain), str(path), force=True)
        pysam.tabix_index(str(path), preset="vcf", force=True)
    elif c is ID:
        write_gzip(path, text)
    else:
        path.write_text(text)
    width = 4 if c.excluded else 3
    sheet = [("sample", "population", "sex", "include")[:width]]
    sheet += [p[:width] for p in sorted(c.people) if p[3] != "unlisted"]
    rows = "".join("\t".join(row) + "\n" for row in sheet)
    (out / f"{c.code.lower()}.samples.tsv").write_text(rows)
    if c is not TH:
        bed = "".join(f"{c.name(k)}\t{a}\t{b}\n" for k, a, b in c.callable)
        (out / f"{c.code.lower()}.callable.bed").write_text(bed)


def truth(cohorts: list[Country], sites: list[Site]) -> Iterator[str]:
    """Yield the true counts of included people; unknown sex is left out of the non-PAR X."""
    groups = {c.code: (c, set(c.populations)) for c in cohorts}
    for c in cohorts:
        if len(c.populations) > 1:
            groups |= {f"{c.code}_{p}": (c, {p}) for p in c.populations}
    yield "\t".join(["contig\tpos\tref\talt", *(f"ac_{g}\tan_{g}" for g in groups)])
    alleles = [(v, k, site) for site in sites for k, v in enumerate(site.variants, start=1)]
    for v, k, s in sorted(alleles, key=lambda a: a[0]):
        counts: list[int] = []
        for c, pops in groups.values():
            people = zip(c.rows, c.people, strict=True)
            counted = [
                row
                for row, (_, pop, sex, include) in people
                if pop in pops and include == "yes" and not (s.non_par and sex == "unknown")
            ]
            counts += [int((s.haps[counted] == k).sum()), int((s.haps[counted] != NONE).sum())]
        if (s.haps == k).any():  # else wholly hidden by a younger mutation
            yield "\t".join(map(str, [*v, *counts]))


def check(out: Path, c: Country, written: set[Variant], tmp: Path) -> None:
    """Compare what ``bcftools norm`` makes of a file with what the script says is in it."""
    (tmp / "names").write_text("".join(f"{c.name(k)} {k}\n" for k in CONTIGS))
    args = ["--rename-chrs", str(tmp / "names"), "-o", str(tmp / "renamed.vcf"), str(out / c.file)]
    pysam.bcftools.annotate(*args, catch_stdout=False)
    args = ["-c", "e", "-f", str(out / "reference.fa.gz"), "-m-", str(tmp / "renamed.vcf")]
    text = str(pysam.bcftools.norm(*args))
    text = text.upper()  # left-aligning copies the lower case of the FASTA
    rows = [line.split("\t")[:5] for line in text.splitlines() if line[0] != "#"]
    found = [(r[0].replace("CHR", "chr"), int(r[1]), r[3], r[4]) for r in rows]
    found = sorted(Variant(*f) for f in found if set(f[3]) <= set("ACGT"))
    if found != sorted(written):
        raise SystemExit(f"{c.file}: bcftools norm disagrees at {set(found) ^ written}")
    print(f"{c.file}: bcftools norm agrees on {len(found)} variants")


def main() -> None:
    """Make every file."""
    parser = argparse.ArgumentParser(description="Make the synthetic demonstration data.")
    default = Path(__file__).resolve().parent / "data"
    parser.add_argument("--out", type=Path, default=default, help="folder (default: demo/data)")
    parser.add_argument("--check", action="store_true", help="compare with bcftools norm")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    cohorts = [ID, JP, TH, VN]
    xy = enrol(cohorts, np.random.default_rng([SEED, 0]))
    built = {k: build(k, cohorts, xy, 100 * n) for n, k in enumerate(CONTIGS, start=1)}
    seqs, sites = {k: b[0] for k, b in built.items()}, [s for b in built.values() for s in b[1]]
    with tempfile.TemporaryDirectory() as tmp:
        write_reference(args.out / "reference.fa.gz", seqs, Path(tmp))
        for n, c in enumerate(cohorts):
            rows, written = call_set(c, sites, seqs, np.random.default_rng([SEED, 10 + n]))
            write_country(args.out, c, [line for *_, line in rows], Path(tmp))
            print(f"{c.file}: {len(rows)} records, {len(c.people)} people")
            if args.check:
                check(args.out, c, written, Path(tmp))
    table = list(truth(cohorts, sites))
    write_gzip(args.out / "truth.tsv.gz", "\n".join(table) + "\n")
    print(f"truth.tsv.gz: {len(table) - 1} variants at {len(sites)} sites")


if __name__ == "__main__":
    main()
