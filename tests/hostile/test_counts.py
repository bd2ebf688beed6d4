"""Counts, variants and evidence that cannot be true, with every sum and digest made to fit them."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from tests.contributions import CELLS, Opened, Programme, random_genome, reasons

MAX = 2**31 - 1


def refused(opened: Opened) -> str:
    """Send it, and tell why it is refused."""
    verdict = opened.programme.verdict(opened.resent())
    assert not verdict.accepted
    return reasons(verdict)


def put(value: int, place: tuple[int, ...] = (3, 1)) -> Callable[[np.ndarray], object]:
    """Write a count over another."""
    return lambda array: array.__setitem__(place, value)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("allele_count", 71, "AC is more than AN"),
        ("allele_count", -1, "a count is negative"),
        ("allele_count", -MAX, "a count is negative"),
        ("allele_count", MAX, "AC is more than AN"),
        ("allele_number", 72, "more alleles are called than the people have"),
        ("allele_number", MAX, "more alleles are called than the people have"),
        ("allele_number", -2, "a count is negative"),
        ("homozygote_count", 36, "more people are homozygous than AC allows"),
        ("homozygote_count", MAX, "more people are homozygous"),
        ("homozygote_count", -1, "a count is negative"),
        ("hemizygote_count", 1, "more haploid calls of ALT than"),
        ("single_allele_count", MAX, "AC of people with one called allele is more than AC"),
        ("single_allele_number", MAX, "more alleles are alone in their person"),
        ("single_allele_number", 69, "more alleles are called than the people have"),
    ],
)
def test_a_count_that_no_people_can_have_is_refused(
    opened: Opened, name: str, value: int, reason: str
) -> None:
    opened.edit_array(name, put(value))
    found = refused(opened)
    assert reason in found
    assert "chr1:" in found


def test_called_alleles_that_do_not_come_in_pairs_are_refused(opened: Opened) -> None:
    number = opened.array("allele_number")
    row = int(np.flatnonzero((number[:40, 1] > 2) & (opened.array("allele_count")[:40, 1] == 0))[0])
    opened.edit_array("allele_number", lambda a: a.__setitem__((row, 1), a[row, 1] - 1))
    assert "do not come in pairs" in refused(opened)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("raw_allele_count", 0, "are less than those after it"),
        ("raw_allele_number", 0, "are less than those after it"),
        ("raw_allele_number", 241, "cannot be those of the people"),
        ("raw_allele_number", MAX, "cannot be those of the people"),
        ("raw_allele_count", MAX, "cannot be those of the people"),
        ("raw_allele_count", -1, "a count is negative"),
    ],
)
def test_counts_before_the_filter_that_cannot_be_are_refused(
    opened: Opened, name: str, value: int, reason: str
) -> None:
    rows = np.flatnonzero(opened.array("allele_count")[:40].sum(axis=1))
    opened.edit_array(name, put(value, (int(rows[0]),)))
    assert reason in refused(opened)


@pytest.mark.parametrize("name", ["allele_count", "allele_number"])
def test_sums_that_are_not_those_of_the_counts_are_refused(opened: Opened, name: str) -> None:
    def edit(manifest: dict) -> None:  # type: ignore[type-arg]
        part = next(part for part in manifest["parts"] if part.get("contig") == "chr2")
        part[name][2] += 1

    opened.edit_manifest(edit)
    opened.mend()
    opened.sign()
    verdict = opened.programme.verdict(opened.write())
    assert reasons(verdict) == (
        f"counts/chr2.zarr.zip: {name} adds up to something else than the manifest says"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("variants", 41), ("masked_cells", 1), ("refused_bases", 0), ("callable_bases", 5), ("track_runs", 1)],
)  # fmt: skip
def test_other_claims_of_the_manifest_are_worked_out_too(
    opened: Opened, name: str, value: int
) -> None:
    def edit(manifest: dict) -> None:  # type: ignore[type-arg]
        part = next(part for part in manifest["parts"] if part.get("contig") == "chr1")
        part[name] = value

    opened.edit_manifest(edit)
    opened.edit_json("harmonization.json", lambda h: h["outcomes"].update(as_is=1000))
    opened.mend()
    opened.sign()
    assert f"{name} adds up" in reasons(opened.programme.verdict(opened.write()))


def test_counts_that_are_not_numbers_of_32_bits_are_refused(opened: Opened) -> None:
    """NaN needs numbers with a fraction, which the store must not have."""
    entries = opened.store()
    meta = json.loads(entries["allele_count/zarr.json"])
    meta |= {"data_type": "float32", "fill_value": "NaN"}
    entries["allele_count/zarr.json"] = json.dumps(meta, indent=2).encode()
    opened.set_store(entries)
    assert "not as afpanel writes it (data_type, fill_value" in refused(opened)


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        (0, "out of order"),
        (-5, "out of order"),
        (MAX, "REF is not what the reference has"),
        (3001, "REF is not what the reference has"),
        (3000, "REF is not what the reference has"),
    ],
)
def test_a_position_that_is_not_on_the_contig_is_refused(
    opened: Opened, position: int, reason: str
) -> None:
    sequence = opened.programme.contigs["chr1"]
    opened.edit_array("variant_position", put(position, (39,)))
    if position == 3000:
        opened.edit_text("variant_ref", lambda a: a.__setitem__(39, sequence[-1] + "A"))
    assert reason in refused(opened)


def test_variants_out_of_order_and_given_twice_are_refused(opened: Opened) -> None:
    def edit(array: np.ndarray) -> None:
        array[[4, 5]] = array[[5, 4]]

    swapped = Opened(opened.programme, dict(opened.parts))
    for name in ("variant_position", "allele_number", "raw_allele_number"):
        swapped.edit_array(name, edit)
    assert "given twice, or out of order" in refused(swapped)
    twice = Opened(opened.programme, dict(opened.parts))
    tables = [
        n for n in twice.store() if n.endswith("/c/0/0") or n.startswith(("variant_p", "raw"))
    ]
    for name in {n.partition("/")[0] for n in tables}:
        twice.edit_array(name, lambda a: a.__setitem__(5, a[4]))
    for name in ("variant_ref", "variant_alt"):
        twice.edit_text(name, lambda a: a.__setitem__(5, a[4]))
    assert "given twice, or out of order" in refused(twice)


@pytest.mark.parametrize("rows", [3, 7, 16])
def test_order_is_checked_across_windows_too(
    programme: Programme, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Wherever rows are cut, by their number or by the letters of their alleles."""
    monkeypatch.setattr("afpanel.stages.verify_counts._ROWS", rows)
    monkeypatch.setattr("afpanel.stages.verify_counts._MAX_LETTERS", 5)
    assert programme.verdict().accepted
    for first in range(39):
        altered = programme.opened()

        def edit(array: np.ndarray, at: int = first) -> None:
            array[[at, at + 1]] = array[[at + 1, at]]

        altered.edit_array("variant_position", edit)
        for name in ("variant_ref", "variant_alt"):
            altered.edit_text(name, edit)
        altered.mend()
        altered.parts.pop("manifest.json.sig")
        verdict = programme.verdict(altered.write(), signature_required=False)
        assert "given twice, or out of order" in reasons(verdict), first


@pytest.mark.parametrize(
    ("ref", "alt", "reason"),
    [
        ("{0}", "{0}", "not in its canonical form"),
        ("{0}{1}", "{2}{1}", "not in its canonical form"),
        ("{2}", "{0}", "REF is not what the reference has"),
        ("N", "{2}", "not in its canonical form"),
        ("{0}", "N", "not in its canonical form"),
        ("{0}", "<DEL>", "no sequence of A, C, G, T and N"),
        ("{0}", "*", "no sequence of A, C, G, T and N"),
        ("{0}", "r", "no sequence of A, C, G, T and N"),
        ("{0}", "", "no sequence of A, C, G, T and N"),
        ("", "{0}", "no sequence of A, C, G, T and N"),
        ("{0}", "{2}\n", "no sequence of A, C, G, T and N"),
        ("{0}", "./home", "no sequence of A, C, G, T and N"),
    ],
)
def test_an_allele_that_is_not_canonical_is_refused(
    opened: Opened, ref: str, alt: str, reason: str
) -> None:
    position = int(opened.array("variant_position")[10])
    one, two = opened.programme.contigs["chr1"][position - 1 : position + 1]
    other = next(base for base in "ACGT" if base not in (one, two))
    opened.edit_text("variant_ref", lambda a: a.__setitem__(10, ref.format(one, two, other)))
    opened.edit_text("variant_alt", lambda a: a.__setitem__(10, alt.format(one, two, other)))
    assert reason in refused(opened)


def test_a_deletion_that_is_not_as_far_left_as_it_can_be_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    genome = random_genome(500)
    genome = genome[:200] + "GCAAAAAAAAGT" + genome[200:]
    programme = Programme(tmp_path, {"chr1": genome}, {"chr1": 5})
    opened = programme.opened()
    positions = opened.array("variant_position")[:5]
    rows = np.searchsorted(positions, 206)
    opened.edit_array("variant_position", put(206, (int(min(rows, 4)),)))
    opened.edit_text("variant_ref", lambda a: a.__setitem__(min(rows, 4), "AA"))
    opened.edit_text("variant_alt", lambda a: a.__setitem__(min(rows, 4), "A"))
    assert "not in its canonical form" in refused(opened)


def test_variants_of_another_contig_are_refused(opened: Opened) -> None:
    opened.edit_array("variant_contig", put(1, (39,)))
    assert "has variants of another contig" in refused(opened)


def test_masks_where_nothing_may_be_missing_are_refused(opened: Opened) -> None:
    for name in ("allele_count", "homozygote_count", "hemizygote_count", "single_allele_count"):
        opened.edit_array(name, put(-1))
    assert "a count is negative" in refused(opened)


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("refused", -1, 4),
        ("refused", 4, 4),
        ("refused", 4, 1),
        ("refused", 2, 3001),
        ("refused", 0, MAX),
        ("callable", 5, 3001),
        ("callable", -MAX, 30),
    ],
)
def test_evidence_that_is_not_on_the_contig_is_refused(
    opened: Opened, kind: str, start: int, end: int
) -> None:
    opened.edit_array(f"{kind}_start", put(start, (0,)))
    opened.edit_array(f"{kind}_end", put(end, (0,)))
    assert f"the {kind} spans are not in order, or not on it" in refused(opened)


def test_silence_that_says_nothing_of_most_of_a_contig_is_told(opened: Opened) -> None:
    opened.edit_array("refused_end", put(2990, (0,)))
    opened.edit_manifest(
        lambda m: next(p for p in m["parts"] if p.get("contig") == "chr1").update(
            refused_bases=2989
        )
    )
    verdict = opened.programme.verdict(opened.resent())
    assert verdict.accepted
    assert "silence says nothing at 100% of chr1" in "".join(f.what for f in verdict.findings)


LIMITED = {"min_allele_count": 3, "min_cell_size": 21, "min_variant_count": 4}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """A programme that keeps small counts, small cells and rare variants to itself."""
    folder = tmp_path_factory.mktemp("limited")
    return Programme(folder, {"chr1": random_genome(3000)}, {"chr1": 60}, LIMITED)


def test_what_is_kept_back_is_accepted(limited: Programme) -> None:
    verdict = limited.verdict()
    assert reasons(verdict) == ""
    assert (limited.opened().array("allele_count") < 0).any()


@pytest.mark.parametrize(
    ("limit", "more", "reason"),
    [
        ("min_allele_count", 8, "fewer copies of an allele than sharing.min_allele_count"),
        ("min_variant_count", 30, "fewer copies than sharing.min_variant_count"),
        ("min_cell_size", 26, "fewer people than sharing.min_cell_size"),
    ],
)
def test_a_promise_that_is_not_kept_is_refused(
    limited: Programme, limit: str, more: int, reason: str
) -> None:
    opened = limited.opened()
    opened.edit_manifest(lambda m: m["sharing"].update({limit: more}))
    assert reason in refused(opened)


def test_counts_of_everybody_are_refused_where_some_are_kept_back(limited: Programme) -> None:
    opened = limited.opened()
    number = opened.array("allele_number")[:60].sum(axis=1, dtype=np.int32)
    count = np.maximum(opened.array("allele_count")[:60], 0).sum(axis=1, dtype=np.int32)
    n = opened.manifest["parts"][-1]["variants"]
    opened.edit_array("raw_allele_number", lambda a: a.__setitem__(slice(n), number[:n]))
    opened.edit_array("raw_allele_count", lambda a: a.__setitem__(slice(n), count[:n]))
    found = refused(opened)
    assert "counts of everybody tell what a cell masks" in found
    assert "though not everybody is told of" in found


def test_half_of_a_mask_is_refused(limited: Programme) -> None:
    opened = limited.opened()
    row, cell = np.argwhere(opened.array("allele_count") < 0)[0]
    opened.edit_array("homozygote_count", put(0, (row, cell)))
    assert "AC is missing in a cell, and not all that follows from it" in refused(opened)
    opened = limited.opened()
    row, cell = np.argwhere(opened.array("allele_count")[:20] > 0)[0]
    opened.edit_array("homozygote_count", put(-1, (row, cell)))
    assert "what goes with it is missing" in refused(opened)


def test_masks_that_hide_most_counts_are_told(limited: Programme) -> None:
    opened = limited.opened()
    n = opened.manifest["parts"][-1]["variants"]
    for name in ("allele_count", "homozygote_count", "hemizygote_count", "single_allele_count"):
        opened.edit_array(name, put(-1, (slice(n),)))
    verdict = limited.verdict(opened.resent())
    assert verdict.accepted
    assert "100% of the allele counts are missing" in "".join(f.what for f in verdict.findings)


def test_a_call_rate_that_is_low_is_told(opened: Opened) -> None:
    for name in ("allele_count", "allele_number", "homozygote_count", "single_allele_number"):
        opened.edit_array(name, put(0, (slice(40),)))
    for name in ("raw_allele_count", "raw_allele_number"):
        opened.edit_array(name, put(0, (slice(40),)))
    verdict = opened.programme.verdict(opened.resent())
    assert verdict.accepted
    warned = [f.what for f in verdict.findings]
    assert len(warned) == len(CELLS)
    assert all("0% of its copies are called" in what for what in warned)
