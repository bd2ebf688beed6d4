"""Heterozygotes and people with two called alleles, beside a count of people."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.diploid_calls import diploid_count, heterozygote_count

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)
CALLS = ("0/0", "0/1", "1/1", "0/2", "1/2", "2/2", "0", "1", "2", "0/.", "1/.", "2/.", "./.")


@SETTINGS
@given(st.lists(st.sampled_from(CALLS), max_size=30))
def test_they_are_told_by_what_is_stored(calls: list[str]) -> None:
    found: Counter[str] = Counter()
    for call in calls:
        alleles = [a for a in call.split("/") if a != "."]
        alt = alleles.count("1")
        found.update(ac=alt, an=len(alleles), hom=alt == 2, single=len(alleles) == 1)
        found.update(alone=alt == 1 and len(alleles) == 1, het=alt == 1 and len(alleles) == 2)
        found.update(diploid=len(alleles) == 2)
    tables = [np.array([found[name]], np.int32) for name in ("ac", "hom", "alone")]
    assert heterozygote_count(*tables).tolist() == [found["het"]]
    numbers = [np.array([found[name]], np.int32) for name in ("an", "single")]
    assert diploid_count(*numbers).tolist() == [found["diploid"]]


def test_what_is_missing_stays_missing() -> None:
    missing = np.array([[-1, 4]], np.int32)
    assert heterozygote_count(missing, missing, missing)[0, 0] == -1
    assert diploid_count(missing, missing * 0)[0].tolist() == [-1, 2]
    assert diploid_count(np.zeros((1, 1), np.int32), missing[:, :1]).tolist() == [[-1]]
