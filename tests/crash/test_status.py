"""What `afpanel status` tells of runs that are whole, running, killed and broken."""

import contextlib
import json
import os
import re
import signal
import time

import pytest

from afpanel.cli.main import main
from afpanel.stages import job_logs
from afpanel.stages.status import State, status_of

STORE = "results/private/Thai-1/genotypes/chr1.00000.vcz.zip"
LOG = "results/private/Thai-1/logs/ingest.chr1.00000.log"
INGEST = ["ingest", "thai-1.vcf.gz", "--samples", "thai-1.samples.tsv", "--region", "chr1:0-1000",
          "--chunk", "2", "--out", STORE]  # fmt: skip


@pytest.fixture
def begun(server, chain, lay_out, tmp_path):
    """A folder in which a run has made its plan and no more."""
    folder = lay_out(tmp_path / "run")
    assert server.run(folder, chain[0]).code == 0
    return folder


def row(page: str, cohort: str, stage: str) -> list[str]:
    """The numbers of a line of the table: done, running, failed, stopped, waiting."""
    (line,) = re.findall(rf"^{re.escape(cohort)} +{stage} +(.+)$", page, re.MULTILINE)
    return line.split()[:5]


def show(folder, capsys, monkeypatch, *options):
    monkeypatch.chdir(folder)
    capsys.readouterr()
    code = main(["status", *options])
    return code, capsys.readouterr().out


def test_before_its_first_job_everything_waits(begun, capsys, monkeypatch):
    code, page = show(begun, capsys, monkeypatch)
    assert code == 0
    assert page.startswith("Panel tiny 1 in results: 19 jobs, 19 waiting")
    assert row(page, "Thai-1", "ingest") == ["-", "-", "-", "-", "2"]
    assert row(page, "(panel)", "merge") == ["-", "-", "-", "-", "2"]


def test_a_job_that_is_at_work_is_told_by_the_lock_of_its_log_with_its_rate(
    server, begun, capsys, monkeypatch
):
    """Its process is halted where it gives the store its name, and so it is there, however silent."""
    steps = server.run(begun, INGEST, log=begun / LOG).steps
    (begun / STORE).unlink()
    ended = server.run(begun, INGEST, steps - 8, how=signal.SIGSTOP, log=begun / LOG)
    assert ended.stopped
    try:
        old = time.time() - 5 * job_logs.FRESH
        os.utime(begun / LOG, (old, old))
        code, page = show(begun, capsys, monkeypatch)
        assert code == 0
        assert row(page, "Thai-1", "ingest") == ["-", "1", "-", "-", "1"]
        (line,) = re.findall(r"^Thai-1 +ingest.*$", page, re.MULTILINE)
        assert re.search(r"[\d,]+ records/s", line)
        code, said = show(begun, capsys, monkeypatch, "--json")
        (stage,) = [
            s for s in json.loads(said)["stages"] if s["cohort"] == "Thai-1" and s["running"]
        ]
        assert (stage["stage"], stage["unit"]) == ("ingest", "records")
        assert stage["rate"] > 0
        # A run that begins now finds it and does not go on beside it.
        from afpanel.errors import MachineError
        from afpanel.stages.clean import clean

        with pytest.raises(MachineError, match="still at work") as refused:
            clean(begun / "results", wait=0)
        assert "ingest of Thai-1, chr1.00000" in str(refused.value)
        assert "afpanel status" in str(refused.value)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(ended.pid, signal.SIGKILL)
    for _ in range(200):
        code, page = show(begun, capsys, monkeypatch)
        if code:
            break
        time.sleep(0.02)
    assert row(page, "Thai-1", "ingest") == ["-", "-", "-", "1", "1"]
    assert "STOPPED  ingest of Thai-1, chr1.00000" in page
    assert f"log: {LOG}" in page


def test_a_failed_job_is_shown_with_its_message_and_its_log(server, begun, capsys, monkeypatch):
    whole = (begun / "thai-1.vcf.gz").read_bytes()
    (begun / "thai-1.vcf.gz").write_bytes(whole[:-40])
    assert server.run(begun, INGEST, log=begun / LOG).code == 3
    code, page = show(begun, capsys, monkeypatch)
    assert code == 1
    assert row(page, "Thai-1", "ingest") == ["-", "-", "1", "-", "1"]
    message = page[page.index("FAILED  ingest of Thai-1, chr1.00000") :]
    assert "truncated" in message
    assert "remedy" in message
    assert f"log: {LOG}" in message
    assert "--rerun-incomplete" in message
    (trouble,) = json.loads(show(begun, capsys, monkeypatch, "--json")[1])["trouble"]
    assert (trouble["cohort"], trouble["stage"], trouble["part"]) == (
        "Thai-1", "ingest", "chr1.00000",
    )  # fmt: skip
    assert trouble["state"] == "failed"
    assert trouble["log"] == LOG
    # When it is mended and made, it is done, whatever was said before.
    (begun / "thai-1.vcf.gz").write_bytes(whole)
    assert server.run(begun, INGEST, log=begun / LOG).code == 0
    code, page = show(begun, capsys, monkeypatch)
    assert (code, row(page, "Thai-1", "ingest")) == (0, ["1", "-", "-", "-", "1"])


def test_without_locks_a_log_that_is_fresh_is_of_a_job_at_work(server, begun, capsys, monkeypatch):
    monkeypatch.setattr(job_logs, "is_locked", lambda path: None)
    server.run(begun, INGEST, 5, log=begun / LOG)
    assert row(show(begun, capsys, monkeypatch)[1], "Thai-1", "ingest")[1] == "1"
    old = time.time() - 2 * job_logs.FRESH
    os.utime(begun / LOG, (old, old))
    assert row(show(begun, capsys, monkeypatch)[1], "Thai-1", "ingest")[3] == "1"


def write_log(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def test_the_end_is_expected_by_the_pace_of_the_job_and_of_those_before_it(begun, monkeypatch):
    """One of two took 40 minutes; the other is at a quarter after 10, so 30 minutes are left to it."""
    monkeypatch.setattr(job_logs, "is_locked", lambda path: None)
    write_log(
        begun / LOG,
        "23:55:00  ingest: begun, afpanel 1",
        "00:05:00  ingest thai-1.vcf.gz: 1,200 records, 2/s; at chr1:20, 4 samples; 25%",
    )
    (stage,) = [
        s
        for s in status_of(begun / "results").stages
        if (s.cohort, s.stage) == ("Thai-1", "ingest")
    ]
    assert (stage.rate, stage.unit) == (2, "records")
    assert stage.seconds_left is None  # another waits, and how long one takes is not known yet
    other = begun / LOG.replace("chr1", "chrX")
    write_log(
        other,
        "10:00:00  ingest: begun, afpanel 1",
        "10:40:00  ingest thai-1.vcf.gz: done, 9 records into 1 store",
    )
    store = begun / STORE.replace("chr1", "chrX")
    store.parent.mkdir(parents=True)
    store.touch()
    (stage,) = [
        s
        for s in status_of(begun / "results").stages
        if (s.cohort, s.stage) == ("Thai-1", "ingest")
    ]
    assert stage.jobs[State.DONE] == 1
    assert stage.seconds_left == pytest.approx(1800, abs=5)


def test_the_same_message_of_many_jobs_is_shown_once(begun, capsys, monkeypatch):
    for contig in ("chr1", "chrX"):
        write_log(
            begun / LOG.replace("chr1", contig),
            "afpanel: error: the disk is full",
            "  remedy: room",
        )
    code, page = show(begun, capsys, monkeypatch)
    assert code == 1
    assert page.count("the disk is full") == 1
    assert "(and 1 more with the same message)" in page


def test_a_trace_and_a_shell_that_finds_no_command_are_told_too(begun, capsys, monkeypatch):
    write_log(begun / LOG, "Traceback (most recent call last):", '  File "x"', "KeyError: 'y'")
    write_log(begun / LOG.replace("chr1", "chrX"), "bash: line 1: afpanel: command not found")
    code, page = show(begun, capsys, monkeypatch)
    assert code == 1
    assert re.search(r"FAILED +ingest of Thai-1, chr1.00000\n  KeyError: 'y'\n", page)
    assert "its log ends with:\n  bash: line 1: afpanel: command not found" in page


def test_what_was_made_and_taken_away_waits_to_be_made_again(server, begun, capsys, monkeypatch):
    assert server.run(begun, INGEST, log=begun / LOG).code == 0
    (begun / STORE).unlink()
    code, page = show(begun, capsys, monkeypatch)
    assert (code, row(page, "Thai-1", "ingest")) == (0, ["-", "-", "-", "-", "2"])


def test_a_programme_that_only_packages_waits_for_no_panel(begun, capsys, monkeypatch):
    contribution = begun / "results/contributions/Thai-1.afc.zip"
    contribution.parent.mkdir()
    contribution.touch()
    _, page = show(begun, capsys, monkeypatch)
    assert "(panel)" not in page
    assert row(page, "Thai-1", "package")[0] == "1"


def test_where_no_run_was_begun_status_says_what_to_name(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["status"]) == 3
    said = capsys.readouterr().err
    assert "no run was begun here" in said
    assert "plan.json" in said
