"""Programs that are inside of Python packages, under the names that shells know them by."""

import sys
from pathlib import Path


def write_bcftools(folder: Path) -> None:
    """Write a `bcftools` that calls the copy inside pysam."""
    shim = folder / "bcftools"
    shim.write_text(
        f"#!{sys.executable}\nimport sys\nimport pysam.bcftools\n"
        "call = getattr(pysam.bcftools, sys.argv[1])\n"
        "print(call(*sys.argv[2:], catch_stdout='-o' not in sys.argv) or '', end='')\n"
    )
    shim.chmod(0o755)
