"""``afpanel validate``."""

from pathlib import Path

import click

from afpanel.cli.options import INPUT, OUTPUT


@click.command("validate")
@click.argument("config", type=INPUT)
@click.option(
    "--plan", "plan_path", type=OUTPUT, help="Write the plan that the workflow follows (JSON)."
)
@click.option(
    "--clean",
    "results",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of results: take away what killed jobs left there, and wait for those that still run.",
)
def command(config: Path, plan_path: Path | None, results: Path | None) -> None:
    """Check a configuration and every file it names, before any work.

    All faults are listed at once: unknown keys, missing or damaged files, samples that are not in
    their file, contigs that the reference does not have, REF alleles that do not match it.

    \b
    Example:
      afpanel validate config/config.yaml
    """
    import logging

    from afpanel.stages.fingerprint import is_current

    logger = logging.getLogger(__name__)
    if results is not None and results.is_dir():
        from afpanel.stages.clean import clean

        clean(results)
    if plan_path is not None and is_current(plan_path, config):
        logger.debug("the plan is current: %s", plan_path)
        return
    from afpanel.stages.plan import plan  # slow to import, and not always needed
    from afpanel.stages.plan_files import write_plan

    made = plan(config)
    if plan_path is not None:
        write_plan(made, plan_path)
    for name, cohort in made["cohorts"].items():
        lifted = f", lifted from {cohort['build']}" if cohort["lift"] else ""
        work = f"{len(cohort['partitions'])} partitions"
        if cohort["kind"] == "contribution":
            work = f"contribution, edition {cohort['edition']}"
        logger.info(
            "%s (%s): %s people, %s%s",
            name, cohort["country"], f"{cohort['people']:,}", work, lifted,
        )  # fmt: skip
    logger.info("all inputs are fit for use; contigs: %s", ", ".join(made["contigs"]))
