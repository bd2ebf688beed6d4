# The whole workflow is in workflow/Snakefile; this makes it the one that runs from here.
# Another project uses it in the same way, as a module with a configuration of its own.
from pathlib import Path

# The demonstration's configuration, unless another is named with --configfile.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


module panel:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from panel


onsuccess:
    summary = Path(config.get("results", "results")) / "private" / "summary.txt"
    if summary.is_file():
        print(summary.read_text())
