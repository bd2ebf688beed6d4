"""Chain files: every base lies where another reader of the format puts it, and faults are named."""

import gzip
from pathlib import Path

import liftover
import numpy as np
import pytest

from afpanel.core.liftover import SEVERAL
from afpanel.errors import BadInputError
from afpanel.io.chain import ChainFile, read_chain

Answers = list[tuple[str, int, str]]

SOURCE, PANEL = {"1": 900, "2": 400, "X": 250}, {"chr1": 1000, "chr2": 600, "chrX": 250}
"""Contigs of random chain files."""


def answers_of(chains: ChainFile, contig: str, positions: np.ndarray) -> list[Answers | None]:
    """Where each base is, in the words of the other reader; None where several chains claim it."""
    blocks, names = chains.blocks[contig], list(chains.panel_lengths)
    found = blocks.find(positions)
    to = blocks.to(np.maximum(found, 0), positions).tolist()
    answers: list[Answers | None] = []
    for i, block in enumerate(found.tolist()):
        if block < 0:
            answers.append([])
        elif blocks.chain[block] == SEVERAL:
            answers.append(None)
        else:
            strand = "-" if blocks.reverse[block] else "+"
            answers.append([(names[blocks.contig[block]], to[i], strand)])
    return answers


def assert_alike(path: Path, chains: ChainFile, contig: str, positions: np.ndarray) -> set[int]:
    """Hold both readers' answers against each other; gives how many places a base had."""
    other = liftover.ChainFile(str(path))
    expected = [other.query(contig, position) for position in positions.tolist()]
    found = answers_of(chains, contig, positions)
    for position, mine, theirs in zip(positions.tolist(), found, expected, strict=True):
        if len(theirs) > 1:
            assert mine is None, (contig, position, theirs)
        else:
            assert mine == theirs, (contig, position)
    return {min(len(answer), 2) for answer in expected}


def test_all_blocks_of_a_real_file_begin_and_end_where_another_reader_has_them(
    test_data: Path,
) -> None:
    path = test_data / "liftover/hg19ToHg38.over.chain.gz"
    chains = read_chain(path)
    other = liftover.ChainFile(str(path))
    assert set(chains.blocks) == set(other.keys())
    rng = np.random.default_rng(1)
    n_blocks = 0
    for contig, blocks in chains.blocks.items():
        random = rng.integers(0, chains.source_lengths[contig], 200)
        edges = [blocks.start - 1, blocks.start, blocks.end - 1, blocks.end]
        positions = np.concatenate([*edges, random])
        assert_alike(path, chains, contig, positions[positions >= 0])
        n_blocks += len(blocks)
    assert n_blocks > 50_000


def random_chain(rng: np.random.Generator, number: int) -> list[str]:
    """Lines of a chain on random contigs and strands, some of whose gaps or blocks are empty."""
    source, panel = (str(rng.choice(list(names))) for names in (SOURCE, PANEL))
    room = min(SOURCE[source], PANEL[panel])
    sizes = [int(size) for size in rng.integers(1, 30, rng.integers(1, 8))]
    gaps = [[int(gap) for gap in pair] for pair in rng.integers(0, 12, (len(sizes) - 1, 2))]
    for pair in gaps:
        pair[int(rng.integers(2))] *= int(rng.integers(2))
    gaps.append([0, 0])
    spans = [sum(sizes) + sum(pair[side] for pair in gaps) for side in (0, 1)]
    if max(spans) > room:
        return random_chain(rng, number)
    starts = [
        int(rng.integers(0, length - span + 1))
        for length, span in zip((SOURCE[source], PANEL[panel]), spans, strict=True)
    ]
    strand = str(rng.choice(["+", "-"]))
    begin = (
        f"chain {number} {source} {SOURCE[source]} + {starts[0]} {starts[0] + spans[0]}"
        f" {panel} {PANEL[panel]} {strand} {starts[1]} {starts[1] + spans[1]} {number}"
    )
    pairs = list(zip(sizes, gaps, strict=True))
    lines = [f"{size}\t{first}\t{second}" for size, (first, second) in pairs[:-1]]
    return [begin, *lines, str(sizes[-1]), ""]


@pytest.mark.parametrize("seed", range(12))
def test_every_base_of_a_random_file_lies_where_another_reader_has_it(
    tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n_chains = int(rng.integers(1, 25))
    lines = ["# of which every second base is claimed twice or more"]
    for number in range(n_chains):
        lines += random_chain(rng, number)
    text = "\n".join(lines)
    path = tmp_path / ("random.chain.gz" if seed % 2 else "random.chain")
    path.write_bytes(gzip.compress(text.encode()) if seed % 2 else text.encode())
    chains = read_chain(path)
    seen = set()
    for contig in chains.blocks:
        assert chains.source_lengths[contig] == SOURCE[contig]
        seen |= assert_alike(path, chains, contig, np.arange(SOURCE[contig] + 5))
    assert seen >= ({0, 1, 2} if n_chains > 10 else {0, 1})
    assert chains.panel_lengths.items() <= PANEL.items()


def test_chains_within_chains_are_no_single_answer_where_they_overlap(tmp_path: Path) -> None:
    path = tmp_path / "nested.chain"
    path.write_text(
        "chain 9 1 900 + 0 600 chr1 1000 + 100 700 1\n600\n"
        "chain 5 1 900 + 100 400 chr2 600 - 0 280 2\n100 50 30\n150\n\n"
        "chain 1 1 900 + 220 230 chrX 250 + 0 10 3\n10\n"
    )
    chains = read_chain(path)
    assert assert_alike(path, chains, "1", np.arange(900)) == {0, 1, 2}
    alone = np.flatnonzero(
        [answer is not None for answer in answers_of(chains, "1", np.arange(600))]
    )
    inside = [*range(100, 200), *range(250, 400), *range(220, 230)]
    assert alone.tolist() == sorted(set(range(600)) - set(inside))


def test_blocks_without_bases_and_gaps_without_bases_change_nothing(tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain.chain", tmp_path / "odd.chain"
    head = "chain 1 1 900 + 10 60 chr1 1000 - 20 80 1\n"
    plain.write_text(head + "20 0 10\n30\n")
    odd.write_text(head + "5 0 0\n15 0 4\n0 0 6\n29 0 0\n1 0 0\n0\n")
    bases = np.arange(100)
    assert answers_of(read_chain(odd), "1", bases) == answers_of(read_chain(plain), "1", bases)


# ---------------------------------------------------------------------------------------------
# Faults

HEAD = "chain 1 1 900 + 0 30 chr1 1000 + 0 30 7"
GOOD = f"{HEAD}\n10 5 5\n15\n\n"


def head(**changed: object) -> str:
    names = ("word", "score", "source", "length", "strand", "start", "end",
             "panel", "panel_length", "panel_strand", "panel_start", "panel_end", "id")  # fmt: skip
    fields = dict(zip(names, HEAD.split(), strict=True)) | {k: str(v) for k, v in changed.items()}
    return " ".join(fields.values())


BAD_LINES = {
    "a length that is no number": (f"{head(length='9e2')}\n30\n", 1, "whole numbers"),
    "a start that is no number": (f"{head(start='x')}\n30\n", 1, "whole numbers"),
    "a start below 0": (f"{head(start=-1)}\n30\n", 1, "none below 0"),
    "an end that is a fraction": (f"{head(panel_end='30.0')}\n30\n", 1, "whole numbers"),
    "digits of another script": (f"{head(end='٣٠')}\n30\n", 1, "whole numbers"),
    "a number beyond all contigs": (f"{head(length=10**10)}\n30\n", 1, "more than 10 digits"),
    "a number of thousands of digits": (f"{head(length='9' * 5000)}\n30\n", 1, "more than 10 digits"),
    "too few fields": ("chain 1 1 900 + 0 30 chr1 1000 + 0\n30\n", 1, "a chain of 11 fields"),
    "too many fields": (f"{HEAD} 8\n30\n", 1, "a chain of 14 fields"),
    "the source's other strand": (f"{head(strand='-')}\n30\n", 1, "strands - and +"),
    "no strand": (f"{head(panel_strand='.')}\n30\n", 1, "strands + and ."),
    "an end before its start": (f"{head(start=40)}\n30\n", 1, "a chain from 40 to 30 of 1"),
    "an end beyond the source's contig": (f"{head(end=901)}\n30\n", 1, "within 900"),
    "an end beyond the panel's contig": (f"{head(panel_end=1001)}\n30\n", 1, "within 1000"),
    "a size that is no number": (f"{HEAD}\n1O 5 5\n15\n", 2, "'1O 5 5'"),
    "a size below 0": (f"{HEAD}\n10 -5 5\n15\n", 2, "none below 0"),
    "a block of two fields": (f"{HEAD}\n10 5\n15\n", 2, "size and two gaps"),
    "a block of four fields": (f"{HEAD}\n10 5 5 5\n15\n", 2, "size and two gaps"),
    "a block after the last": (f"{HEAD}\n30\n\n15\n", 4, "at the end of a chain its size"),
    "a block before any chain": (f"# a remark\n\n10 5 5\n{GOOD}", 3, "belongs to no chain"),
    "another format": ("chr1\t0\t10\n", 1, "begins with 'chain'"),
    "blocks beyond the chain's end": (f"{HEAD}\n10 5 5\n16\n", 3, "at 31 and 31"),
    "blocks that end early": (f"{HEAD}\n10 5 4\n15\n", 3, "at 30 and 29"),
    "blocks that end early before a chain": (f"{HEAD}\n10 4 5\n15\n\n{GOOD}", 5, "29 and 30"),
    "no last block": (f"{HEAD}\n10 5 5\n15 0 0\n", 3, "without its last block"),
    "no block": (f"{HEAD}\n\n{GOOD}", 3, "without its last block"),
    "a contig of the source with two lengths": (
        f"{GOOD}{head(length=901)}\n30\n", 5, "900, as further up",
    ),
    "a contig of the panel with two lengths": (
        f"{GOOD}{head(panel_length=2000)}\n30\n", 5, "1000, as further up",
    ),
}  # fmt: skip


def refusal(path: Path) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        read_chain(path)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("fault", BAD_LINES)
def test_a_line_that_is_not_of_the_format_is_named(tmp_path: Path, fault: str) -> None:
    text, line, said = BAD_LINES[fault]
    path = tmp_path / "bad.chain"
    for before, n_before in (("", 0), ("# a remark\r\n\n", 2), (GOOD, 4)):
        if before == GOOD and not text.startswith("chain"):
            continue  # the line would be a block of that chain
        path.write_text(before + text)
        error = str(refusal(path))
        assert f"{path}, line {line + n_before}" in error
        assert said in error
        assert len(error) < 1000


@pytest.mark.parametrize("text", ["", "\n \n", "# nothing but a remark\n"])
def test_a_file_without_a_chain_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.chain"
    path.write_text(text)
    assert "holds no chain" in str(refusal(path))
    path.write_bytes(gzip.compress(text.encode()))
    assert "holds no chain" in str(refusal(path))


def packed() -> bytes:
    rng = np.random.default_rng(8)
    lines = [line for number in range(300) for line in random_chain(rng, number)]
    return gzip.compress("\n".join(lines).encode(), mtime=0)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    data = packed()
    path = tmp_path / "cut.chain.gz"
    path.write_bytes(data[: int(share * len(data))])
    assert "cannot be read" in str(refusal(path))


def test_a_damaged_file_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    data = packed()
    path = tmp_path / "damaged.chain.gz"
    # Behind the header, whose time and flags a reader may ignore.
    for at in np.random.default_rng(9).integers(10, len(data), 60).tolist():
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        refusal(path)


@pytest.mark.parametrize("kind", ["random", "bytes", "archive"])
def test_what_is_no_text_is_refused(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(10)
    data = {
        "random": rng.bytes(5000),
        "bytes": bytes(range(256)) * 4,
        "archive": b"PK\x03\x04" + rng.bytes(500),
    }[kind]
    path = tmp_path / "junk.chain"
    path.write_bytes(data)
    refusal(path)
    path.write_bytes(gzip.compress(data))
    refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in str(refusal(tmp_path / "absent.chain"))
    assert "cannot be read" in str(refusal(tmp_path))
