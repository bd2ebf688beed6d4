"""The registry of array names: one place that says what each array of a store holds.

Genotype stores follow the VCF Zarr specification (version 0.4); the arrays of counts are this
project's own. -1 is missing and -2 is fill in every integer array.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ArraySpec:
    """Name, dimensions, dtype and meaning of an array."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    doc: str


_SPECS = (
    ArraySpec("contig_id", ("contigs",), "str", "Names of contigs."),
    ArraySpec("contig_length", ("contigs",), "i8", "Lengths of contigs in bases."),
    ArraySpec("filter_id", ("filters",), "str", "Names of FILTER values."),
    ArraySpec("sample_id", ("samples",), "str", "Sample IDs: private, never published."),
    ArraySpec(
        "region_index",
        ("region_index_values", "region_index_fields"),
        "i4",
        "Chunk, contig, first and last position, greatest end, number of records.",
    ),
    ArraySpec("variant_contig", ("variants",), "i2", "Index into contig_id."),
    ArraySpec("variant_position", ("variants",), "i4", "POS, 1-based."),
    ArraySpec("variant_length", ("variants",), "i4", "Bases of REF."),
    ArraySpec("variant_allele", ("variants", "alleles"), "str", "REF, then ALTs; '' is fill."),
    ArraySpec("variant_id", ("variants",), "str", "ID column."),
    ArraySpec("variant_quality", ("variants",), "f4", "QUAL column; NaN is missing."),
    ArraySpec(
        "variant_filter", ("variants", "filters"), "bool", "Which FILTERs are set; none: '.'."
    ),
    ArraySpec("call_genotype", ("variants", "samples", "ploidy"), "i1", "Allele indices of GT."),
    ArraySpec("call_GQ", ("variants", "samples"), "i2", "Genotype quality."),
    ArraySpec("call_DP", ("variants", "samples"), "i2", "Read depth, capped at 32,767."),
    ArraySpec(
        "call_het_alt_AD",
        ("variants", "samples"),
        "i2",
        "Reads of the least supported ALT of a heterozygous call; -1 for other calls.",
    ),
    ArraySpec(
        "published_allele_count",
        ("source_alleles", "cells"),
        "i4",
        "AC of each ALT of the records, one after another, as a sites file gives it.",
    ),
    ArraySpec(
        "published_allele_number", ("variants", "cells"), "i4", "AN as a sites file gives it."
    ),
    ArraySpec(
        "published_homozygote_count",
        ("source_alleles", "cells"),
        "i4",
        "People homozygous for each ALT, as a sites file gives them.",
    ),
    ArraySpec(
        "published_hemizygote_count",
        ("source_alleles", "cells"),
        "i4",
        "Haploid calls of each ALT, as a sites file gives them.",
    ),
    ArraySpec(
        "published_haploid_number",
        ("variants", "cells"),
        "i4",
        "Haploid calls of any allele, as a sites file gives them.",
    ),
    ArraySpec(
        "published_raw_allele_count",
        ("source_alleles",),
        "i4",
        "AC of each ALT before the filter of genotypes, as a sites file gives it.",
    ),
    ArraySpec(
        "published_raw_allele_number",
        ("variants",),
        "i4",
        "AN before the filter of genotypes, as a sites file gives it.",
    ),
    ArraySpec("span_sample", ("spans",), "i4", "Person of a span of called bases, of a gVCF."),
    ArraySpec("span_start", ("spans",), "i4", "Start of the span, 0-based."),
    ArraySpec("span_end", ("spans",), "i4", "End of the span, exclusive."),
    ArraySpec(
        "span_genotype",
        ("spans", "ploidy"),
        "i1",
        "Its call: 0 REF, 1 another allele, 2 the second of two different others.",
    ),
    ArraySpec("span_GQ", ("spans",), "i2", "Genotype quality of the span."),
    ArraySpec("span_DP", ("spans",), "i2", "Read depth of the span, capped at 32,767."),
    ArraySpec(
        "span_het_alt_AD",
        ("spans",),
        "i2",
        "Reads of the least supported ALT of a heterozygous span; -1 for other calls.",
    ),
    ArraySpec(
        "allele_record",
        ("source_alleles",),
        "i4",
        "Record of a source allele, counted from the first of its partition.",
    ),
    ArraySpec(
        "allele_index",
        ("source_alleles",),
        "i4",
        "Allele of the record whose copies are counted: the ALT, from 1, or 0, REF, if swapped.",
    ),
    ArraySpec("allele_outcome", ("source_alleles",), "u1", "Outcome code."),
    ArraySpec("allele_flags", ("source_alleles",), "u1", "Flags of a kept allele."),
    ArraySpec("allele_contig", ("source_alleles",), "i2", "Canonical contig; -1 if rejected."),
    ArraySpec(
        "allele_position",
        ("source_alleles",),
        "i4",
        "Canonical position; of a rejected allele the source's.",
    ),
    ArraySpec(
        "allele_ref", ("source_alleles",), "str", "Canonical REF; of a rejected one the source's."
    ),
    ArraySpec(
        "allele_alt", ("source_alleles",), "str", "Canonical ALT; of a rejected one the source's."
    ),
    ArraySpec("partition_id", ("partitions",), "str", "Names of partitions, in order."),
    ArraySpec(
        "partition_contig",
        ("partitions",),
        "i2",
        "Contig of each partition, index into source_contig_id; -1 where it has no record.",
    ),
    ArraySpec(
        "partition_offset",
        ("partition_bounds",),
        "i8",
        "First source allele of each partition, and the total at the end.",
    ),
    ArraySpec(
        "source_contig_id",
        ("source_contigs",),
        "str",
        "Names of contigs of the build that the cohort is on.",
    ),
    ArraySpec(
        "refused_offset",
        ("partition_bounds",),
        "i8",
        "First refused span of each partition, and the total at the end.",
    ),
    ArraySpec(
        "merged_into",
        ("merged",),
        "i8",
        "Source allele that a merged one is counted with.",
    ),
    ArraySpec("merged_row", ("merged",), "i8", "The merged source allele."),
    ArraySpec("merged_partition", ("merged",), "i4", "Its partition, index into partition_id."),
    ArraySpec("merged_record", ("merged",), "i4", "Its record."),
    ArraySpec("merged_index", ("merged",), "i4", "Its number in the record."),
    ArraySpec("variant_ref", ("variants",), "str", "Canonical REF."),
    ArraySpec("variant_alt", ("variants",), "str", "Canonical ALT."),
    ArraySpec("allele_count", ("variants", "groups"), "i4", "AC: copies of ALT."),
    ArraySpec("allele_number", ("variants", "groups"), "i4", "AN: called alleles."),
    ArraySpec("raw_allele_count", ("variants",), "i4", "AC of all before the genotype filter."),
    ArraySpec("raw_allele_number", ("variants",), "i4", "AN of all before the genotype filter."),
    ArraySpec(
        "single_allele_count",
        ("variants", "groups"),
        "i4",
        "Copies of ALT that are the only called allele of their person: haploid and half-calls.",
    ),
    ArraySpec(
        "single_allele_number",
        ("variants", "groups"),
        "i4",
        "Called alleles that are the only one called of their person: haploid and half-calls.",
    ),
    ArraySpec(
        "allele_frequency",
        ("variants", "groups"),
        "f4",
        "AF = AC / AN; NaN where AN is 0 or masked.",
    ),
    *(
        ArraySpec(
            f"filtering_frequency_{level}",
            ("variants", "groups"),
            "f4",
            f"Filtering allele frequency, {level} %; NaN where AN is 0 or masked.",
        )
        for level in (95, 99)
    ),
    ArraySpec(
        "called_fraction",
        ("variants", "groups"),
        "f4",
        "AN / copies that the group's people have; NaN where they have none, or AN is masked.",
    ),
    *(
        ArraySpec(
            name,
            ("variants", "groups"),
            "f4",
            f"{doc}, diploid calls alone, of populations; NaN for other groups, and where masked.",
        )
        for name, doc in (
            ("hwe_p_value", "Hardy-Weinberg exact test, two-sided p"),
            ("excess_heterozygosity_p_value", "Exact test of excess of heterozygotes, p"),
            ("inbreeding_coefficient", "1 - observed / expected heterozygotes"),
        )
    ),
    ArraySpec("raw_allele_frequency", ("variants",), "f4", "AF of all before the genotype filter."),
    ArraySpec("grpmax_group", ("variants",), "str", "Group with the greatest AF; '' is none."),
    ArraySpec("grpmax_allele_count", ("variants",), "i4", "AC in that group."),
    ArraySpec("grpmax_allele_number", ("variants",), "i4", "AN in that group."),
    ArraySpec("grpmax_allele_frequency", ("variants",), "f4", "AF in that group."),
    ArraySpec("grpmax_homozygote_count", ("variants",), "i4", "nhomalt in that group."),
    *(
        spec
        for level in (95, 99)
        for spec in (
            ArraySpec(f"fafmax_{level}", ("variants",), "f4", f"Greatest faf{level}; NaN is none."),
            ArraySpec(f"fafmax_{level}_group", ("variants",), "str", "Its group; '' is none."),
        )
    ),
    ArraySpec("homozygote_count", ("variants", "groups"), "i4", "People homozygous for ALT."),
    ArraySpec("hemizygote_count", ("variants", "groups"), "i4", "Haploid calls of ALT."),
    ArraySpec(
        "state",
        ("variants", "groups"),
        "i1",
        "0 not-callable, 1 absent-callable, 2 observed, 3 masked.",
    ),
    ArraySpec("group_id", ("groups",), "str", "Names of groups."),
    ArraySpec("group_people", ("groups",), "i4", "People in each group."),
    ArraySpec(
        "group_people_by_sex", ("groups", "sexes"), "i4", "XX, XY and other people in each group."
    ),
    ArraySpec("track_contig", ("runs",), "i2", "Index into contig_id."),
    ArraySpec("track_start", ("runs",), "i4", "Start of a run of bases of one AN, 0-based."),
    ArraySpec("track_end", ("runs",), "i4", "End of the run, exclusive."),
    ArraySpec(
        "track_allele_number", ("runs", "cells"), "i4", "AN of each cell at every base of the run."
    ),
    ArraySpec("callable_contig", ("intervals",), "i2", "Index into contig_id."),
    ArraySpec(
        "callable_start",
        ("intervals",),
        "i4",
        "Start of an interval where everybody could be called, 0-based.",
    ),
    ArraySpec("callable_end", ("intervals",), "i4", "End of the interval, exclusive."),
    ArraySpec("refused_contig", ("refusals",), "i2", "Index into contig_id."),
    ArraySpec("refused_start", ("refusals",), "i4", "Start of a refused record, 0-based."),
    ArraySpec("refused_end", ("refusals",), "i4", "End of a refused record, exclusive."),
)

ARRAYS = {spec.name: spec for spec in _SPECS}
"""Every array that this project writes, by name."""

COUNTS = ("allele_count", "allele_number", "homozygote_count", "hemizygote_count")
"""The four counts of a cell or group at a variant, in the order they are always listed."""

SINGLE_COUNTS = ("single_allele_count", "single_allele_number")
"""Calls with one allele: what is needed beside them to tell heterozygotes (`core.diploid_calls`)."""

RAW_COUNTS = ("raw_allele_count", "raw_allele_number")
"""The counts of all people before the genotype filter."""
