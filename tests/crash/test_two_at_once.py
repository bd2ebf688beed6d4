"""Two writers of one thing: outputs, registers, and what is left by those that are gone."""

import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from afpanel.errors import MachineError, VerificationError
from afpanel.io import locks, partials
from afpanel.io.files import read_json, scratch_folder, whole_file, whole_folder, write_json
from afpanel.io.partials import clear_folder, clear_partials, final_name
from afpanel.stages import editions
from afpanel.stages.verdict import Verdict


def test_two_writers_of_one_file_never_share_what_is_unfinished(tmp_path):
    """A job whose workflow was killed goes on, and the next run begins the same job."""
    path = tmp_path / "a.zip"
    with whole_file(path) as first:
        first.write_text("first, half")
        with whole_file(path) as second:
            second.write_text("second, whole")
        assert path.read_text() == "second, whole"
        first.write_text("first, whole")
    assert path.read_text() == "first, whole"
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


def test_a_folder_is_replaced_as_a_whole_and_kept_where_the_new_one_fails(tmp_path):
    out = tmp_path / "release"
    for content in ("old", "new"):
        with whole_folder(out) as folder:
            (folder / "a").write_text(content)
            (folder / content).touch()
    assert sorted(each.name for each in out.iterdir()) == ["a", "new"]
    with pytest.raises(RuntimeError), whole_folder(out) as folder:  # noqa: PT012
        (folder / "a").write_text("half")
        raise RuntimeError
    assert (out / "a").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["release"]


def of(edition: int) -> Verdict:
    digest = f"digest of {edition}"
    return Verdict(manifest={"cohort": "VN1", "edition": edition}, manifest_sha256=digest)


def test_verifications_of_one_cohort_at_once_lose_no_edition(tmp_path, monkeypatch):
    """Each reads the register, thinks a while, and writes it: without a lock most would be lost."""

    def slowly(path, content):
        time.sleep(0.01)
        write_json(path, content)

    monkeypatch.setattr(editions, "write_json", slowly)
    numbers = [n for n in range(1, 9) for _ in range(2)]
    random.Random(5).shuffle(numbers)
    together = threading.Barrier(len(numbers))

    def accept(number: int) -> int | None:
        together.wait()
        try:
            editions.check_edition(of(number), tmp_path)
        except VerificationError:
            return None
        return number

    with ThreadPoolExecutor(len(numbers)) as pool:
        accepted = {number for number in pool.map(accept, numbers) if number is not None}
    noted = [each["edition"] for each in read_json(tmp_path / "VN1.json")["editions"]]
    assert noted == sorted(accepted)
    assert noted[-1] == 8
    assert [each.name for each in tmp_path.iterdir()] == ["VN1.json"]


def test_verifications_killed_while_they_have_the_lock_do_not_keep_it(
    server, chain, whole, lay_out, tmp_path
):
    import shutil

    folder = tmp_path / "hub"
    shutil.copytree(whole / "made", folder)
    shutil.rmtree(folder / "editions")
    number = next(i for i, c in enumerate(chain) if c[0] == "verify")
    command, steps = chain[number], json.loads((whole / "steps.json").read_text())[number]
    for at in range(steps // 4, steps):
        ended = server.run(folder, command, at)
        if list(folder.glob("editions/.*.lock")):
            break
    assert ended.code == -signal.SIGKILL
    assert server.run(folder, command).code == 0
    assert [each.name for each in (folder / "editions").iterdir()] == ["Viet-1.json"]


@pytest.mark.parametrize("has_locks", [True, False])
def test_a_lock_keeps_others_out_with_locks_of_the_file_system_and_without(
    tmp_path, monkeypatch, has_locks
):
    if not has_locks:
        monkeypatch.setattr(locks, "try_lock", lambda descriptor, **_: None)
    lock = tmp_path / ".lock"
    inside, most = 0, 0

    def work(_):
        nonlocal inside, most
        for _ in range(5):
            with locks.locked(lock):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == 1
    assert not lock.exists()
    with locks.locked(lock), pytest.raises(MachineError, match="another process"):  # noqa: SIM117
        with locks.locked(lock, wait=0.05):
            pass
    if not has_locks:
        lock.touch()
        os.utime(lock, (0, 0))  # of somebody who was killed a minute ago
        with locks.locked(lock, wait=5):
            pass


def test_what_a_killed_writer_left_is_taken_away_and_what_a_living_one_writes_is_not(tmp_path):
    left = tmp_path / f".a.zip.{partials._machine()}-00000000.partial"
    left.write_text("half")
    with whole_file(tmp_path / "a.zip") as partial:
        assert not left.exists()
        clear_partials(tmp_path / "a.zip")
        assert partial.exists()
        with scratch_folder(tmp_path / "b") as folder:
            found = clear_folder(tmp_path)
            assert found.removed == []
            assert {final_name(path).name for path in found.busy} == {"a.zip", "b"}
            assert folder.exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_another_machine_left_is_taken_away_when_it_has_been_quiet_for_an_hour(tmp_path, kind):
    left = tmp_path / ".a.zip.ffffffff-00000000.partial"
    if kind == "file":
        left.write_text("half")
    else:
        (left / "whole").mkdir(parents=True)
        (left / "lock").touch()
        (left / "whole" / "0.zip").write_text("half")
    assert clear_folder(tmp_path).busy == [left]
    long_ago = time.time() - 3700
    for path in (left, *left.rglob("*")):
        os.utime(path, (long_ago, long_ago))
    assert clear_folder(tmp_path).removed == [left]
    assert not left.exists()


def test_a_file_of_a_user_is_never_taken_for_one_in_the_making(tmp_path):
    for name in ("a.partial", ".partial", ".a.partially", "..partial"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    found = clear_folder(tmp_path)
    assert (found.removed, found.busy) == ([], [])
