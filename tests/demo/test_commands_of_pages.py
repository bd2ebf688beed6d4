"""Every command that the documentation shows is a call that is understood, and can be run as it stands.

Pages that a test of their own runs are listed with it; of what cannot be run here the reason is said. All others
run, block by block, in a folder with the demonstration, its results, and the files that the pages speak of.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import pysam
import pytest
from tests.docs.test_links import PAGES
from tests.shims import write_bcftools

from afpanel.cli.main import COMMANDS, cli, main
from afpanel.core.cost import Coefficients
from afpanel.stages.cost import coefficients_text

ROOT = Path(__file__).parents[2]

RUN_ELSEWHERE = {
    "docs/contributing-data.md": "tests/demo/test_as_a_programme.py",
    "docs/recipes.md": "tests/test_recipes.py",
    "docs/tutorial.md": "tests/real/test_tutorial.py",
    "config/1000g/README.md": "tests/real/conftest.py",
}
"""Pages of which every command is run by tests of their own, or the page says that it is untested."""

NOT_RUN = {
    "make ": "is how the tests themselves are started",
    "pytest ": "is how the tests themselves are started",
    "pip install": "needs a network; tests/test_packaging.py installs the package",
    ".venv/bin/pip": "needs a network; tests/test_deployment.py looks at it",
    "git clone": "needs a network",
    "slurm": "needs Slurm: tests/cluster",
    "cluster-generic": "needs Slurm: tests/cluster",
    "--settled": "needs a run beside a ledger: tests/test_explaining_ledger.py",
    "afpanel bench": "measures for minutes: tests/cli/test_bench.py runs it small",
    "ssh-add": "needs an agent; see below",
    "ssh-agent": "would leave an agent behind; tests/io/test_signatures.py signs with one",
}
"""Commands that are not run here, by what stands in them, and why."""


def blocks() -> Iterator[tuple[str, str]]:
    """Every block of shell commands, by its page and number."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        for number, block in enumerate(re.findall(r"```bash\n(.*?)```", text, re.DOTALL), 1):
            yield f"{page}#{number}", block


def commands(block: str) -> list[str]:
    """The commands of a block: lines with what continues them."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


BLOCKS = dict(blocks())


def understood(words: list[str]) -> None:
    """Parse a call as click does, down to the command of a group; raises where an option is not known."""
    command: click.Command | None = cli
    rest = words[1:]
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), rest[0])
        assert command is not None, rest
        rest = rest[1:]
    command.make_context(words[1], rest)


def test_there_are_commands_to_look_at():
    assert len(BLOCKS) > 50


@pytest.mark.parametrize("name", BLOCKS)
def test_every_call_of_afpanel_is_one_that_it_understands(name):
    for line in commands(BLOCKS[name]):
        if line.startswith("afpanel "):
            words = shlex.split(line, comments=True)
            assert words[1] in COMMANDS
            understood(words)


@pytest.fixture(scope="module")
def desk(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demonstration and its results, and the pages' files under the names that they have there."""
    folder: Path = tmp_path_factory.mktemp("desk") / "desk"
    shutil.copytree(undisturbed, folder, symlinks=True)
    data = folder / "demo/data"
    copies = {
        "my/config.yaml": "config/config.yaml",
        "my.samples.tsv": "demo/data/id.samples.tsv",
        "vn.samples.tsv": "demo/data/vn.samples.tsv",
        "callable.bed": "demo/data/vn.callable.bed",
        "cohort.vcf.gz": "demo/data/th.vcf.gz",
        **{f"GRCh38.fa.gz{end}": f"demo/data/reference.fa.gz{end}" for end in ("", ".fai", ".gzi")},
    }
    (folder / "my").mkdir()
    for name, source in copies.items():
        shutil.copy(folder / source, folder / name)
    (folder / "results/private/MY").symlink_to("ID-demo")
    release = folder / "results/release"
    shutil.copytree(release / "demo-2026.1", release / "demo-2026.2")
    manifest = release / "demo-2026.2/manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": "2026.1"', '"version": "2026.2"'))
    with pysam.VariantFile(str(data / "th.vcf.gz")) as vcf:
        person = next(iter(vcf.header.samples))
    (folder / "person").write_text(person)
    # What `afpanel bench` would measure.
    (folder / "here.json").write_text(coefficients_text(asdict(Coefficients())))
    shims = folder / "bin"
    shims.mkdir()
    write_bcftools(shims)
    return folder


def contribution(desk: Path) -> None:
    """A signed contribution, which several pages speak of."""
    if (desk / "VN.afc.zip").exists():
        return
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
         "results/contributions/VN-demo.afc.zip"],
        cwd=desk, check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(desk / "my/VN-demo.key")],
        check=True,
    )
    made = desk / "results/contributions/VN-demo.afc.zip"
    assert main(["sign", str(made), "--key", str(desk / "my/VN-demo.key")]) == 0
    for name in ("VN.afc.zip", "VN1.afc.zip"):
        shutil.copy(made, desk / name)
    (desk / "hub/editions").mkdir(parents=True)
    public = (desk / "my/VN-demo.key.pub").read_text()
    signer = f'VN-demo namespaces="afpanel-contribution" {public}'
    (desk / "hub/allowed_signers").write_text(signer)
    shutil.copy(desk / "results/private/VN-demo/harmonization.json", desk / "manifest.json")


NAMES = {
    "/shared/software": ".",
    "metadata init --out": "metadata init --example --out",
    "^PERSON": "^$(cat person)",
    "--cohort VN1 --country VN": "--cohort VN-demo --country VN",
    "VN-one=": "VN-demo=",
    "--cohort MY": "--cohort ID-demo",
    # The demonstration has few people, and would be refused.
    "--limit-realistic 0.05": "--limit-realistic 1",
}
"""What stands for something of the reader's own, and what it is on this desk."""

FOLDERS = {"docs/formats.md": "results/release/demo-2026.1"}
"""Pages whose commands run in a folder that they name."""

NEED_A_CONTRIBUTION = ("docs/privacy.md", "docs/signatures.md", "docs/verification.md", "README.md")


@pytest.mark.long
@pytest.mark.parametrize("page", dict.fromkeys(name.partition("#")[0] for name in BLOCKS), ids=str)
def test_the_commands_of_a_page_run_as_they_stand_there(desk: Path, page: str) -> None:
    if page in RUN_ELSEWHERE:
        assert (ROOT / RUN_ELSEWHERE[page]).is_file()
        assert page.rpartition("/")[2] in (ROOT / RUN_ELSEWHERE[page]).read_text()
        return
    if page in NEED_A_CONTRIBUTION:
        contribution(desk)
    run = []
    for name, block in BLOCKS.items():
        if name.partition("#")[0] != page:
            continue
        lines = re.sub(r"\\\n\s*", "", block).splitlines()
        kept = [line for line in lines if not any(each in line for each in NOT_RUN)]
        run.append("\n".join(["(", *kept, ")"]) if kept else "")
    script = "\n".join(run)
    for shown, here in NAMES.items():
        script = script.replace(shown, here)
    venv = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=desk / FOLDERS.get(page, "."),
        env={"PATH": f"{desk / 'bin'}:{venv}:/usr/bin:/bin", "HOME": str(desk), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
