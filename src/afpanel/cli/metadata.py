"""``afpanel metadata``."""

from pathlib import Path

import click

from afpanel.cli.options import INPUT, OUTPUT


@click.group("metadata")
def command() -> None:
    """Describe a cohort: write the form, check it, show it as a page.

    \b
    Example:
      afpanel metadata init --out vn.metadata.yaml
      afpanel metadata check vn.metadata.yaml --samples vn.samples.tsv
      afpanel metadata show vn.metadata.yaml
    """


@command.command("init")
@click.option("--out", type=OUTPUT, help="File to write (YAML); without it the form is printed.")
@click.option("--example", is_flag=True, help="Write it filled, for a synthetic cohort.")
def init(out: Path | None, example: bool) -> None:
    """Write the form to fill in.

    It has every key, with what it means and an example. A file that exists is not written over.

    \b
    Example:
      afpanel metadata init --out vn.metadata.yaml
    """
    from afpanel.io.files import write_text
    from afpanel.io.metadata_form import metadata_form

    form = metadata_form(filled=example)
    if out is None:
        click.echo(form, nl=False)
        return
    if out.exists():
        raise click.UsageError(f"{out} exists, and may be filled in; name another file")
    write_text(out, form)


@command.command("check")
@click.argument("files", type=INPUT, nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--samples", type=INPUT, help="Sample sheet, whose labels must be those that FILE describes."
)
def check(files: tuple[Path, ...], samples: Path | None) -> None:
    """Check filled forms; all faults are listed at once.

    \b
    Example:
      afpanel metadata check vn.metadata.yaml --samples vn.samples.tsv
    """
    if samples is not None and len(files) > 1:
        raise click.UsageError("--samples is the sheet of one cohort: check one FILE with it")
    import logging

    from afpanel.stages.metadata import check_files

    check_files(files, samples)
    logging.getLogger(__name__).info("no fault: %s", ", ".join(map(str, files)))


@command.command("show")
@click.argument("file", type=INPUT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, keys sorted, for machines.")
def show(file: Path, as_json: bool) -> None:
    """Print a filled form as a page to read, or as JSON.

    A form with faults is refused, as by check.

    \b
    Example:
      afpanel metadata show vn.metadata.yaml
    """
    from afpanel.io.metadata import read_metadata

    document = read_metadata(file)
    if as_json:
        import json

        click.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))
        return
    from afpanel.stages.metadata import page_of

    click.echo(page_of(document), nl=False)
