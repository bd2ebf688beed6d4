"""``python -m afpanel``, and the installed command."""

import logging
import os
import sys

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
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
