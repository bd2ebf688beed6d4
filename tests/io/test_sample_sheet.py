"""Sheets read as columns: the same as line by line, and only where nothing is unusual."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.constants import Sex
from afpanel.errors import AfpanelError
from afpanel.io import tables
from afpanel.io.sample_sheet import plain_samples
from afpanel.io.tables import read_samples
from afpanel.model.cohort import Sample, Samples, cell_index, cells_of

HEADERS = ("sample\tpopulation\tsex", "sex\tinclude\tsample\tpopulation", "sample\tpopulation", "")
FIELDS = st.sampled_from(
    ["s1", "s2", "s3", "P", "Q1", "raw", "XX", "XY", "unknown", "yes", "no", "", "é", "a b"]
)
LINES = st.lists(st.lists(FIELDS, min_size=2, max_size=5).map("\t".join), max_size=4)
GOOD = st.lists(
    st.sampled_from(["XX\tyes\ts{}\tP", "XY\t\ts{}\tQ1", "unknown\tno\ts{}\tP"]), max_size=6
)


@settings(deadline=None)
@given(st.sampled_from(HEADERS), LINES, st.sampled_from(["", "\n", "\n\n", "\r\n"]))
def test_any_table_means_the_same_or_is_refused_for_the_same(tmp_path_factory, header, lines, end):
    path = tmp_path_factory.mktemp("sheet") / "s.tsv"
    path.write_text("\n".join([header, *lines]) + end)
    same_as_line_by_line(path)


@settings(deadline=None)
@given(GOOD)
def test_good_sheets_mean_the_same(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("sheet") / "s.tsv"
    rows = [line.format(i) for i, line in enumerate(lines)]
    path.write_text("\n".join([HEADERS[1], *rows]) + "\n")
    same_as_line_by_line(path)
    assert (plain_samples(path) is None) == all("\tno\t" in row for row in rows)


def same_as_line_by_line(path: Path) -> None:
    def read() -> list[Sample] | str:
        try:
            return list(read_samples(path))
        except AfpanelError as error:
            return str(error)

    found = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "plain_samples", lambda path: None)
        assert read() == found


def test_columns_are_the_samples_that_they_were_made_of():
    given_samples = [
        Sample("b", "P", Sex.XY), Sample("a", "Q", Sex.UNKNOWN, False), Sample("c", "P", Sex.XY),
    ]  # fmt: skip
    samples = Samples.of(given_samples)
    assert samples == given_samples
    assert samples[1] == given_samples[1]
    assert samples[1:] == given_samples[1:]
    assert samples.included == ["b", "c"]
    assert samples.without({"b"}).included == ["c"]
    assert samples.rows_of(["c", "x", "b"]).tolist() == [2, -1, 0]
    assert [(c.population, c.sex, c.people) for c in cells_of(samples)] == [("P", Sex.XY, 2)]
    assert cell_index(["a", "x", "c"], samples, cells_of(samples)).tolist() == [-1, -1, 0]
