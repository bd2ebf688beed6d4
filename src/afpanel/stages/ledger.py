"""Look at a ledger: what it has recorded, and whether it is whole."""

import logging
from pathlib import Path

from afpanel.errors import VerificationError
from afpanel.io.ledger import Ledger

logger = logging.getLogger(__name__)


def describe(folder: Path) -> str:
    """Lay out the entries of a ledger, a line each: tab-separated, with a line of names."""
    lines = ["entry\trelease\tbuild\tpeople\tgroups\tcontigs\tmin_allele_count\tsha256"]
    for entry in Ledger(folder).entries:
        content = entry.content
        people = content["groups"][0]["people"]
        figures = (len(content["groups"]), len(content["contigs"]))
        k = content["limits"]["min_allele_count"]
        values = (entry.number, entry.name, entry.build, people, *figures, k, entry.digest)
        lines.append("\t".join(map(str, values)))
    return "\n".join(lines) + "\n"


def check(folder: Path, head: str | None = None) -> str:
    """Check every file of a ledger; says what was checked.

    Parameters
    ----------
    folder
        The ledger.
    head
        Digest of an entry that must be in the chain, or None.

    Raises
    ------
    VerificationError
        If something was changed, or is gone.
    """
    ledger = Ledger(folder)
    digests = [entry.digest for entry in ledger.entries]
    if head is not None and head not in digests:
        raise VerificationError(
            "the chain does not have this entry: it is not the ledger that it was",
            where=folder,
            expected=head,
            found=digests[-1] if digests else "no entry",
            remedy="restore the ledger from a copy",
        )
    files = ledger.check()
    return f"{len(digests):,} entries and {files:,} files are as they were recorded"
