"""What files that leave may hold, by their kind: lists of names. What is not listed here is a leak.

Who adds a file, a key, a column or an array to a release or a contribution adds it here too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from afpanel.constants import Flag, Outcome
from afpanel.core.counting import THRESHOLDS
from afpanel.core.forbidden import words_of
from afpanel.io.panel_store import PANEL_ARRAYS
from afpanel.io.release import FILTERS
from afpanel.io.release_gdi import COLUMNS as COLUMNS_OF_GDI
from afpanel.io.release_gdi import VARIANT_TYPES
from afpanel.model.arrays import ARRAYS, COUNTS, RAW_COUNTS, SINGLE_COUNTS
from afpanel.model.figures import FIGURES, SITE_FIGURES, STATE


@dataclass(frozen=True)
class StoreList:
    """What a kind of store may hold.

    Parameters
    ----------
    arrays
        Names of its arrays.
    attributes
        Names of its attributes.
    over
        Names of dimensions that stand for others than the registry has.
    """

    arrays: frozenset[str]
    attributes: frozenset[str]
    over: Mapping[str, str] = field(default_factory=dict)


_ABOUT = frozenset({"afpanel_kind", "afpanel_format_version"})
_SITE = ("contig_id", "variant_contig", "variant_position")

STORES = {
    "release": StoreList(
        frozenset(
            {
                *_SITE, "contig_length", "filter_id", "group_id", "group_people", "variant_length",
                "variant_allele", "variant_filter",
                *(figure.array for figure in (*FIGURES, STATE)), *(figure.array for figure in SITE_FIGURES),
            }
        ),
        _ABOUT | {"panel", "version", "build"},
    ),
    "cell-counts": StoreList(
        frozenset(
            {
                *_SITE, "variant_ref", "variant_alt", *COUNTS, *SINGLE_COUNTS, *RAW_COUNTS,
                "refused_contig", "refused_start", "refused_end", "callable_contig", "callable_start", "callable_end",
                "track_contig", "track_start", "track_end", "track_allele_number",
            }
        ),
        _ABOUT | {"cohort", "country", "cells", "withheld_cells", "has_missing"},
        {"groups": "cells"},
    ),
    "panel-counts": StoreList(PANEL_ARRAYS, _ABOUT | {"contig", "contig_length"}),
}  # fmt: skip
"""Stores that hold counts of groups or of cells, by the kind that they say they are."""

FIXED_LENGTHS = {"alleles": 2, "sexes": 3}
"""Lengths of dimensions that are the same in every store of counts."""

BASES_ARRAYS = frozenset({"variant_allele", "variant_ref", "variant_alt"})
"""Arrays of alleles."""

GROUP_ARRAYS = frozenset({"grpmax_group", "fafmax_95_group", "fafmax_99_group"})
"""Arrays of names of groups, which a store lists in `group_id`."""

HEADER_KEYS = frozenset({"fileformat", "source", "reference", "FILTER", "contig", "INFO"})
"""Keys of lines of a VCF's header."""

HEADER_FIELDS = {
    "FILTER": ("ID", "Description"),
    "contig": ("ID", "length", "assembly"),
    "INFO": ("ID", "Number", "Type", "Description"),
}
"""What a line of a VCF's header may say in angle brackets, in this order."""

COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")

FILTER_VALUES = frozenset(FILTERS)

GROUP = re.compile(r"total|XX|XY|[A-Z]{2}(?:_[A-Za-z0-9]+)?")
"""A name of a group."""

_SITE_KEYS = frozenset(figure.key for figure in SITE_FIGURES)
_GROUP_KEYS = tuple(figure.key for figure in (*FIGURES, STATE))


def is_figure(name: str) -> bool:
    """Tell whether a name is one of a figure, in INFO or in Parquet.

    >>> is_figure("AC_VN_KHV"), is_figure("AC_raw"), is_figure("AC"), is_figure("DP_VN")
    (True, True, True, False)
    """
    if name in _SITE_KEYS or name in _GROUP_KEYS:
        return True
    for key in _GROUP_KEYS:
        if name.startswith(f"{key}_") and GROUP.fullmatch(name.removeprefix(f"{key}_")):
            return True
    return False


GDI_VALUES = frozenset(VARIANT_TYPES)
"""Values of VT."""

TEXT_FIGURES = frozenset(figure.key for figure in SITE_FIGURES if figure.type == "String")
"""Figures that are names of groups."""

PARQUET_COLUMNS = frozenset({"pos", "ref", "alt", "filter"})
GDI_COLUMNS: Mapping[str, str] = {name: str(kind) for name, kind in COLUMNS_OF_GDI.items()}
"""Columns of the files for GDI's mini-node, with their types: a file with any of these must have these alone."""

GDI_FILE = re.compile(r"allele-freq-chr(?:[1-9]|1[0-9]|2[0-2]|X|Y|M)\.[0-9]{1,2}\.parquet")
"""A name of such a file."""
PARQUET_KEYS = frozenset({b"panel", b"version", b"build", b"people", b"contigs", b"ARROW:schema"})
FIELD_KEYS = frozenset({b"description"})

MANIFEST_KEYS = frozenset(
    [
        "manifest_version",
        "panel",
        "files",
        "reference",
        "parameters",
        "software",
        "cohorts",
        "groups",
        "policy",
        "decision",
        "discordance",
        "risk",
    ]
)
"""Keys at the top of a release's manifest."""

CONTRIBUTION_KEYS = frozenset(
    [
        "contribution_version",
        "cohort",
        "country",
        "edition",
        "people",
        "cells",
        "withheld_cells",
        "has_missing",
        "reference",
        "contigs",
        "source",
        "evidence",
        "parameters",
        "sharing",
        "software",
        "parts",
    ]
)
"""Keys at the top of a contribution's manifest."""

JSON_KEYS = {
    "manifest.json": MANIFEST_KEYS | CONTRIBUTION_KEYS,
    "harmonization.json": frozenset(
        ["cohort", "outcomes", "strand", "lift", "ignored_contigs", "genotypes"]
    ),
    "linkage.json": frozenset(["linkage_version", "cohort", "country", "populations"]),
    "metadata.json": frozenset(
        [
            "metadata_version",
            "cohort",
            "contact",
            "people",
            "relatedness",
            "consent",
            "data_use",
            "sequencing",
            "calling",
            "quality",
            "populations",
            "legal",
        ]
    ),
}
"""Keys at the top of JSON files, by the name of the file."""

DIGEST_KEYS = {
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "refget": re.compile(r"SQ\.[A-Za-z0-9_-]{32}"),
    "seqcol": re.compile(r"[A-Za-z0-9_-]{32}"),
    "manifest_sha256": re.compile(r"[0-9a-f]{64}"),
    "signed_by": re.compile(r"SHA256:[A-Za-z0-9+/]{43}"),
}
"""Keys of values that are digests, which hold every short name by chance, and their form."""

MAIL_KEYS = frozenset({"contact"})
"""Keys under which a mailbox is given on purpose: that of a role, which is to be written to."""

TABLES = {
    ("cohort", "outcome", "kept", "source_alleles"),
    ("kind", "group_1", "group_2", "fst", "standard_error", "variants", "blocks", "block_bases"),
    ("group", "people", "variants", "segregating", "expected_heterozygosity", "complete_variants",
     "expected_heterozygosity_complete", "observed_heterozygosity_complete", "transitions",
     "transversions", "ti_tv"),
    ("group", "component", "coordinate", "explained_variance", "variants"),
    ("kind", "group", "private", "undetermined"),
    ("group", "class", "above", "up_to", "variants"),
    ("kind", "group_1", "group_2", "both_shown", "alt_in_1", "alt_in_2", "alt_in_both"),
    ("group", "kind", "people"),
    ("group", "state", "cells"),
    ("contig", "kind", "variants"),
    ("change", "variants"),
    ("group", "above", "up_to", "transitions", "transversions", "ti_tv"),
    ("group", "from", "below", "cells"),
    ("reason", "cells"),
    ("group", "people", "masked_cells", "share"),
    ("group", "linkage", "effective", "realistic", "realistic_known", "worst", "worst_known", "measured"),
    ("cohort", "verdict", "reasons", "compared_with", "flagged_at_most"),
    ("contig", "position", "ref", "alt", "cohort", "kind", "group", "AC", "AN", "AF"),
    ("contig", "both", "new", "gone"),
    ("old_state", "new_state", "cells"),
}  # fmt: skip
"""First lines of tables that may leave."""

_SAID = (
    "panel name version total yes no fail drop report action kinship min_sites overlap count missing error"
    " all some files lack and none swap strand primary masking only afpanel python numpy pyarrow pysam zarr"
    " disclosure_control withheld_groups masked_cells group path bytes sha256 reference seqcol build contigs"
    " length"
    " refget grpmax_exclude min_group_size min_allele_count description callable_regions thresholds_not_applied"
    " half_calls polyploid filters max_ref_mismatch resolve lift contig part parquet zarr vcf gz tbi csi bcf slim gdi zip json"
    " tsv manifest harmonization metadata PASS AC0 GRCh37 GRCh38 VCFv4.3 XX XY unknown GQ DP AD GT Number Type"
    " Description ID length assembly Integer Float String Flag fileformat release cell-counts panel-counts"
    " shape data_type chunk_grid chunk_shape chunk_key_encoding separator fill_value codecs configuration"
    " dimension_names storage_transformers node_type attributes zarr_format array regular default bool string int8"
    " int16 int32 int64 uint8 float32 endian little vlen-utf8 blosc typesize cname lz4 zstd clevel shuffle"
    " noshuffle blocksize parquet-cpp-arrow ARROW:schema pos ref alt filter population people of afpanel_kind"
    " kind vcf gvcf sites contribution source fields left_out_for double_count edition manifest_sha256"
    " signed_by sharing everybody populations_merged regions_left_out sexes min_cell_size min_variant_count"
    " afpanel_format_version as_is yes harmonize Position 1-based Reference Alternative allele ALT where was counted"
    " monomorphic PC1 PC2 PC3 PC4 PC5 PC6 PC7 PC8 PC9 PC10"
    " risk false_positive_rate reference_people limit_realistic linkage effective realistic realistic_known"
    " worst worst_known measured genotypes bound limits membership_risk max_realistic_power worst_case signed_off"
    " reference power configuration trial pool variants likelihood_ratio homer linkage_known auc auc_error found"
    " found_low found_high relatives_left_out classes within within_error between ridges ridge sum_of_squares"
    " splits attacks separation separation_error"
    " policy effective rule value by tier as_of country sex true false null min_contributors statistics"
    " hardy_weinberg no_populations_under refused_terms verified_only reason registered controlled open"
    " sides alt other zeros masked shown min_genotype_count insider_protection populations_never_shown never alone its with no group this"
    " cells_without_genotypes variants_dropped variants_dropped_secondary total_alone_variants_out"
    " total_alone_masked_cells without_masked_variants_out"
    " masked_primary masked_secondary masked_by_contributors so that people whom too few are withheld not"
    " what is left sum fewer than cohorts together"
    " ledger releases external_releases entry_sha256"
)


def words_of_formats() -> set[str]:
    """List the words that the formats themselves consist of, in lower case: they tell of nobody."""
    figures = [text for each in (*FIGURES, STATE) for text in (each.key, each.doc)]
    figures += [text for each in SITE_FIGURES for text in (each.key, each.doc)]
    lists = [
        *MANIFEST_KEYS,
        *CONTRIBUTION_KEYS,
        *HEADER_KEYS,
        *COLUMNS,
        *THRESHOLDS,
        *FILTERS.values(),
        *GDI_COLUMNS,
        *GDI_VALUES,
    ]
    tables = [name for table in TABLES for name in table]
    arrays = [text for spec in ARRAYS.values() for text in (spec.name, spec.doc, *spec.dims)]
    outcomes = [str(each.name) for enum in (Outcome, Flag) for each in enum]
    keys = [key for keys in JSON_KEYS.values() for key in keys]
    return {"part-0"} | words_of([_SAID, *figures, *lists, *tables, *arrays, *outcomes, *keys])
