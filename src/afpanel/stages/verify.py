"""Verify a contribution: work out again everything that it claims, before a number of it is used.

The file may be damaged, or made to do harm. What it may cost is bounded by its size, and what is wrong is
listed, all of it as far as it can be told.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from afpanel.errors import AfpanelError, BadInputError, VerificationError
from afpanel.io.files import scratch_folder, sha256, whole_folder, write_json
from afpanel.io.reference import (
    Reference,
    ReferencePaths,
    concrete,
    refget_digest,
    seqcol_digest,
)
from afpanel.io.signatures import check_integrity
from afpanel.io.signatures import verify as verify_signature
from afpanel.io.stored_zip import StoredZip
from afpanel.stages.contribution import (
    HARMONIZATION,
    MANIFEST,
    MAX_ENTRIES,
    METADATA,
    README,
    SIGNATURE,
    Totals,
    counts_part,
    counts_parts,
    evidence_of,
    head_of,
)
from afpanel.stages.editions import check_edition
from afpanel.stages.leak_scan import NOWHERE, Forbidden, scan
from afpanel.stages.progress import Progress
from afpanel.stages.received import (
    MAX_DOCUMENT,
    MAX_MANIFEST,
    check_readme,
    faults_of_cells,
    parse_part,
    read_manifest,
)
from afpanel.stages.verdict import Finding, Verdict
from afpanel.stages.verify_counts import Expected, check_counts

logger = logging.getLogger(__name__)

RECEIVED = "received.json"
"""What is written beside the parts of a contribution that was accepted."""

_MAX_SIGNATURE = 64 << 10
_PARTS = {README, METADATA, HARMONIZATION}
_NEEDED = (README, HARMONIZATION)


@dataclass(frozen=True)
class VerifyOptions:
    """What a contribution is held against, besides the reference.

    Parameters
    ----------
    build
        The panel's build.
    cohort, country
        Whose it is to be, or None where that does not matter.
    signature_required
        Whether it must be signed by a key that `allowed_signers` has for the cohort.
    allowed_signers, revoked_keys
        Who may sign, and keys that may not any more; or None.
    register
        Folder where the hub notes what it has accepted, so that nothing older is taken; or None.
    parameters
        Parameters of the hub, of which others are told of; or None.
    forbidden
        What must not be in it, besides what no contribution may hold; or None.
    """

    build: str
    cohort: str | None = None
    country: str | None = None
    signature_required: bool = False
    allowed_signers: Path | None = None
    revoked_keys: Path | None = None
    register: Path | None = None
    parameters: Mapping[str, Any] | None = None
    forbidden: Forbidden | None = None


def verify(
    path: Path, reference_paths: ReferencePaths, options: VerifyOptions, out: Path | None = None
) -> Verdict:
    """Verify a contribution.

    Parameters
    ----------
    path
        The contribution.
    reference_paths
        The recipient's reference.
    options
        See `VerifyOptions`.
    out
        Folder for its parts, which appears whole if nothing fatal was found; or None.

    Returns
    -------
    Verdict
        With all findings; whether it may be used is `Verdict.accepted`.
    """
    if not path.is_file():
        what = "not a file" if path.exists() else "file does not exist"
        raise BadInputError(what, where=path, expected="a contribution, an .afc.zip")
    verdict = Verdict()
    with _scratch(out) as scratch:
        check = _Check(path, options, verdict, scratch)
        with check.gathering(path.name):
            check.file()
            check.reference(Reference(reference_paths))
        if verdict.accepted:
            check.leaks(options.forbidden or Forbidden(NOWHERE))
        if verdict.accepted and options.register is not None:
            with check.gathering(path.name):
                check_edition(verdict, options.register)
        if verdict.accepted and out is not None:
            _move(scratch, out, verdict)
    n = sum(finding.fatal for finding in verdict.findings)
    logger.info(
        "verify %s: %s", path.name,
        "accepted" if verdict.accepted else f"refused, for {n} reason{'s' if n > 1 else ''}",
    )  # fmt: skip
    return verdict


@contextmanager
def _scratch(out: Path | None) -> Iterator[Path]:
    """Make a folder for the parts, on the disk where they go."""
    if out is not None:
        with scratch_folder(out.with_name(f"{out.name}.parts")) as folder:
            yield folder
        return
    # Where the file came in may be nothing to write to; TMPDIR chooses another place.
    with tempfile.TemporaryDirectory(prefix="afpanel-") as name:
        yield Path(name)


def _move(scratch: Path, out: Path, verdict: Verdict) -> None:
    """Put the parts in place, with what the release says of where they came from."""
    assert verdict.manifest is not None
    write_json(
        scratch / RECEIVED,
        {
            "cohort": verdict.manifest["cohort"],
            "edition": verdict.manifest["edition"],
            "manifest_sha256": verdict.manifest_sha256,
            "signed_by": verdict.signed_by,
            **{
                key: verdict.manifest[key]
                for key in ("source", "evidence", "parameters", "sharing")
            },
            "warnings": [finding.what for finding in verdict.findings],
        },
    )
    with whole_folder(out) as folder:
        for part in scratch.iterdir():
            part.rename(folder / part.name)


class _Check:
    """Goes through a contribution, and gathers what it finds."""

    def __init__(self, path: Path, options: VerifyOptions, verdict: Verdict, folder: Path) -> None:
        self._path, self._options, self._verdict = path, options, verdict
        self._folder = folder
        self._whole: set[str] = set()

    @contextmanager
    def gathering(
        self, where: str, refusal: type[AfpanelError] = VerificationError
    ) -> Iterator[None]:
        """Note as fatal what is refused, and go on with what comes next.

        An error of another kind is one of the hub's own files, and ends the command.
        """
        try:
            yield
        except refusal as error:
            place = error.where or where
            self._add(place, str(error).removeprefix(f"{place}: "))

    def _add(self, where: str, what: str, *, fatal: bool = True) -> None:
        self._verdict.findings.append(Finding(fatal, where, what))

    def file(self) -> None:
        """Check the file, its manifest and signature, and unpack its parts."""
        with StoredZip(self._path, MAX_ENTRIES) as archive:
            if MANIFEST not in archive.entries:
                raise VerificationError("there is no manifest.json", where=self._path.name)
            raw = archive.read(MANIFEST, MAX_MANIFEST)
            signature = None
            if SIGNATURE in archive.entries:
                signature = archive.read(SIGNATURE, _MAX_SIGNATURE)
            manifest, digest = read_manifest(raw)
            self._verdict.manifest, self._verdict.manifest_sha256 = manifest, digest
            with self.gathering(SIGNATURE):
                self._signature(raw, signature, manifest["cohort"])
            self._identity(manifest)
            self._unpack(archive, manifest)
        for name in _NEEDED:
            if name not in archive.entries:
                self._add(name, "is missing")
        for name in (METADATA, HARMONIZATION):
            if name in self._whole:
                with self.gathering(name):
                    content = parse_part(self._folder / name, name, manifest)
                    setattr(self._verdict, name.removesuffix(".json"), content)
        if README in self._whole:
            with self.gathering(README):
                for what in check_readme((self._folder / README).read_bytes(), manifest):
                    self._add(README, what, fatal=False)

    def _signature(self, raw: bytes, signature: bytes | None, cohort: str) -> None:
        """Check who signed the manifest."""
        options = self._options
        if signature is None:
            if options.signature_required:
                raise VerificationError(
                    "is not signed",
                    where=self._path.name,
                    expected=f"a signature of cohort {cohort}",
                    remedy="the programme signs it: afpanel sign FILE --key KEY",
                )
            self._add(SIGNATURE, "is not signed: nothing tells whose it is", fatal=False)
        elif options.allowed_signers is not None:
            self._verdict.signed_by = verify_signature(
                raw, signature, cohort, options.allowed_signers, options.revoked_keys
            )
        elif options.signature_required:
            raise VerificationError(
                "nothing tells who may sign",
                where=self._path.name,
                expected="a file of allowed signers",
                remedy="name one: --allowed-signers, or allowed_signers in the configuration",
            )
        else:
            self._verdict.signed_by = check_integrity(raw, signature)
            what = "is signed, but nothing tells whose the key is"
            self._add(SIGNATURE, f"{what}: {self._verdict.signed_by}", fatal=False)

    def _identity(self, manifest: Mapping[str, Any]) -> None:
        """Hold what the manifest says of the whole against what is expected, and against itself."""
        options = self._options
        said = {
            "cohort": options.cohort,
            "country": options.country,
            "build": options.build,
        }
        for key, expected in said.items():
            found = manifest["reference"]["build"] if key == "build" else manifest[key]
            if expected is not None and found != expected:
                self._add(MANIFEST, f"{key} is {found}, and not {expected}")
        head = head_of(manifest)
        if manifest["people"] != sum(cell.people for cell in head.cells):
            self._add(MANIFEST, "people is not the sum of the people of all cells")
        if manifest["evidence"] != evidence_of(counts_parts(manifest)):
            self._add(MANIFEST, "evidence is not of the kind that the counts have")
        source = manifest["source"]
        if source["lift"] is None and source["build"] != manifest["reference"]["build"]:
            self._add(MANIFEST, "the cohort is on another build, and was not lifted over")
        for what in faults_of_cells(head, manifest["sharing"]):
            self._add(MANIFEST, what)
        for key, theirs in manifest["parameters"].items():
            ours = (options.parameters or {}).get(key, theirs)
            differ = sorted(name for name in theirs if ours.get(name) != theirs[name])
            if differ:
                what = f"made with other parameters than the panel: {key}.{', '.join(differ)}"
                self._add(MANIFEST, what, fatal=False)

    def _unpack(self, archive: StoredZip, manifest: Mapping[str, Any]) -> None:
        """Copy the parts to a folder, and hold them against their digests."""
        named = [part["path"] for part in manifest["parts"]]
        expected = [MANIFEST, *named, *([SIGNATURE] if SIGNATURE in archive.entries else [])]
        if list(archive.entries) != expected:
            extra = sorted(set(archive.entries) - set(expected))
            missing = sorted(set(expected) - set(archive.entries))
            found = f"not named: {extra[:5]}" if extra else f"missing: {missing[:5]}"
            order = "the same in another order" if not extra and not missing else found
            self._add(self._path.name, f"the parts are not those of the manifest ({order})")
        for part in manifest["parts"]:
            name = part["path"]
            known = counts_part(part["contig"]) if "contig" in part else name
            if name != known or ("contig" not in part and name not in _PARTS):
                self._add(MANIFEST, f"there is no such part as {name[:80]}")
                continue
            if name not in archive.entries:
                continue
            with self.gathering(name):
                if name in _PARTS and archive.entries[name].size > MAX_DOCUMENT:
                    raise VerificationError(
                        "is too large", where=name, expected=f"at most {MAX_DOCUMENT:,} bytes"
                    )
                target = self._folder / name
                target.parent.mkdir(exist_ok=True)
                with target.open("wb") as written:
                    archive.copy(name, written)
                if (target.stat().st_size, sha256(target)) != (part["bytes"], part["sha256"]):
                    raise VerificationError(
                        "is not what the manifest says", where=name, expected=part["sha256"]
                    )
                self._whole.add(name)

    def reference(self, reference: Reference) -> None:
        """Check the sequences that the variants stand on, and the counts contig by contig."""
        manifest = self._verdict.manifest
        if manifest is None:
            return
        stated = {each["name"]: each for each in manifest["reference"]["contigs"]}
        parts = counts_parts(manifest)
        if len(stated) != len(manifest["reference"]["contigs"]):
            self._add(MANIFEST, "a contig of the reference is named twice")
        digests = [each["refget"] for each in stated.values()]
        if seqcol_digest(list(stated), digests) != manifest["reference"]["seqcol"]:
            self._add(MANIFEST, "reference.seqcol is not the digest of the contigs named")
        if [part["contig"] for part in parts] != list(stated):
            self._add(MANIFEST, "the contigs of the reference are not those of the counts")
        if not set(manifest["contigs"]) <= set(stated):
            self._add(MANIFEST, "contigs are named of which there are no counts")
        head = head_of(manifest)
        progress = Progress(logger, f"verify {manifest['cohort']}", "variants")
        for part in parts:
            contig = part["contig"]
            letters = None
            if contig not in reference.lengths:
                self._add(contig, f"the reference has no such contig; {_OTHER_REFERENCE}")
            else:
                letters = reference.letters(contig)
                if refget_digest(letters) != stated.get(contig, {}).get("refget"):
                    self._add(contig, f"is another sequence than the panel's; {_OTHER_REFERENCE}")
                    letters = None
                elif len(letters) != stated[contig]["length"]:
                    self._add(contig, "is of another length than the manifest says")
            if part["path"] not in self._whole:
                continue
            expected = Expected(
                contig=contig,
                build=self._options.build,
                head=head,
                totals=Totals(**{f.name: part[f.name] for f in fields(Totals)}),
                sequence=None if letters is None else concrete(letters),
                same_build=manifest["source"]["build"] == self._options.build,
                sharing=manifest["sharing"],
            )
            # A store that cannot be read is a fault of the contribution too.
            with self.gathering(part["path"], AfpanelError):
                found = check_counts(self._folder / part["path"], part["path"], expected)
                self._verdict.findings.extend(found)
            progress.advance(part["variants"], contig)

    def leaks(self, forbidden: Forbidden) -> None:
        """Look for what a contribution may not hold, in every part of the file."""
        manifest = self._verdict.manifest
        assert manifest is not None
        head = head_of(manifest)
        told = [*head.cells, *head.withheld_cells]
        forbidden.allow([head.cohort, head.country, *(cell.population for cell in told)])
        forbidden.allow(each["name"] for each in manifest["reference"]["contigs"])
        for leak in scan([self._path], forbidden).leaks:
            self._add(self._path.name, f"{leak}")


_OTHER_REFERENCE = "the counts were made on another reference, or build"
