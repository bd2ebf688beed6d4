"""The settings of signatures, and the page about them."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.ssh import fingerprint, make_key, needs_ssh_keygen, public

from afpanel.errors import AfpanelError, VerificationError
from afpanel.io.signatures import verify
from afpanel.io.tables import read_config
from afpanel.model.cohort import Cohort
from afpanel.stages.plan_checks import faults_of_signatures

pytestmark = needs_ssh_keygen

CONFIG = """
panel: {name: p, version: "1"}
reference: {build: GRCh38, fasta: ref.fa}
cohorts: cohorts.tsv
disclosure: {policy: policy.yaml}
"""


def cohort(name: str, kind: str) -> Cohort:
    return Cohort(name, name[:2], kind, "path", "GRCh38", None, None, None)


def faults(folder: Path, settings: str, *cohorts: Cohort) -> list[AfpanelError]:
    path = folder / "config.yaml"
    path.write_text(CONFIG + settings)
    config: dict[str, Any] = read_config(path)
    return list(faults_of_signatures(config, cohorts))


VN, TH = cohort("VN-1", "contribution"), cohort("TH-1", "contribution")
HOME = cohort("JP-1", "vcf")


def test_by_default_nobody_may_sign_and_nothing_is_revoked(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    config = read_config(tmp_path / "c.yaml")
    assert config["allowed_signers"] is None
    assert config["revoked_keys"] is None


def test_contributions_demand_allowed_signers_where_signatures_are_required(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "", VN, HOME, TH)
    assert "whose keys sign contributions, and there are some: TH-1, VN-1" in str(fault)
    assert str(fault).startswith("allowed_signers:")
    assert fault.exit_code == 3
    assert faults(tmp_path, "", HOME) == []
    assert faults(tmp_path, "signatures: optional", VN, HOME) == []


def test_every_contribution_needs_a_key_where_signatures_are_required(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text(f"VN-1 {public(make_key(tmp_path, 'key'))}\n")
    named = f"allowed_signers: {allowed}\n"
    (fault,) = faults(tmp_path, named, VN, HOME, TH)
    assert str(fault).startswith(f"{allowed}: no key of cohort TH-1")
    assert faults(tmp_path, named, VN, HOME) == []
    assert faults(tmp_path, named + "signatures: optional", VN, TH) == []


def test_revoked_keys_without_allowed_signers_are_refused_for_they_would_do_nothing(
    tmp_path: Path,
) -> None:
    settings = "signatures: optional\nrevoked_keys: revoked"
    (fault,) = faults(tmp_path, settings, VN)
    assert "held against nothing" in str(fault)


def test_all_faults_of_both_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text("* ssh-ed25519 AAAA\nVN-1\n")
    (tmp_path / "revoked").write_text("nonsense\n")
    settings = f"allowed_signers: {tmp_path}/allowed\nrevoked_keys: {tmp_path}/revoked"
    found = [str(fault).split(":")[0] for fault in faults(tmp_path, settings, VN)]
    assert found == [
        f"{tmp_path}/allowed, line 1",
        f"{tmp_path}/allowed, line 2",
        f"{tmp_path}/revoked, line 1",
    ]


def test_a_missing_file_of_keys_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f"allowed_signers: {tmp_path}/none")
    assert str(fault) == f"{tmp_path}/none: cannot be read: No such file or directory"


def test_the_commands_of_the_page_work_and_what_they_make_is_verified(
    root: Path, tmp_path: Path
) -> None:
    page = (root / "docs" / "signatures.md").read_text("utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 7
    (tmp_path / "manifest.json").write_text('{"parts": {}}\n')
    script = "set -euo pipefail\ntrap 'kill \"$SSH_AGENT_PID\"' EXIT\n" + "".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"SSH_ASKPASS_REQUIRE": "never"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 'Good "afpanel-contribution" signature for VN-demo' in done.stdout
    message, signature = (
        (tmp_path / name).read_bytes() for name in ("manifest.json", "manifest.json.sig")
    )
    allowed, revoked = tmp_path / "allowed_signers", tmp_path / "revoked_keys"
    found = verify(message, signature, "VN-demo", allowed)
    assert found == fingerprint(tmp_path / "VN-demo.key")
    with pytest.raises(VerificationError, match="revoked"):
        verify(message, signature, "VN-demo", allowed, revoked)
