"""The release is the same, byte for byte, however the work is cut and ordered."""

import hashlib
import random

import pytest

FASTEST = ("--cores", "2")


def digests(release):
    """SHA-256 of every file of a release."""
    return {
        path.relative_to(release).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(release.rglob("*"))
        if path.is_file()
    }


def shuffle_rows(path, seed, out=None):
    """Put the rows of a table in another order, below its header."""
    header, *rows = path.read_text().splitlines()
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert shuffled != rows
    (out or path).write_text("\n".join([header, *shuffled]) + "\n")


@pytest.fixture
def release_of(workspace, build, tmp_path):
    """Build the panel of seven countries with a second configuration file, on fresh inputs."""

    def make(override, *arguments, shuffled=False, results="results/1000g"):
        workspace(tmp_path)
        if shuffled:
            shuffle_rows(tmp_path / "config/1000g/cohorts.tsv", 1, tmp_path / "shuffled.tsv")
            override += "cohorts: shuffled.tsv\n"
            for number, sheet in enumerate(sorted((tmp_path / "resources").rglob("samples/*.tsv"))):
                shuffle_rows(sheet, number)
        (tmp_path / "override.yaml").write_text(override)
        build(tmp_path, *arguments, "--configfile", "config/1000g/config.yaml", "override.yaml")
        partitions = {path.name for path in tmp_path.rglob("*.vcz.zip")}
        return digests(tmp_path / results / "release/1000g-asia-phase3"), partitions

    return make


@pytest.mark.long
def test_whole_contigs_on_one_core_and_other_folders_make_the_same_release(
    seven_countries, release_of
):
    override = "results: elsewhere\npartitions: {size: 300000000}\n"
    found, partitions = release_of(override, "--cores", "1", results="elsewhere")
    assert found == digests(seven_countries.release)
    assert len(partitions) == 1


def test_partitions_of_an_awkward_size_and_shuffled_tables_make_the_same_release(
    seven_countries, release_of
):
    """The records, which span 594 kb, fall into three partitions whose ends mean nothing.

    The rows of cohorts.tsv and of every sample sheet are in another order.
    """
    found, partitions = release_of("partitions: {size: 300007}\n", *FASTEST, shuffled=True)
    assert len(partitions) == 3
    assert found == digests(seven_countries.release)
