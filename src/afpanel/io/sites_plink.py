"""What plink2 counts: .acount (--freq counts) and .gcount (--geno-counts), with the .pvar beside them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from afpanel.constants import MISSING
from afpanel.core.published_counts import PublishedCounts
from afpanel.core.site_fields import CellFields
from afpanel.core.strings import Strings, joined
from afpanel.errors import BadInputError
from afpanel.io.sites_form import Reader
from afpanel.io.sites_table import SitesTable
from afpanel.io.text_table import TextTable

SITES = {"contig": "CHROM", "position": "POS", "ref": "REF", "alt": "ALT", "id": "ID"}
"""Columns of plink2's files by what they hold."""

ALLELE_COUNTS = CellFields("ALT_CTS", "OBS_CT", None, None)
"""The columns of an .acount."""

GENOTYPE_COUNTS = (
    "HOM_REF_CT", "HET_REF_ALT_CTS", "TWO_ALT_GENO_CTS", "HAP_REF_CT", "HAP_ALT_CTS"
)  # fmt: skip
"""The columns of a .gcount."""

_MOST = np.iinfo(np.int32).max
_REMEDY = (
    "write both anew from the same variants, with --make-just-pvar; or have plink2 write positions,"
    " with the modifier cols=+pos of --freq counts or --geno-counts"
)


def is_plink(header: Sequence[str]) -> bool:
    """Tell plink2's tables by their columns."""
    return {"ALT_CTS", "OBS_CT"} <= set(header) or set(GENOTYPE_COUNTS) <= set(header)


class PlinkSites(SitesTable):
    """A table that plink2 wrote, of one cell.

    Parameters
    ----------
    table
        The table.
    cell
        What the cell is called.
    pvar
        The variants, in the same order; None where the table has positions.
    """

    def __init__(self, table: TextTable, cell: str, pvar: TextTable | None) -> None:
        self._of_genotypes = set(GENOTYPE_COUNTS) <= set(table.header)
        used = ALLELE_COUNTS
        if self._of_genotypes:
            used = CellFields("HET_REF_ALT_CTS", "HOM_REF_CT", "TWO_ALT_GENO_CTS", "HAP_ALT_CTS")
        columns = {key: name for key, name in SITES.items() if name in table.header}
        missing = {"contig", "ref", "alt"} - columns.keys()
        if missing:
            names = ", ".join(sorted(SITES[key] for key in missing))
            raise BadInputError(
                f"no column {names}",
                where=table.path,
                found=", ".join(table.header),
                remedy="have plink2 write its usual columns",
            )
        super().__init__(table, columns, [used], [cell], {})
        self._pvar = pvar
        if pvar is not None:
            absent = [name for name in SITES.values() if name not in pvar.header]
            if absent or "id" not in columns:
                raise BadInputError(
                    f"no column {', '.join(absent or ['ID'])}",
                    where=pvar.path if absent else table.path,
                    expected=", ".join(SITES.values()),
                    remedy=_REMEDY,
                )
            self.further = (pvar.path,)

    @property
    def names_used(self) -> list[str]:
        """The columns that counts are read from."""
        return list(GENOTYPE_COUNTS) if self._of_genotypes else self.used[0].names

    def _parts(self) -> Iterator[dict[str, Strings]]:
        """Read on, with the positions of the .pvar where the table has none."""
        if self._pvar is None:
            for part in super()._parts():
                yield part | {"contig": _with_whole_x(part["contig"])}
            return
        variants = _Variants(self._pvar)
        for part in super()._parts():
            mine = variants.take(len(part["ref"]))
            self._check_alike(part, mine)
            yield part | {"position": mine["position"], "contig": _with_whole_x(part["contig"])}
        if variants.has_more:
            raise self._not_alike("has variants after the last of this file")

    def _check_alike(self, part: Mapping[str, Strings], variants: Mapping[str, Strings]) -> None:
        """Refuse a .pvar whose variants are not those of the table, row by row."""
        n = len(variants["ref"])
        for key in ("contig", "id", "ref", "alt"):
            same = pc.equal(part[key][:n].arrow(), variants[key].arrow())
            wrong = np.flatnonzero(~same.to_numpy(zero_copy_only=False))
            if len(wrong):
                row = int(wrong[0])
                one, other = (
                    "\t".join(str(table[k][row : row + 1].objects()[0]) for k in _KEYS)
                    for table in (part, variants)
                )
                raise self._not_alike(f"has {other!r} where this file has {one!r}")
        if n < len(part["ref"]):
            raise self._not_alike("ends before this file")

    def _not_alike(self, how: str) -> BadInputError:
        assert self._pvar is not None
        return BadInputError(
            f"the .pvar {how}",
            where=f"{self.path}, with {self._pvar.path}",
            expected="the same variants in the same order",
            remedy=_REMEDY,
        )

    def _counts(self, read: Reader, n_alts: NDArray[np.int64]) -> PublishedCounts:
        if not self._of_genotypes:
            return super()._counts(read, n_alts)
        return _of_genotypes(read, n_alts, str(self.path))


def _with_whole_x(contig: Strings) -> Strings:
    """Call the pseudoautosomal regions X, which stand before and after the rest of it."""
    encoded = contig.arrow().dictionary_encode()
    names = [_PARTS_OF_X.get(name, name) for name in encoded.dictionary.to_pylist()]
    return Strings.of_arrow(pa.array(names, pa.large_string()).take(encoded.indices))


_PARTS_OF_X = {f"{prefix}PAR{n}": f"{prefix}X" for prefix in ("", "chr") for n in (1, 2)}
"""What plink2 calls the parts of X when it was told where these are."""

_KEYS = ("contig", "id", "ref", "alt")


class _Variants:
    """The variants of a .pvar, as many at a time as are asked for."""

    def __init__(self, pvar: TextTable) -> None:
        self._parts = pvar.parts(list(SITES.values()))
        self._held: dict[str, Strings] = {key: Strings.empty(0) for key in SITES}

    def take(self, n: int) -> dict[str, Strings]:
        """Take the next n; fewer where there are no more."""
        while len(self._held["ref"]) < n:
            part = next(self._parts, None)
            if part is None:
                break
            self._held = {key: joined([held, part[SITES[key]]]) for key, held in self._held.items()}
        taken = {key: held[:n] for key, held in self._held.items()}
        self._held = {key: held[n:] for key, held in self._held.items()}
        return taken

    @property
    def has_more(self) -> bool:
        """Whether there are others."""
        return len(self.take(1)["ref"]) > 0


def find_pvar(path: Path) -> Path:
    """Find the .pvar beside a table of plink2: the table's name, with that ending.

    Raises
    ------
    BadInputError
        If there is none.
    """
    name = path.name.removesuffix(".gz")
    beside = path.with_name(name.rpartition(".")[0] + ".pvar")
    if not beside.is_file():
        raise BadInputError(
            "the file has no positions, and no .pvar is beside it",
            where=path,
            expected=beside,
            remedy="name it under sites.pvar; or have plink2 write positions, with the modifier"
            " cols=+pos of --freq counts or --geno-counts",
        )
    return beside


def _of_genotypes(read: Reader, n_alts: NDArray[np.int64], where: str) -> PublishedCounts:
    """Add up genotypes; see plink2's description of the format .gcount.

    Genotypes of two ALTs stand in the order 1/1, 1/2, 2/2, 1/3, 2/3, 3/3 and so on.
    """
    one = np.ones(len(n_alts), np.int64)
    names = dict(zip(("hom_ref", "het", "two", "hap_ref", "hap"), GENOTYPE_COUNTS, strict=True))
    n_pairs = n_alts * (n_alts + 1) // 2
    sizes = {"hom_ref": one, "het": n_alts, "two": n_pairs, "hap_ref": one, "hap": n_alts}
    read_all = {key: read(name, sizes[key]) for key, name in names.items()}
    missing = [names[key] for key, values in read_all.items() if (values < 0).any()]
    if missing:
        raise BadInputError(
            f"{missing[0]} is missing in some lines",
            where=where,
            expected="a number of each genotype",
        )
    record, of_pair = (np.repeat(np.arange(len(n_alts)), n) for n in (n_alts, n_pairs))
    pair = np.arange(len(of_pair)) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    second = ((np.sqrt(8 * pair + 1) - 1) / 2).astype(np.int64)
    first = pair - second * (second + 1) // 2
    offset = (np.cumsum(n_alts) - n_alts)[of_pair]
    count = read_all["het"] + read_all["hap"]
    np.add.at(count, offset + first, read_all["two"])
    np.add.at(count, offset + second, read_all["two"])
    homozygotes = np.zeros(len(record), np.int64)
    same = first == second
    homozygotes[(offset + first)[same]] = read_all["two"][same]
    diploid, haploid = read_all["hom_ref"].copy(), read_all["hap_ref"].copy()
    np.add.at(diploid, record, read_all["het"])
    np.add.at(diploid, of_pair, read_all["two"])
    np.add.at(haploid, record, read_all["hap"])
    number = 2 * diploid + haploid
    if number.max(initial=0) > _MOST:
        raise BadInputError("more called alleles than can be counted", where=where)

    def column(values: NDArray[np.int64]) -> NDArray[np.int32]:
        return values.astype(np.int32)[:, None]

    return PublishedCounts(
        n_alts,
        allele_count=column(count),
        homozygotes=column(homozygotes),
        hemizygotes=column(read_all["hap"]),
        allele_number=column(number),
        haploid_number=column(haploid),
        raw_allele_count=np.full(len(record), MISSING, np.int32),
        raw_allele_number=np.full(len(one), MISSING, np.int32),
    )
