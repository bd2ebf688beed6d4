"""Stores of published counts, read back."""

import numpy as np

from afpanel.core.published_counts import PublishedCounts
from afpanel.io.store import Store


def read_published(store: Store) -> PublishedCounts:
    """Read the published counts of all records of a store."""
    n = store.rows("variant_position")
    n_alts = np.zeros(n, np.int64)
    for first, width, cells in store.columns_of_strings("variant_allele"):
        is_alt = (cells.lengths > 0).reshape(n, width)
        n_alts += is_alt[:, 1 if first == 0 else 0 :].sum(axis=1)
    return PublishedCounts(
        n_alts,
        allele_count=store.read("published_allele_count"),
        homozygotes=store.read("published_homozygote_count"),
        hemizygotes=store.read("published_hemizygote_count"),
        allele_number=store.read("published_allele_number"),
        haploid_number=store.read("published_haploid_number"),
        raw_allele_count=store.read("published_raw_allele_count"),
        raw_allele_number=store.read("published_raw_allele_number"),
    )
