"""``python -m afpanel``, and the installed command."""

import logging
import os
import sys
from contextlib import suppress

from afpanel.cli import process
from afpanel.cli.main import main


def run() -> None:
    """Run the command line and end the process with its exit code.

    Files are closed by now. The interpreter is left as it is: to take apart all that was imported
    would take a tenth of a second of each job.
    """
    process.do_without_pandas()
    code = main()
    logging.shutdown()
    with suppress(OSError):  # a log on a disk that is full
        sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
