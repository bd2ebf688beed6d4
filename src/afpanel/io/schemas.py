"""Validation of configuration and tables against the JSON schemas of the workflow.

The schemas are the one description of every key: type, meaning and default.
"""

import difflib
import json
import math
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from afpanel.errors import BadInputError

if TYPE_CHECKING:
    import jsonschema

_INSTALLED = Path(__file__).parent.parent / "schemas"
_CHECKOUT = Path(__file__).parents[3] / "workflow" / "schemas"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Read a schema by its short name, as ``config`` or ``policy``."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    schema: dict[str, Any] = yaml.safe_load((folder / f"{name}.schema.yaml").read_text("utf-8"))
    return schema


def faults_of(
    document: Any, schema_name: str, where: str, most: int | None = None
) -> list[BadInputError]:
    """List everything in which a document departs from its schema.

    Parameters
    ----------
    document
        What was read.
    schema_name
        As `load_schema` takes it.
    where
        What the document is called in messages.
    most
        Faults after which no more are looked for, which bounds the time that a document takes that was
        made to have many; None is no limit.
    """
    found = islice(_validator(schema_name).iter_errors(document), most)
    errors = sorted(found, key=lambda error: list(map(str, error.path)))
    return list(islice((fault for error in errors for fault in _explain(error, where)), most))


@cache
def _validator(schema_name: str) -> Any:
    """Make what holds documents against a schema."""
    import jsonschema  # noqa: PLC0415 - slow to import, and most commands read tables alone

    # YAML knows NaN, which is within all limits and beside which every comparison is false; and 20.0 is a
    # number that no option of whole numbers takes.
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "number": lambda _, x: _is_number(x) and not math.isnan(x),
            "integer": lambda _, x: _is_number(x) and isinstance(x, int),
        }
    )
    known = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft202012Validator, {"pattern": _pattern}, type_checker=types
    )
    return known(load_schema(schema_name), format_checker=jsonschema.FormatChecker(["date"]))


def _pattern(
    _: Any, pattern: str, instance: Any, __: Any
) -> "Iterator[jsonschema.ValidationError]":
    """Hold text against a pattern as JSON Schema means it: to Python `$` is also before a last newline."""
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _explain(error: "jsonschema.ValidationError", where: str) -> Iterator[BadInputError]:
    path = ".".join(map(str, error.absolute_path))
    place = f"{where}, {path}" if path else where
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "enum" and "propertyNames" in error.schema_path:
        near = difflib.get_close_matches(str(instance), schema["enum"], n=1, cutoff=0.0)
        yield BadInputError(
            f"unknown key '{instance}'",
            where=place,
            expected=f"one of {', '.join(schema['enum'])}",
            remedy=f"did you mean '{near[0]}'?" if near else None,
        )
    elif error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in sorted(set(map(str, instance)) - set(known)):
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            yield BadInputError(
                f"unknown key '{key}'",
                where=place,
                expected=f"one of {', '.join(known)}",
                remedy=f"did you mean '{near[0]}'?" if near else None,
            )
    elif error.validator == "required":
        missing = [key for key in schema["required"] if key not in instance]
        name = next(key for key in missing if repr(key) in error.message)
        described = schema["properties"][name]
        yield BadInputError(
            f"'{name}' is missing",
            where=place,
            expected=described.get("description") or None,
            remedy=_example_of(described),
        )
    else:
        yield BadInputError(
            error.message,
            where=place,
            expected=schema.get("description"),
            found=repr(error.instance),
            remedy=_example_of(schema),
        )


def _example_of(described: dict[str, Any]) -> str | None:
    """Say what to write: the schema's example, of a list its first entry; or a section's keys."""
    if "examples" in described:
        example = described["examples"][0]
        if "properties" in described.get("items", {}):
            example = example[:1]
        return f"write, for example, {json.dumps(example, ensure_ascii=False)}"
    if "required" in described:
        return f"give under it {', '.join(described['required'])}"
    return None


def with_words(document: dict[str, Any], schema_name: str) -> dict[str, Any]:
    """Copy a document, with sections that are given as a word spelled out.

    A section's `word` in the schema is the key that a plain word stands for: ``overlap: drop`` is
    ``overlap: {action: drop}``.
    """
    described = load_schema(schema_name)["properties"]
    words = {key: each["word"] for key, each in described.items() if "word" in each}
    return {
        key: {words[key]: value} if key in words and isinstance(value, str) else value
        for key, value in document.items()
    }


def with_defaults(document: dict[str, Any], schema_name: str) -> dict[str, Any]:
    """Copy a valid document, with the schema's default for every key that it leaves out."""
    return _fill(document, load_schema(schema_name))


def _of_each(described: dict[str, Any]) -> dict[str, Any]:
    """Look up what a mapping holds under each of its keys, where these are the user's own names."""
    each = described.get("additionalProperties")
    return each if isinstance(each, dict) else {}


def _fill(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for key, described in schema.get("properties", {}).items():
        if key not in document and "default" not in described:
            continue
        value = document.get(key, described.get("default"))
        if described.get("type") == "object" and "properties" in described:
            value = _fill(value or {}, described)
        elif "properties" in described.get("items", {}):
            value = [_fill(each, described["items"]) for each in value or []]
        elif "properties" in _of_each(described):
            each_has = described["additionalProperties"]
            value = {name: _fill(each, each_has) for name, each in (value or {}).items()}
        result[key] = value
    return result


def days_as_text(value: Any) -> Any:
    """Copy what YAML holds with days as text: it reads 2026-06-01 without quotation marks as a date."""
    if isinstance(value, dict):
        return {key: days_as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [days_as_text(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
