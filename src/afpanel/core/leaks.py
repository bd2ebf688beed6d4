"""What must not be in anything that leaves, and how it is found in a text: names, paths, addresses.

It knows no file. Who reads one gives every piece of text in it to a `Searcher`, and says what the text has of its own:
numbers, or bases. How a name is looked for is in `forbidden`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from afpanel.core.forbidden import (
    PIECES,
    HashedNames,
    Labels,
    Secret,
    SecretNames,
    forms_of,
    is_number,
    plain_names,
    sort_of,
)
from afpanel.core.leak_kernel import (
    BASES,
    FEWEST_BITS,
    INSIDE,
    LONGEST_TAIL,
    MOST_BITS,
    NUMBER,
    PLACES,
    PUNCTUATION,
    SEPARATES,
    SUFFIX,
    TOKEN,
    VALUE,
    WORD,
    find_names,
    set_bits,
    set_tails,
)

LONGEST = 1024
"""Bytes of a name that are looked for; of a longer one the last ones are."""

_HITS = 4096
_IN_BINARY = 7
_BITS_A_NAME = 64
_BEFORE = 8
_KNOWN_TOKENS = 1 << 20
_PARTS = 6

_TOKENS = re.compile(r"[^\W_](?:[\w.+-]*[^\W_])?")
_PATH = re.compile(
    rb"(?<![A-Za-z0-9._~:/<\x80-\xff-])/(?:(?:home|Users|root|mnt|media|data|tmp|scratch|srv|opt|var|etc|usr)\b"
    rb"|[A-Za-z0-9._-]+/[A-Za-z0-9._-])|file:/|(?<![A-Za-z0-9])[A-Za-z]:\\[A-Za-z0-9]|\\\\[A-Za-z0-9._-]+\\"
    rb"|(?<![A-Za-z0-9])~[A-Za-z0-9._-]*/[A-Za-z0-9._-]"
)
# Possessive, and from the beginning of a word alone: a long text must not be gone through again and again.
_MAIL = re.compile(rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+")

PATH, MAIL = "an absolute path", "an e-mail address"


class Home(Enum):
    """What a text has of its own, so that a name which looks like it says nothing there."""

    PROSE = "neither numbers nor bases"
    NUMBERS = "numbers"
    VARIANTS = "numbers and bases"
    BINARY = "every byte"


_IGNORED = {
    Home.PROSE: 0,
    Home.NUMBERS: NUMBER,
    Home.VARIANTS: NUMBER | BASES,
    Home.BINARY: TOKEN | VALUE,
}


@dataclass(frozen=True)
class Found:
    """A name in a text: its first byte, the byte after its last, and what it is."""

    start: int
    end: int
    what: str


class Searcher:
    """Finds names in texts.

    Parameters
    ----------
    secrets
        Names.
    labels
        Names and words that a release is to say, in any case: no secret that is one of them is looked for.
    hashed
        Names of which only hashes are known. Words and up to six parts of a word are held against them, if they have
        four characters or more; inside of a word such a name cannot be found.
    """

    def __init__(
        self,
        secrets: Iterable[Secret | SecretNames],
        labels: Iterable[str] = (),
        hashed: Sequence[HashedNames] = (),
    ) -> None:
        self._labels = Labels(labels)
        self._hashed = tuple(hashed)
        self._tokens: dict[str, str | None] = {}
        self.passed_over: Counter[str] = Counter()
        self.names = 0
        forms: dict[bytes, tuple[int, str]] = {}
        for secret in secrets:
            if isinstance(secret, SecretNames):
                plain, others = plain_names(secret.texts, self._labels)
                self.names += len(plain)
                found = (INSIDE, secret.what)
                for name in plain:
                    forms.setdefault(name.encode()[-LONGEST:], found)
                for each in replace(secret, texts=others).each():
                    self._add(each, forms)
            else:
                self._add(secret, forms)
        self._fold, self._classes = _tables()
        order, keys = _in_order(forms)
        self._keys, starts = np.unique(keys, return_index=True)
        self._starts = np.append(starts, len(order)).astype(np.int64)
        self._names = np.frombuffer(b"".join(order), np.uint8)
        self._offsets = np.cumsum([0, *map(len, order)], dtype=np.int64)
        self._sorts = np.array([forms[form][0] for form in order], np.uint8)
        self._what = [forms[form][1] for form in order]
        self._bits = _table(len(self._keys))
        set_bits(self._keys, self._bits)
        self._tails, self._tail = self._tails_in(Home.VARIANTS)
        lasts = {
            (min(len(form), SUFFIX), form[-1], sort)
            for form, sort in zip(order, self._sorts.tolist(), strict=True)
        }
        self._lengths = {home: self._lengths_in(lasts, home) for home in Home}
        self.longest = max(map(len, order), default=1)

    def _add(self, secret: Secret, forms: dict[bytes, tuple[int, str]]) -> None:
        """Add the forms of one name, unless it is not to be looked for."""
        sort = sort_of(secret, self._labels)
        if isinstance(sort, str):
            if not secret.is_path:
                self.passed_over[sort] += 1
            return
        self.names += 1
        for form in forms_of(secret.text):
            forms.setdefault(form[-LONGEST:], (sort, secret.what))

    def _lengths_in(self, lasts: Iterable[tuple[int, int, int]], home: Home) -> int:
        """Tell which numbers of last bytes names are found by, as `find_names` takes it.

        Of names the number of last bytes, the last one, and the sort are given.
        """
        lengths = 0
        for length, last, sort in lasts:
            if not sort & _IGNORED[home]:
                lengths |= 1 << length
                lengths |= int(self._classes[last] != WORD and not sort & INSIDE)
        return lengths

    def _tails_in(self, home: Home) -> tuple[NDArray[np.uint8], int]:
        """Note the last bytes of the names that are told in a text; no bytes where one has too few."""
        told = np.flatnonzero((self._sorts & _IGNORED[home]) == 0)
        sizes = np.diff(self._offsets)[told]
        size = min(int(sizes.min(initial=LONGEST_TAIL)), LONGEST_TAIL)
        if size < SUFFIX:
            return _table(0), 0
        tails = _table(len(told))
        before = np.zeros(_BEFORE, np.uint8)
        ends = self._offsets[told + 1] + _BEFORE
        set_tails(np.concatenate([before, self._names]), ends, size, tails)
        return tails, size

    @property
    def hashed(self) -> int:
        """How many names are known by their hashes alone."""
        return sum(len(names.digests) for names in self._hashed)

    def find(self, text: bytes, home: Home, low: int = 0, high: int | None = None) -> list[Found]:
        """Find names, paths and addresses in a text.

        Parameters
        ----------
        text
            UTF-8, or binary data.
        home
            What the text has of its own.
        low, high
            Only what ends after `low` bytes and after `high` at most is told.

        Returns
        -------
        list of Found
            In their order, the first of each kind and some more; no more than a few thousand.
        """
        high = len(text) if high is None else high
        found = list(self._named(text, home, low, high))
        if home is not Home.BINARY:
            found += [each for each in _by_pattern(text) if low < each.end <= high]
            if self._hashed and home is not Home.VARIANTS:
                found += self._by_hash(text, home, low, high)
        return sorted(found, key=lambda each: (each.start, each.end))

    def _named(self, text: bytes, home: Home, low: int, high: int) -> Iterator[Found]:
        data: NDArray[np.uint8] = np.frombuffer(text, np.uint8)
        shortest = _IN_BINARY if home is Home.BINARY else 1
        tail = self._tail if home is Home.VARIANTS else 0
        # Of their own: several threads may search.
        places = np.empty((min(PLACES, SUFFIX * max(len(text), 1)), 2), np.int64)
        ends, numbers = np.empty(_HITS, np.int64), np.empty(_HITS, np.int64)
        count = find_names(
            data, low, high, self._fold, self._classes, self._bits, self._keys, self._starts,
            self._names, self._offsets, self._sorts, _IGNORED[home], self._lengths[home], shortest,
            self._tails, tail, places, ends, numbers,
        )  # fmt: skip
        for i in range(min(count, _HITS)):
            name, end = int(numbers[i]), int(ends[i])
            size = int(self._offsets[name + 1] - self._offsets[name])
            yield Found(end - size, end, self._what[name])

    def _by_hash(self, text: bytes, home: Home, low: int, high: int) -> Iterator[Found]:
        """Hash every word, and every run of its parts, and look the hashes up."""
        decoded = text.decode("utf-8", "surrogateescape")
        for token in _TOKENS.finditer(decoded):
            what = self._hashed_token(token[0], home)
            if what is not None:
                start = len(decoded[: token.start()].encode("utf-8", "surrogateescape"))
                end = start + len(token[0].encode("utf-8", "surrogateescape"))
                if low < end <= high:
                    yield Found(start, end, what)

    def _hashed_token(self, token: str, home: Home) -> str | None:
        if is_number(token) and (home is Home.NUMBERS or len(token) < 5):
            return None
        if token not in self._tokens:
            if len(self._tokens) >= _KNOWN_TOKENS:
                self._tokens.clear()
            self._tokens[token] = self._look_up(token)
        return self._tokens[token]

    def _look_up(self, token: str) -> str | None:
        pieces = list(PIECES.finditer(token))[: 4 * _PARTS]
        spans = {
            token[first.start() : last.end()]
            for i, first in enumerate(pieces)
            for last in pieces[i : i + _PARTS]
        } | {token}
        for span in sorted(spans):
            is_common = len(span) < (5 if is_number(span) else 4) or self._labels.has(span)
            if not is_common:
                for names in self._hashed:
                    if names.has(span):
                        return names.what
        return None

    def redacted(self, text: str) -> str:
        """Give a short text to be shown: names cut to their first two characters, nothing unprintable."""
        data = text.encode("utf-8", "surrogateescape")
        covered: list[tuple[int, int]] = []
        for found in self.find(data, Home.PROSE):
            if covered and found.start < covered[-1][1]:
                covered[-1] = (covered[-1][0], max(covered[-1][1], found.end))
            else:
                covered.append((found.start, found.end))
        pieces, at = [], 0
        for start, end in covered:
            pieces += [data[at : start + 2], "…".encode()]
            at = end
        shown = b"".join([*pieces, data[at:]]).decode("utf-8", "replace")
        return "".join(letter if letter.isprintable() else "?" for letter in shown)


class StreamSearch:
    """Finds names in a text that comes in pieces, and those that are cut by the end of a piece.

    Parameters
    ----------
    searcher
        What to look for.
    home
        What the text has of its own.
    """

    def __init__(self, searcher: Searcher, home: Home) -> None:
        self._searcher = searcher
        self._home = home
        self._kept = b""
        self._searched = 0
        # Of paths and addresses, which have no greatest length, the first bytes are enough.
        self._keep = max(searcher.longest, 256) + 2
        self.offset = 0

    def feed(self, piece: bytes, *, last: bool = False) -> list[Found]:
        """Search the next piece; places are counted from the beginning of the text."""
        return self.next(piece, last=last)()

    def next(self, piece: bytes, *, last: bool = False) -> Callable[[], list[Found]]:
        """Take the next piece, and give what searches it, in whatever thread and order."""
        text = self._kept + piece
        begin = self.offset - len(self._kept)
        high = len(text) if last else max(len(text) - 1, 0)
        search = partial(self._search, text, begin, self._searched, high)
        self.offset += len(piece)
        kept = min(len(text), self._keep)
        self._kept = text[len(text) - kept :]
        self._searched = max(kept - 1, 0)
        return search

    def _search(self, text: bytes, begin: int, low: int, high: int) -> list[Found]:
        found = self._searcher.find(text, self._home, low, high)
        return [Found(begin + each.start, begin + each.end, each.what) for each in found]


def _by_pattern(text: bytes) -> Iterator[Found]:
    if b"/" in text or b"\\" in text:
        yield from (Found(*each.span(), PATH) for each in _PATH.finditer(text))
    if b"@" in text:
        yield from (Found(*each.span(), MAIL) for each in _MAIL.finditer(text))


def _in_order(forms: Iterable[bytes]) -> tuple[list[bytes], NDArray[np.int64]]:
    """Order names by their keys, longer ones first, and give the keys: last bytes, and how many these are."""
    names = sorted(forms)
    letters = np.frombuffer(b"\0" * SUFFIX + b"".join(names), np.uint8)
    length = np.fromiter(map(len, names), np.int64, len(names))
    last = np.cumsum(length) + SUFFIX - 1
    known = np.minimum(length, SUFFIX)
    key = known << 56
    for back in range(SUFFIX):
        letter = np.where(back < known, letters[last - back], 0).astype(np.int64)
        key |= letter << 8 * back
    order = np.lexsort((-length, key))
    return [names[i] for i in order.tolist()], key[order]


def _table(names: int) -> NDArray[np.uint8]:
    """Make a table of bits for so many names."""
    bits = FEWEST_BITS
    while bits < MOST_BITS and bits < _BITS_A_NAME * names:
        bits *= 2
    return np.zeros(bits // 8, np.uint8)


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    fold = np.frombuffer(bytes(range(256)).lower(), np.uint8)
    classes = np.full(256, PUNCTUATION, np.uint8)
    classes[[byte for byte in range(256) if chr(byte).isalnum() or byte >= 0x80]] = WORD
    classes[list(b"\0\t\n\r;=,:|\"'<>/\\")] = SEPARATES
    return fold, classes
