"""Chain files that are missing, damaged, or lead elsewhere than to the panel's reference."""

import gzip

import pytest

CHAIN = "chain 1 chr1 5000 + 0 5000 chr1 5000 + 0 5000 1\n5000\n"


@pytest.fixture
def lift(project):
    """Write a chain file and harmonize with it."""
    project.prepare("ingest")

    def run(content, *options):
        path = project.folder / "to.chain"
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return project.harmonize("--chain", "to.chain", *options)

    return run


def test_with_a_good_chain_the_project_is_lifted(lift):
    assert lift(CHAIN).code == 0
    assert lift(gzip.compress(CHAIN.encode())).code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, ["No such file"]),
        ("", ["holds no chain", "genome.ucsc.edu"]),
        (CHAIN.replace("5000\n", "4999\n"), ["to.chain, line 2", "4999 and 4999", "again"]),
        (CHAIN.replace(" + ", " - "), ["to.chain, line 1", "strands - and -"]),
        ("chr1\t0\t100\n", ["to.chain, line 1", "belongs to no chain"]),
        (gzip.compress(CHAIN.encode())[:-9], ["cannot be read"]),
        (b"\xff\xfe\x00", ["cannot be read"]),
        (CHAIN.replace(" chr1 ", " chr8 "), ["no contig of the panel's", "chr1, chr2", "chr8"]),
    ],
    ids=["missing", "empty", "short", "strand", "bed", "truncated", "junk", "elsewhere"],
)
def test_a_bad_chain_file_is_refused(lift, content, said):
    lift(content).refuses("to.chain", *said)
