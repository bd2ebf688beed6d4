"""The workflow, where somebody is in two cohorts: it stops, counts each person once, or goes on."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest
import yaml
from tests.builders import write_cohorts
from tests.overlapping import Cohort, World

from afpanel.errors import BadInputError
from afpanel.io.tables import read_config

DATA = ("results/release/hub-1/hub-1.vcf.gz", "results/release/hub-1/hub-1.zarr.zip")


class Project:
    """Two cohorts that share a person, and a configuration of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder, seed=3)
        people = {
            name: self.world.people([f"SYN{i}{k:04d}" for k in range(14)])
            for i, name in enumerate("AB")
        }
        people["B"]["SYN10005"] = self.world.again(people["A"]["SYN00009"])
        self.cohorts = {name: Cohort(each) for name, each in people.items()}
        rows = []
        for name, cohort in self.cohorts.items():
            vcf, sheet = self.world.write(name, cohort)
            rows.append({"cohort": name, "country": "VN", "path": vcf, "samples": sheet})
        write_cohorts(folder / "cohorts.tsv", rows)
        (folder / "policy.yaml").write_text("min_group_size: 0\nmin_allele_count: 0\n")

    def configure(self, **overlap: object) -> None:
        config = {
            "panel": {"name": "hub", "version": "1"},
            "reference": {"build": "GRCh38", "fasta": str(self.world.fasta)},
            "cohorts": "cohorts.tsv",
            "disclosure": {"policy": "policy.yaml"},
            "publish": {"formats": ["vcf", "zarr"]},
            **overlap,
        }
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    def data(self) -> list[bytes]:
        return [(self.folder / name).read_bytes() for name in DATA]


@pytest.mark.slow
def test_a_person_in_two_cohorts_stops_the_run_is_dropped_or_left_out_by_hand(
    tmp_path: Path, snakemake
) -> None:
    project = Project(tmp_path)
    command = ("--configfile", "config.yaml", "--cores", "2")

    project.configure()
    done = snakemake(tmp_path, *command, check=False)
    assert done.returncode != 0
    assert "pairs of samples that are of one person: 1" in done.stdout + done.stderr
    assert "SYN" not in done.stdout + done.stderr
    assert not (tmp_path / "results/panel").exists()
    table = (tmp_path / "results/private/overlap.tsv").read_text().splitlines()
    assert [line.split("\t")[:4] for line in table[1:]] == [["A", "SYN00009", "B", "SYN10005"]]

    project.configure(overlap="drop")
    snakemake(tmp_path, *command)
    assert (tmp_path / "results/private/B/dropped.txt").read_text() == "SYN10005\n"
    dropped = project.data()
    assert an_of(dropped[0]) == 2 * 27
    summary = (tmp_path / "results/private/summary.txt").read_text()
    assert [line.split()[:3] for line in summary.splitlines() if line.startswith(("A ", "B "))] == [
        ["A", "VN", "14"],
        ["B", "VN", "13"],
    ]
    for path in (tmp_path / "results").rglob("*"):
        if path.is_file() and "private" not in path.parts:
            assert not names_a_sample(path), path
    done = snakemake(tmp_path, *command, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr

    project.configure(overlap="report")
    snakemake(tmp_path, *command)
    assert an_of(project.data()[0]) == 2 * 28

    project.configure()
    project.world.write_sheet("B", project.cohorts["B"], ["SYN10005"])
    snakemake(tmp_path, *command)
    assert project.data() == dropped
    report = json.loads((tmp_path / "results/private/overlap.json").read_text())
    assert (report["action"], report["pairs"]) == ("fail", 0)


def an_of(vcf: bytes) -> int:
    """AN of the first variant."""
    line = next(x for x in gzip.decompress(vcf).decode().splitlines() if not x.startswith("#"))
    return int(dict(x.split("=") for x in line.split("\t")[7].split(";") if "=" in x)["AN"])


def names_a_sample(path: Path) -> bool:
    data = [path.read_bytes()]
    if path.name.endswith(".gz"):
        data = [gzip.decompress(data[0])]
    elif path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as store:
            data = [store.read(name) for name in store.namelist()]
    return any(b"SYN" in piece for piece in data)


def config_with(folder: Path, **overlap: object) -> Path:
    """Write the least configuration there can be, and a section of it."""
    required = {
        "panel": {"name": "p", "version": "1"},
        "reference": {"build": "GRCh38", "fasta": "f"},
        "cohorts": "c",
        "disclosure": {"policy": "p"},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(required | overlap))
    return path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"action": "fail", "kinship": 0.354, "min_sites": 500}),
        ({"overlap": "drop"}, {"action": "drop", "kinship": 0.354, "min_sites": 500}),
        (
            {"overlap": {"action": "report", "min_sites": 900}},
            {"action": "report", "kinship": 0.354, "min_sites": 900},
        ),
    ],
)
def test_the_action_alone_may_stand_for_the_section(
    tmp_path: Path, given: dict, expected: dict
) -> None:
    assert read_config(config_with(tmp_path, **given))["overlap"] == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("dorp", r"overlap\.action: 'dorp' is not one of"),
        (5, "overlap: 5 is not of type 'object'"),
        ({"kinship": 0.1}, r"overlap\.kinship: 0.1 is less than the minimum"),
        ({"acton": "drop"}, "did you mean 'action'"),
    ],
)
def test_what_overlap_cannot_be_is_refused(tmp_path: Path, given: object, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_config(config_with(tmp_path, overlap=given))
