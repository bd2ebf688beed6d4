"""Genomes of unrelated people from a coalescent simulation, as copies of ALT."""

from collections.abc import Iterator

import msprime
import numpy as np


def loci(
    people: int, number: int, length: float, recombination: float, fewest: int, seed: int
) -> Iterator[np.ndarray]:
    """Simulate unlinked loci; gives (variants, people) int8 of each, both alleles `fewest` times or more."""
    histories = msprime.sim_ancestry(
        people,
        population_size=10_000,
        sequence_length=length,
        recombination_rate=recombination,
        random_seed=seed,
        num_replicates=number,
    )
    model = msprime.BinaryMutationModel()
    for i, history in enumerate(histories, 1):
        tree = msprime.sim_mutations(history, rate=1.25e-8, random_seed=seed + i, model=model)
        alleles = tree.genotype_matrix()
        copies = (alleles[:, ::2] + alleles[:, 1::2]).astype(np.int8)
        alt = copies.sum(axis=1, dtype=int)
        yield copies[np.minimum(alt, 2 * people - alt) >= fewest]
