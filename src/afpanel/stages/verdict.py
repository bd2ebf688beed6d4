"""What is found of a contribution: everything that is not as it should be, and whether it may be used."""

from dataclasses import dataclass, field
from typing import Any

from afpanel.stages.contribution_pages import preview_of
from afpanel.stages.linkage_summary import summary_of


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Parameters
    ----------
    fatal
        Whether the contribution cannot be used for it.
    where
        Part, and place in it.
    what
        In words.
    """

    fatal: bool
    where: str
    what: str


@dataclass
class Verdict:
    """What was found of a contribution.

    Parameters
    ----------
    findings
        Everything that is not as it should be.
    manifest, harmonization, metadata, linkage
        What it says of itself, or None where that cannot be read.
    manifest_sha256
        Digest of the manifest.
    signed_by
        Fingerprint of the key that it is signed with, or None.
    """

    findings: list[Finding] = field(default_factory=list)
    manifest: dict[str, Any] | None = None
    harmonization: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    linkage: dict[str, Any] | None = None
    manifest_sha256: str = ""
    signed_by: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether nothing fatal was found."""
        return not any(finding.fatal for finding in self.findings)

    def page(self) -> str:
        """Lay out what it tells, as the preview of who made it does."""
        assert self.manifest is not None
        assert self.harmonization is not None
        linkage = None if self.linkage is None else summary_of(self.linkage)
        return preview_of(self.manifest, self.harmonization, None, None, self.metadata, linkage)
