"""``python -m afpanel``, and the installed command."""

import sys

from afpanel.cli.main import main


def run() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    run()
