"""Finding names in texts, beside a plain search, and how each kind of name is looked for."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afpanel.core.forbidden import (
    GENERIC_NAMES,
    HashedNames,
    Labels,
    Secret,
    SecretNames,
    hash_name,
    sort_of,
)
from afpanel.core.leaks import MAIL, PATH, Found, Home, Searcher, StreamSearch

PIECES = (
    "HG00096",
    "hg00",
    "P7",
    "a",
    "1",
    "20230001",
    "GATTACA",
    "AC",
    "T",
    "_",
    "-",
    ".",
    " ",
    "\t",
    "\n",
    "é",
    "x1",
)
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
names = st.lists(st.sampled_from((*PIECES[:9], "_", "-")), min_size=1, max_size=4).map("".join)


def searcher(*given, labels=(), hashed=()):
    return Searcher([Secret(name, name) for name in given], labels, hashed)


def plain(name, text, home):
    """Ends of a name in a text: a plain search by the rules that `forbidden` lists."""
    name, text = name.lower(), text.lower()
    number = re.fullmatch(r"[0-9][0-9.e+-]*", name)
    bases = re.fullmatch(r"[acgtn]+", name)
    if (
        len(name) < 2
        or (number and len(name) < 5)
        or re.fullmatch(r"(chr)?(\d{1,2}|x|y|m|mt)", name)
    ):
        return set()
    inside = len(name) >= 6 and not number and re.search(r"\d", name) and re.search(r"[a-z]", name)
    if not inside:
        if (
            home is Home.BINARY
            or (number and home is not Home.PROSE)
            or (bases and home is Home.VARIANTS)
        ):
            return set()
    elif home is Home.BINARY and len(name) < 7:
        return set()
    apart = r"" if inside else r"[^\0\t\n\r;=,:|\"'<>/\\]" if len(name) < 4 else r"[^\W_]"
    rule = f"(?<!{apart}){re.escape(name)}(?!{apart})" if apart else re.escape(name)
    return {len(text[: m.start() + len(name)].encode()) for m in re.finditer(f"(?={rule})", text)}


@settings(max_examples=400, deadline=None)
@given(texts, st.lists(names, max_size=6), st.sampled_from(Home))
def test_names_are_found_where_a_plain_search_finds_them(text, given, home):
    found = {(each.what.lower(), each.end) for each in searcher(*given).find(text.encode(), home)}
    expected = {(name.lower(), end) for name in given for end in plain(name, text, home)}
    # Of names that end at one place and by the same bytes the longest is told.
    assert {end for _, end in found} == {end for _, end in expected}
    assert found <= expected


@pytest.mark.parametrize("shortest", [6, 7, 8, 9, 15, 16, 17, 25])
def test_long_names_among_figures_are_found_at_any_place_in_any_case(shortest):
    """Of names that are all long more bytes are looked at than six, wherever they are in a text."""
    draw = random.Random(shortest)
    ids = [
        f"Hg{draw.randrange(10**k):0{k}}" for k in (shortest - 2, shortest, 22) for _ in range(40)
    ]
    wanted = draw.sample(ids, 12)
    figures = [f";AF={draw.random()};" for _ in range(12)]
    for before in ("", "1", "0123456789abcdefghijk"):
        pairs = (name.upper() + figure for name, figure in zip(wanted, figures, strict=True))
        text = before + "".join(pairs) + wanted[0].lower()
        found = {each.end for each in searcher(*ids).find(text.encode(), Home.VARIANTS)}
        ends = {end for name in ids for end in plain(name, text, Home.VARIANTS)}
        assert len(found) >= 13
        assert found == ends


@settings(max_examples=200, deadline=None)
@given(texts, st.lists(names, max_size=6), st.integers(1, 9))
def test_a_text_in_pieces_gives_what_it_gives_whole(text, given, size):
    data = text.encode()
    pieces = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
    stream = StreamSearch(searcher(*given), Home.PROSE)
    found = [
        each for i, p in enumerate(pieces) for each in stream.feed(p, last=i == len(pieces) - 1)
    ]
    assert sorted(map(repr, found)) == sorted(map(repr, searcher(*given).find(data, Home.PROSE)))


def test_a_name_among_a_hundred_thousand_is_found():
    ids = [f"HG{i:06}" for i in range(50_000)] + [f"P-{i:05}" for i in range(50_000)]
    many = searcher(*ids)
    draw = random.Random(7)
    wanted = draw.sample(ids, 50)
    text = "\n".join(f"{draw.random()} {name} {draw.random()}" for name in wanted)
    assert [each.what for each in many.find(text.encode(), Home.PROSE)] == wanted


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/home/minh/x.vcf", PATH), ("in '/data1/x'", PATH), ("(/srv/a)", PATH), ("/tmp", PATH), ("/mnt/x", PATH),
        ("file:///x", PATH), ("D:\\genomes", PATH), ("\\\\server\\share", PATH), ("~/x", PATH), ("~minh/x", PATH),
        ("minh.anh+x@lab.example.org", MAIL), ("<a@b.vn>", MAIL),
    ],
)  # fmt: skip
def test_paths_and_addresses_are_found(text, what):
    assert [each.what for each in searcher().find(text.encode(), Home.NUMBERS)] == [what]


@pytest.mark.parametrize(
    "text",
    [
        "AC / AN", "and/or", "1/2", "https://www.w3.org/2000/svg", "</g></svg>", "<br/>", "contig=chr1/part-0.parquet",
        "image/svg+xml", "a @ b", "user@host", "3 km/h", "~5", "C: x", "GRCh38", "#CHROM\tPOS", "0/0 0|1", "text/css",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_path_or_an_address_is_not(text):
    assert searcher().find(text.encode(), Home.PROSE) == []


@pytest.mark.parametrize("form", ["Nguyễn01", "NGUYỄN01", "nguyễn01", "Nguye\u0302\u0303n01"])
def test_names_with_accents_are_found_in_any_case(form):
    assert searcher("Nguyễn01").find(f"of {form}.".encode(), Home.PROSE)


def test_of_two_names_the_longer_is_told():
    found = searcher("SRP150637__HG02024", "HG02024").find(
        b"x SRP150637__HG02024 HG02024", Home.PROSE
    )
    assert found == [Found(2, 20, "SRP150637__HG02024"), Found(21, 28, "HG02024")]


def test_labels_and_what_consists_of_them_are_passed_over():
    labels = Labels(["VN", "KHV", "VN-demo"])
    for name in ("vn", "KHV", "VN_KHV", "demo", "VN-demo", "chr7", "MT", "22"):
        assert isinstance(sort_of(Secret(name, ""), labels), str), name
    for name in ("VN_12", "VN_KHV1", "KHV-VN", "NA12878"):
        assert isinstance(sort_of(Secret(name, ""), labels), int), name


def test_how_many_names_are_not_looked_for_is_told():
    made = searcher("1", "A", "VN", "HG00096", labels=["VN"])
    assert made.names == 1
    assert sum(made.passed_over.values()) == 3


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("of HG00096.", True),
        ("AC_VN_hg00096", True),
        ("xHG00096", False),
        ("HG00096.bam", True),
        ("HG0009", False),
    ],
)
def test_hashed_names_are_found_as_words_and_parts_of_words(text, is_found):
    names = HashedNames("them", "salt", frozenset({hash_name("salt", "HG00096")}))
    found = searcher(hashed=[names]).find(text.encode(), Home.PROSE)
    assert bool(found) is is_found
    assert searcher(hashed=[names]).find(text.encode(), Home.BINARY) == []


def test_what_is_shown_has_no_name_whole_and_nothing_unprintable():
    shown = searcher("HG00096").redacted("state/xhg00096\x1b[31m /home/minh")
    assert shown == "state/xhg…?[31m /h…/minh"


def test_generic_names_are_lower_case():
    assert all(name == name.casefold() for name in GENERIC_NAMES)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=6), texts, st.sampled_from(list(Home)))
def test_names_given_together_are_found_as_each_by_itself(given_names, text, home):
    labels = ("chr1", "AB12345", "x1HG00096x")
    each = searcher(*given_names, labels=labels)
    together = Searcher([SecretNames(given_names, "a name")], labels)
    data = text.encode()
    ends = {(found.start, found.end) for found in each.find(data, home)}
    assert {(found.start, found.end) for found in together.find(data, home)} == ends
    assert (together.names, together.passed_over) == (each.names, each.passed_over)
