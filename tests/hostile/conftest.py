"""One small contribution for all tests of hostile ones."""

from pathlib import Path

import pytest
from tests.contributions import Opened, Programme, random_genome


@pytest.fixture(scope="package")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """A programme with a contribution that is as it should be."""
    folder: Path = tmp_path_factory.mktemp("programme")
    contigs = {"chr1": random_genome(3000), "chr2": random_genome(2000, 5)}
    return Programme(folder, contigs, {"chr1": 40, "chr2": 20})


@pytest.fixture
def opened(programme: Programme) -> Opened:
    """Its parts, to be altered."""
    return programme.opened()
