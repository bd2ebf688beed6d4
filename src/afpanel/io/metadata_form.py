"""The form of a cohort's metadata, made from the schema, so that the two cannot differ."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from afpanel.io.schemas import load_schema

_WIDTH = 96
_HEADING = """\
What this cohort is, who may use it and how it was made; docs/metadata.md explains every key.
No personal data: name roles and institutions, never people. Leave empty what you cannot say.
Check it: afpanel metadata check FILE. Read it as a page: afpanel metadata show FILE."""
_OF_EXAMPLE = """\
A filled example. The cohort is SYNTHETIC: neither the people nor the institution and its approvals exist."""


def metadata_form(*, filled: bool = False) -> str:
    """Write the form to fill in: every key of the schema, each below what it means.

    Parameters
    ----------
    filled
        Whether the schema's examples are written as values: the example of a synthetic cohort.

    Returns
    -------
    str
        YAML. Required keys are marked so; the same bytes whenever the schema is the same.
    """
    heading = _HEADING if not filled else f"{_OF_EXAMPLE}\n{_HEADING}"
    lines = [f"# {line}" for line in heading.splitlines()]
    return "\n".join([*lines, *_section(load_schema("metadata"), None, 0, filled=filled)]) + "\n"


def _section(
    schema: dict[str, Any], example: dict[str, Any] | None, depth: int, *, filled: bool
) -> Iterator[str]:
    """Write the keys of a section; `example` has their values where the keys are of an entry."""
    indent = "  " * depth
    for key, described in schema["properties"].items():
        if depth == 0:
            yield ""
        yield from _comment(key, described, schema, indent, filled=filled)
        if described.get("type") == "object":
            yield f"{indent}{key}:"
            yield from _section(described, None, depth + 1, filled=filled)
        elif "properties" in described.get("items", {}):
            yield f"{indent}{key}:"
            for n, entry in enumerate(described["examples"][0] if filled else [{}]):
                yield from _entry(described["items"], entry, depth + 1, filled=filled, first=n == 0)
        elif filled:
            value = described["examples"][0] if example is None else example.get(key, "")
            yield f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
        else:
            only = described.get("enum", [])
            yield f"{indent}{key}: {only[0]}" if len(only) == 1 else f"{indent}{key}:"


def _entry(
    schema: dict[str, Any], example: dict[str, Any], depth: int, *, filled: bool, first: bool
) -> Iterator[str]:
    """Write an entry of a list; what keys mean is said at the first, and keys without value left out."""
    indent = "  " * depth
    lines = list(_section(schema, example, depth + 1, filled=filled))
    if not first:
        lines = [line for line in lines if not line.lstrip().startswith("#")]
    above: list[str] = []
    dash = "- "
    for line in lines:
        if line.lstrip().startswith("#"):
            above.append(line)
        elif filled and line.endswith(': ""'):
            above = []
        else:
            yield from above
            yield f"{indent}{dash}{line.strip()}"
            above, dash = [], "  "


def _comment(
    key: str, described: dict[str, Any], schema: dict[str, Any], indent: str, *, filled: bool
) -> Iterator[str]:
    """Say above a key whether it is required, what it means and what it may hold."""
    said = [described["description"]]
    allowed = described.get("enum") or described.get("items", {}).get("enum") or []
    is_list = "items" in described
    if len(allowed) > 1:
        said.append(f"{'Any' if is_list else 'One'} of: {', '.join(map(str, allowed))}.")
    is_section = described.get("type") == "object" or "properties" in described.get("items", {})
    if is_section and is_list:
        said.append("Repeat what follows the dash for each.")
    if not is_section and not filled and len(allowed) != 1:
        example = json.dumps(described["examples"][0], ensure_ascii=False)
        said.append(f"For example: {example}")
    if not is_section:
        said.insert(0, "Required." if key in schema["required"] else "Optional.")
    for line in textwrap.wrap(
        " ".join(said), _WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False
    ):
        yield f"{indent}# {line}"
