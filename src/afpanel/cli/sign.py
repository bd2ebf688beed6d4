"""``afpanel sign``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("sign")
@click.argument("contribution", type=options.INPUT)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="SSH key to sign with; the public one where an agent holds the private one.",
)
def command(contribution: Path, key: Path) -> None:
    """Sign a contribution with an SSH key, so that the hub knows whose it is.

    What is signed is the manifest, which holds the digest of every part. A signature that the file
    already has is replaced.

    \b
    Example:
      afpanel sign results/contributions/VN1.afc.zip --key ~/.ssh/afpanel_VN1
    """
    from afpanel.stages.sign import sign_contribution

    sign_contribution(contribution, key)
