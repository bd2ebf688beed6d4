"""The seven countries from counts that somebody published of them, and from their genotypes: one panel."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cyvcf2
import numpy as np
import pytest
import yaml
from tests.builders import write_cohorts, write_vcf
from tests.real.conftest import COUNTRIES, Panel


def counts_of(
    vcf: Path, sheets: dict[str, Path]
) -> tuple[str, dict[str, dict[tuple[str, str], int]]]:
    """VCF with AC, AN and nhomalt of each population and sex, and the people of each country's cells."""
    cells: dict[str, dict[tuple[str, str], int]] = {}
    members: dict[str, list[str]] = {}
    for country, sheet in sheets.items():
        for line in sheet.read_text().splitlines()[1:]:
            name, population, sex = line.split("\t")[:3]
            own = cells.setdefault(country, {})
            own[population, sex] = own.get((population, sex), 0) + 1
            members.setdefault(f"{population}_{sex}", []).append(name)
    source = cyvcf2.VCF(str(vcf))
    columns = {
        key: np.array([source.samples.index(n) for n in names]) for key, names in members.items()
    }
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=22>"]
    lines += [
        f'##INFO=<ID={name}_{key},Number={n},Type=Integer,Description="x">'
        for key in members
        for name, n in (("AC", "A"), ("AN", "1"), ("nhomalt", "A"))
    ]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for record in source:
        calls = record.genotype.array()[:, :2]
        info = []
        for key, chosen in columns.items():
            mine = calls[chosen]
            alts = range(1, len(record.ALT) + 1)
            ac = ",".join(str(int((mine == a).sum())) for a in alts)
            hom = ",".join(str(int((mine == a).all(axis=1).sum())) for a in alts)
            info += [f"AC_{key}={ac}", f"AN_{key}={int((mine >= 0).sum())}", f"nhomalt_{key}={hom}"]
        site = (
            "22",
            record.POS,
            record.ID or ".",
            record.REF,
            ",".join(record.ALT),
            ".",
            record.FILTER or "PASS",
        )
        lines.append("\t".join([*map(str, site), ";".join(info)]))
    return "\n".join(lines) + "\n", cells


@pytest.mark.long
def test_the_release_from_published_counts_is_that_from_the_genotypes(
    tmp_path: Path, root: Path, test_data: Path, seven_countries: Panel, build: Callable[..., str]
) -> None:
    sheets = {c: seven_countries.folder / f"resources/1000g/samples/{c}.tsv" for c in COUNTRIES}
    text, cells = counts_of(test_data / "grch37/1000g.phase3.chr22.vcf.gz", sheets)
    vcf = write_vcf(tmp_path / "sites.vcf.gz", text)
    for country, own in cells.items():
        rows = [f"{p}\t{s}\t{n}" for (p, s), n in own.items()]
        (tmp_path / f"{country}.tsv").write_text("\n".join(["population\tsex\tpeople", *rows, ""]))
    with (root / "config/1000g/cohorts.tsv").open() as table:
        header, *lines = [line.rstrip("\n").split("\t") for line in table]
    rows = [dict(zip(header, line, strict=False)) for line in lines]
    write_cohorts(
        tmp_path / "cohorts.tsv",
        [
            row | {"kind": "sites", "path": vcf, "samples": tmp_path / f"{row['country']}.tsv"}
            for row in rows
        ],
    )
    config = yaml.safe_load((root / "config/1000g/config.yaml").read_text())
    config |= {"cohorts": "cohorts.tsv", "partitions": {"size": 200_000}}
    (tmp_path / "resources").symlink_to(seven_countries.folder / "resources")
    (tmp_path / "config").symlink_to(root / "config")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    build(tmp_path, "--configfile", "config.yaml", "--cores", "2")
    release = tmp_path / seven_countries.release.relative_to(seven_countries.folder)
    data = {
        path.relative_to(each): path.read_bytes()
        for each in (release,)
        for path in sorted(each.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", "report.html")
    }
    assert len(data) >= 4
    for name, content in data.items():
        assert content == (seven_countries.release / name).read_bytes(), name
    manifest = json.loads((release / "manifest.json").read_text())
    assert {each["kind"] for each in manifest["cohorts"]} == {"sites"}
    assert "sites.vcf" not in json.dumps(manifest)
    shutil.rmtree(tmp_path / "results")
