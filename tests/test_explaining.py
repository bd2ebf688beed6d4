"""What is said of cells that few releases have: zeros that are masked, and what contributors masked."""

import pytest
from tests.explained import taken_apart
from tests.published_files import simulate
from tests.tiered import AS_OF, write_policy

from afpanel.constants import State
from afpanel.io.panel_store import create_panel, read_head, read_panel_blocks, write_panel_block
from afpanel.model.arrays import COUNTS, SINGLE_COUNTS
from afpanel.stages.explain import Site, explain


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A panel of which CC_Q came without figures at each second variant."""
    folder = tmp_path_factory.mktemp("explained")
    source = simulate(folder, 60)[0]
    head = read_head(source)
    path = folder / "masked.zarr.zip"
    with create_panel(path, head) as writer:
        for variants, counts in read_panel_blocks(source):
            chosen = head.groups.index("CC_Q")
            for name in (*COUNTS, *SINGLE_COUNTS):
                getattr(counts, name)[::2, chosen] = -1
            counts.state[::2, chosen] = State.MASKED
            write_panel_block(writer, variants, counts)
    return path


def lines_of(panel, folder, **rules):
    """Everything that is said of the cells of all variants: (group, AC, why, rule)."""
    policy, contributors = write_policy(folder, **rules)
    for variants, _ in read_panel_blocks(panel):
        for at in range(0, len(variants), 3):
            names = variants.ref.objects()[at], variants.alt.objects()[at]
            site = Site("chr21", int(variants.position[at]), *names)
            text = explain([panel], policy, site, contributors, AS_OF)
            for group, line in taken_apart(text)[1].items():
                for why, rule in zip(line.why, line.rule, strict=True):
                    yield group, line.ac, why, rule


def test_what_came_masked_is_the_contributors_own(panel, tmp_path):
    said = {
        line
        for line in lines_of(panel, tmp_path)
        if line[2] == "it came without figures from a contributor"
    }
    assert {(group, ac, rule) for group, ac, _, rule in said} == {
        ("CC_Q", "-", "the contributor's own")
    }


def test_a_zero_that_is_masked_is_said_to_be_one(panel, tmp_path):
    lines = list(lines_of(panel, tmp_path, zeros="masked", sides=["alt"]))
    zeros = {line for line in lines if line[2].startswith("no copy of ALT")}
    assert {(ac, rule) for _, ac, _, rule in zeros} == {
        ("0", "zeros.masked true, asked for by tier open")
    }
    assert not [line for line in lines if "other alleles" in line[2]]


def test_few_copies_of_the_others_are_named_as_such(panel, tmp_path):
    lines = lines_of(panel, tmp_path, sides=["other"])
    whys = {why for _, _, why, _ in lines if "fewer than" in why}
    assert whys
    assert all("of the other alleles" in why for why in whys)
