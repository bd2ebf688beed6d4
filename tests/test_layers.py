"""The floor plan: what may import what, and how large a room may be."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from afpanel.model.arrays import ARRAYS

SOURCE = Path(__file__).parents[1] / "src" / "afpanel"
LAYERS = {"errors": 0, "constants": 0, "model": 1, "core": 2, "io": 3, "stages": 4, "cli": 5}
"""Layer of each module or folder of the package; what stands beside them is at the top."""

TOP = 6
MAX_LINES = 400
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def name_of(path: Path) -> str:
    """Dotted name of a module."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = frozenset(map(name_of, MODULES))


def layer_of(name: str) -> int:
    _, _, inside = name.partition(".")
    return LAYERS.get(inside.split(".")[0], TOP)


def imports_of(path: Path, *, at_import_only: bool = False) -> set[str]:
    """Modules of this package that a module imports, anywhere in it or as it is imported."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if at_import_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in NAMES else node.module)
    return {name for name in found if name.split(".")[0] == "afpanel"} - {name_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_its_own_layer_or_lower_ones(path: Path) -> None:
    own = layer_of(name_of(path))
    # The version is in the package's own file, which imports nothing of the package.
    imported = imports_of(path) - {"afpanel"}
    above = sorted(name for name in imported if layer_of(name) > own)
    assert above == []


def test_the_package_itself_imports_nothing_of_its_own_before_it_is_asked() -> None:
    assert imports_of(SOURCE / "__init__.py", at_import_only=True) <= {"afpanel"}


def test_what_is_imported_exists() -> None:
    imported = {name for path in MODULES for name in imports_of(path)}
    assert imported - NAMES == set()


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {name_of(path): imports_of(path, at_import_only=True) for path in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(cycle.args[1]))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_sitting_and_says_what_it_knows(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(text)), "a module has a docstring"


def test_only_the_stores_know_zarr() -> None:
    knowing = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "zarr" for name in names):
                knowing.add(name_of(path))
    stores = ("chunks", "store", "store_writer", "vcz_store")
    assert knowing == {f"afpanel.io.{name}" for name in stores}


FILES = {"cyvcf2", "gzip", "pathlib", "pysam", "subprocess", "tempfile", "zarr", "zipfile"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if name_of(path).startswith("afpanel.core")], ids=name_of
)
def test_the_rules_of_genetics_and_disclosure_know_no_file(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert imported & FILES == set()
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "open" not in calls


@cache
def texts_of_the_source() -> frozenset[str]:
    """Every string in the source but those of the registry itself and of docstrings."""
    found = set()
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        if name_of(path) == "afpanel.model.arrays":
            tree.body = [
                node
                for node in tree.body
                if not (isinstance(node, ast.Assign) and node.targets[0].id == "_SPECS")
            ]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_the_registry_is_used_by_its_name(name: str) -> None:
    texts = texts_of_the_source()
    prefix, _, rest = name.partition("_")
    built = f"{prefix}_" in texts and rest in texts  # as in f"call_{field}"
    assert name in texts or built


def test_every_array_of_the_registry_says_what_it_holds_and_by_which_dimensions() -> None:
    for spec in ARRAYS.values():
        assert spec.doc.endswith(".")
        assert spec.dims
        assert len(set(spec.dims)) == len(spec.dims)
        assert spec.dtype in {"str", "bool", "i1", "i2", "i4", "i8", "u1", "f4"}
