"""Two releases of one simulated panel: with primary masking alone, and as the gate lets it through."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.primary_only import gate_without_secondary_masking
from tests.published_files import release, simulate
from tests.tiered import release_under

from afpanel.io.panel_store import read_head, read_panel_blocks
from afpanel.stages.gate import gate

K, FEWEST = 11, 50


class Published:
    """What the files of a release say, as an attacker reads them: Parquet, contig by contig."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tables = []
        for path in sorted(folder.glob("*.parquet/*/*.parquet")):
            table = pq.ParquetFile(path).read()
            contig = path.parent.name.removeprefix("contig=")
            tables.append(table.append_column("contig", [[contig] * len(table)]))
        self.table = pa.concat_tables(tables)
        names = [
            name.removeprefix("AC_") for name in self.table.column_names if name.startswith("AC_")
        ]
        self.groups = [name for name in names if name not in ("raw", "grpmax")]
        self.countries = [
            name for name in self.groups if len(name) == 2 and name not in ("XX", "XY")
        ]

    def __getitem__(self, name: str) -> np.ndarray:
        """Values of a column; NaN is missing."""
        column = self.table[name]
        if not pa.types.is_string(column.type):
            column = column.cast(pa.float64())
        return column.to_numpy()

    def populations(self, country: str) -> list[str]:
        return [name for name in self.groups if name.startswith(f"{country}_")]

    @property
    def keys(self) -> list[tuple]:
        names = ("contig", "pos", "ref", "alt")
        return list(zip(*(self.table[name].to_pylist() for name in names), strict=True))


def true_counts(panels: Sequence[Path]) -> dict[tuple, dict[str, int]]:
    """AC of every group before the gate: [contig, position, REF, ALT][group]."""
    truth = {}
    for path in panels:
        head = read_head(path)
        for variants, counts in read_panel_blocks(path):
            for i, (ref, alt) in enumerate(
                zip(variants.ref.objects(), variants.alt.objects(), strict=True)
            ):
                key = (head.contig, int(variants.position[i]), ref, alt)
                truth[key] = dict(zip(head.groups, counts.allele_count[i].tolist(), strict=True))
    return truth


@pytest.fixture(scope="session")
def insiders(tmp_path_factory) -> SimpleNamespace:
    """Releases that protect from readers alone, and from contributors too; and what is true."""
    folder = tmp_path_factory.mktemp("insiders")
    panels = simulate(folder / "merged", 400)
    kinds = ["total", "country", "population"]
    made = {
        name: Published(release_under(panels, folder / name, groups=kinds, insider_protection=on))
        for name, on in (("readers", False), ("contributors", True))
    }
    return SimpleNamespace(**made, truth=true_counts(panels), k=K, panels=panels)


@pytest.fixture(scope="session")
def attacked(tmp_path_factory) -> SimpleNamespace:
    """Both releases, and the true AC of every group: truth[key][group]."""
    folder = tmp_path_factory.mktemp("attacked")
    panels = simulate(folder / "merged", 1_500)
    policy = folder / "policy.yaml"
    policy.write_text(f"min_group_size: {FEWEST}\nmin_allele_count: {K}\n")
    gate(panels, policy, folder / "both", folder / "both.json")
    gate_without_secondary_masking(
        panels, folder / "both.json", folder / "one", folder / "one.json"
    )
    made = {
        name: release([folder / name / path.name for path in panels], folder / f"{name}.json", folder / "release" / name)
        for name in ("one", "both")
    }  # fmt: skip
    truth = true_counts(panels)
    return SimpleNamespace(
        primary=Published(made["one"]), released=Published(made["both"]), truth=truth, k=K
    )


@pytest.fixture(scope="session")
def unprotected(attacked, tmp_path_factory) -> Published:
    """The same panel behind a gate without limits."""
    folder = tmp_path_factory.mktemp("unprotected")
    panels = sorted((attacked.released.folder.parents[1] / "merged").glob("*.zarr.zip"))
    policy = folder / "policy.yaml"
    policy.write_text("min_group_size: 0\nmin_allele_count: 0\n")
    gate(panels, policy, folder / "all", folder / "all.json")
    made = release(
        [folder / "all" / path.name for path in panels], folder / "all.json", folder / "release"
    )
    return Published(made)
