"""The way of a programme, as docs/contributing-data.md has it: every command of the page, as written.

They run in one shell, in order, from an empty folder. Two things are not as on the page. The clone is a
copy of this checkout without what git ignores; and the first block, which installs into a fresh
environment, is stood for by the environment of the tests, on PATH, before it the commands of `tests/prepared.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import zarr
from tests.prepared import Commands
from tests.ssh import fingerprint, needs_ssh_keygen

from afpanel.io.stored_zip import StoredZip, write_stored_zip

pytestmark = needs_ssh_keygen

INSTALL = """\
python3 -m venv afpanel-env
source afpanel-env/bin/activate
pip install ./afpanel
cd afpanel
"""
PAR1_END = 2_781_479
SIZES = ("none", "1", "2", "3-5", "6-10", "more", "masked")
HOLDS = "all that it claims holds"
NOT_CLONED = shutil.ignore_patterns(".*", "__pycache__", "results", "*.egg-info", "resources")


def bash_blocks(page: Path) -> list[str]:
    """The commands of a page. What is fenced as anything but bash or text is a mistake of the page."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert {language for language, _ in fenced} <= {"bash", "text"}
    return [block for language, block in fenced if language == "bash"]


@dataclass(frozen=True)
class Way:
    """What the commands of the page left behind.

    Parameters
    ----------
    clone
        The folder that they ran in.
    said
        What each block printed.
    """

    clone: Path
    said: list[str]

    def block(self, command: str) -> str:
        """What was printed by the first block with this command."""
        blocks = bash_blocks(self.clone / "docs/contributing-data.md")[1:]
        return next(out for out, text in zip(self.said, blocks, strict=True) if command in text)


def environment(home: Path, prepared: Path) -> dict[str, str]:
    path = f"{prepared}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "XDG_"))}
    return kept | {"HOME": str(home), "PATH": path, "SSH_ASKPASS_REQUIRE": "never"}


@pytest.fixture(scope="module")
def way(root: Path, once: Callable[..., Path], prepared: Iterator[Commands]) -> Way:
    """Go the way from an empty folder."""
    folder = once("programme", lambda folder: go(root, folder, next(prepared).folder))
    return Way(folder / "afpanel", json.loads((folder / "said.json").read_text()))


def go(root: Path, folder: Path, prepared: Path) -> None:
    """Run all blocks of the page but the first, and keep what they print."""
    home, clone = folder / "home", folder / "afpanel"
    home.mkdir(parents=True)
    shutil.copytree(root, clone, symlinks=True, ignore=NOT_CLONED)
    install, *blocks = bash_blocks(root / "docs/contributing-data.md")
    assert install == INSTALL
    mark = "---- a block ends here ----"
    end = '[ -z "${SSH_AGENT_PID:-}" ] || kill $SSH_AGENT_PID 2> /dev/null || true'
    script = f"set -euo pipefail\ntrap '{end}' EXIT\n"
    script += "".join(f"{block}echo '{mark}'\n" for block in blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=clone,
        env=environment(home, prepared),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        check=False,
    )
    said = done.stdout.split(f"{mark}\n")
    if done.returncode:
        failed = blocks[min(len(said), len(blocks)) - 1]
        pytest.fail(f"block {len(said)} failed:\n{failed}\n{said[-1]}")
    assert len(said) == len(blocks) + 1
    (folder / "said.json").write_text(json.dumps(said[:-1]))


def count_cells(root: Path) -> dict[str, list[tuple[Counter, Counter]]]:
    """Count the cohort's file a call at a time.

    Of each ALT of each contig: copies by cell, and under the cell with AN after it called alleles; and
    people who are homozygous for it, by cell.
    """
    sheet = (root / "demo/data/vn.samples.tsv").read_text().splitlines()
    rows = [dict(zip(sheet[0].split("\t"), line.split("\t"), strict=False)) for line in sheet[1:]]
    people = {r["sample"]: (r["population"], r["sex"]) for r in rows if r.get("include") != "no"}
    found: dict[str, list[tuple[Counter, Counter]]] = {}
    for line in (root / "demo/data/vn.vcf").read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#CHROM"):
            columns = [(at, people[name]) for at, name in enumerate(fields) if name in people]
        if line.startswith("#"):
            continue
        for alt in range(1, len(fields[4].split(",")) + 1):
            copies, twice = Counter(), Counter()
            for at, cell in columns:
                call = [int(allele) for allele in fields[at].split("/") if allele != "."]
                if fields[0] == "X" and int(fields[1]) > PAR1_END and cell[1] == "XY":
                    call = call[:1] if len(set(call)) == 1 else []  # one copy of X
                copies[cell] += call.count(alt)
                copies[*cell, "AN"] += len(call)
                twice[cell] += call == [alt, alt]
            found.setdefault(f"chr{fields[0]}", []).append((copies, twice))
    return found


@pytest.fixture(scope="module")
def counted(root: Path) -> list[tuple[Counter, Counter]]:
    """Counts of every ALT of the cohort's file, made without this package."""
    return [each for of_contig in count_cells(root).values() for each in of_contig]


def sizes_after(page: str) -> dict[tuple[str, str], dict[str, int]]:
    lines = page[page.index("How small the counts are") :].splitlines()
    assert lines[2].split() == ["population", "sex", *SIZES]
    rows = [line.split() for line in lines[4 : lines.index("")]]
    return {
        (row[0], row[1]): dict(zip(SIZES, (int(n.replace(",", "")) for n in row[2:]), strict=True))
        for row in rows
    }


def size_of(copies: int, called: int, limit: int) -> str:
    if any(0 < n < limit for n in (copies, called - copies)):
        return "masked"
    above = [name for name, top in zip(SIZES, (0, 1, 2, 5, 10), strict=False) if copies <= top]
    return above[0] if above else "more"


def expected_sizes(counted: list, limit: int) -> dict[tuple[str, str], dict[str, int]]:
    cells = sorted(key for key in counted[0][0] if len(key) == 2)
    tallies = {cell: Counter() for cell in cells}
    for copies, _ in counted:
        for cell in cells:
            tallies[cell][size_of(copies[cell], copies[*cell, "AN"], limit)] += 1
    return {cell: {name: tally[name] for name in SIZES} for cell, tally in tallies.items()}


def test_the_way_ends_in_a_verified_contribution_signed_by_the_programme(way: Way) -> None:
    said = way.block("afpanel verify")
    key = fingerprint(way.clone / "my/VN-demo.key")
    assert f"{HOLDS}; cohort VN-demo, edition 1, 116 people, signed by {key}" in said
    assert "FATAL" not in said
    assert "warning" not in said


def test_the_hub_builds_a_panel_of_it_and_says_where_the_counts_came_from(way: Way) -> None:
    said = way.block("--configfile hub/config.yaml")
    assert f"{HOLDS}; cohort VN-demo, edition 1" in said
    assert "Panel hub 1 on GRCh38" in said
    results = way.clone / "hub/results"
    manifest = json.loads((results / "release/hub-1/manifest.json").read_text())
    (cohort,) = manifest["cohorts"]
    assert cohort["kind"] == "contribution"
    assert cohort["contribution"]["edition"] == 1
    assert cohort["contribution"]["signed_by"] == fingerprint(way.clone / "my/VN-demo.key")


def test_the_hub_takes_the_second_edition_after_the_first_and_not_the_first_again(
    way: Way, hub: SimpleNamespace, snakemake
) -> None:
    first, second = way.clone / "hub/VN-demo.afc.zip", hub.good
    wanted = (
        "--configfile",
        str(hub.config),
        "--cores",
        "1",
        "--nolock",
        str(hub.received / "received.json"),
    )
    shutil.copy(second, hub.given)
    snakemake(hub.clone, *wanted)
    assert json.loads((hub.received / "received.json").read_text())["edition"] == 2
    shutil.copyfile(first, hub.given)
    done = snakemake(hub.clone, *wanted, check=False)
    assert done.returncode == 1
    assert (
        "edition 1 of cohort VN-demo is older than what was accepted before" in hub.log.read_text()
    )


def test_the_hubs_panel_has_the_counts_of_the_programmes_file(way: Way, root: Path) -> None:
    for contig, counted in count_cells(root).items():
        merged = way.clone / f"hub/results/panel/merged/{contig}.zarr.zip"
        with zarr.storage.ZipStore(merged, mode="r") as store:
            panel = zarr.open_group(store, mode="r")
            total = list(panel["group_id"][:]).index("total")
            names = ("allele_count", "allele_number", "homozygote_count")
            rows = zip(*(panel[name][:, total].tolist() for name in names), strict=True)
            # An allele that is trimmed stands elsewhere, so figures are compared as a whole.
            found = Counter(rows)
        expected = Counter(
            (
                sum(n for key, n in copies.items() if len(key) == 2),
                sum(n for key, n in copies.items() if len(key) == 3),
                sum(twice.values()),
            )
            for copies, twice in counted
        )
        assert found == expected


def test_the_preview_has_the_people_and_sums_of_an_independent_count(
    way: Way, counted: list
) -> None:
    page = way.block("cat results/contributions/VN-demo.preview.txt")
    people = {("KHV", "XX"): 42, ("KHV", "XY"): 38, ("TAY", "XX"): 16, ("TAY", "XY"): 20}
    lines = page[page.index("People, and all copies") :].splitlines()[4:8]
    found = {
        (population, sex): tuple(int(n.replace(",", "")) for n in numbers)
        for population, sex, *numbers, _ in (line.split() for line in lines)
    }
    assert found == {
        cell: (
            n,
            sum(copies[cell] for copies, _ in counted),
            sum(copies[*cell, "AN"] for copies, _ in counted),
        )
        for cell, n in people.items()
    }


def test_the_preview_says_how_small_counts_are_and_how_many_one_person_alone_carries(
    way: Way, counted: list
) -> None:
    page = way.block("cat results/contributions/VN-demo.preview.txt")
    assert sizes_after(page) == expected_sizes(counted, 0)
    cells = [key for key in counted[0][0] if len(key) == 2]
    alone = sum(sum(c[cell] - t[cell] for cell in cells) == 1 for c, t in counted)
    assert alone > 100
    assert f"Variants that one person alone carries, of all who are told of: {alone:,}." in page


def test_the_preview_of_another_limit_shows_what_it_masks(way: Way, counted: list) -> None:
    page = way.block("--preview")
    found = sizes_after(page)
    assert found == expected_sizes(counted, 3)
    masked = sum(each["masked"] for each in found.values())
    assert masked > 1000
    assert re.search(rf"^counts masked +{masked:,}  \(fewer than 3 copies", page, re.MULTILINE)
    words = (way.clone / "docs/contributing-data.md").read_text("utf-8")
    some = sum(any(size_of(c[k], c[*k, "AN"], 3) == "masked" for k in found) for c, _ in counted)
    assert f"masks {masked:,} counts of Viet Nam's four cells" in words
    assert f"the total of {some:,} of its {len(counted):,} variants" in words


def test_variants_in_words_are_those_of_the_file(way: Way, root: Path, counted: list) -> None:
    page = way.block("cat results/contributions/VN-demo.preview.txt")
    start = page.index("Variants as they leave")
    words = page[start : page.index("Where it tells of variants")]
    lines = (root / "demo/data/vn.vcf").read_text().splitlines()
    records = [line.split("\t")[:5] for line in lines if not line.startswith("#")]
    rows = iter(counted)
    by_place = {}
    for record in records:
        alts = [next(rows) for _ in record[4].split(",")]
        by_place[f"chr{record[0]}:{record[1]} {record[3]} to {record[4]}"] = alts[0]
    examples = re.findall(r"^(chr\S+ \S+ to \S+), (\d+) cop(?:y|ies) in all\n", words, re.MULTILINE)
    assert len(examples) == 5
    for place, together in examples:
        copies, twice = by_place[place]
        told = words[words.index(f"{place},") :].splitlines()[1:5]
        assert int(together) == sum(n for key, n in copies.items() if len(key) == 2)
        for line in told:
            population, sex, count, number, carriers, homozygous = re.fullmatch(
                r"  (\w+) (\w+), \d+ people: (\w+) of (\d+) copies read"
                r"(?:, in (\d+) (?:person|people)(?:, (\d+) of whom twice)?)?",
                line,
            ).groups()
            cell = (population, sex)
            assert (0 if count == "none" else int(count)) == copies[cell]
            assert int(number) == copies[*cell, "AN"]
            assert int(homozygous or 0) == twice[cell]
            assert int(carriers or 0) == copies[cell] - twice[cell]


def test_no_sample_of_the_cohort_is_named_in_what_leaves(way: Way, root: Path) -> None:
    sheet = (root / "demo/data/vn.samples.tsv").read_text().splitlines()[1:]
    names = [line.split("\t")[0].encode() for line in sheet]
    with zipfile.ZipFile(way.clone / "results/contributions/VN-demo.afc.zip") as file:
        contents = [file.read(name) for name in file.namelist()]
    contents.append((way.clone / "results/contributions/VN-demo.preview.txt").read_bytes())
    assert len(names) > 100
    assert not [name for name in names for content in contents if name in content]


def test_the_commands_for_programmes_in_the_readme_are_those_of_the_page(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    section = readme[readme.index("## Taking part as a programme") :]
    (block, *_) = re.findall(r"```bash\n(.*?)```", section[: section.index("\n## ")], re.DOTALL)
    page = "".join(bash_blocks(root / "docs/contributing-data.md")).splitlines()
    commands = [line for line in block.splitlines() if line]
    assert len(commands) == 2
    assert all(command in page for command in commands)


@pytest.fixture
def hub(way: Way, tmp_path: Path) -> SimpleNamespace:
    """Another hub with the same keys, and a way to give it another file."""
    clone = way.clone
    text = (clone / "hub/config.yaml").read_text().replace("hub/results", str(tmp_path / "results"))
    table = (clone / "hub/cohorts.tsv").read_text()
    (tmp_path / "cohorts.tsv").write_text(
        table.replace("hub/VN-demo.afc.zip", str(tmp_path / "given.afc.zip"))
    )
    text = text.replace("hub/cohorts.tsv", str(tmp_path / "cohorts.tsv"))
    (tmp_path / "config.yaml").write_text(text)
    return SimpleNamespace(
        config=tmp_path / "config.yaml",
        given=tmp_path / "given.afc.zip",
        good=clone / "results/contributions/VN-demo.afc.zip",
        log=tmp_path / "results/private/VN-demo/logs/verify.log",
        received=tmp_path / "results/private/VN-demo/received",
        clone=clone,
    )


def test_the_hub_says_that_a_contribution_is_not_signed_and_uses_nothing_of_it(
    hub: SimpleNamespace, snakemake
) -> None:
    with StoredZip(hub.good, 100) as file:
        parts = {n: file.read(n, 10**8) for n in file.entries if n != "manifest.json.sig"}
    write_stored_zip(hub.given, parts)
    done = snakemake(
        hub.clone, "--configfile", str(hub.config), "--cores", "1", "--nolock", check=False
    )
    assert done.returncode == 1
    for text in (done.stdout + done.stderr, hub.log.read_text()):
        assert re.search(r"^FATAL  .*is not signed\n  expected: a signature of", text, re.MULTILINE)
        assert "refused for what is marked FATAL above; nothing of it is used" in text
        assert "remedy:   send the lines above to the programme" in text
    assert not hub.received.exists()


def test_the_hub_says_which_part_of_a_contribution_is_damaged(
    hub: SimpleNamespace, snakemake
) -> None:
    content = bytearray(hub.good.read_bytes())
    with zipfile.ZipFile(hub.good) as file:
        content[file.getinfo("counts/chr21.zarr.zip").header_offset + 5000] ^= 1
    hub.given.write_bytes(content)
    done = snakemake(
        hub.clone, "--configfile", str(hub.config), "--cores", "1", "--nolock", check=False
    )
    assert done.returncode == 1
    for text in (done.stdout + done.stderr, hub.log.read_text()):
        assert re.search(r"^FATAL  .*counts/chr21.zarr.zip is damaged$", text, re.MULTILINE)
    assert not hub.received.exists()


def test_a_contribution_that_was_cut_short_stops_the_hub_before_any_job(
    hub: SimpleNamespace, snakemake
) -> None:
    content = hub.good.read_bytes()
    hub.given.write_bytes(content[: len(content) // 2])
    done = snakemake(
        hub.clone, "--configfile", str(hub.config), "--cores", "1", "--nolock", check=False
    )
    assert done.returncode == 1
    assert "not a whole zip file" in done.stderr
    assert "remedy:   ask for the file again" in done.stderr
    assert not hub.log.exists()
