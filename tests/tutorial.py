"""The tutorial as steps that can be run: its commands, and what it says that they print."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/tutorial.md"

_BLOCK = re.compile(
    r"^## (?P<section>\d+)\.|^```(?P<language>bash|python|text)\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_LEFT_OUT = "…"


@dataclass
class Step:
    """A block of commands, or of Python, of a section; and the output shown below it, if any."""

    section: int
    language: str
    code: str
    shown: str = ""

    @property
    def workflow(self) -> list[str]:
        """Arguments of Snakemake, where this is all that the block runs; else none."""
        words = self.code.replace("\\\n", " ").split()
        return words[1:] if words[0] == "snakemake" else []

    def fits(self, printed: str) -> bool:
        """Tell whether output is what the page shows, but for what it leaves out."""
        lines = [line.rstrip() for line in self.shown.splitlines()]
        pattern = "".join(
            r"(?:.*\n)*?"
            if line == _LEFT_OUT
            else ".*".join(map(re.escape, line.split(_LEFT_OUT))) + r"\n"
            for line in lines
        )
        found = "".join(f"{line.rstrip()}\n" for line in printed.rstrip().splitlines())
        return re.fullmatch(pattern, found) is not None


def steps() -> list[Step]:
    """Every step of the page, in its order."""
    found: list[Step] = []
    section, last = 0, None
    for match in _BLOCK.finditer(PAGE.read_text()):
        if match["section"]:
            section, last = int(match["section"]), None
        elif match["language"] == "text":
            assert last is not None, f"output without a command: {match['body']}"
            last.shown, last = match["body"], None
        else:
            last = Step(section, match["language"], match["body"])
            found.append(last)
    return found
