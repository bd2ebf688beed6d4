"""``afpanel verify``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.command("verify")
@click.argument("contribution", type=options.INPUT)
@options.reference
@options.reference_index
@click.option(
    "--build", default="GRCh38", show_default=True, help="Genome build that it must be on."
)
@click.option("--cohort", help="Cohort that it must be of.")
@click.option("--country", help="Country that it must be of, as VN.")
@click.option(
    "--signatures",
    type=click.Choice(["required", "optional"]),
    default="optional",
    show_default=True,
    help="Whether it must be signed by a key that the hub knows for the cohort.",
)
@click.option(
    "--allowed-signers",
    type=options.INPUT,
    help="Who may sign for which cohort (docs/signatures.md); then a signature must be one of these.",
)
@click.option("--revoked-keys", type=options.INPUT, help="Keys that may not sign any more.")
@click.option(
    "--register",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder where the hub notes the editions it has accepted; nothing older is taken.",
)
@click.option("--plan", type=options.INPUT, help="Plan of the hub: other parameters are told of.")
@click.option(
    "--samples",
    "sheets",
    type=options.INPUT,
    multiple=True,
    help="Sample sheet of which no ID may be in it, for who has one; repeat for more.",
)
@click.option("--show", is_flag=True, help="Print what is in it, in tables.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for its parts, written if nothing fatal is found.",
)
def command(
    contribution: Path,
    reference: Path,
    index_dir: Path | None,
    build: str,
    cohort: str | None,
    country: str | None,
    signatures: str,
    allowed_signers: Path | None,
    revoked_keys: Path | None,
    register: Path | None,
    plan: Path | None,
    sheets: tuple[Path, ...],
    show: bool,
    out: Path | None,
) -> None:
    """Verify a contribution: everything that it claims is worked out again.

    Checks the file byte by byte, the signature, every digest, the reference, the order and spelling of
    every variant, every count and every sum, and lists all that is wrong. Exits with 5 if any of it is
    fatal; a warning is for you to judge.

    \b
    Example:
      afpanel verify VN1.afc.zip --reference GRCh38.fa.gz --cohort VN1 \\
          --signatures required --allowed-signers config/allowed_signers
    """
    from afpanel.cli.process import this_machine
    from afpanel.cli.terminal import visible
    from afpanel.errors import VerificationError
    from afpanel.io.files import read_json
    from afpanel.io.reference import ReferencePaths
    from afpanel.io.tables import canonical_build
    from afpanel.stages.leak_scan import Forbidden
    from afpanel.stages.verify import VerifyOptions, verify

    forbidden = Forbidden(this_machine())
    for sheet in sheets:
        forbidden.add_sheet(sheet.name, sheet)
    verdict = verify(
        contribution,
        ReferencePaths.find(reference, index_dir),
        VerifyOptions(
            build=canonical_build(build),
            cohort=cohort,
            country=country,
            signature_required=signatures == "required",
            allowed_signers=allowed_signers,
            revoked_keys=revoked_keys,
            register=register,
            parameters=None if plan is None else read_json(plan)["config"],
            forbidden=forbidden,
        ),
        out,
    )
    if show and verdict.manifest is not None and verdict.harmonization is not None:
        click.echo(visible(verdict.page()))
    for finding in verdict.findings:
        word = "FATAL" if finding.fatal else "warning"
        click.echo(visible(f"{word}  {finding.where}: {finding.what}"))
    if not verdict.accepted:
        raise VerificationError(
            "refused for what is marked FATAL above; nothing of it is used",
            where=contribution,
            remedy="send the lines above to the programme, which mends it and hands over a new file",
        )
    assert verdict.manifest is not None
    signed = f"signed by {verdict.signed_by}" if verdict.signed_by else "not signed"
    click.echo(
        f"{contribution}: all that it claims holds; cohort {verdict.manifest['cohort']}, edition"
        f" {verdict.manifest['edition']}, {verdict.manifest['people']:,} people, {signed}"
    )
