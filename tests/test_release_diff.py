"""What `afpanel diff` says of two releases, beside what their VCFs say when read line by line."""

import csv
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from tests.releases import (
    ABSENT,
    MASKED,
    NOT_CALLABLE,
    OBSERVED,
    Made,
    later,
    random_rows,
    read_lines,
    write_release,
)

from afpanel.cli.main import main
from afpanel.stages.comparison import DiffOptions
from afpanel.stages.diff import diff

FIGURES = ("AC", "AN", "nhomalt", "nhemialt")
STATES = ("not-callable", "absent-callable", "observed", "masked")
LENGTHS = {"chr1": 5_000, "chr2": 4_000, "chr3": 3_000}
TABLES = ("contigs", "filters", "groups", "largest_changes", "manifest", "states", "variants_in",
          "variants_out")  # fmt: skip


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.tsv").open() as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def key_of(figure: str, group: str) -> str:
    return figure if group == "total" else f"{figure}_{group}"


def number(text: str) -> int:
    return -1 if text == "." else int(text)


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Made, Made]:
    """Two random releases: contigs in another order, one of them new, groups that come and go."""
    draw = random.Random(request.param)
    old_people = {"total": 100, "TH": 60, "TH_A": 60, "VN": 40}
    new_people = {"total": 103, "LA": 20, "TH": 60, "VN": 43}
    old = random_rows(draw, ["chr1", "chr2"], 4, sites=120, spread=70)
    new = later(draw, old, 4)
    order = [list(old_people).index(g) if g in old_people else 2 for g in new_people]
    new = {variant: [cells[i] for i in order] for variant, cells in new.items()}
    new |= random_rows(draw, ["chr3"], 4, sites=9, spread=50)
    contigs = {name: LENGTHS[name] for name in ("chr1", "chr2")}
    moved = {name: LENGTHS[name] for name in ("chr2", "chr3", "chr1")}
    return (
        write_release(tmp_path / "old", old, old_people, contigs=contigs),
        write_release(tmp_path / "new", new, new_people, contigs=moved, version="2"),
    )


@pytest.mark.parametrize("pair", range(3), indirect=True)
@pytest.mark.parametrize("window", [1, 7, 65_536])
def test_every_figure_of_a_comparison_is_that_of_the_two_vcfs(pair, window, tmp_path):
    old, new = pair
    out = tmp_path / "changes"
    diff(old.folder, new.folder, out, DiffOptions(top=15, small=8, window_rows=window))
    before, after = read_lines(old.folder), read_lines(new.folder)
    # A contig's place in the new release, and in its lines the order of the file.
    order = {name: i for i, name in enumerate(("chr2", "chr3", "chr1"))}
    common = sorted(before.keys() & after.keys(), key=lambda v: (order[v[0]], v[1:]))
    assert len(common) > 100

    assert table(out, "contigs") == [
        {
            "contig": name,
            "both": str(sum(v[0] == name for v in common)),
            "only_old": str(sum(v[0] == name for v in before.keys() - after.keys())),
            "only_new": str(sum(v[0] == name for v in after.keys() - before.keys())),
        }
        for name in order
    ]
    for name, one, other in (("in", after, before), ("out", before, after)):
        alone = sorted(one.keys() - other.keys(), key=lambda v: (order[v[0]], v[1:]))
        assert alone
        assert [tuple(row.values()) for row in table(out, f"variants_{name}")] == [
            (v[0], str(v[1]), *v[2:], one[v].filter,
             *(one[v].info[key].replace(".", "") for key in ("AC", "AN")))
            for v in alone
        ]  # fmt: skip
    turned = [v for v in common if before[v].filter != after[v].filter]
    assert turned
    assert [tuple(row.values()) for row in table(out, "filters")] == [
        (v[0], str(v[1]), *v[2:], before[v].filter, after[v].filter) for v in turned
    ]

    states, by_group, changes = Counter(), {}, []
    for group in ("total", "TH", "VN"):
        changed = small = 0
        sizes = []
        for v in common:
            one, two = (
                [number(lines[v].info[key_of(f, group)]) for f in FIGURES]
                for lines in (before, after)
            )
            state = tuple(made.rows[v][made.groups.index(group)][4] for made in pair)
            states[state] += 1
            changed += one != two or state[0] != state[1]
            small += min(one[0], two[0]) >= 0 and 0 < abs(one[0] - two[0]) < 8
            af = [lines[v].info[key_of("AF", group)] for lines in (before, after)]
            if "." not in af:
                by = float(af[1]) - float(af[0])
                sizes.append(abs(by))
                changes.append((by, v, group, one[0], one[1], two[0], two[1]))
        by_group[group] = (changed, small, len(sizes), max(sizes), sum(sizes) / len(sizes))
    found = {row["group"]: row for row in table(out, "groups")}
    assert list(found) == ["total", "LA", "TH", "VN", "TH_A"]
    assert found["LA"]["old_people"] == found["TH_A"]["new_people"] == found["LA"]["cells"] == ""
    assert (found["VN"]["old_people"], found["VN"]["new_people"]) == ("40", "43")
    for group, (changed, small, n, most, mean) in by_group.items():
        row = found[group]
        assert (int(row["changed"]), int(row["small_changes"])) == (changed, small)
        assert (int(row["cells_with_af"]), int(row["cells"])) == (n, len(common))
        assert float(row["largest_af_change"]) == pytest.approx(most, rel=1e-5)
        assert float(row["mean_af_change"]) == pytest.approx(mean, rel=1e-5)
    assert {
        (STATES.index(row["old_state"]), STATES.index(row["new_state"])): int(row["cells"])
        for row in table(out, "states")
    } == {(i, j): states[i, j] for i in range(4) for j in range(4)}

    groups = ("total", "TH", "VN")
    changes.sort(key=lambda c: (order[c[1][0]], c[1][1:], groups.index(c[2])))
    changes.sort(key=lambda c: -round(abs(c[0]), 9))
    listed = table(out, "largest_changes")
    assert len(listed) == 15
    for row, (by, v, group, *counts) in zip(listed, changes, strict=False):
        assert (row["contig"], int(row["position"]), row["ref"], row["alt"]) == v
        assert row["group"] == group
        assert [int(row[c]) for c in ("old_AC", "old_AN", "new_AC", "new_AN")] == counts
        assert float(row["af_change"]) == pytest.approx(by, rel=1e-5)


@pytest.mark.parametrize("pair", [5], indirect=True)
def test_neither_windows_nor_a_second_run_change_a_byte(pair, tmp_path):
    old, new = pair
    said = set()
    for name, window in (("a", 1), ("b", 13), ("c", 65_536), ("c", 65_536)):
        said.add(diff(old.folder, new.folder, tmp_path / name, DiffOptions(window_rows=window)))
    assert len(said) == 1
    for name in TABLES:
        assert len({(tmp_path / each / f"{name}.tsv").read_bytes() for each in "abc"}) == 1
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == [f"{n}.tsv" for n in TABLES]


OLD = {
    ("chr1", 5, "A", "G"): [(4, 40, 1, 0, OBSERVED), (2, 20, 0, 0, OBSERVED)],
    ("chr1", 5, "A", "T"): [(9, 40, 0, 0, OBSERVED), (-1, -1, -1, -1, MASKED)],
    ("chr1", 9, "C", "CA"): [(0, 40, 0, 0, OBSERVED), (0, 20, 0, 0, ABSENT)],
    ("chr1", 30, "G", "C"): [(1, 38, 0, 0, OBSERVED), (-1, 0, -1, -1, NOT_CALLABLE)],
}
NEW = {
    ("chr1", 5, "A", "G"): [(14, 40, 5, 0, OBSERVED), (-1, -1, -1, -1, MASKED)],
    ("chr1", 5, "A", "T"): [(9, 40, 0, 0, OBSERVED), (3, 18, 0, 0, OBSERVED)],
    ("chr1", 9, "C", "CA"): [(2, 40, 0, 0, OBSERVED), (0, 20, 0, 0, ABSENT)],
    ("chr1", 31, "G", "C"): [(7, 38, 0, 0, OBSERVED), (-1, 0, -1, -1, NOT_CALLABLE)],
}
MANIFEST = {
    "manifest_version": 2,
    "panel": {"name": "tiny", "version": "1"},
    "files": [{"path": "a", "bytes": 1}],
    "parameters": {"genotypes": {"min_gq": 20, "filters": ["PASS", "."]}},
    "cohorts": [{"cohort": "A", "build": "GRCh37"}, {"cohort": "B", "build": "GRCh38"}],
}


def write_pair(folder: Path, **changed: object) -> tuple[Path, Path]:
    people, contigs = {"total": 20, "VN": 10}, {"chr1": 100}
    old = write_release(folder / "old", OLD, people, contigs=contigs)
    new = write_release(
        folder / "new", NEW, **{"people": {"total": 17, "VN": 10}, "contigs": contigs, **changed}
    )
    return old.folder, new.folder


def test_the_summary_says_what_a_hand_count_does(tmp_path, capsys):
    old, new = write_pair(tmp_path, version="2")
    assert main(["diff", str(old), str(new), "--top", "2", "--small", "4"]) == 0
    said = capsys.readouterr().out
    lines = [line.split() for line in said.splitlines()]
    assert ["version", "1", "2"] in lines
    assert ["people", "20", "17"] in lines
    assert ["chr1", "3", "1", "1"] in lines
    assert "0 from PASS to AC0, 1 from AC0 to PASS; AC0 of the new ones: 0" in said
    assert ["the", "same", "2"] in lines
    assert ["changed", "4"] in lines
    assert ["in", "state", "2"] in lines
    # Total: 4 to 14, 0 to 2. Viet Nam: one shown before alone, the other afterwards.
    assert ["in", "AC", "4"] in lines
    assert ["in", "AN", "2"] in lines
    assert ["in", "nhomalt", "3"] in lines
    assert ["in", "AC,", "by", "fewer", "than", "4", "copies", "1"] in lines
    assert ["observed", "0", "0", "3", "1"] in lines
    assert ["masked", "0", "0", "1", "0"] in lines
    assert ["absent-callable", "0", "1", "0", "0"] in lines
    assert ["total", "20", "17", "2", "1", "0.250000", "0.100000"] in lines
    assert ["VN", "10", "10", "2", "0", "0.000000", "0.000000"] in lines
    assert "fewer than 4: total by 3" in said
    assert ["chr1:5", "A>G", "total", "4", "/", "40", "14", "/", "40", "+0.250000"] in lines
    assert ["chr1:9", "C>CA", "total", "0", "/", "40", "2", "/", "40", "+0.050000"] in lines
    assert "manifests: not compared" in said


def test_a_release_does_not_differ_from_itself(tmp_path, capsys):
    old, _ = write_pair(tmp_path)
    assert (
        main(["diff", str(old), str(next(old.glob("*.zarr.zip"))), "--out", f"{tmp_path}/o"]) == 0
    )
    said = capsys.readouterr().out
    lines = [line.split() for line in said.splitlines()]
    assert ["the", "same", "8"] in lines
    assert ["changed", "0"] in lines
    assert "no AF changed" in said
    assert "fewer than 10:" not in said
    for name in ("variants_in", "variants_out", "filters", "largest_changes", "manifest"):
        assert table(tmp_path / "o", name) == []


def test_contigs_of_other_names_are_the_same_contigs(tmp_path):
    renamed = {("1", *variant[1:]): cells for variant, cells in NEW.items()}
    people = {"total": 20, "VN": 10}
    old = write_release(tmp_path / "old", OLD, people, contigs={"chr1": 100, "chr9": 30})
    new = write_release(tmp_path / "new", renamed, people, contigs={"1": 100, "Y": 40})
    said = diff(old.folder, new.folder, tmp_path / "out", DiffOptions())
    assert [tuple(row.values()) for row in table(tmp_path / "out", "contigs")] == [
        ("1", "3", "1", "1"), ("Y", "0", "0", "0"), ("chr9", "0", "0", "0"),
    ]  # fmt: skip
    assert "contigs in the old release alone: chr9\n" in said
    assert "contigs in the new release alone: Y\n" in said


def test_the_manifests_tell_what_changed_between_the_releases(tmp_path, capsys):
    old, new = write_pair(tmp_path)
    later_one = json.loads(json.dumps(MANIFEST))
    later_one["panel"]["version"] = "2"
    later_one["files"] = []
    later_one["parameters"]["genotypes"]["min_gq"] = 10
    later_one["cohorts"] = [{"cohort": "C"}, {"cohort": "A", "build": "GRCh38"}]
    (old / "manifest.json").write_text(json.dumps(MANIFEST))
    (new / "manifest.json").write_text(json.dumps(later_one))
    assert main(["diff", str(old), str(new), "--out", str(tmp_path / "out")]) == 0
    assert [tuple(row.values()) for row in table(tmp_path / "out", "manifest")] == [
        ("parameters.genotypes.min_gq", "20", "10"),
        ("cohorts.A.build", '"GRCh37"', '"GRCh38"'),
        ("cohorts.B", '{"cohort": "B", "build": "GRCh38"}', ""),
        ("cohorts.C", "", '{"cohort": "C"}'),
    ]
    said = capsys.readouterr().out
    assert ["parameters.genotypes.min_gq", "20", "10"] in [x.split() for x in said.splitlines()]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"build": "GRCh37"}, ["different builds", "GRCh38", "GRCh37", "remedy"]),
        ({"contigs": {"chr1": 101}}, ["chr1 has another length", "100", "101", "remedy"]),
    ],
)
def test_releases_on_different_references_are_not_compared(tmp_path, capsys, changed, words):
    old, new = write_pair(tmp_path, **changed)
    assert main(["diff", str(old), str(new), "--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert [word for word in words if word not in said.err] == []
    assert not (tmp_path / "out").exists()


def test_what_is_no_release_is_refused(tmp_path, capsys):
    old, _ = write_pair(tmp_path)
    assert main(["diff", str(old), str(tmp_path / "nothing")]) == 3
    assert "nothing" in capsys.readouterr().err
