"""A disk that is full, cannot be written, or takes no larger files; and what is asked before the work begins."""

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from afpanel.cli.main import main
from afpanel.errors import BadInputError, MachineError
from afpanel.io import files
from afpanel.io.machine_faults import machine_fault
from afpanel.stages.room import require_room, room_for_calls

PAGE = 4096
STAGES = ["ingest", "harmonize", "count", "package", "verify", "merge", "gate", "publish", "popgen"]


@contextlib.contextmanager
def filled(disk: Path, free: int):
    """Fill a disk but for some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as sink, contextlib.suppress(OSError):
        while True:
            sink.write(bytes(PAGE))
    os.truncate(filler, filler.stat().st_size - free)
    yield
    filler.unlink()


def test_a_full_disk_is_named_at_every_stage_and_with_room_the_run_goes_on_to_the_same_bytes(
    server, chain, whole, lay_out, look, disk, tmp_path
):
    folder = lay_out(disk / "full")
    stages = list(STAGES)
    refused = set()
    for command in chain:
        if command[0] in stages:
            stages.remove(command[0])
            for pages in (0, 1, 3):
                before = look.files_of(folder)
                with filled(disk, pages * PAGE):
                    ended = server.run(folder, command, log=tmp_path / "log")
                if ended.code == 0:
                    continue  # it had that much room
                assert ended.code == 1, (command, ended.said)
                assert "room" in ended.said.split("afpanel: error: ")[1].splitlines()[0], ended.said
                assert f"free on {disk}" in ended.said
                assert "remedy: " in ended.said
                assert "Traceback" not in ended.said
                assert look.hidden_in(folder) == []
                made = look.files_of(folder)
                assert {name: made[name] for name in before} == before
                refused.add(command[0])
        ended = server.run(folder, command, log=tmp_path / "log")
        assert ended.code == 0, (command, ended.said)
    assert refused == set(STAGES)
    assert look.files_of(folder) == look.files_of(whole / "made")


def test_a_log_on_the_full_disk_still_says_what_happened(server, chain, whole, lay_out, disk):
    folder = lay_out(disk / "full")
    command = next(c for c in chain if c[0] == "ingest")
    with filled(disk, 2 * PAGE):
        ended = server.run(folder, command, log=folder / "logs" / "ingest.log")
    assert ended.code == 1
    assert "there is no room left on its file system" in ended.said


def test_where_the_log_has_no_room_either_the_message_goes_to_who_began_the_job(
    chain, lay_out, disk, tmp_path
):
    folder = lay_out(disk / "full")
    command = next(c for c in chain if c[0] == "ingest")
    with filled(disk, 0), (folder / "log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-m", "afpanel", *command],
            cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "no room left" in done.stdout
    assert "remedy" in done.stdout


def test_a_file_system_that_can_only_be_read_is_named(server, chain, lay_out, disk, tmp_path):
    folder = lay_out(disk / "full")
    command = next(c for c in chain if c[0] == "ingest")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    ended = server.run(folder, command, log=tmp_path / "log")
    assert ended.code == 1
    assert "its file system can be read only" in ended.said
    assert "viet-1" in ended.said
    assert "Traceback" not in ended.said


def test_a_limit_of_the_size_of_files_is_named(server, chain, whole, lay_out, tmp_path):
    """The same error as of a full disk, but for its number, where no disk can be mounted."""
    folder = lay_out(tmp_path / "limited")
    stages = {"ingest", "harmonize", "merge", "popgen"}
    for command in chain:
        if command[0] in stages:
            stages.remove(command[0])
            ended = server.run(folder, command, file_limit=600)
            assert ended.code == 1, (command, ended.said)
            assert "larger than a file may be here" in ended.said
            assert "ulimit -f" in ended.said
            assert "Traceback" not in ended.said
        if not stages:
            return
        assert server.run(folder, command).code == 0


@pytest.mark.parametrize(
    ("number", "what", "remedy"),
    [
        (errno.ENOSPC, "no room left", "make room"),
        (errno.EDQUOT, "quota", "quota -s"),
        (errno.EROFS, "read only", "where you may write"),
        (errno.EACCES, "permission denied", "ls -l"),
        (errno.EIO, "reports a fault", "dmesg"),
        (errno.ESTALE, "does not know it any more", "run again"),
    ],
)
def test_what_the_system_says_is_put_in_words_with_the_file_and_a_remedy(
    tmp_path, number, what, remedy
):
    with pytest.raises(OSError) as raised, files.whole_file(tmp_path / "a.zip"):
        raise OSError(number, os.strerror(number))
    told = machine_fault(raised.value)
    assert told.exit_code == 1
    assert str(told).startswith(f"{tmp_path / 'a.zip'}: ")
    assert what in str(told)
    assert remedy in told.remedy
    assert list(tmp_path.iterdir()) == []


def test_what_comes_of_a_full_disk_is_told_as_that_whatever_a_library_made_of_it():
    error = RuntimeError("a writer gave up")
    error.__cause__ = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "out/.a.zip.partial")
    assert str(machine_fault(error)).startswith("out/a.zip: your quota")
    text = RuntimeError(f"write failed: {os.strerror(errno.ENOSPC)}")
    assert "no room left" in str(machine_fault(text))
    assert "enough memory" in str(machine_fault(MemoryError("Unable to allocate 3 GiB")))
    assert machine_fault(ValueError("a fault of the program")) is None
    assert machine_fault(BadInputError("not a store")) is None


def test_a_fault_of_the_program_still_ends_with_its_trace(monkeypatch):
    import afpanel.stages.status

    def fail(results):
        raise KeyError("unforeseen")

    monkeypatch.setattr(afpanel.stages.status, "status_of", fail)
    with pytest.raises(KeyError):
        main(["status"])


def test_long_stages_do_not_begin_where_even_the_least_they_write_has_no_room(tmp_path):
    with pytest.raises(MachineError) as refused:
        require_room(tmp_path / "new" / "release", 1e18, "the size of the releasable panels")
    said = str(refused.value)
    assert str(tmp_path / "new") in said
    assert "at least 1000000.0 TB free, told from the size of the releasable panels" in said
    assert "remedy" in said
    require_room(tmp_path / "release", 0, "nothing")


def test_the_room_for_genotypes_goes_by_the_part_of_the_file_that_is_read(tmp_path):
    from afpanel.model.region import Region

    path = tmp_path / "a.vcf"
    path.write_bytes(bytes(100_000))
    lengths = {"chr1": 3000, "chr2": 1000}
    plain = room_for_calls(path, 1, [None], lengths)
    assert plain == 5000
    assert room_for_calls(path, 0.1, [None], lengths) == pytest.approx(500)
    assert room_for_calls(path, 1, [Region("chr2", 501, 9999)], lengths) == pytest.approx(625)
    assert room_for_calls(path, 1, [Region("chr3", 1, 9)], lengths) == 0
    assert room_for_calls(path, 1, [Region("chr1", 1, 9)], {"chr1": 10, "chr2": None}) == 0
    path.write_bytes(b"\x1f\x8b" + bytes(99_998))
    assert room_for_calls(path, 1, [None], lengths) == 50_000


def test_the_estimates_of_room_are_below_what_is_written(whole):
    """What is refused for want of room could not have been written."""
    from afpanel.stages.room import OF_COUNTS, OF_PANELS, OF_STORES, sizes_of

    made = whole / "made"
    stores = sizes_of(made.glob("viet-1/genotypes/*"))
    assert OF_STORES * stores < (made / "viet-1/alleles.zarr.zip").stat().st_size
    counts = sizes_of(made.glob("viet-1/counts/*"))
    assert OF_COUNTS * counts < (made / "contributions/Viet-1.afc.zip").stat().st_size
    release = sizes_of(path for path in made.glob("release/**/*") if path.is_file())
    assert sum(OF_PANELS.values()) * sizes_of(made.glob("releasable/*")) < release
