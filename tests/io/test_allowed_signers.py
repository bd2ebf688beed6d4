"""The hub's two files: what is understood, beside ssh-keygen's own reading, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.ssh import fingerprint, make_key, needs_ssh_keygen, public, signed, ssh_keygen

from afpanel.errors import BadInputError, FaultsError
from afpanel.io.allowed_signers import read_allowed_signers, read_revoked_keys

pytestmark = needs_ssh_keygen


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key"), "key")


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "allowed_signers"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "line",
    [
        "VN {key}",
        'VN {key} a comment, of "any" kind: b\'',
        "  \tVN\t \t{key}",
        "LA,VN,TH-2 {key}",
        'VN namespaces="afpanel-contribution" {key}',
        'VN NameSpaces="file,afpanel-contribution" {key}',
        'VN valid-after="20250101" {key}',
        'VN valid-before="20270101",valid-after="20250101" {key}',
        'VN valid-before="202607010000",namespaces="afpanel-contribution" {key}',
        'VN valid-before="20260630235959Z" {key}',
        'VN Valid-After="20260701000001" {key}',
        'VN valid-after="20260701" {key}',
        "# VN of the north\n\n   # another\nLA {key} VN\r\nVN {key}\r",
        "TH {key}",
        "VN-2 {key}",
    ],
)
def test_a_line_means_what_it_means_to_ssh_keygen(line: str, key: Path, tmp_path: Path) -> None:
    path = write(tmp_path, line.format(key=public(key)) + "\n")
    understood = tmp_path / "understood"
    understood.write_text(read_allowed_signers(path).text)
    (tmp_path / "sig").write_bytes(signed(b"x", key))
    for time in ("20240101", "20260630235959", "20260701000000", "20260701000001", "20300101"):
        theirs, ours = (
            ssh_keygen(
                *("-Y", "verify", "-f", each, "-I", "VN", "-n", "afpanel-contribution"),
                *("-s", tmp_path / "sig", f"-Overify-time={time}"),
                message=b"x",
                check=False,
            )
            for each in (path, understood)
        )
        assert theirs.stdout == ours.stdout, (time, theirs.stderr, ours.stderr)
        assert theirs.returncode == ours.returncode


def test_a_line_is_read_with_its_number_cohorts_key_and_times(key: Path, tmp_path: Path) -> None:
    options = 'valid-after="20260102",valid-before="202701020304"'
    path = write(tmp_path, f"# one\nVN,TH {options} {public(key)}\n")
    read = read_allowed_signers(path)
    (signer,) = read.signers
    assert signer.line == 2
    assert signer.cohorts == ("VN", "TH")
    assert signer.key.fingerprint == fingerprint(key)
    assert signer.after == datetime(2026, 1, 2, tzinfo=UTC)
    assert signer.before == datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    assert read.cohorts == {"VN", "TH"}


def test_comments_in_any_encoding_and_a_mark_at_the_beginning_are_passed_over(
    key: Path, tmp_path: Path
) -> None:
    text = f"VN {public(key)}".encode()
    path = write(tmp_path, b"\xef\xbb\xbf# Hu\xe9\n" + text + b" Hu\xe9, Vi\xe1\xbb\x87t\n")
    assert read_allowed_signers(path).cohorts == {"VN"}
    path = write(tmp_path, b"\xef\xbb\xbf" + text)
    assert read_allowed_signers(path).cohorts == {"VN"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("* {key}", "'*' is not the name of a cohort"),
        ("VN* {key}", "'VN*' is not the name"),
        ("VN? {key}", "'VN?' is not the name"),
        ("!VN {key}", "'!VN' is not the name"),
        ("VN,!TH {key}", "'!TH' is not the name"),
        ("VN,* {key}", "'*' is not the name"),
        ("VN, {key}", "'' is not the name"),
        ("VN, TH {key}", "'' is not the name"),
        ("vn@example.com {key}", "'vn@example.com' is not the name"),
        ('"VN" {key}', "is not the name"),
        ('"VN {key}', "quotation mark is not closed"),
        ("Việt {key}", "'Việt' is not the name"),
        ("ＶＮ {key}", "'ＶＮ' is not the name"),  # noqa: RUF001 - full-width letters are meant
        ("-f {key}", "'-f' is not the name"),
        ("VN,VN {key}", "names a cohort twice"),
        ("{key}", "names no cohort before the key"),
        ("VN", "the key is missing"),
        ("VN ssh-ed25519", "holds no public key"),
        ("VN ssh-ed25519 AAAA", "holds no public key"),
        ("VN ssh-ed25519 nonsense!", "it is not base64"),
        ("VN {cut}", "holds no public key"),
        ("VN ssh-rsa {base64}", "the key is said to be ssh-rsa and is ssh-ed25519"),
        ("VN ssh-dss AAAAB3NzaC1kc3M=", "keys of type 'ssh-dss' are not taken"),
        ("VN cert-authority {key}", "a certificate authority could make keys for any cohort"),
        ('VN namespaces="afpanel-contribution",Cert-Authority {key}', "a certificate authority"),
        ("VN no-pty {key}", "unknown option 'no-pty'"),
        ('VN valid-befor="20260101" {key}', "unknown option 'valid-befor'"),
        ("VN valid-before=20260101 {key}", "cannot be read"),
        ("VN valid-before {key}", "needs a value"),
        ('VN valid-before="20260101",Valid-Before="20270101" {key}', "stands twice"),
        ('VN valid-before="20260101", valid-after="20250101" {key}', "cannot be read"),
        ('VN valid-before="20261301" {key}', "'20261301' is not a time"),
        ('VN valid-before="2026-01-01" {key}', "is not a time"),
        ('VN valid-before="2026010100" {key}', "is not a time"),
        ('VN valid-before="" {key}', "'' is not a time"),
        ('VN valid-after="20260101",valid-before="20260101" {key}', "valid at no time"),
        ('VN valid-after="20270101",valid-before="20260101" {key}', "valid at no time"),
        ('VN namespaces="file" {key}', "signs no contribution: 'file'"),
        ('VN namespaces="*" {key}', "signs no contribution"),
        ('VN namespaces="*,!afpanel-contribution" {key}', "signs no contribution"),
        ('VN namespaces="" {key}', "signs no contribution"),
        (
            'VN namespaces="afpanel-contribution,!afpanel-contribution" {key}',
            "signs no contribution",
        ),
        ('VN namespaces="afpanel-contribution {key}', "quotation mark is not closed"),
        ("VN\x00 {key}", "is not the name"),
    ],
)
def test_a_line_that_a_hub_would_hardly_mean_is_refused_with_its_place(
    line: str, said: str, key: Path, tmp_path: Path
) -> None:
    text = public(key)
    filled = line.format(key=text, cut=text[:-8], base64=text.split()[1])
    path = write(tmp_path, f"# who signs\n{filled}\n")
    with pytest.raises(BadInputError) as refused:
        read_allowed_signers(path)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{path}, line 2: ")
    assert "remedy" in str(refused.value) or "a line such as VN-demo" in str(refused.value)


def test_a_key_that_a_cohort_has_twice_is_refused_for_the_wider_line_would_decide(
    key: Path, tmp_path: Path
) -> None:
    text = public(key)
    path = write(tmp_path, f'VN {text}\nTH {text}\nLA,VN valid-before="20260101" {text}\n')
    with pytest.raises(BadInputError, match=r"line 3: cohort VN has this key in line 1 already"):
        read_allowed_signers(path)


def test_all_faults_are_told_together(key: Path, tmp_path: Path) -> None:
    path = write(tmp_path, f"* {public(key)}\nVN {public(key)}\nTH\n\nLA ssh-ed25519 AAAA\n")
    with pytest.raises(FaultsError) as refused:
        read_allowed_signers(path)
    places = [str(fault).split(":")[0] for fault in refused.value.faults]
    assert places == [f"{path}, line {number}" for number in (1, 3, 5)]


@pytest.mark.parametrize("content", ["", "\n\n", "# VN ssh-ed25519 AAAA\n"])
def test_a_file_without_a_key_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="lists no key"):
        read_allowed_signers(write(tmp_path, content))


def test_a_folder_is_no_file_of_keys(tmp_path: Path) -> None:
    for read in (read_allowed_signers, read_revoked_keys):
        with pytest.raises(BadInputError, match="cannot be read"):
            read(tmp_path)


def test_the_example_can_be_read(root: Path) -> None:
    read = read_allowed_signers(root / "config" / "allowed_signers.example")
    assert read.cohorts == {"VN-demo", "TH-demo"}
