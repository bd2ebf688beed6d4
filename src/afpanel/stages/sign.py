"""Sign a contribution that was packaged without a key: where the key is may be another machine."""

import logging
from pathlib import Path

from afpanel.errors import VerificationError
from afpanel.io.files import scratch_folder
from afpanel.io.signatures import sign
from afpanel.io.stored_zip import StoredZip, write_stored_zip
from afpanel.stages.contribution import MANIFEST, MAX_ENTRIES, SIGNATURE
from afpanel.stages.received import MAX_MANIFEST, read_manifest

logger = logging.getLogger(__name__)


def sign_contribution(path: Path, key: Path) -> None:
    """Sign a contribution, in the place of a signature that it may have.

    Parameters
    ----------
    path
        The contribution; it is replaced as a whole.
    key
        SSH key: the private one, or the public one of a key that an agent holds.
    """
    with (
        StoredZip(path, MAX_ENTRIES) as archive,
        scratch_folder(path) as scratch,
    ):
        if MANIFEST not in archive.entries:
            raise VerificationError("there is no manifest.json", where=path)
        manifest = archive.read(MANIFEST, MAX_MANIFEST)
        read_manifest(manifest)
        parts: dict[str, Path | bytes] = {}
        for number, name in enumerate(archive.entries):
            if name != SIGNATURE:
                part = scratch / str(number)
                with part.open("wb") as written:
                    archive.copy(name, written)
                parts[name] = part
        write_stored_zip(path, parts | {SIGNATURE: sign(manifest, key)})
    logger.info("sign %s: done", path.name)
