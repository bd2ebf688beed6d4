"""What a hub notes of the contributions that it has taken."""

from pathlib import Path

import pytest

from afpanel.errors import BadInputError, VerificationError
from afpanel.io.files import read_json
from afpanel.stages.editions import check_edition
from afpanel.stages.verdict import Verdict


def of(edition: int, digest: str, cohort: str = "VN1") -> Verdict:
    return Verdict(manifest={"cohort": cohort, "edition": edition}, manifest_sha256=digest)


def test_editions_that_grow_are_noted_in_order(tmp_path: Path) -> None:
    for edition, digest in ((1, "a"), (2, "b"), (7, "c")):
        check_edition(of(edition, digest), tmp_path / "register")
    assert read_json(tmp_path / "register" / "VN1.json") == {
        "cohort": "VN1",
        "editions": [
            {"edition": 1, "manifest_sha256": "a"},
            {"edition": 2, "manifest_sha256": "b"},
            {"edition": 7, "manifest_sha256": "c"},
        ],
    }


def test_the_same_again_is_taken_and_noted_once(tmp_path: Path) -> None:
    check_edition(of(3, "a"), tmp_path)
    noted = (tmp_path / "VN1.json").read_bytes()
    check_edition(of(3, "a"), tmp_path)
    assert (tmp_path / "VN1.json").read_bytes() == noted


@pytest.mark.parametrize(
    ("edition", "digest", "reason"),
    [
        (2, "b", "is older than what was accepted before"),
        (1, "a", "is older than what was accepted before"),
        (3, "a", "was accepted before, with other content"),
    ],
)
def test_an_older_edition_and_one_of_other_content_are_refused(
    tmp_path: Path, edition: int, digest: str, reason: str
) -> None:
    for known, content in ((1, "a"), (2, "b"), (3, "c")):
        check_edition(of(known, content), tmp_path)
    noted = (tmp_path / "VN1.json").read_bytes()
    with pytest.raises(VerificationError, match=reason):
        check_edition(of(edition, digest), tmp_path)
    assert (tmp_path / "VN1.json").read_bytes() == noted


def test_cohorts_have_editions_of_their_own(tmp_path: Path) -> None:
    check_edition(of(5, "a"), tmp_path)
    check_edition(of(1, "b", "LA1"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["LA1.json", "VN1.json"]


def test_a_register_that_is_damaged_is_an_error_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "VN1.json").write_text('{"editions": [')
    with pytest.raises(BadInputError, match="not JSON"):
        check_edition(of(1, "a"), tmp_path)
