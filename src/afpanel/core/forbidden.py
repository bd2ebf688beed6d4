"""Names that must not leave, and how each is looked for, which depends on how easily it could be there by chance.

=============================  ==================================================================
name                           is found
=============================  ==================================================================
letters and digits, 6 or more  anywhere, also inside of a longer word; in binary data from 7 on.
                               As a word, if a label has it inside
4 or more                      as a word, set apart by what is neither letter nor digit
2 or 3                         as a whole value: a cell of a table, a string, a part of a path
only digits, 5 or more         as a word, where a text has no numbers of its own
only A, C, G, T and N          as the others of their length, where a text has no bases of its own
only digits, 4 or fewer; 1     not at all: every text has them
a label, or a word of formats  not at all: what a release is to say cannot be told from it
=============================  ==================================================================

Labels are the names that the configuration gives to countries, populations, cohorts, contigs and the panel. Words
of formats are those in the names and descriptions of figures and arrays. How many names were passed
over for these reasons is told, by `Searcher.passed_over`.

Case never matters. Of names that are not plain ASCII the forms in lower, upper and folded case are looked for,
composed and decomposed.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from afpanel.core.leak_kernel import BASES, INSIDE, NUMBER, SUFFIX, TOKEN, VALUE

PIECES = re.compile(r"[^\W_]+")
"""Parts of words: letters and digits."""

_NUMBER = re.compile(r"[0-9][0-9.e+-]*")
_BASES = re.compile(r"[acgtn]+")
_CONTIG = re.compile(r"(chr)?([0-9]{1,2}|x|y|m|mt)")
GENERIC_NAMES = frozenset(
    [
        "admin",
        "administrator",
        "build",
        "builder",
        "conda",
        "container",
        "data",
        "docker",
        "guest",
        "host",
        "localhost",
        "login",
        "me",
        "node",
        "nobody",
        "public",
        "root",
        "runner",
        "server",
        "somebody",
        "test",
        "ubuntu",
        "user",
        "users",
        "vagrant",
        "worker",
        "www",
    ]
)
"""Names of users and hosts that say nothing of anybody, and are words that a text may have."""


@dataclass(frozen=True)
class Secret:
    """A name that must not leave.

    Parameters
    ----------
    text
        The name.
    what
        What to say has been found, without the name.
    is_path
        Whether it is the path of a file, which is found anywhere.
    """

    text: str
    what: str
    is_path: bool = False


@dataclass(frozen=True)
class SecretNames:
    """Many names of one kind, such as the sample IDs of a cohort.

    Parameters
    ----------
    texts
        The names.
    what
        What to say has been found.
    """

    texts: Sequence[str]
    what: str

    def each(self) -> Iterator[Secret]:
        """Give them one by one."""
        return (Secret(text, self.what) for text in self.texts)


@dataclass(frozen=True)
class HashedNames:
    """Names that one has only hashes of.

    Parameters
    ----------
    what
        What to say has been found.
    salt
        Set before a name for hashing it.
    digests
        SHA-256 of the salt and a name in folded case (`str.casefold`), both as UTF-8; lower-case hex.
    """

    what: str
    salt: str
    digests: frozenset[str]

    def has(self, name: str) -> bool:
        """Tell whether a name is one of these."""
        return hash_name(self.salt, name) in self.digests


def hash_name(salt: str, name: str) -> str:
    """Hash a name, as `HashedNames` has it."""
    return hashlib.sha256((salt + name.casefold()).encode()).hexdigest()


def words_of(texts: Iterable[str]) -> set[str]:
    """List the words of texts in folded case, whole and by their parts.

    >>> sorted(words_of(["AC_VN of all"]))
    ['ac', 'ac_vn', 'all', 'of', 'vn']
    """
    words = set()
    for text in texts:
        for word in re.findall(r"\w+", text.casefold()):
            words.add(word)
            words.update(PIECES.findall(word))
    return words


class Labels:
    """Names and words that a release is to say, in any case.

    Parameters
    ----------
    labels
        The names; words that they consist of are labels too.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        given = {label.casefold() for label in labels}
        self._labels = given | words_of(given)
        self._all = "\n".join(sorted(self._labels))

    def has(self, name: str) -> bool:
        """Tell whether a name is one of these, consists of them as VN_KHV does, or is one of a chromosome."""
        name = name.casefold()
        parts = name.split("_")
        return (
            name in self._labels
            or _CONTIG.fullmatch(name) is not None
            or all(part in self._labels and not part.isdecimal() for part in parts)
        )

    def pieces(self, length: int) -> set[str]:
        """List all texts of some length that are part of one of these, or run from one into the next."""
        return {self._all[at : at + length] for at in range(len(self._all) - length + 1)}

    def have_inside(self, name: str) -> bool:
        """Tell whether a name is part of one of these."""
        return name.casefold() in self._all


def is_number(name: str) -> bool:
    """Tell whether a name looks like a number.

    >>> is_number("20230001"), is_number("1e-05"), is_number("HG00096")
    (True, True, False)
    """
    return _NUMBER.fullmatch(name.casefold()) is not None


LABEL = "a label of the release, or a word of its formats"
TOO_SHORT = "too short to be told from other text"


def sort_of(secret: Secret, labels: Labels) -> int | str:
    """Decide how a name is looked for, or say why it is not.

    Returns
    -------
    int or str
        How it counts, as `leak_kernel` has it; or the reason.
    """
    name = secret.text.casefold()
    has_digits = re.search(r"[0-9]", name) is not None
    if secret.is_path:
        return INSIDE if len(name) >= SUFFIX and re.search(r"[/\\]", name) else TOO_SHORT
    if labels.has(name):
        return LABEL
    if len(name) < 2 or (is_number(name) and len(name) < 5):
        return TOO_SHORT
    is_mixed = has_digits and not is_number(name) and re.search(r"[^\W\d_]", name) is not None
    if is_mixed and len(name) >= SUFFIX and not labels.have_inside(name):
        return INSIDE
    home = NUMBER if is_number(name) else BASES if _BASES.fullmatch(name) else 0
    return home | (VALUE if len(name) < 4 else TOKEN)


def plain_names(texts: Iterable[str], labels: Labels) -> tuple[list[str], list[str]]:
    """Tell names that are found anywhere, and in lower case alone, from all others.

    They are of ASCII letters and digits, as most sample IDs are, and begin with a letter: `sort_of` and
    `forms_of` of each would take long where there are a million. Labels of six characters or more are
    looked for in the names, and not the other way round.

    Returns
    -------
    plain, others
        The names, in lower case and as they are.
    """
    plain: list[str] = []
    others: list[str] = []
    for text in texts:
        is_plain = text.isascii() and text.isalnum() and text[0].isalpha() and not text.isalpha()
        (plain if is_plain and len(text) >= SUFFIX else others).append(text)
    plain = [text.lower() for text in plain]
    inside = {n: labels.pieces(n) for n in set(map(len, plain))}
    others += [text for text in plain if text in inside[len(text)]]
    return [text for text in plain if text not in inside[len(text)]], others


def forms_of(name: str) -> set[bytes]:
    """Give the bytes that a name may stand as, in lower case where they are ASCII."""
    if name.isascii():
        return {name.lower().encode()}
    cases = {name, name.casefold(), name.lower(), name.upper()}
    composed = {unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in cases}
    return {each.encode("utf-8", "surrogateescape").lower() for each in cases | composed}
