"""One small contribution for all tests of hostile ones."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.contributions import Opened, Programme, random_genome

from afpanel.errors import BadInputError
from afpanel.io import metadata, schemas
from afpanel.stages import received, verify


@pytest.fixture(scope="package")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Programme:
    """A programme with a contribution that is as it should be."""
    folder: Path = tmp_path_factory.mktemp("programme")
    contigs = {"chr1": random_genome(3000), "chr2": random_genome(2000, 5)}
    return Programme(folder, contigs, {"chr1": 40, "chr2": 20})


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask of the same thing once, which is most of the time.

    That is ssh-keygen of a message and a signature, and a schema of a document that keeps to it.
    """
    monkeypatch.setattr(verify, "verify_signature", cache(verify.verify_signature))
    known = set()

    def faults_of(document: Any, *others: Any) -> list[BadInputError]:
        asked = (repr(document), *others)
        if asked in known:
            return []
        faults = schemas.faults_of(document, *others)
        if not faults:
            known.add(asked)
        return faults

    for module in (metadata, received):
        monkeypatch.setattr(module, "faults_of", faults_of)


@pytest.fixture
def opened(programme: Programme) -> Opened:
    """Its parts, to be altered."""
    return programme.opened()
