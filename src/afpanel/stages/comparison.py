"""What a comparison of two releases consists of."""

from dataclasses import dataclass, field

from afpanel.core.release_changes import CellTally
from afpanel.io.release_reader import Panel


@dataclass(frozen=True)
class DiffOptions:
    """How two releases are compared.

    Parameters
    ----------
    top
        How many of the largest changes of AF to list.
    small
        Changes of AC by fewer copies, and of a group by fewer people, are pointed out.
    window_rows
        Variants of both releases to hold at a time.
    """

    top: int = 20
    small: int = 10
    window_rows: int = 65_536


@dataclass(frozen=True)
class LargeChange:
    """A cell whose AF changed; of each pair the old release's figure comes first.

    `change` is AF of the new release less that of the old one.
    """

    contig: str
    position: int
    ref: str
    alt: str
    group: str
    allele_count: tuple[int, int]
    allele_number: tuple[int, int]
    change: float


@dataclass
class ContigTally:
    """Variants of a contig that both releases have, the old one alone, the new one alone.

    `in_old` and `in_new` tell which release has the contig at all.
    """

    in_old: bool
    in_new: bool
    both: int = 0
    only_old: int = 0
    only_new: int = 0


@dataclass
class Comparison:
    """All that was found.

    Parameters
    ----------
    old, new
        The releases, open.
    groups
        Groups that both have, in the order of the new one.
    cells
        Tally of their cells.
    contigs
        Tally of the variants of each contig, the new release's in its order and then the others.
    to_ac0, from_ac0
        Variants of both whose FILTER went from PASS to AC0, and from AC0 to PASS.
    new_ac0
        Variants of the new release alone whose FILTER is AC0.
    largest
        The largest changes of AF, the largest first.
    manifest
        Key, old and new value of what differs in the manifests; None where one is not there.
    """

    old: Panel
    new: Panel
    groups: list[str]
    cells: CellTally
    contigs: dict[str, ContigTally] = field(default_factory=dict)
    to_ac0: int = 0
    from_ac0: int = 0
    new_ac0: int = 0
    largest: list[LargeChange] = field(default_factory=list)
    manifest: list[tuple[str, str, str]] | None = None

    @property
    def total(self) -> ContigTally:
        """The tallies of all contigs together."""
        tallies = self.contigs.values()
        return ContigTally(
            True,
            True,
            sum(tally.both for tally in tallies),
            sum(tally.only_old for tally in tallies),
            sum(tally.only_new for tally in tallies),
        )

    def all_groups(self) -> list[tuple[str, int | None, int | None]]:
        """List every group, the new release's first, with its people in the old one and the new one."""
        names = dict.fromkeys((*self.new.groups, *self.old.groups))
        return [(name, self.old.people.get(name), self.new.people.get(name)) for name in names]
