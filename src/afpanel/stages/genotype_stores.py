"""The genotype stores of a cohort: which contig each is of, and what they have in all."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from afpanel.core.contigs import ContigNames
from afpanel.errors import BadInputError
from afpanel.io.store import Store

GENOTYPES = "genotypes"
GENOTYPES_VERSION = 2

PUBLISHED = "published_allele_number"
"""An array that stores of published counts have, and those of genotypes do not."""


def has_published(store: Store) -> bool:
    """Whether a store has published counts in the place of calls."""
    return PUBLISHED in store


def partition_of(store: Path) -> str:
    """Name of the partition that a genotype store holds.

    >>> partition_of(Path("genotypes/chr1.00003.vcz.zip"))
    'chr1.00003'
    """
    return store.name.removesuffix(".zip").removesuffix(".vcz")


def people_as_in(first: Path, store: Store) -> NDArray[np.int64] | None:
    """Find where the people of one store are in another of the same cohort; None if in the same places.

    Raises
    ------
    BadInputError
        If the two are not of the same people.
    """
    with Store(first, GENOTYPES, GENOTYPES_VERSION) as other:
        wanted = other.texts("sample_id")
    found = store.texts("sample_id")
    if wanted == found:
        return None
    if sorted(wanted) != sorted(found):
        raise BadInputError(
            "stores of one cohort have different samples, and records of one variant",
            where=store.path,
            expected=f"those of {first}",
            remedy="ingest all files of the cohort with one sample sheet",
        )
    place = {name: at for at, name in enumerate(found)}
    return np.array([place[name] for name in wanted])


@dataclass(frozen=True)
class Stores:
    """The stores of a cohort.

    Parameters
    ----------
    ordered
        Those that have records: by contig, in the reference's order, and by position.
    empty
        Those that have none, or none on a contig that is wanted.
    n_records
        Records of each contig.
    ignored
        Records of contigs that were left out, by the cohort's names.
    fields
        FORMAT fields that the stores have, and in how many of them.
    polyploid_calls
        Calls of more than two alleles that ingest took as missing.
    filtered_calls
        Calls that it took as missing because of their record's FILTER; None where the stores are not of
        gVCFs, whose records have FILTERs of one person each.
    published
        Whether they have published counts in the place of calls.
    """

    ordered: dict[str, list[Path]]
    empty: list[Path]
    n_records: Counter[str]
    ignored: dict[str, int]
    fields: Counter[str]
    polyploid_calls: int
    filtered_calls: int | None
    published: bool

    def described(self) -> dict[str, Any]:
        """Say what the summary says of genotypes: it must not depend on how stores were cut."""
        n = len(self.empty) + sum(map(len, self.ordered.values()))
        described: dict[str, Any] = {
            "fields": {
                name: "all" if k == n else "some" for name, k in sorted(self.fields.items())
            },
            "polyploid_calls": self.polyploid_calls,
        }
        if self.filtered_calls is not None:
            described["filtered_calls"] = self.filtered_calls
        return described


def look_at(stores: Sequence[Path], names: ContigNames, ignored: Collection[str] = ()) -> Stores:
    """Sort stores by contig and position, and see what they hold.

    Parameters
    ----------
    stores
        Genotype stores.
    names
        Names of contigs of the reference that the cohort is on.
    ignored
        Contigs of the cohort that are left out where the reference does not have them.

    Raises
    ------
    BadInputError
        If a store is of a contig that the reference does not have.
    """
    n_records: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    polyploid_calls = 0
    filtered_calls: list[int] = []
    published: list[bool] = []
    placed: list[tuple[str, int, Path]] = []
    empty: list[Path] = []
    for path in stores:
        with Store(path, GENOTYPES, GENOTYPES_VERSION) as store:
            fields.update(store.attributes["fields"])
            polyploid_calls += store.attributes["polyploid_calls"]
            if "filtered_calls" in store.attributes:
                filtered_calls.append(store.attributes["filtered_calls"])
            published.append(has_published(store))
            n = store.rows("variant_position")
            # Where gVCFs have no variant they still say what was called.
            n_spans = store.rows("span_start") if "span_start" in store else 0
            if not n and not n_spans:
                empty.append(path)
                continue
            present = np.unique(store.read("variant_contig")) if n else np.zeros(1, np.int16)
            if len(present) > 1:
                raise BadInputError(
                    "the store has records of several contigs",
                    where=path,
                    expected="one contig in a store",
                    remedy="ingest each contig to a store of its own with --region",
                )
            source_contig = str(store.read("contig_id")[present[0]])
            at = ("variant_position", 0) if n else ("span_start", 1)
            first = int(store.read(at[0], 0, 1)[0]) + at[1]
        contig = names.resolve(source_contig)
        if contig is None and source_contig in ignored:
            left_out[source_contig] += n
            empty.append(path)
            continue
        if contig is None:
            raise BadInputError(
                f"the reference has no contig for '{source_contig}'",
                where=path,
                expected=f"one of {', '.join(names.panel[:30])}, or an alias of one",
                remedy="add it to the table of aliases, or to the contigs to ignore",
            )
        placed.append((contig, first, path))
        n_records[contig] += n
    ordered: dict[str, list[Path]] = {contig: [] for contig in names.panel}
    for contig, _, path in sorted(placed):
        ordered[contig].append(path)
    used = {contig: paths for contig, paths in ordered.items() if paths}
    if any(published) and not all(published):
        raise BadInputError(
            "some stores have genotypes, and others published counts",
            where=stores[published.index(True)],
            remedy="give the stores of one cohort",
        )
    in_order = dict(sorted(left_out.items()))
    return Stores(
        used,
        sorted(empty),
        n_records,
        in_order,
        fields,
        polyploid_calls,
        sum(filtered_calls) if filtered_calls else None,
        all(published),
    )
