"""Terms of use: which go together, and which need a value."""

import pytest

from afpanel.core.data_use import TERMS, faults_of_terms, letters_of_term, words_of_term

GENERAL = ("DUO:0000042", "")


def faults(*terms: tuple[str, str]) -> list[str]:
    return [fault.what for fault in faults_of_terms(terms)]


@pytest.mark.parametrize(
    "terms",
    [
        [GENERAL],
        [("DUO:0000004", "")],
        [("DUO:0000007", "MONDO:0004992")],
        [("DUO:0000007", "MONDO:0004992"), ("DUO:0000007", "MONDO:0005148")],
        [GENERAL, ("DUO:0000024", "2026-12-31"), ("DUO:0000025", "24")],
        [GENERAL, ("DUO:0000022", "VN"), ("DUO:0000022", "LA")],
        [("DUO:0000011", ""), ("DUO:0000018", ""), ("DUO:0000021", "")],
    ],
)
def test_terms_that_go_together_have_no_fault(terms):
    assert faults(*terms) == []


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.needs])
def test_a_term_that_needs_a_value_is_not_taken_without(name):
    others = [] if TERMS[name].permission else [GENERAL]
    (what,) = faults((name, ""), *others)
    assert name in what
    assert "needs a value" in what


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if not term.needs])
def test_a_term_that_takes_no_value_refuses_one(name):
    others = [] if TERMS[name].permission else [GENERAL]
    (what,) = faults((name, "something"), *others)
    assert name in what
    assert "takes no value" in what


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUO:0000007", "cancer"),
        ("DUO:0000007", "MONDO:1"),
        ("DUO:0000024", "2026-02-30"),
        ("DUO:0000024", "December 2026"),
        ("DUO:0000025", "two years"),
        ("DUO:0000025", "0"),
    ],
)
def test_a_value_of_another_form_is_refused(name, value):
    others = [] if TERMS[name].permission else [GENERAL]
    (what,) = faults((name, value), *others)
    assert "does not take this value" in what


def test_a_term_that_is_none_is_named_once_and_no_permission_is_missed():
    """What it would have been is not known: 0000001 and 0000017 are classes of terms."""
    for name in ("DUO:9999999", "DUO:0000001", "DUO:0000017"):
        (what,) = faults((name, ""))
        assert name in what


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ([("DUO:0000021", "")], "no permission"),
        ([GENERAL, ("DUO:0000006", "")], "2 permissions"),
        ([("DUO:0000004", ""), ("DUO:0000021", "")], "no restriction, with others"),
        ([("DUO:0000011", ""), ("DUO:0000044", "")], "prohibits it"),
        ([GENERAL, ("DUO:0000019", ""), ("DUO:0000019", "")], "stands twice"),
    ],
)
def test_terms_that_do_not_go_together_are_refused(terms, says):
    (what,) = faults(*terms)
    assert says in what


@pytest.mark.parametrize(
    ("term", "value", "short", "long"),
    [
        ("DUO:0000042", "", "general research use (GRU)", "general research use (GRU, DUO:0000042)"),
        ("DUO:0000012", "cancer", "research specific restrictions (RS): cancer",
         "research specific restrictions (RS, DUO:0000012): cancer"),
        ("DUO:0000099", "x", "DUO:0000099: x", "DUO:0000099: x"),
    ],
)  # fmt: skip
def test_a_term_is_said_by_its_name_letters_and_value(term, value, short, long):
    assert words_of_term(term, value) == short
    assert words_of_term(term, value, identified=True) == long


def test_a_term_that_is_not_known_is_named_by_its_identifier_alone():
    assert letters_of_term("DUO:0000021") == "DUO:0000021 (IRB)"
    assert letters_of_term("DUO:0000099") == "DUO:0000099"
