"""What bcftools counts, for tests to hold counts against: by allele, and with the plugin fill-tags.

pysam has the program, but none of its plugins; these are looked for on the machine.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam.bcftools
import pytest

Site = tuple[str, int, tuple[str, ...]]

KINDS = {
    "hom": 'GT="{a}/{a}" | GT="{a}|{a}"',
    "het": 'GT="het" & GT~"{a}"',
    "hemi": 'GT="{a}"',
    "half": 'GT="{a}/." | GT="{a}|." | GT="./{a}" | GT=".|{a}"',
}
"""How bcftools finds the people who have an allele, by the kind of call; its number has one digit."""

TAGS = ("AC", "AC_Hom", "AC_Het", "AC_Hemi")


@dataclass(frozen=True)
class Tally:
    """What bcftools counts in all records of a file.

    Parameters
    ----------
    sites
        (records,) contig, position and alleles.
    allele_number
        (records,) AN.
    allele_count, hom, het, hemi, half
        (alleles,) copies of each allele of each record, REF first; people who are homozygous or
        heterozygous for it, or whose call of it is haploid, or half missing.
    """

    sites: list[Site]
    allele_number: np.ndarray
    allele_count: np.ndarray
    hom: np.ndarray
    het: np.ndarray
    hemi: np.ndarray
    half: np.ndarray


def _query(path: Path, columns: Sequence[str], *options: str) -> list[list[str]]:
    said = pysam.bcftools.query("-f", "\\t".join(columns) + "\\n", *options, str(path))
    return [line.split("\t") for line in said.splitlines()]


def _integers(text: str) -> list[int]:
    return [] if text == "." else [int(value) for value in text.split(",")]


def tally(path: Path, samples: Sequence[str], folder: Path) -> Tally:
    """Count with `bcftools view`, which counts AC and AN afresh, and with expressions of GT."""
    names, subset = folder / "samples.txt", folder / "subset.bcf"
    names.write_text("\n".join(samples) + "\n")
    pysam.bcftools.view(
        "--no-version", "-S", str(names), "-Ob1", "-o", str(subset), str(path), catch_stdout=False
    )
    rows = _query(subset, ("%CHROM", "%POS", "%REF", "%ALT", "%INFO/AN", "%INFO/AC"))
    sites, numbers, copies = [], [], []
    for contig, position, ref, alt, an, ac in rows:
        sites.append((contig, int(position), (ref, *(() if alt == "." else alt.split(",")))))
        numbers.append(int(an))
        copies += [int(an) - sum(_integers(ac)), *_integers(ac)]
    by_width = {}
    for width in {len(alleles) for _, _, alleles in sites}:
        assert width <= 10
        wanted = [kind.format(a=a) for a in range(width) for kind in KINDS.values()]
        found = _query(subset, [f"%N_PASS({each})" for each in wanted], "-i", f"N_ALT={width - 1}")
        by_width[width] = iter(found)
    people = [next(by_width[len(alleles)]) for _, _, alleles in sites]
    kinds = np.array([int(n) for row in people for n in row]).reshape(-1, len(KINDS)).T
    return Tally(sites, np.array(numbers), np.array(copies), *kinds)


def _program() -> str:
    """Find a bcftools that has fill-tags, or skip the test."""
    program = shutil.which("bcftools")
    if program is None:
        pytest.skip("there is no program bcftools, and pysam's has no plugins")
    asked = subprocess.run(
        [program, "+fill-tags", "-h"], capture_output=True, text=True, check=False
    )
    if "AC_Hemi" not in asked.stdout + asked.stderr:
        pytest.skip("bcftools has no plugin fill-tags")
    return program


def fill_tags(
    path: Path, groups: Mapping[str, Sequence[str]], folder: Path, *options: str
) -> dict[str, dict[str, np.ndarray]]:
    """Count with `bcftools +fill-tags`, afresh: AN by record, and `TAGS` by ALT, of each group."""
    program = _program()
    bare, filled, members = (folder / name for name in ("bare.bcf", "filled.bcf", "groups.txt"))
    pysam.bcftools.annotate(
        "--no-version", "-x", "INFO", "-Ob1", "-o", str(bare), str(path), catch_stdout=False
    )
    groups_of: dict[str, list[str]] = {}
    for group, samples in groups.items():
        for sample in samples:
            groups_of.setdefault(sample, []).append(group)
    members.write_text("".join(f"{who}\t{','.join(g)}\n" for who, g in groups_of.items()))
    subprocess.run(
        [
            program, "+fill-tags", str(bare), "-Ob1", "-o", str(filled),
            "--", "-t", ",".join(("AN", *TAGS)), "-S", str(members), *options,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    found = {}
    for group in groups:
        rows = _query(filled, [f"%INFO/{tag}_{group}" for tag in ("AN", *TAGS)])
        columns = zip(*([_integers(value) for value in row] for row in rows), strict=True)
        found[group] = {
            tag: np.array([n for values in column for n in values])
            for tag, column in zip(("AN", *TAGS), columns, strict=True)
        }
    return found
