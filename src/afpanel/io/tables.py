"""The small tables and files that users write: cohorts, samples, aliases, BED, policy, configuration."""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from afpanel.constants import BUILD_ALIASES, Sex
from afpanel.core.contigs import ContigNames
from afpanel.core.intervals import Intervals
from afpanel.core.masking import Policy
from afpanel.errors import AfpanelError, BadInputError, FaultsError
from afpanel.io.sample_sheet import plain_samples
from afpanel.io.schemas import days_as_text, faults_of, load_schema, with_defaults, with_words
from afpanel.io.sniff import Compression, compression_of
from afpanel.model.cohort import Cohort, Sample, Samples
from afpanel.model.groups import RESERVED_NAMES
from afpanel.model.region import Partition, Region


@dataclass(frozen=True)
class Table:
    """A table as columns, so that long ones stay cheap.

    Parameters
    ----------
    path, lines
        The file, and the number of the line that each row stands in.
    columns
        Every column that the schema knows; its default, or '', where the file has none.
    """

    path: Path
    lines: list[int]
    columns: dict[str, list[str]]

    def rows(self) -> Iterator[dict[str, str]]:
        """Go through the rows."""
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))


def raise_any(faults: Sequence[AfpanelError]) -> None:
    """Raise the faults, if there are any: one as itself, several together."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise FaultsError(faults)


def canonical_build(name: str) -> str:
    """Give a genome build its one name here; one that is not known keeps its own.

    >>> canonical_build("hg38")
    'GRCh38'
    """
    return BUILD_ALIASES.get(name.lower(), name)


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key, n in Counter(map(str, keys)).items():
            if n > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands {n} times", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> Any:
    """Read a YAML file."""
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_StrictLoader)  # noqa: S506 - it is safe
    except FileNotFoundError:
        raise BadInputError("file does not exist", where=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(f"not YAML: {error}", where=path) from error


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration (YAML or JSON), check it, and fill in the defaults."""
    return _read_document(path, "config")


def read_policy(path: Path) -> Policy:
    """Read a policy file."""
    document = _read_document(path, "policy")
    return Policy(
        document["min_group_size"], document["min_allele_count"], document["description"].strip()
    )


def _read_document(path: Path, schema: str) -> dict[str, Any]:
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise BadInputError("holds no keys", where=path, expected="a mapping of keys to values")
    document = with_words(days_as_text(document), schema)
    raise_any(faults_of(document, schema, str(path)))
    return with_defaults(document, schema)


def read_cohorts(path: Path) -> list[Cohort]:
    """Read the cohorts table; all its faults are raised together."""
    return [
        Cohort(
            name=row["cohort"],
            country=row["country"],
            kind=row["kind"],
            path=row["path"],
            build=canonical_build(row["build"]),
            samples=Path(row["samples"]) if row["samples"] else None,
            callable_file=Path(row["callable"]) if row["callable"] else None,
            metadata=Path(row["metadata"]) if row["metadata"] else None,
        )
        for row in read_table(path, "cohorts", _cohort_faults).rows()
    ]


def _cohort_faults(table: Table) -> Iterator[BadInputError]:
    yield from _listed_twice(table, "cohort", "give every cohort a name of its own")
    for line, country in zip(table.lines, table.columns["country"], strict=True):
        if country in RESERVED_NAMES:
            yield BadInputError(
                f"country '{country}' would read as a sex in the names of figures",
                where=f"{table.path}, line {line}",
            )
    for line, row in zip(table.lines, table.rows(), strict=True):
        where = f"{table.path}, line {line}"
        if row["kind"] != "contribution" and not row["samples"]:
            yield BadInputError(
                "the column samples is empty",
                where=where,
                expected=f"the sample sheet of cohort {row['cohort']}",
                remedy="name it: only the samples it lists are read",
            )
        if row["kind"] == "contribution":
            given = [name for name in ("samples", "callable", "metadata") if row[name]]
            if given:
                yield BadInputError(
                    f"a contribution brings its own {given[0]}",
                    where=where,
                    remedy=f"leave the column {given[0]} empty",
                )


def read_samples(path: Path) -> Samples:
    """Read a sample sheet; all its faults are raised together."""
    plain = plain_samples(path)
    if plain is not None and RESERVED_NAMES.isdisjoint(map(str.upper, plain.labels)):
        return plain
    columns = read_table(path, "samples", _sample_faults).columns
    keys = ("sample", "population", "sex", "include")
    rows = zip(*(columns[key] for key in keys), strict=True)
    samples = Samples.of([Sample(row[0], row[1], Sex(row[2]), row[3] != "no") for row in rows])
    if not samples.include.any():
        raise BadInputError("no sample is included", where=path)
    return samples


def read_excluded(path: Path, samples: Samples) -> Samples:
    """Read a list of samples, one to a line, and give all samples with these not included."""
    try:
        listed = {line for line in path.read_text("utf-8").splitlines() if line}
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    unknown = listed.difference(samples.ids)
    if unknown:
        raise BadInputError(
            f"{len(unknown)} of the {len(listed)} samples to exclude are not in the sample sheet",
            where=path,
            remedy="make the list again with this sheet",
        )
    left = samples.without(listed)
    if not left.include.any():
        raise BadInputError("no sample is left to count", where=path)
    return left


def _sample_faults(table: Table) -> Iterator[BadInputError]:
    yield from _listed_twice(table, "sample", "list every sample once")
    for name in sorted(set(table.columns["population"])):
        if name.upper() in RESERVED_NAMES:
            yield BadInputError(
                f"population '{name}' would be taken for something else in the names of figures",
                where=table.path,
                expected=f"none of {', '.join(sorted(RESERVED_NAMES))}",
                remedy="rename the population",
            )


def _listed_twice(table: Table, column: str, remedy: str) -> Iterator[BadInputError]:
    for name, n in Counter(table.columns[column]).items():
        if n > 1 and name:
            said = f"{column} '{name}' is listed {n} times"
            yield BadInputError(said, where=table.path, remedy=remedy)


def read_table(
    path: Path, schema: str, further: Callable[[Table], Iterator[BadInputError]]
) -> Table:
    """Read a tab-separated table with a header; `further` looks for faults across its rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            lines = list(csv.reader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise BadInputError("not a text table in UTF-8", where=path) from error
    if not lines:
        raise BadInputError("the table is empty", where=path)
    header = [name.strip().removeprefix("#") for name in lines[0]]
    faults = []
    if set(load_schema(schema)["required"]) - set(header) or set(header) - set(
        load_schema(schema)["properties"]
    ):
        faults = [
            fault
            for fault in faults_of(dict.fromkeys(header, ""), schema, f"{path}, line 1")
            if "unknown key" in fault.what or "is missing" in fault.what
        ]
    faults.extend(
        BadInputError(f"column '{name}' stands {n} times", where=f"{path}, line 1")
        for name, n in Counter(header).items()
        if n > 1
    )
    raise_any(faults)
    numbered = [(n, fields) for n, fields in enumerate(lines[1:], 2) if "".join(fields).strip()]
    faults.extend(
        BadInputError(
            "more columns than the header names",
            where=f"{path}, line {number}",
            expected=len(header),
            found=len(fields),
        )
        for number, fields in numbered
        if len(fields) > len(header)
    )
    fitting = [(number, fields) for number, fields in numbered if len(fields) <= len(header)]
    by_column = list(zip_longest(*(fields for _, fields in fitting), fillvalue=""))
    columns = {}
    for name, described in load_schema(schema)["properties"].items():
        given: Iterable[str] = [""] * len(fitting)
        if name in header and header.index(name) < len(by_column):
            given = map(str.strip, by_column[header.index(name)])
        default = described.get("default", "")
        columns[name] = [value or default for value in given]
    table = Table(path, [number for number, _ in fitting], columns)
    faults.extend(_value_faults(table, schema))
    faults.extend(further(table))
    raise_any(faults)
    if not table.lines:
        raise BadInputError("the table has no rows", where=path)
    return table


def _is_allowed(value: str, described: dict[str, Any]) -> bool:
    """Tell quickly whether a value is good; if not, the schema's validator says why."""
    pattern = described.get("pattern")
    return (pattern is None or re.search(pattern, value) is not None) and (
        "enum" not in described or value in described["enum"]
    )


def _value_faults(table: Table, schema: str) -> list[BadInputError]:
    """Check each distinct value of each column once, so that long tables stay cheap."""
    faults: list[BadInputError] = []
    for name, described in load_schema(schema)["properties"].items():
        backwards = zip(reversed(table.columns[name]), reversed(table.lines), strict=True)
        first_line = dict(backwards)
        if not described.keys() & {"pattern", "enum"}:
            first_line = {value: n for value, n in first_line.items() if value == ""}
        required = name in load_schema(schema)["required"]
        for value, number in sorted(first_line.items(), key=lambda item: item[1]):
            if _is_allowed(value, described) if value else not required:
                continue
            row = {} if value == "" else {name: value}
            place = f"{table.path}, line {number}"
            faults.extend(
                fault
                for fault in faults_of(row, schema, place)
                if (fault.where or "").endswith(f", {name}") or f"'{name}' is missing" in fault.what
            )
    return faults


def read_aliases(path: Path | None) -> dict[str, str]:
    """Read a table of contig names: columns ``alias`` and ``contig``, tab-separated; None has none."""
    aliases: dict[str, str] = {}
    if path is None:
        return aliases
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=path) from error
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if not line.strip() or line.startswith("#") or fields == ["alias", "contig"]:
            continue
        if len(fields) != 2:
            raise BadInputError(
                "not an alias", where=f"{path}, line {number}", expected="alias<tab>contig"
            )
        aliases[fields[0]] = fields[1]
    return aliases


def read_bed(path: Path, names: ContigNames, contig: str) -> Intervals:
    """Read the intervals of one contig; see `read_beds`."""
    nothing = np.empty(0, np.int64)
    return read_beds(path, names, [contig]).get(contig, Intervals(nothing, nothing))


def read_beds(path: Path, names: ContigNames, contigs: Sequence[str]) -> dict[str, Intervals]:
    """Read the intervals of some contigs of a reference from a BED file, plain or compressed.

    Lines of other contigs, and of contigs that the reference does not have, are passed over.

    Raises
    ------
    BadInputError
        At a line that is not BED.
    """
    found: dict[str, tuple[list[int], list[int]]] = {contig: ([], []) for contig in contigs}
    of_name: dict[str, tuple[list[int], list[int]] | None] = {}
    for name, start, end in _bed_lines(path):
        if name not in of_name:
            of_name[name] = found.get(names.resolve(name) or "")
        columns = of_name[name]
        if columns is not None:
            columns[0].append(start)
            columns[1].append(end)
    return {
        contig: Intervals.of(np.array(starts, np.int64), np.array(ends, np.int64))
        for contig, (starts, ends) in found.items()
        if starts
    }


def check_bed(path: Path, names: ContigNames, panel: Sequence[str]) -> None:
    """Read a BED file through, and refuse one that says nothing of any contig of the panel."""
    found = {name for name, start, end in _bed_lines(path) if start < end}
    if not any(names.resolve(name) for name in found):
        raise BadInputError(
            "no region of a contig that the reference has",
            where=path,
            expected=f"contigs such as {', '.join(panel[:5])}",
            found=", ".join(sorted(found)[:5]) or "no region",
            remedy="correct the names, or add them to the table harmonize.aliases",
        )


def _bed_lines(path: Path) -> Iterator[tuple[str, int, int]]:
    try:
        compressed = compression_of(path) is not Compression.NONE
        with gzip.open(path, "rt") if compressed else path.open("rt") as source:
            for number, line in enumerate(source, 1):
                if line.startswith(("#", "track", "browser")) or not line.strip():
                    continue
                fields = line.rstrip("\r\n").split("\t")
                ok = len(fields) >= 3 and fields[1].isdigit() and fields[2].isdigit()
                if not ok or int(fields[2]) < int(fields[1]):
                    raise BadInputError(
                        "not a line of BED",
                        where=f"{path}, line {number}",
                        expected="contig<tab>start<tab>end, 0-based and half-open",
                        found=repr(line.strip()[:60]),
                    )
                yield fields[0], int(fields[1]), int(fields[2])
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInputError(f"cannot be read: {error}", where=path) from error


def read_partitions(path: Path, source: Path) -> list[Partition]:
    """Read the partitions of one source file, by that file's contig names, from a plan's table."""
    partitions = []
    with path.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            if row["path"] == str(source):
                region = Region(row["source_contig"], int(row["start"]), int(row["end"]))
                partitions.append(Partition(row["id"], region))
    if not partitions:
        raise BadInputError(f"lists no partition of {source}", where=path)
    return partitions
