"""Which fields of a sites file hold the counts of each cell: as they are named, or by their usual names."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from afpanel.constants import Sex
from afpanel.errors import BadInputError
from afpanel.model.cohort import Cell, GivenCell

COUNT_FIELDS = ("AC", "AN", "nhomalt", "nhemialt")
"""What a cell's fields hold, in this order."""

NOT_GIVEN = "."
"""What stands for a field that is not to be looked for."""

_SEX_NAMES = {Sex.XX: ("XX", "female"), Sex.XY: ("XY", "male")}
_SHOWN = 60


@dataclass(frozen=True)
class CellFields:
    """The fields of one cell; None where a file does not have one.

    Parameters
    ----------
    allele_count, allele_number
        AC and AN.
    homozygotes, hemizygotes
        People homozygous for the ALT, and haploid calls of it.
    """

    allele_count: str
    allele_number: str
    homozygotes: str | None
    hemizygotes: str | None

    @property
    def names(self) -> list[str]:
        """The fields that there are."""
        every = (self.allele_count, self.allele_number, self.homozygotes, self.hemizygotes)
        return [name for name in every if name is not None]


def fields_of_cells(
    given: Sequence[GivenCell], available: Collection[str], where: str
) -> list[CellFields]:
    """Find the fields of every cell.

    What the table of cells names is taken; the rest is looked for by the names that gnomAD uses, AC_afr_XX
    and so on, whatever the case of the population's label.

    Parameters
    ----------
    given
        The cells.
    available
        Fields that the file has.
    where
        The file, for messages.

    Raises
    ------
    BadInputError
        If a cell has no AC or no AN, or a field that is named is not there, or one field is that of two
        cells.
    """
    found = [_fields_of(each, given, available, where) for each in given]
    owner: dict[str, Cell] = {}
    for each, fields in zip(given, found, strict=True):
        for name in fields.names:
            other = owner.setdefault(name, each.cell)
            if other is not each.cell:
                raise BadInputError(
                    f"'{name}' would be counted twice: for {called(other)} and {called(each.cell)}",
                    where=where,
                    remedy="name the fields of each cell in the table of cells",
                )
    return found


def called(cell: Cell) -> str:
    """Say which cell it is, for messages.

    >>> called(Cell("KHV", Sex.XX, 50))
    'KHV XX'
    """
    return f"{cell.population} {cell.sex}"


def _fields_of(
    each: GivenCell, given: Sequence[GivenCell], available: Collection[str], where: str
) -> CellFields:
    for name in each.fields.values():
        if name != NOT_GIVEN and name not in available:
            raise _not_there(each.cell, f"'{name}'", available, where)
    usual = _usual_names(each.cell, [other.cell for other in given], available)
    names = {**usual, **each.fields}
    missing = [key for key in COUNT_FIELDS[:2] if names.get(key, NOT_GIVEN) == NOT_GIVEN]
    if missing:
        raise _not_there(each.cell, " and ".join(missing), available, where)
    chosen = {key: name for key, name in names.items() if name != NOT_GIVEN}
    return CellFields(*chosen_in_order(chosen))


def chosen_in_order(chosen: Mapping[str, str]) -> tuple[str, str, str | None, str | None]:
    """Lay out names by `COUNT_FIELDS`."""
    return chosen["AC"], chosen["AN"], chosen.get("nhomalt"), chosen.get("nhemialt")


def _usual_names(cell: Cell, cells: Sequence[Cell], available: Collection[str]) -> dict[str, str]:
    """Find the first suffix by which the file has AC and AN of a cell, and what else it has by it."""
    folded: dict[str, str] = {}
    for name in available:
        folded.setdefault(name.casefold(), name)
    for suffix in _suffixes(cell, cells):
        found = {
            key: folded[f"{key}{suffix}".casefold()]
            for key in COUNT_FIELDS
            if f"{key}{suffix}".casefold() in folded
        }
        if {"AC", "AN"} <= found.keys():
            return found
    return {}


def _suffixes(cell: Cell, cells: Sequence[Cell]) -> Iterator[str]:
    """List what may follow AC in the name of a cell's field."""
    one_population = len({other.population for other in cells}) == 1
    alone = sum(other.population == cell.population for other in cells) == 1
    for name in _SEX_NAMES.get(cell.sex, ()):
        yield f"_{cell.population}_{name}"
        if one_population:
            yield f"_{name}"
    # Fields of both sexes are those of a cell if its population has no other.
    if alone:
        yield f"_{cell.population}"
        if one_population:
            yield ""


def _not_there(cell: Cell, what: str, available: Collection[str], where: str) -> BadInputError:
    names = sorted(available)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return BadInputError(
        f"no {what} of {called(cell)}",
        where=where,
        expected=f"fields such as AC_{cell.population}_{cell.sex} and AN_{cell.population}_{cell.sex},"
        " or those that the columns AC and AN of the table of cells name",
        found=", ".join(names[:_SHOWN]) + more or "no field at all",
        remedy="name the fields of each cell in the table of cells",
    )
