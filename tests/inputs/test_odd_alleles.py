"""Alleles that are wrong, extreme or oddly written: each has its outcome, and the others their counts."""

import random
from itertools import cycle, product

import pysam.bcftools
import pytest
from tests.odd_alleles import (
    CALLS,
    COMMAND,
    FORMATS,
    KEPT,
    TEXT,
    TWO_ALTS,
    Fate,
    allele_map,
    alt_of,
    by_bcftools,
    check_each,
    count_each,
    counts,
    fates_of_all,
    good,
    in_order,
    outcomes,
    record_at,
)


@pytest.mark.parametrize("name", FORMATS)
def test_a_ref_that_runs_past_the_end_of_its_contig_is_a_mismatch(project, name):
    bases = project.sequences["chr1"]
    longer = bases + "ACGT"
    count_each(project, name, [
        (record_at(1, longer, "A"), ["ref_mismatch"]),
        (record_at(4990, longer[4989:], f"{bases[4989]},*", TWO_ALTS), ["ref_mismatch", "star"]),
        (record_at(5000, bases[-1] + "A", bases[-1]), ["ref_mismatch"]),
        (record_at(5000, bases[-1], alt_of(bases[-1])), [KEPT]),
        (record_at(5000, bases[-1], bases[-1] + alt_of(bases[-1])), [KEPT]),
    ])  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_position_past_the_end_of_its_contig_is_a_mismatch(project, name):
    count_each(project, name, [
        (record_at(5001, "A", "C"), ["ref_mismatch"]),
        (record_at(5001, "N", "C,<DEL>", TWO_ALTS), ["iupac", "symbolic"]),
        (record_at(2_000_000_000, "A", "C,AT", TWO_ALTS), ["ref_mismatch"] * 2),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "alt", "fates"),
    [
        ("N", "A", ["iupac"]),
        ("N{first}", "N", ["ref_mismatch"]),
        ("N{first}", "{first}", ["iupac"]),
        ("A", "C,*", ["ref_mismatch", "star"]),
        ("{first}", "A{first}", ["ref_mismatch"]),
        ("N", ".", []),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_the_position_before_the_first_base_is_no_place_for_an_allele(
    project, name, ref, alt, fates
):
    first = project.sequences["chr1"][0]
    calls = TWO_ALTS if len(fates) > 1 else CALLS if fates else ["0/0", "0/0", "0/0", "./."]
    telomere = record_at(0, ref.format(first=first), alt.format(first=first), calls)
    count_each(project, name, [(telomere, fates), (record_at(1, first, alt_of(first)), [KEPT])])


@pytest.mark.parametrize("name", FORMATS)
def test_at_the_first_base_every_kind_of_variant_is_kept(project, name):
    """An indel before which nothing stands has its anchor after it."""
    project.sequences["chr1"] = "CAG" + project.sequences["chr1"]
    project.builders.write_fasta(project.folder / "reference.fa", project.sequences)
    odd = [
        record_at(1, "C", "T"),
        record_at(1, "C", "TTC"),
        record_at(1, "C", "CTT"),
        record_at(1, "CAG", "G"),
        record_at(1, "CAG", "GAG,CTG", TWO_ALTS),
        record_at(2, "A", "ACA"),
    ]
    count_each(project, name, [(record, by_bcftools(project, record)) for record in odd])


def mixed(bases: str) -> str:
    return "".join(base.lower() if i % 2 else base for i, base in enumerate(bases))


@pytest.mark.parametrize(
    ("spell", "spell_fasta"),
    [(str.lower, str.upper), (str.upper, str.lower), (mixed, mixed), (str.lower, mixed)],
    ids=["alleles", "reference", "both, here and there", "alleles, and some of the reference"],
)
@pytest.mark.parametrize("name", FORMATS)
def test_lower_case_counts_as_upper_case_does(project, name, spell, spell_fasta):
    bases = project.sequences["chr1"]
    bases = project.sequences["chr1"] = f"{bases[:100]}ACACACACACACTTTTTTTT{bases[120:]}"
    odd = [
        record_at(50, bases[49], alt_of(bases[49])),
        record_at(60, alt_of(bases[59]), bases[59]),  # swapped
        record_at(70, bases[69:73], f"{alt_of(bases[69])}{bases[70:73]},{bases[69]}", TWO_ALTS),
        record_at(111, "ACT", "T,ACACT", TWO_ALTS),
        record_at(118, "TTT", "TT"),
        record_at(128, "N" + bases[128], bases[128]),
        record_at(130, "N" + bases[130], "N"),
        record_at(140, alt_of(bases[139]) + bases[140], bases[139]),
    ]
    results = []
    ways = [("plain", str.upper, str.upper), ("odd", spell, spell_fasta)]
    for way, allele_of, base_of in ways:
        spelled = [(c, p, allele_of(r), allele_of(a), *calls) for c, p, r, a, *calls in odd]
        project.builders.write_fasta(project.folder / "reference.fa", {"chr1": base_of(bases)})
        records = [*spelled, *(record for record, _ in good(project))]
        path = project.write_vcf(f"{way}.{name}", project.text(records))
        outcome = project.run("count", path, "--keep", "kept", *COMMAND)
        assert outcome.code == 0, outcome.err
        written = ("counts.zarr.zip", "kept/harmonization.json")
        results.append([(project.folder / path).read_bytes() for path in written])
    assert results[0] == results[1]
    fates = [fate for _, _, fate in fates_of_all(project)[: len(odd) + 2]]
    assert [isinstance(fate, tuple) for fate in fates] == [True] * 7 + [False] * 3
    assert fates[7:] == ["iupac", "ref_mismatch", "ref_mismatch"]


WITHOUT_A_LETTER = ["", "G,", ",G", "G,,T", ",", ".,G", "G,."]


@pytest.mark.parametrize("alt", WITHOUT_A_LETTER)
@pytest.mark.parametrize("name", TEXT)
def test_an_alt_without_a_letter_is_refused_in_text(project, name, alt):
    record = record_at(500, project.sequences["chr1"][499], alt, ["0/0"] * 4)
    project.write_vcf(name, project.text([*project.records()[:4], record, project.snv(510)]))
    refused = project.try_out("count", name, *COMMAND)
    refused.refuses(name, "line 11", "chr1:500", "an allele without a letter")


@pytest.mark.parametrize("alt", WITHOUT_A_LETTER)
def test_an_alt_without_a_letter_in_bcf_has_an_outcome_as_its_siblings_have(project, alt):
    """BCF can hold such alleles, and htslib shows each as a dot."""
    bases = project.sequences["chr1"]
    position = bases.index("A", 500) + 1
    alts = alt.split(",")
    calls = ["0/1", f"{len(alts)}/1", f"0/{len(alts)}", "./."]
    shown = record_at(position, "A", ",".join(each or "." for each in alts), calls)
    pairs = in_order(
        [(shown, [KEPT if a in ("G", "T") else "symbolic" for a in alts]), *good(project)]
    )
    written = [record_at(position, "A", alt, calls) if r is shown else r for r, _ in pairs]
    project.write_vcf("odd.bcf", project.text(written))
    check_each(project, "odd.bcf", pairs)


@pytest.mark.parametrize("name", FORMATS)
def test_a_record_without_an_alt_has_no_source_allele(project, name):
    ref = project.sequences["chr1"][499]
    calls = ["0/0", "0", "./.", "0|0"]
    count_each(project, name, [(record_at(500, ref, ".", calls), [])])


@pytest.mark.parametrize("name", FORMATS)
def test_an_alt_that_is_its_ref_is_no_variant_and_its_siblings_keep_the_full_an(project, name):
    bases = project.sequences["chr1"]
    ref = bases[199:203]
    other = alt_of(bases[199]) + bases[200:203]
    snv = (200, bases[199], alt_of(bases[199]))
    two = bases[299] + alt_of(bases[300])
    count_each(project, name, [
        (record_at(100, bases[99:101], bases[99:101]), ["not_a_variant"]),
        (record_at(110, bases[109:111], bases[109:111].lower()), ["not_a_variant"]),
        (record_at(200, ref, f"{ref},{other}", TWO_ALTS), ["not_a_variant", snv]),
        (record_at(300, bases[299], f"{two},{bases[299]}", TWO_ALTS), [KEPT, "not_a_variant"]),
        (record_at(400, bases[399], f"{bases[399]},<DEL>", TWO_ALTS), ["not_a_variant", "symbolic"]),
    ])  # fmt: skip


@pytest.mark.parametrize("spell", [str.upper, str.lower])
@pytest.mark.parametrize("name", FORMATS)
def test_a_single_base_that_is_its_ref_is_no_variant(project, name, spell):
    bases = project.sequences["chr1"]
    same = [spell(bases[p - 1]) for p in (100, 200, 300)]
    count_each(project, name, [
        (record_at(100, bases[99], same[0]), ["not_a_variant"]),
        (record_at(200, bases[199], f"{same[1]},{alt_of(bases[199])}", TWO_ALTS),
         ["not_a_variant", KEPT]),
        (record_at(300, bases[299], f"{same[2]},*,<DEL>", TWO_ALTS),
         ["not_a_variant", "star", "symbolic"]),
    ])  # fmt: skip


@pytest.mark.parametrize("spell", [str.upper, str.lower])
@pytest.mark.parametrize("name", FORMATS)
def test_a_record_with_its_ref_among_its_alts_is_not_resolved_as_swapped(project, name, spell):
    """Beside it stands one that is swapped, and resolved."""
    bases = [project.sequences["chr1"][p - 1] for p in (100, 200, 300)]
    refs = [alt_of(base) for base in bases]
    records = [
        record_at(100, refs[0], spell(refs[0])),
        record_at(200, refs[1], f"{spell(refs[1])},{bases[1]}", TWO_ALTS),
        record_at(300, refs[2], spell(bases[2]), ("0/0", "0/1", "1/1", "./1")),
    ]
    project.write_vcf(name, project.text([*records, *(record for record, _ in good(project))]))
    assert project.run("count", name, "--keep", "kept", *COMMAND).code == 0
    swapped = (300, bases[2], refs[2])
    mismatch = "ref_mismatch"
    assert fates_of_all(project)[:4] == [
        (0, 1, mismatch), (1, 1, mismatch), (1, 2, mismatch), (2, 0, swapped),
    ]  # fmt: skip
    found = counts(project)
    assert found[swapped] == (3, 7, 1)  # copies of the source's REF
    assert min(found) == swapped
    assert outcomes(project) == {"as_is": len(found) - 1, mismatch: 3, "swapped": 1}


@pytest.mark.parametrize("name", FORMATS)
def test_letters_of_ambiguity_are_rejected_and_their_siblings_are_not(project, name):
    bases = project.sequences["chr1"]
    odd = []
    for number, letter in enumerate("RYSWKMBDHVNrn-0"):
        in_alt, in_ref = 100 + 20 * number, 110 + 20 * number
        ref = bases[in_alt - 1]
        alts = f"{letter},{alt_of(ref)},{ref}{letter}"
        calls = ["0/1", "1|2", "2/3", "3/."]
        odd.append((record_at(in_alt, ref, alts, calls), ["iupac", KEPT, "iupac"]))
        ref = bases[in_ref - 1]
        odd.append((record_at(in_ref, letter, ref), ["iupac"]))
        alts = f"{ref},*,<DEL>"
        fates = ["iupac", "star", "symbolic"]
        odd.append((record_at(in_ref, ref + letter, alts, calls), fates))
    count_each(project, name, odd)


@pytest.mark.parametrize("unknown", ["N", "n"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_base_where_the_reference_has_none_is_a_mismatch(project, name, unknown):
    bases = project.sequences["chr1"]
    bases = f"{bases[:199]}{unknown}{bases[200:]}"
    project.builders.write_fasta(project.folder / "reference.fa", {"chr1": bases})
    before, after = bases[198], bases[200]
    count_each(project, name, [
        (record_at(199, before, alt_of(before)), [KEPT]),
        (record_at(199, before + "A", before), ["ref_mismatch"]),
        (record_at(200, "A", "C,G", TWO_ALTS), ["ref_mismatch"] * 2),
        (record_at(200, "A", "AT,N", TWO_ALTS), ["ref_mismatch", "iupac"]),
        (record_at(200, unknown, "A,*", TWO_ALTS), ["iupac", "star"]),
        (record_at(201, after, alt_of(after)), [KEPT]),
    ])  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_an_unknown_base_that_both_alleles_share_does_no_harm_where_the_reference_has_it(
    project, name
):
    bases = project.sequences["chr1"]
    bases = f"{bases[:199]}NTTTG{bases[204:300]}N{bases[301:]}"
    project.builders.write_fasta(project.folder / "reference.fa", {"chr1": bases})
    before, after = bases[299], bases[301]
    other = alt_of(after)
    carriers = [["0/1" if i == person else "0/0" for i in range(4)] for person in range(3)]
    inserted, deleted = (200, "N", "NT"), (200, "NT", "N")
    count_each(project, name, [
        (record_at(200, "N", "NT", carriers[0]), [inserted]),
        (record_at(200, "nT", "n", carriers[1]), [deleted]),
        (record_at(202, "TTG", "TG,TTTG", ["2/1", "0/0", "2/0", "./."]), [deleted, inserted]),
        (record_at(300, f"{before}N{after}", f"{before}N{other}"), [(302, after, other)]),
        (record_at(300, f"{before}N{after}", f"{before}{after}"), ["iupac"]),
        (record_at(300, f"{before}R{after}", f"{before}r{other}"), ["ref_mismatch"]),
        (record_at(301, f"A{after}", f"A{other}"), ["ref_mismatch"]),
        (record_at(302, f"{after}N", f"{other}N"), ["ref_mismatch"]),
        (record_at(400, f"{bases[399]}N", f"{alt_of(bases[399])}N"), ["ref_mismatch"]),
    ])  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_base_of_ambiguity_in_the_reference_is_the_first_it_can_be_as_vcf_4_3_says(project, name):
    """bcftools takes it so too: all these records pass its check of REF."""
    bases = list(project.sequences["chr1"])
    odd = []
    for place, letter in enumerate("RYSWKMBDHVryswkmbdhv"):
        position = 100 + 10 * place
        base = "ACCAGACAAA"[place % 10]
        bases[position - 2 : position + 1] = "T", letter, "T"
        odd.append((record_at(position, base, "T"), [KEPT]))
        # An insertion of the same base rolls over it.
        inserted = (position - 1, "T", f"T{base}")
        odd.append((record_at(position, f"{base}T", f"{base}{base}T"), [inserted]))
    project.builders.write_fasta(project.folder / "reference.fa", {"chr1": "".join(bases)})
    count_each(project, name, odd)
    pysam.bcftools.norm("-c", "e", "-f", "reference.fa", name)


@pytest.mark.parametrize("name", FORMATS)
def test_of_a_duplicate_the_allele_map_holds_the_canonical_form(project, name):
    """Two lines with the same two carriers say one thing twice."""
    bases = project.sequences["chr1"]
    bases = f"{bases[:199]}GTTTTTTG{bases[207:]}"
    project.builders.write_fasta(project.folder / "reference.fa", {"chr1": bases})
    form = (200, "GT", "G")
    odd = [(record_at(200, "GT", "G"), [form]), (record_at(205, "TT", "T"), ["duplicate"])]
    count_each(project, name, odd)
    assert allele_map(project)[:2] == [
        (0, 1, "kept", form, False),
        (1, 1, "duplicate", form, False),
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_indels_of_ten_thousand_bases_are_aligned_as_bcftools_does(project, name):
    """Through a repeat of thirty thousand bases, and where there is none."""
    draw = random.Random(5)
    left, right, new = ("".join(draw.choices("ACGT", k=k)) for k in (900, 600, 10_000))
    bases = project.sequences["chr1"] = f"{left}{'CAGTC' * 6_000}{right}"
    project.builders.write_fasta(project.folder / "reference.fa", {"chr1": bases})
    end = 30_900  # of the repeat
    start = end - 10_000
    after = bases[end : end + 40]
    shorter = bases[start - 1 : start + 4] + after
    longer = bases[start - 3 : end] + bases[end - 3 : end + 9]
    odd = [
        record_at(500, bases[499:], bases[499]),
        record_at(start, bases[start - 1 : end], bases[start - 1]),
        record_at(start, bases[start - 1 : end] + after, f"{shorter},*", TWO_ALTS),
        record_at(end - 7, bases[end - 8], bases[end - 8] + bases[start - 7 : end - 7]),
        record_at(end - 2, bases[end - 3 : end + 9], longer),
        record_at(end + 100, bases[end + 99], bases[end + 99] + new),
        record_at(end + 200, bases[end + 199], bases[end + 199] + new.lower()),
    ]
    pairs = []
    for record in odd:
        fates = by_bcftools(project, record)
        pairs.append((record, [fate if fate[2] != "*" else "star" for fate in fates]))
    assert [fates[0][0] for _, fates in pairs[1:4:2]] == [len(left)] * 2
    count_each(project, name, pairs)


@pytest.mark.parametrize("name", FORMATS)
def test_alts_of_a_record_that_differ_in_case_alone_are_counted_as_one(project, name):
    """A call of both is homozygous."""
    bases = project.sequences["chr1"]
    snv, mnv = alt_of(bases[99]), alt_of(bases[199]) + alt_of(bases[200])
    longer = bases[299] + alt_of(bases[300]) * 2
    calls = ("0/1", "1|2", "2/3", "3/0")
    count_each(project, name, [
        (record_at(100, bases[99], f"{snv.lower()},{snv}", TWO_ALTS), [KEPT] * 2),
        (record_at(200, bases[199:201], f"{mnv},{mnv.lower()}", TWO_ALTS), [KEPT] * 2),
        (record_at(300, bases[299], f"{longer},{mixed(longer)},{longer.lower()}", calls),
         [KEPT] * 3),
    ])  # fmt: skip


@pytest.mark.parametrize("n_alts", [127, 128, 1_000])
@pytest.mark.parametrize("name", FORMATS)
def test_every_one_of_many_alts_has_its_outcome_and_its_copies(project, name, n_alts):
    """Around the last allele number that fits a byte, and far past it."""
    draw = random.Random(n_alts)
    people = [f"P{i}" for i in range(300)]
    project.write_sheet(
        [(who, "AB"[i % 2], ("XX", "XY")[i % 3 == 0]) for i, who in enumerate(people)]
    )
    ref = project.sequences["chr1"][199:206]
    # With ends that differ from those of REF, every ALT is canonical as it is written.
    first, last = (sorted(set("ACGT") - {base}) for base in (ref[0], ref[-1]))
    forms = ["".join(bases) for bases in product(first, *["ACGT"] * 5, last)]
    alts = draw.sample(forms, n_alts)
    fates: list[Fate] = [KEPT] * n_alts
    odd = {"star": "*", "symbolic": "<DEL>", "iupac": "NNN", "not_a_variant": ref, KEPT: ""}
    for at, fate in zip(range(5, n_alts - 2, 7), cycle(odd), strict=False):
        alts[at], fates[at] = odd[fate] or alts[4].lower(), fate  # one variant with the fifth
    calls = [f"{draw.randint(0, n_alts)}/{draw.randint(0, n_alts)}" for _ in people]
    calls[:6] = [f"{n_alts}/{n_alts}", f"{n_alts - 1}|{n_alts}", "5/6", f"{n_alts}/.", "./.", "5|0"]
    record = record_at(200, ref, ",".join(alts), calls)
    project.write_vcf(name, project.text([record], samples=people))
    check_each(project, name, [(record, fates)])


@pytest.mark.parametrize("name", FORMATS)
def test_counting_a_file_of_another_build_is_refused_and_leaves_nothing_behind(project, name):
    draw = random.Random(11)
    bases = project.sequences["chr1"]
    other = "".join(draw.choices("ACGT", k=len(bases)))
    places = range(100, 1_100)
    alts = [draw.choice("ACGT".replace(other[p - 1], "")) for p in places]
    records = [record_at(p, other[p - 1], alt) for p, alt in zip(places, alts, strict=True)]
    project.write_vcf(name, project.text(records))
    wrong = [p for p in places if other[p - 1] != bases[p - 1]]
    examples = [f"chr1:{p} REF {other[p - 1]}, reference {bases[p - 1]}" for p in wrong[:10]]
    rate = f"{len(wrong)} of 1,000 records ({len(wrong) / 1_000:.1%})"
    refused = project.try_out("count", name, *COMMAND)
    refused.refuses("Tiny", rate, "; ".join(examples), "looks like: another build")
