"""Write the sample sheets of the seven countries from the 1000 Genomes Project's panel file.

The country is that of ancestry: GIH, ITU and STU were sampled in the diaspora. People of the panel
file that the VCF does not hold (relatives of others) are left out.
"""

import argparse
import gzip
from pathlib import Path

COUNTRIES = {
    "BD": ("BEB",),
    "CN": ("CHB", "CHS", "CDX"),
    "IN": ("GIH", "ITU"),
    "JP": ("JPT",),
    "LK": ("STU",),
    "PK": ("PJL",),
    "VN": ("KHV",),
}
SEXES = {"female": "XX", "male": "XY"}


def samples_in(vcf: Path) -> set[str]:
    """Read the sample IDs of a compressed VCF's header."""
    with gzip.open(vcf, "rt") as source:
        for line in source:
            if line.startswith("#CHROM"):
                return set(line.rstrip("\n").split("\t")[9:])
    raise SystemExit(f"{vcf}: no header line")


def main() -> None:
    """Write one sheet per country."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panel", type=Path, required=True, help="the .panel file of phase 3")
    parser.add_argument("--vcf", type=Path, required=True, help="the VCF the sheets are for")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    arguments = parser.parse_args()
    known = samples_in(arguments.vcf)
    country_of = {
        population: c for c, populations in COUNTRIES.items() for population in populations
    }
    rows: dict[str, list[str]] = {country: [] for country in COUNTRIES}
    for line in arguments.panel.read_text().splitlines()[1:]:
        sample, population, _, gender, *_ = line.split("\t")
        if population in country_of and sample in known:
            rows[country_of[population]].append(f"{sample}\t{population}\t{SEXES[gender]}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for country, people in rows.items():
        sheet = "\n".join(["sample\tpopulation\tsex", *people]) + "\n"
        (arguments.out / f"{country}.tsv").write_text(sheet)
        print(f"{country}: {len(people)} people")


if __name__ == "__main__":
    main()
