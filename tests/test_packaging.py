"""What is said more than once about the package is said alike."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import afpanel
from afpanel.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SCHEMAS = sorted((ROOT / "workflow" / "schemas").glob("*.yaml"))

CONDA_NAMES = {
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
    "snakemake": "snakemake-minimal",
}
"""Packages whose name in conda is another: the base and minimal ones are what pip calls by the plain name."""

NEEDED_BY_CONDA = {"python", "pip"}


def bounds_of(lines: list[str]) -> dict[str, str]:
    """Split requirements, `name>=X` or `name >=X`, into names and bounds."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", line)
        assert match, line
        found[match[1].lower()] = match[2]
    return found


def test_the_conda_environment_has_the_packages_and_bounds_of_the_project() -> None:
    environment = yaml.safe_load((ROOT / "envs" / "afpanel.yaml").read_text("utf-8"))
    conda = bounds_of(environment["dependencies"])
    assert conda["python"] == PROJECT["requires-python"]
    project = bounds_of(PROJECT["dependencies"])
    expected = {CONDA_NAMES.get(name, name): bound for name, bound in project.items()}
    assert {k: v for k, v in conda.items() if k not in NEEDED_BY_CONDA} == expected


def test_every_dependency_has_a_lower_bound_and_no_other() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    # An extra may take in others of the project, which have bounds of their own.
    others = [[line for line in group if not line.startswith("afpanel[")] for group in groups]
    for name, bound in (item for group in others for item in bounds_of(group).items()):
        assert re.fullmatch(r">=[0-9.]+", bound), name


def test_every_package_that_the_source_imports_is_a_dependency() -> None:
    # numba brings llvmlite, of the version that it is made for.
    distributions = {
        "yaml": "pyyaml",
        "allel": "scikit-allel",
        "llvmlite": "numba",
        "ga4gh": "ga4gh.vrs",
    }
    extras = PROJECT["optional-dependencies"]
    # Imported by single commands, which say how to install them.
    optional = [
        line for name in extras if name not in ("test", "lint", "docs") for line in extras[name]
    ]
    imported = set()
    for path in (ROOT / "src" / "afpanel").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names} - sys.stdlib_module_names:
                imported.add(distributions.get(name, name))
    known = bounds_of([*PROJECT["dependencies"], *optional]).keys()
    assert imported - {"afpanel"} <= known


def test_the_documentation_names_every_dependency() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    missing = [name for name in bounds_of(PROJECT["dependencies"]) if name not in text]
    assert missing == []


def test_the_version_is_the_same_everywhere() -> None:
    assert afpanel.__version__ == PROJECT["version"]
    assert PROJECT["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")


# ---------------------------------------------------------------------------------------------
# Schemas


def keys_of(schema: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a schema describes, at every depth."""
    for name, described in schema.get("properties", {}).items():
        yield f"{place}.{name}", described
        yield from keys_of(described, f"{place}.{name}")


WRITTEN = {"contribution.schema.yaml", "harmonization.schema.yaml"}
"""Schemas of what afpanel writes itself: there nothing has a default."""

KEYS = [
    pair
    for path in SCHEMAS
    for pair in keys_of(yaml.safe_load(path.read_text("utf-8")), path.name.split(".")[0])
]


@pytest.mark.parametrize(("place", "described"), KEYS, ids=[place for place, _ in KEYS])
def test_a_key_says_its_type_and_what_it_is(place: str, described: dict[str, Any]) -> None:
    assert described.keys() & {"type", "enum"}
    assert re.fullmatch(r"[A-Z\"].+\.", described["description"], flags=re.DOTALL) or described[
        "description"
    ].endswith("."), place
    if described.get("type") == "object" and "properties" in described:
        assert described["additionalProperties"] is False


@pytest.mark.parametrize(
    "path", [p for p in SCHEMAS if p.name not in WRITTEN], ids=lambda p: p.name
)
def test_a_key_is_required_or_has_a_default(path: Path) -> None:
    def check(schema: dict[str, Any]) -> None:
        for name, described in schema.get("properties", {}).items():
            assert (name in schema.get("required", [])) != ("default" in described), name
            check(described)

    schema = yaml.safe_load(path.read_text("utf-8"))
    assert schema["additionalProperties"] is False
    check(schema)


def test_the_keys_of_the_configuration_are_those_of_the_contract() -> None:
    contract = {
        "panel": {"name", "version"},
        "results": set(),
        "reference": {"build", "fasta"},
        "cohorts": set(),
        "partitions": {"size", "contigs"},
        "genotypes": {"min_gq", "min_dp", "min_dp_haploid", "min_ab", "half_calls", "filters"},
        "harmonize": {"max_ref_mismatch", "resolve", "aliases", "chains", "source_fastas"},
        "groups": {"grpmax_exclude"},
        "disclosure": {"policy"},
        "publish": {"formats"},
        "signatures": set(),
    }
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
    described = {
        name: set(section.get("properties", {})) for name, section in schema["properties"].items()
    }
    for name, keys in contract.items():
        assert keys <= described[name], name


# ---------------------------------------------------------------------------------------------
# Commands and workflow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_explains_itself_with_an_example(command: str) -> None:
    done = run("afpanel", command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Example" in done.stdout
    assert f"afpanel {command} " in done.stdout


def test_the_list_of_commands_has_a_line_about_each() -> None:
    done = run("afpanel", "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S", done.stdout, flags=re.MULTILINE), command


def test_the_version_is_printed() -> None:
    assert run("afpanel", "--version").stdout == f"afpanel {PROJECT['version']}\n"


@pytest.mark.parametrize(
    "arguments", [("no-such-command",), ("ingest", "--no-such-option"), ("ingest",)]
)
def test_wrong_usage_ends_with_2_and_says_why(arguments: tuple[str, ...]) -> None:
    done = run("afpanel", *arguments)
    assert done.returncode == 2
    assert "Usage" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_workflow_names_every_rule_that_a_user_asks_for() -> None:
    done = run("snakemake", "--list-rules", "--snakefile", str(ROOT / "Snakefile"))
    assert done.returncode == 0, done.stderr
