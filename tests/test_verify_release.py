"""``afpanel verify-release`` on releases into which something was planted, and the gate at odd block sizes."""

import gzip
import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
import zarr
from tests.primary_only import gate_without_secondary_masking
from tests.published_files import release, simulate
from tests.tiered import release_under

from afpanel.cli.main import main
from afpanel.constants import State
from afpanel.core.release_limits import Limits
from afpanel.io import panel_store
from afpanel.io.panel_store import (
    create_panel,
    read_head,
    read_panel_blocks,
    read_panel_sites,
    write_panel_block,
)
from afpanel.model.arrays import COUNTS, SINGLE_COUNTS
from afpanel.stages.gate import gate
from afpanel.stages.verify_release import attack_release

POLICY = "min_group_size: 50\nmin_allele_count: 11\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A panel of 400 sites, gated, and released."""
    folder = tmp_path_factory.mktemp("made")
    panels = simulate(folder / "merged", 200)
    (folder / "policy.yaml").write_text(POLICY)
    gate(panels, folder / "policy.yaml", folder / "out", folder / "decision.json")
    gated = [folder / "out" / path.name for path in panels]
    release(gated, folder / "decision.json", folder / "release")
    return folder


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made / "release", tmp_path / "release")


def verify(folder, capsys) -> tuple[int, str]:
    code = main(["-q", "verify-release", str(folder), "--sample", "200"])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_release_as_the_gate_makes_it_is_verified(made, capsys):
    code, said = verify(made / "release", capsys)
    assert code == 0
    assert (
        len(
            re.findall(
                r"^(?:vcf|parquet|zarr): .* 0 of them can be worked out$", said, re.MULTILINE
            )
        )
        == 3
    )


def masked_cell(table: pa.Table, name: str) -> int:
    return int(np.flatnonzero(table[name].is_null().to_numpy())[0])


PLANTED = {
    "AC_BB": ("allele_count is not as in vcf", "AC of a masked cell is shown"),
    "AF_BB": ("allele_frequency is not as in vcf", "AF of a masked cell is shown"),
    "faf95_BB": ("faf95 of a masked cell is shown",),
    "nhomalt_BB_P": ("nhomalt of a masked cell is shown",),
    "nhemialt_XX": ("nhemialt of a masked cell is shown",),
    "call_rate_BB": ("call_rate of a masked cell is shown",),
    "hwe_BB_P": ("hwe of a masked cell is shown",),
    "ExcHet_BB_P": ("ExcHet of a masked cell is shown",),
    "inbreeding_coeff_BB_P": ("inbreeding_coeff of a masked cell is shown",),
    "AN_BB": ("AN is missing where the cell is not masked, or shown where it is",),
}


@pytest.mark.parametrize("name", PLANTED)
def test_one_figure_of_a_masked_cell_in_one_format_is_found(name, copy, capsys):
    path = next(copy.glob("*.parquet/contig=chr21/*.parquet"))
    table = pq.ParquetFile(path).read()
    state = "state_" + name.split("_", 2 if name.startswith(("call_", "inbreeding_")) else 1)[-1]
    row = int(np.flatnonzero(table[state].to_numpy() == State.MASKED)[0])
    values = table[name].to_pylist()
    assert values[row] is None
    values[row] = 1
    at = table.column_names.index(name)
    field = table.schema.field(name)
    pq.write_table(table.set_column(at, field, pa.array(values, field.type)), path)
    code, said = verify(copy, capsys)
    assert code == 5
    for words in PLANTED[name]:
        assert f"parquet: {words}, 1 times" in said
    assert f"chr21:{table['pos'][row].as_py()} " in said or "vcf" in said


def test_a_masked_group_named_as_the_maximum_is_found(copy, capsys):
    path = next(copy.glob("*.zarr.zip"))
    with zarr.storage.ZipStore(path, mode="r") as store:
        root = zarr.open_group(store, mode="r")
        state, groups = root["state"][...], root["group_id"][...].tolist()
        group = groups.index("BB_P")
        row = int(np.flatnonzero(state[:, group] == State.MASKED)[0])
    path = next(copy.glob("*.vcf.gz"))
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    line = lines[first + row]
    lines[first + row] = re.sub(r";grpmax=[^;]*", ";grpmax=BB_P", line)
    assert lines[first + row] != line
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(("\n".join(lines) + "\n").encode())
    code, said = verify(copy, capsys)
    assert code == 5
    assert "vcf: grpmax is not a figure of a group that is shown, 1 times" in said


def test_a_vcf_of_another_layout_is_bad_input(copy, capsys):
    path = next(copy.glob("*.vcf.gz"))
    text = gzip.decompress(path.read_bytes()).replace(b";AN=", b";EXTRA=1;AN=")
    with pysam.BGZFile(str(path), "wb") as out:
        out.write(text)
    code, said = verify(copy, capsys)
    assert code == 3
    assert "INFO" in said


def parquet_of(copy):
    return next(copy.glob("*.parquet/contig=chr21/*.parquet"))


@pytest.mark.parametrize("state", [State.OBSERVED, State.ABSENT_CALLABLE])
def test_the_state_of_a_masked_cell_that_one_format_tells_is_found(state, copy, capsys):
    path = parquet_of(copy)
    table = pq.ParquetFile(path).read()
    values = table["state_BB"].to_numpy().copy()
    values[int(np.flatnonzero(values == State.MASKED)[0])] = state
    at = table.column_names.index("state_BB")
    field = table.schema.field("state_BB")
    pq.write_table(table.set_column(at, field, pa.array(values, field.type)), path)
    code, said = verify(copy, capsys)
    assert code == 5
    assert "parquet: a state and AN do not say alike that a cell is masked, 1 times" in said
    assert "zarr: state is not as in the other format" in said


def test_a_state_of_a_shown_cell_that_one_format_has_otherwise_is_found(copy, capsys):
    path = parquet_of(copy)
    table = pq.ParquetFile(path).read()
    values = table["state"].to_numpy().copy()
    values[np.flatnonzero(values == State.OBSERVED)[0]] = State.ABSENT_CALLABLE
    at, field = table.column_names.index("state"), table.schema.field("state")
    pq.write_table(table.set_column(at, field, pa.array(values, field.type)), path)
    code, said = verify(copy, capsys)
    assert code == 5
    assert "state is not as in the other format" in said


def test_a_column_or_an_array_that_one_format_alone_has_is_refused(copy, capsys):
    path = parquet_of(copy)
    table = pq.ParquetFile(path).read()
    pq.write_table(table.append_column("AC_hidden", table["AC"]), path)
    code, said = verify(copy, capsys)
    assert (code, "columns" in said, "AC_hidden int32" in said) == (3, True, True)
    at = table.column_names.index("AF_BB")
    wide = table["AF_BB"].cast(pa.float64())
    pq.write_table(table.set_column(at, pa.field("AF_BB", pa.float64()), wide), path)
    code, said = verify(copy, capsys)
    assert (code, "AF_BB double" in said) == (3, True)
    pq.write_table(table, path)
    with zarr.storage.ZipStore(next(copy.glob("*.zarr.zip")), mode="a") as store:
        zarr.open_group(store, mode="a").create_array("raw_calls", data=np.arange(5))
    code, said = verify(copy, capsys)
    assert (code, "arrays" in said, "raw_calls" in said) == (3, True, True)


def test_rows_that_one_format_lacks_are_found(copy, capsys):
    path = next(copy.glob("*.parquet/contig=chrX/*.parquet"))
    table = pq.ParquetFile(path).read()
    pq.write_table(table.slice(0, len(table) - 3), path)
    code, said = verify(copy, capsys)
    assert code == 5
    assert "the number of variants is not as in vcf" in said


@pytest.mark.parametrize("fewest", [50, 61])
def test_groups_of_too_few_people_are_found(fewest, copy, capsys):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["policy"]["min_group_size"] = fewest
    path.write_text(json.dumps(manifest))
    code, said = verify(copy, capsys)
    assert code == (5 if fewest > 60 else 0)
    assert ("a group of too few people is shown, 4 times" in said) == (fewest > 60)


def test_a_folder_without_a_release_is_bad_input(copy, tmp_path, capsys):
    assert verify(tmp_path, capsys)[0] == 3
    for path in copy.iterdir():
        if path.name != "manifest.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, said = verify(copy, capsys)
    assert code == 3
    assert "there is no release" in said


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_what_passes_the_gate_does_not_depend_on_the_size_of_blocks(
    rows, made, tmp_path, monkeypatch
):
    """Sites of several alleles lie across the ends of blocks."""
    merged = made / "merged" / "chr21.zarr.zip"
    sites = list(read_panel_sites(merged, rows))
    ends = [int(variants.position[-1]) for variants, _ in sites]
    starts = [int(variants.position[0]) for variants, _ in sites]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    monkeypatch.setattr(panel_store.read_panel_blocks, "__defaults__", (rows,))
    monkeypatch.setattr(panel_store.read_panel_sites, "__defaults__", (rows,))
    gate(
        [merged, made / "merged/chrX.zarr.zip"], made / "policy.yaml", tmp_path, tmp_path / "d.json"
    )
    assert (tmp_path / "d.json").read_text() == (made / "decision.json").read_text()
    for path in (made / "out").iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_cells_that_contributors_masked_stay_masked_and_are_counted(made, tmp_path, capsys):
    """A population came without figures at common variants, where nothing else of its country is sensitive."""
    source = made / "merged" / "chr21.zarr.zip"
    head = read_head(source)
    chosen = head.groups.index("CC_Q")
    with create_panel(tmp_path / "merged.zarr.zip", head) as writer:
        for variants, counts in read_panel_blocks(source):
            of_cc = [g for g, name in enumerate(head.groups) if name.startswith("CC")]
            ac = counts.allele_count[:, of_cc]
            common = np.minimum(ac, counts.allele_number[:, of_cc] - ac) >= 15
            rows = np.flatnonzero(common.all(axis=1))
            assert len(rows) > 10
            for name in (*COUNTS, *SINGLE_COUNTS):
                getattr(counts, name)[rows, chosen] = -1
            counts.state[rows, chosen] = State.MASKED
            write_panel_block(writer, variants, counts)
    out = tmp_path / "out"
    gate([tmp_path / "merged.zarr.zip"], made / "policy.yaml", out, tmp_path / "d.json")
    totals = json.loads((tmp_path / "d.json").read_text())["totals"]
    ((_, counts),) = read_panel_blocks(out / "merged.zarr.zip")
    populations = [head.groups.index(f"CC_{p}") for p in "PQR"]
    hidden = counts.state[:, [head.groups.index("CC"), *populations]] == State.MASKED
    by_contributor = hidden[:, 2]
    # Alone it would be the difference of what is shown.
    assert by_contributor.sum() >= len(rows) == totals["masked_by_contributors"]
    assert (hidden[by_contributor].sum(axis=1) >= 2).all()
    folder = release([out / "merged.zarr.zip"], tmp_path / "d.json", tmp_path / "release")
    assert attack_release(folder, 100)["zarr"].found == {}
    gate_without_secondary_masking(
        [source], made / "decision.json", tmp_path / "one", tmp_path / "one.json"
    )
    primary = release([tmp_path / "one" / source.name], tmp_path / "one.json", tmp_path / "r1")
    assert verify(primary, capsys)[0] == 5


CLAIMS = {
    "zeros": ({"zeros": "masked"}, "few copies of ALT are shown"),
    "classes": ({"min_genotype_count": 5}, "few people homozygous for ALT are shown"),
    "never": (
        {"populations_never_shown": ["CC_P"]},
        "a population that is never shown can be told",
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_rule_of_the_manifest_that_the_release_does_not_keep_is_found(
    name, made, tmp_path, capsys
):
    """A release under the rule is sound; what it claims of itself is then written into one without it."""
    rules, fault = CLAIMS[name]
    panels = [made / "merged" / "chr21.zarr.zip"]
    kept = release_under(panels, tmp_path / "kept", **rules)
    code, said = verify(kept, capsys)
    assert (code, fault in said) == (0, False)
    broken = release_under(panels, tmp_path / "broken")
    assert verify(broken, capsys)[0] == 0
    manifest = json.loads((broken / "manifest.json").read_text())
    of_kept = json.loads((kept / "manifest.json").read_text())["policy"]["effective"]
    manifest["policy"]["effective"] = of_kept
    (broken / "manifest.json").write_text(json.dumps(manifest))
    code, said = verify(broken, capsys)
    assert (code, fault in said) == (5, True)


def test_a_class_of_genotypes_that_the_others_tell_is_found(made, tmp_path):
    """Of one country of several the genotypes are withheld, and the total less the others has them."""
    panels = [made / "merged" / "chr21.zarr.zip"]
    folder = release_under(panels, tmp_path, min_genotype_count=3)
    assert attack_release(folder, 0)["vcf"].found == {}
    path = next(folder.glob("*.parquet/contig=chr21/*.parquet"))
    table = pq.ParquetFile(path).read()
    merged, counts = next(read_panel_blocks(panels[0]))
    groups = read_head(panels[0]).groups
    order = {
        key: row
        for row, key in enumerate(
            zip(merged.position.tolist(), merged.ref.objects(), merged.alt.objects(), strict=True)
        )
    }
    keys = list(zip(*(table[name].to_pylist() for name in ("pos", "ref", "alt")), strict=True))
    rows = np.array([order[key] for key in keys])
    for group in ("total", "AA", "CC", "DD"):
        suffix = "" if group == "total" else f"_{group}"
        for key, name in (("nhomalt", "homozygote_count"), ("nhemialt", "hemizygote_count")):
            column = f"{key}{suffix}"
            shown = ~table[f"AN{suffix}"].is_null().to_numpy()
            true = getattr(counts, name)[rows, groups.index(group)]
            at, field = table.column_names.index(column), table.schema.field(column)
            values = pa.array(true, field.type, mask=~shown)
            table = table.set_column(at, field, values)
    pq.write_table(table, path)
    found = attack_release(folder, 0)["parquet"].found
    assert found["a class of genotypes of few people can be worked out"] > 0


@pytest.mark.parametrize(
    ("groups", "withheld", "faults"),
    [
        (["total", "VN", "VN_A"], ["VN_B"], []),
        (["total", "VN", "VN_KHV"], [], ["VN_KHV"]),
        (["total", "VN", "VN_A"], ["VN_KHV"], ["VN without its published populations"]),
        (["total", "VN"], ["VN_KHV"], ["VN without its published populations"]),
        (["total", "VN", "VN_A"], ["VN_KHV", "VN_B"], []),
        (["total", "TH"], ["VN", "VN_KHV"], ["the total without its published countries"]),
        (["total", "TH"], ["ID", "ID_A", "VN", "VN_KHV"], []),
    ],
)
def test_a_population_that_is_never_shown_is_not_a_difference(groups, withheld, faults):
    limits = Limits(3, never_shown=("VN_KHV",))
    assert limits.never_shown_faults(groups, withheld) == faults
