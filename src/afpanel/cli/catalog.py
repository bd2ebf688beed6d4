"""``afpanel catalog``."""

from pathlib import Path

import click

from afpanel.cli import options


@click.group("catalog")
def command() -> None:
    """List releases and contributions for people and for other catalogues.

    \b
    Example:
      afpanel catalog build results/release results/contributions --title "Panels of the region" \\
          --publisher "Example hub" --out catalogue
    """


@command.command("build")
@click.argument("sources", type=options.INPUT, nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder."
)
@click.option("--title", default="Catalogue of allele frequency panels", show_default=True)
@click.option(
    "--description",
    default="Releases and contributions of counts of groups of people.",
    show_default=True,
)
@click.option("--publisher", required=True, help="Who publishes the catalogue.")
@click.option("--publisher-url", help="Their web page.")
def build(
    sources: tuple[Path, ...],
    out: Path,
    title: str,
    description: str,
    publisher: str,
    publisher_url: str | None,
) -> None:
    """Make one page and one DCAT-AP file of many releases and contributions.

    DIR is the folder of a release, a contribution (.afc.zip), or a folder that holds such. OUT gets
    index.html, which works without a network, and catalogue.jsonld, which other catalogues harvest. Of a
    contribution its metadata and number of people are told, no counts; signatures are not checked.

    \b
    Example:
      afpanel catalog build results/release --publisher "Example hub" --out catalogue
    """
    from afpanel.stages.catalogue import build_catalog

    agent = {"name": publisher} | ({"url": publisher_url} if publisher_url else {})
    number = build_catalog(sources, out, title, description, agent)
    click.echo(f"{number} data sets listed in {out}")


@command.command("entry")
@click.argument("release", type=options.INPUT)
@click.option(
    "--about", type=options.INPUT, help="What its publisher says of it (YAML, docs/catalogue.md)."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder."
)
def entry(release: Path, about: Path | None, out: Path) -> None:
    """Write what catalogues, citation tools and people need to know of a release.

    OUT gets DCAT-AP, CITATION.cff, metadata for a DOI, an RO-Crate, a page, a notice of what may be done with
    it, and digests. All is from the release's manifest and from what --about says.

    \b
    Example:
      afpanel catalog entry results/release/demo-2026.1 --about config/about.example.yaml --out entry
    """
    from afpanel.io.files import read_json, whole_folder
    from afpanel.stages.catalogue import read_about, write_entry

    manifest = read_json(release / "manifest.json")
    said = read_about(about) or manifest.get("about", {})
    with whole_folder(out) as folder:
        write_entry(folder, manifest, said)
